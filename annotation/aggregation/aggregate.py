"""What a method returns for votes on classes: a label a task, how sure it is, and how well each worker did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from annotation.aggregation.votes import Floats, Ints

TIE = 1e-9
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Skills:
    """How well each worker did, between 0 and 1, with the bounds of a 95 % interval."""

    workers: Sequence[Any]
    votes: Floats
    skill: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, kw_only=True)
class Aggregate:
    """The labels that votes amount to."""

    method: str
    tasks: Sequence[Any]
    labels: Sequence[Any]
    probability: Floats
    """Of each label for each task, shape (tasks, labels)."""
    skills: Skills
    confusion: Floats | None = None
    """What each worker says when the label is another: shape (workers, said, meant), each column sums to one."""
    prior: Floats | None = None
    """How frequent each label is, shape (labels,)."""
    rounds: int = 0
    converged: bool = True
    why: str = ""
    """Why this method was chosen, where it was chosen."""

    @cached_property
    def winners(self) -> NDArray[np.bool_]:
        """Labels that share the highest probability, shape (tasks, labels)."""
        if not self.labels:
            return np.zeros_like(self.probability, dtype=bool)
        winners: NDArray[np.bool_] = self.probability >= self.probability.max(axis=1, keepdims=True) - TIE
        return winners

    @cached_property
    def is_tied(self) -> NDArray[np.bool_]:
        """Tasks on which several labels are equally probable."""
        tied: NDArray[np.bool_] = self.winners.sum(axis=1) > 1
        return tied

    @cached_property
    def chosen(self) -> Ints:
        """The number of each task's label; in a tie the one that is most frequent over all tasks, then the first."""
        if not self.labels:
            return np.zeros(len(self.tasks), dtype=np.int64)
        order = np.argsort(-np.round(self.probability.sum(axis=0), 9), kind="stable")
        return order[np.argmax(self.winners[:, order], axis=1)]

    @cached_property
    def confidence(self) -> Floats:
        """The probability of each task's label."""
        return self.probability[np.arange(len(self.tasks)), self.chosen] if self.labels else np.zeros(len(self.tasks))

    def label(self, number: int) -> Any:
        """The label of one task."""
        return self.labels[self.chosen[number]]


def skills_of(workers: Sequence[Any], given: Floats, agreed: Floats) -> Skills:
    """Skills from how many votes each worker gave and how many of them, as expected, agree with the aggregate.

    The skill is that share; its interval is that of the Beta posterior over a uniform prior. It is an agreement with
    the aggregate, which the worker's own votes are a part of, and not with the truth.
    """
    missed = np.maximum(given - agreed, 0.0)
    skill = np.divide(agreed, given, out=np.zeros(len(given)), where=given > 0)
    tail = (1 - CONFIDENCE) / 2
    return Skills(
        workers=workers,
        votes=given,
        skill=skill,
        low=np.minimum(betaincinv(1 + agreed, 1 + missed, tail), skill),
        high=np.maximum(betaincinv(1 + agreed, 1 + missed, 1 - tail), skill),
    )
