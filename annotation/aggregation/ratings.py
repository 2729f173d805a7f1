"""Values from ratings on a scale: people differ in how high they rate and in how much they scatter."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.special import ndtr

from annotation.aggregation.aggregate import Skills
from annotation.aggregation.votes import Floats, Index, Ints, aligned

ROUNDS = 500
TOLERANCE = 1e-8
Z = 1.959963984540054
# A worker's variance is taken from this many ratings' worth of the crowd's, so that two that agree prove little.
SHARED = 20.0


@dataclass(frozen=True, kw_only=True)
class Ratings:
    """Who rated what how high; a worker's several ratings of one task share one rating's weight."""

    tasks: Sequence[Any]
    workers: Sequence[Any]
    task: Ints
    worker: Ints
    value: Floats
    weight: Floats

    @classmethod
    def of(cls, rows: Iterable[tuple[Hashable, Hashable, float]]) -> Ratings:
        """Encode (task, worker, value) rows. Raises ValueError for a value that is no finite number."""
        tasks, workers = Index(), Index()
        found: list[tuple[int, int, float]] = []
        for task, worker, value in rows:
            number = float(value)
            if not np.isfinite(number):
                raise ValueError(f"{value!r} is no finite number.")
            found.append((tasks[task], workers[worker], number))
        table = np.array(found).reshape(-1, 3)
        task_of, worker_of = table[:, 0].astype(np.int64), table[:, 1].astype(np.int64)
        pair = np.unique(task_of * max(len(workers.names), 1) + worker_of, return_inverse=True)[1]
        weight = 1.0 / np.bincount(pair)[pair] if len(pair) else np.zeros(0)
        return cls(
            tasks=tasks.names, workers=workers.names, task=task_of, worker=worker_of, value=table[:, 2], weight=weight
        )


@dataclass(frozen=True, kw_only=True)
class Scores:
    """A value for each task on the raters' scale."""

    method: str
    tasks: Sequence[Any]
    score: Floats
    error: Floats
    """Standard error of each score."""
    confidence: Floats
    """The probability that the true value is within half a step (an eighth of the scale) of the score."""
    skills: Skills
    """A worker's skill is the correlation that their ratings would have with the true values."""
    bias: Floats
    """How much higher than the others each worker rates."""
    rounds: int = 0
    converged: bool = True


def mean(ratings: Ratings, *, start: Scores | None = None) -> Scores:
    """The mean rating, all workers alike. `start` is of no use here."""
    size, people = len(ratings.tasks), len(ratings.workers)
    total = np.bincount(ratings.task, ratings.weight, size)
    score = np.bincount(ratings.task, ratings.weight * ratings.value, size) / np.maximum(total, 1e-300)
    rest = ratings.value - score[ratings.task]
    variance = np.sum(ratings.weight * rest**2) / max(np.sum(ratings.weight) - size, 1.0)
    of_worker = np.bincount(ratings.worker, ratings.weight, people)
    scatter = np.bincount(ratings.worker, ratings.weight * rest**2, people) / np.maximum(of_worker, 1e-300)
    return _scores("mean", ratings, score, np.sqrt(variance / np.maximum(total, 1e-300)), np.zeros(people), scatter)


def gaussian(ratings: Ratings, *, start: Scores | None = None, rounds: int = ROUNDS) -> Scores:
    """A rating is the true value, plus the rater's bias, plus noise of the rater's own variance.

    Values, biases and variances in turn, each given the others, with normal priors whose variances follow the data
    (a random-effects model with unequal variances; compare Raykar et al. 2010, section 5).
    """
    size, people = len(ratings.tasks), len(ratings.workers)
    if not size:
        return _scores("gaussian", ratings, np.zeros(0), np.zeros(0), np.zeros(people), np.zeros(people))
    score = mean(ratings).score
    bias = np.zeros(people)
    if start is not None:
        bias = aligned(start.bias, start.skills.workers, ratings.workers, 0.0)
    everything = max(float(np.var(ratings.value)), 1e-12)
    variance = np.full(people, everything)
    spread, bias_spread, middle = everything, everything / 4, float(score.mean())
    of_worker = np.bincount(ratings.worker, ratings.weight, people)
    done, change, error = 0, np.inf, np.zeros(size)
    while done < rounds:
        done += 1
        before = score
        weight = ratings.weight / variance[ratings.worker]
        known = np.bincount(ratings.task, weight, size)
        sums = np.bincount(ratings.task, weight * (ratings.value - bias[ratings.worker]), size)
        score = (sums + middle / spread) / (known + 1 / spread)
        error = np.sqrt(1 / (known + 1 / spread))
        middle = float(score.mean())
        spread = max(float(np.mean((score - middle) ** 2 + error**2)), 1e-9 * everything)
        rest = ratings.value - score[ratings.task]
        weight = of_worker / variance
        bias = np.bincount(ratings.worker, ratings.weight * rest, people) / variance / (weight + 1 / bias_spread)
        bias -= np.average(bias, weights=of_worker)
        bias_error = 1 / (weight + 1 / bias_spread)
        bias_spread = max(float(np.mean(bias**2 + bias_error)), 1e-9 * everything)
        square = (rest - bias[ratings.worker]) ** 2 + error[ratings.task] ** 2 + bias_error[ratings.worker]
        sums = np.bincount(ratings.worker, ratings.weight * square, people)
        shared = sums.sum() / max(of_worker.sum(), 1e-300)
        variance = np.maximum((sums + SHARED * shared) / (of_worker + SHARED), 1e-9 * everything)
        change = float(np.abs(score - before).max()) / np.sqrt(everything)
        if change < TOLERANCE:
            break
    result = _scores("gaussian", ratings, score, error, bias, variance, spread)
    return Scores(**{**result.__dict__, "rounds": done, "converged": change < TOLERANCE})


METHODS: Mapping[str, Callable[..., Scores]] = MappingProxyType({"mean": mean, "gaussian": gaussian})


def _scores(
    method: str, ratings: Ratings, score: Floats, error: Floats, bias: Floats, variance: Floats, spread: float = 0.0
) -> Scores:
    given = np.bincount(ratings.worker, ratings.weight, len(ratings.workers))
    spread = spread or (float(np.var(score)) if len(score) else 1.0)
    skill = np.sqrt(spread / np.maximum(spread + variance, 1e-300))
    # Fisher's z: the interval of a correlation that so many pairs show.
    z, half = np.arctanh(skill.clip(0, 1 - 1e-12)), Z / np.sqrt(np.maximum(given - 3, 0.5))
    reach = float(np.ptp(ratings.value)) / 16 if len(ratings.value) else 0.0
    sure = 2 * ndtr(np.divide(reach, error, out=np.full_like(error, np.inf), where=error > 0)) - 1
    return Scores(
        method=method,
        tasks=ratings.tasks,
        score=score,
        error=error,
        confidence=sure,
        skills=Skills(
            workers=ratings.workers, votes=given, skill=skill, low=np.tanh(z - half).clip(0), high=np.tanh(z + half)
        ),
        bias=bias,
    )
