"""How much more surely a model knows answers that it learnt from than answers that it never saw, in bits of exposure.

Exposure (Carlini et al. 2019) is log2 of how many alternatives there are, less log2 of the rank of the true one among
them. It was made for planted canaries; here nothing is planted into people's words. The alternatives of an answer are
the same answer after the requests of other rows of its split, and what is compared is how much likelier training made
it after each (nats of the adapter minus nats of the base model). Whoever learnt the language, or the style of a
document, finds an answer likelier after every request; whoever knows it by heart, after its own. What a model may
rightly know of such a pair (names, loanwords, translating) it knows of held-out rows as well: these are the control.
It says little where a request as good as holds its answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtr

from training.evaluation.scores import two_means_interval

# Of each answer so many other requests. Fewer than two say nothing.
ALTERNATIVES, LEAST_ALTERNATIVES = 7, 2
# One chance in four thousand million; what is surer than that is not told apart.
MOST_BITS = 32.0


@dataclass(frozen=True)
class Recall:
    """One answer as a model knows it: its summed nats after its own request and after others; and whether the model,
    asked with its own request alone and always writing what is likeliest, writes it word by word."""

    own: float
    others: Sequence[float]
    is_recited: bool = False


def changed_by_training(adapter: Sequence[Recall], base: Sequence[Recall]) -> list[Recall]:
    """Nats of the adapter minus nats of the base model, of the same rows: below 0 is what became likelier."""
    return [
        Recall(
            after.own - before.own,
            [one - other for one, other in zip(after.others, before.others, strict=True)],
            after.is_recited,
        )
        for after, before in zip(adapter, base, strict=True)
    ]


def exposure(own: float, others: Sequence[float]) -> float:
    """Exposure by rank, in bits: log2(all) - log2(rank of the own nats among all), ties to its disadvantage. At most
    log2(all); a model that knows nothing gives 1.44 in the mean."""
    rank = 1 + sum(other <= own for other in others)
    return math.log2(len(others) + 1) - math.log2(rank)


def fitted_exposure(own: float, others: Sequence[float]) -> float:
    """The same from few alternatives, and above what their number allows: -log2 of the chance that another of them is
    as likely, by Student's prediction from their mean and spread. 1.44 in the mean where `own` is one of them."""
    values = np.asarray(others, dtype=np.float64)
    # The spread is above rounding, so that others that are all alike give no infinite surety.
    spread = max(float(values.std(ddof=1)), 1e-6) * math.sqrt(1 + 1 / len(values))
    chance = float(stdtr(len(values) - 1, (own - float(values.mean())) / spread))
    return min(-math.log2(max(chance, 2.0**-MOST_BITS)), MOST_BITS)


def memorised(trained: Sequence[Recall], held_out: Sequence[Recall]) -> dict[str, Any] | None:
    """The report's figures, from what training changed of rows: mean bits of both, trained minus held-out with a 95 %
    bootstrap interval over rows, and the shares that are recited. None where there are no rows to tell anything by."""
    rows = [[one for one in some if len(one.others) >= LEAST_ALTERNATIVES] for some in (trained, held_out)]
    if min(map(len, rows)) < 2:
        return None
    learnt, control = ([fitted_exposure(one.own, one.others) for one in some] for some in rows)
    interval = two_means_interval(learnt, control)
    recited, by_chance = (math.fsum(one.is_recited for one in some) / len(some) for some in rows)
    bits, bits_of_control = math.fsum(learnt) / len(learnt), math.fsum(control) / len(control)
    return {
        "rows": len(learnt),
        "held_out_rows": len(control),
        "alternatives": max(len(one.others) for some in rows for one in some),
        "bits": bits,
        "control_bits": bits_of_control,
        "over_control": bits - bits_of_control,
        "over_control_ci95": [interval.low, interval.high],
        "recited": recited,
        "recited_held_out": by_chance,
    }
