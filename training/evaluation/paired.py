"""Two systems on the same sentences: how far apart they are, and how surely.

The draws, and so the p values, are those of sacrebleu 2.6 (`sacrebleu.significance`): numpy's default generator with
the seed 12345, 1000 resamples, 10,000 trials. It is written out here because sacrebleu tests only its own three
metrics, and says nothing of the interval of a difference; tests/evaluation/test_paired.py holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.evaluation.scores import FloatArray, Interval

SEED = 12345
RESAMPLES = 1000
TRIALS = 10_000


@dataclass(frozen=True)
class Measure:
    """A score of a whole corpus that follows from sums over its sentences.

    `statistics` turns texts, in the order of the references that it was made with, into (sentences, k) numbers;
    `score` turns the k sums into the score.
    """

    name: str
    statistics: Callable[[Sequence[str]], FloatArray]
    score: Callable[[FloatArray], float]
    higher_is_better: bool = True
    signature: str = ""


def compare_texts(measure: Measure, first: Sequence[str], second: Sequence[str]) -> dict[str, Any]:
    """Both scores, second minus first with its 95 % interval, and two p values that there is no difference."""
    one, two = (np.asarray(measure.statistics(texts), dtype=np.float64) for texts in (first, second))
    base, other = measure.score(one.sum(0)), measure.score(two.sum(0))
    drawn_one, drawn_two = _resampled(measure, one), _resampled(measure, two)
    low, high = np.quantile(drawn_two - drawn_one, [0.025, 0.975])
    return {
        "name": measure.name,
        "sentences": len(one),
        "base": base,
        "adapter": other,
        "difference_ci95": [float(low), float(high)],
        "p_bootstrap": bootstrap_p(drawn_one, drawn_two, abs(base - other)),
        "p_randomisation": randomisation_p(measure, one, two),
        "higher_is_better": measure.higher_is_better,
        "signature": measure.signature,
    }


def bootstrap_p(drawn_one: FloatArray, drawn_two: FloatArray, difference: float) -> float:
    """Paired bootstrap resampling (Koehn 2004): how often a difference as large comes about by chance."""
    apart = np.abs(drawn_two - drawn_one)
    return _p(apart - apart.mean(), difference)


def randomisation_p(measure: Measure, one: FloatArray, two: FloatArray) -> float:
    """Paired approximate randomisation (Riezler and Maxwell 2005): how often systems that swap sentences by chance
    are as far apart."""
    kept = np.random.default_rng(SEED).integers(2, size=(TRIALS, len(one)), dtype=bool).astype(np.float64)
    sums_one, sums_two = kept @ one + (1 - kept) @ two, (1 - kept) @ one + kept @ two
    apart = np.abs(_scores(measure, sums_one) - _scores(measure, sums_two))
    return _p(apart, abs(measure.score(one.sum(0)) - measure.score(two.sum(0))))


def mean_difference(first: Sequence[float], second: Sequence[float]) -> Interval:
    """95 % interval of mean(second) - mean(first) by the same draws."""
    values = np.asarray(second) - np.asarray(first)
    means = np.array([values[row].mean() for row in _drawn(len(values))])
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(low), float(high))


def _drawn(count: int) -> Any:
    return np.random.default_rng(SEED).choice(count, size=(RESAMPLES, count), replace=True)


def _resampled(measure: Measure, statistics: FloatArray) -> FloatArray:
    # As sacrebleu reckons: in 32 bits, where sums of counts are exact up to 16 million.
    short = statistics.astype(np.float32)
    return _scores(measure, np.array([short[row].sum(0) for row in _drawn(len(statistics))]))


def _scores(measure: Measure, sums: Any) -> FloatArray:
    """The score of each row of sums; of equal rows, which few sentences have many of, once."""
    distinct, places = np.unique(sums, axis=0, return_inverse=True)
    return np.array([measure.score(row) for row in distinct])[places.reshape(-1)]


def _p(by_chance: FloatArray, difference: float) -> float:
    # Equal systems differ by nothing, which no chance explains; one is added so that p is never 0.
    return (int(np.sum(by_chance > difference)) + 1) / (len(by_chance) + 1)
