"""Scores from choices between two: Bradley–Terry, plain and with the reliability of those who choose."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.special import expit, log_expit

from annotation.aggregation.aggregate import Skills
from annotation.aggregation.votes import Floats, Index, Ints, aligned

# Half a win and half a defeat against an average opponent: a score exists for those who always win, too.
PRIOR = 0.5
Z = 1.959963984540054


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Who found which of two better; a tie is half a win for either."""

    items: Sequence[Any]
    workers: Sequence[Any]
    left: Ints
    right: Ints
    worker: Ints
    won: Floats
    """What the left one won: 1, 0, or 0.5 in a tie."""

    @classmethod
    def of(cls, rows: Iterable[tuple[Hashable, Hashable, Hashable, Hashable | None]]) -> Choices:
        """Encode (worker, left, right, winner) rows; a winner that is None is a tie.

        Raises ValueError where the winner is neither of the two, or both are the same.
        """
        items, workers = Index(), Index()
        found: list[tuple[int, int, int, float]] = []
        for worker, left, right, winner in rows:
            if left == right:
                raise ValueError(f"{left!r} is compared with itself.")
            if winner is not None and winner not in (left, right):
                raise ValueError(f"The winner {winner!r} is neither {left!r} nor {right!r}.")
            won = 0.5 if winner is None else float(winner == left)
            found.append((items[left], items[right], workers[worker], won))
        table = np.array(found).reshape(-1, 4)
        left_of, right_of, worker_of = (table[:, column].astype(np.int64) for column in range(3))
        return cls(
            items=items.names, workers=workers.names, left=left_of, right=right_of, worker=worker_of, won=table[:, 3]
        )


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """A score for each item: the log-odds with which it wins against an average one."""

    method: str
    items: Sequence[Any]
    score: Floats
    error: Floats
    """Standard error of each score."""
    confidence: Floats
    """The probability that the item is better than an average one."""
    skills: Skills
    groups: int = 1
    """Into how many groups the items fall that were never compared with each other: scores compare only within one."""


def bradley_terry(choices: Choices, *, start: Ranking | None = None, prior: float = PRIOR) -> Ranking:
    """The probability that one wins is σ(its score − the other's) (Bradley and Terry 1952), all workers alike."""
    score = _begin(choices, start)
    if len(choices.items):
        score = _climb(choices, score, np.ones(len(choices.won)), prior)
    return _ranking("bradley_terry", choices, score, np.ones(len(choices.workers)), prior)


def noisy_bradley_terry(
    choices: Choices, *, start: Ranking | None = None, prior: float = PRIOR, rounds: int = 200
) -> Ranking:
    """Bradley–Terry in which each worker looks with some probability, and else throws a coin.

    After Chen et al. 2013 (Crowd-BT) and the noisy model of Bugakova et al. 2019; maximised by
    expectation–maximisation over "looked". A worker's prior is to look eight times in ten.
    """
    score = _begin(choices, start)
    size, people = len(choices.items), len(choices.workers)
    looking = np.full(people, 0.8)
    if start is not None:
        looking = aligned(start.skills.skill, start.skills.workers, choices.workers, 0.8)
    given = np.bincount(choices.worker, minlength=people)
    for _ in range(rounds if size else 0):
        lead = score[choices.left] - score[choices.right]
        fits = choices.won * expit(lead) + (1 - choices.won) * expit(-lead)
        share = looking[choices.worker]
        looked = share * fits / (share * fits + (1 - share) * 0.5)
        before = score
        score = _climb(choices, score, looked, prior)
        looking = (np.bincount(choices.worker, looked, people) + 4.0) / (given + 5.0)
        if np.abs(score - before).max() < 1e-6:
            break
    return _ranking("noisy_bradley_terry", choices, score, looking, prior)


def _climb(choices: Choices, score: Floats, weight: Floats, prior: float) -> Floats:
    """The scores that fit best where each choice weighs as it does."""
    size = len(score)

    def loss(score: Floats) -> tuple[float, Floats]:
        lead = score[choices.left] - score[choices.right]
        value = -(weight * (choices.won * log_expit(lead) + (1 - choices.won) * log_expit(-lead))).sum()
        slope = weight * (expit(lead) - choices.won)
        gradient = np.bincount(choices.left, slope, size) - np.bincount(choices.right, slope, size)
        value -= prior * (log_expit(score) + log_expit(-score)).sum()
        return float(value), gradient + prior * (2 * expit(score) - 1)

    options = {"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9}
    return np.asarray(minimize(loss, score, jac=True, method="L-BFGS-B", options=options).x)


def _begin(choices: Choices, start: Ranking | None) -> Floats:
    if start is None:
        return np.zeros(len(choices.items))
    return aligned(start.score, start.items, choices.items, 0.0)


def _ranking(method: str, choices: Choices, score: Floats, looking: Floats, prior: float) -> Ranking:
    size, people = len(choices.items), len(choices.workers)
    score = score - score.mean() if size else score
    lead = score[choices.left] - score[choices.right]
    spread = looking[choices.worker] * expit(lead) * expit(-lead)
    known = np.bincount(choices.left, spread, size) + np.bincount(choices.right, spread, size)
    error = 1 / np.sqrt(known + 2 * prior * expit(score) * expit(-score))
    better = np.sign(lead) == np.sign(choices.won - 0.5)
    agreed = np.bincount(choices.worker, np.where(choices.won == 0.5, 0.5, better), people)
    given = np.bincount(choices.worker, minlength=people).astype(np.float64)
    rate = agreed / np.maximum(given, 1)
    if method == "noisy_bradley_terry":
        rate = looking
    # Wilson's interval.
    middle = (rate + Z**2 / (2 * np.maximum(given, 1))) / (1 + Z**2 / np.maximum(given, 1))
    half = (
        Z
        / (1 + Z**2 / np.maximum(given, 1))
        * np.sqrt(rate * (1 - rate) / np.maximum(given, 1) + Z**2 / (4 * np.maximum(given, 1) ** 2))
    )
    edges = coo_array((np.ones(len(lead)), (choices.left, choices.right)), shape=(size, size))
    return Ranking(
        method=method,
        items=choices.items,
        score=score,
        error=error,
        confidence=expit(1.702 * score / error),
        skills=Skills(workers=choices.workers, votes=given, skill=rate, low=middle - half, high=middle + half),
        groups=int(connected_components(edges, directed=False)[0]) if size else 0,
    )


METHODS: Mapping[str, Callable[..., Ranking]] = MappingProxyType(
    {"bradley_terry": bradley_terry, "noisy_bradley_terry": noisy_bradley_terry}
)
