"""What several trainings that differ in their seed alone came to: how far a figure depends on chance in training."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from scipy.special import stdtrit


def spread(values: Sequence[float]) -> dict[str, float]:
    """How many, mean, standard deviation, and the 95 % interval of the mean by Student's t; at least two values."""
    mean, deviation = statistics.fmean(values), statistics.stdev(values)
    apart = float(stdtrit(len(values) - 1, 0.975)) * deviation / math.sqrt(len(values))
    return {"number": len(values), "mean": mean, "deviation": deviation, "low": mean - apart, "high": mean + apart}


def over_seeds(measured: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The report's figures: what each seed came to, and of those that came to an end the spread of bits per byte and of
    the task's first score. A seed whose training failed stays in the list, with `failure`."""
    whole = [one for one in measured if "failure" not in one]
    found: dict[str, Any] = {"measured": [dict(one) for one in measured]}
    if len(whole) > 1:
        found["bpb"] = spread([one["bpb"] for one in whole])
        if all("score" in one for one in whole):
            found["score"] = {"name": whole[0]["score_name"], **spread([one["score"] for one in whole])}
    return found
