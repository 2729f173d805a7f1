"""What the gate looks at, as runs' reports have it. A figure that a report lacks was not measured, and is None."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Any

from training.evaluation.robustness import LEAST_OF_GROUP
from training.runs.gate import ByHeart, Gain, Part


def gain_of(report: Mapping[str, Any]) -> Gain | None:
    """The comparison with the base model out of a run's report; None where a figure is missing."""
    try:
        evaluation = report["evaluation"]
        return Gain(
            float(evaluation["base_bpb"]),
            float(evaluation["adapter_bpb"]),
            float(evaluation["bpb_difference_ci95"][1]),
            int(evaluation["items"]),
        )
    except (KeyError, TypeError, IndexError, ValueError):
        return None


def gain_over_few_shot(report: Mapping[str, Any]) -> Gain | None:
    """The comparison with few-shot prompting out of a run's report; None where a figure is missing."""
    try:
        evaluation = report["evaluation"]
        shown = evaluation["few_shot"]
        high = float(shown["difference_ci95"][1])
        return Gain(float(shown["bpb"]), float(evaluation["adapter_bpb"]), high, int(evaluation["items"]))
    except (KeyError, TypeError, IndexError, ValueError):
        return None


def by_heart_of(report: Mapping[str, Any]) -> ByHeart | None:
    """What it knows by heart, out of a run's report; None where it was not measured.

    From fewer than ten held-out sentences nothing may follow: then the interval is all numbers, and the gate's check on
    how many were measured decides.
    """
    try:
        evaluation = report["evaluation"]
        found = evaluation["memorisation"]
        if found is None and int(evaluation["items"]) < LEAST_OF_GROUP:
            return ByHeart(0.0, -inf, inf)
        return ByHeart(float(found["over_control"]), *(float(end) for end in found["over_control_ci95"]))
    except (KeyError, TypeError, ValueError):
        return None


def parts_of(report: Mapping[str, Any]) -> list[Part] | None:
    """Every variety and orthography in a run's report; None where they were not told apart."""
    try:
        found = report["evaluation"]["robustness"]
        return [
            Part(str(one["name"]), int(one["sentences"]), *(float(end) for end in one["difference_ci95"]))
            for kind in ("variety", "orthography")
            for one in found[kind]
        ]
    except (KeyError, TypeError, ValueError):
        return None
