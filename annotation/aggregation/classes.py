"""Labels from votes on classes: majority, weighted majority, Dawid–Skene, one-coin, MACE and GLAD.

All but the majorities and GLAD are one expectation–maximisation over a worker's confusion, that is what they say when
the label is another (Dawid and Skene 1979); the methods differ in how freely a confusion may follow the votes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import reduce
from types import MappingProxyType

import numpy as np
from scipy.special import expit, log_expit

from annotation.aggregation.aggregate import Aggregate, skills_of
from annotation.aggregation.votes import Floats, Votes, aligned

ROUNDS = 200
TOLERANCE = 1e-7
# Nothing is impossible: the least probability that a confusion may give to a vote.
LEAST = 1e-10

# From the expected counts of (worker, said, meant) and the present confusion to the next one.
Fit = Callable[[Floats, Floats], Floats]


def majority(votes: Votes, *, start: Aggregate | None = None) -> Aggregate:
    """The label with the most votes; its probability is its share of them. `start` is of no use here."""
    return _of_shares("majority", votes, votes.counts)


def weighted_majority(votes: Votes, *, start: Aggregate | None = None) -> Aggregate:
    """Each vote weighs as much as its worker agrees with the majority ("worker agreement with aggregate", Wawa)."""
    first = majority(votes)
    agreed = _hits(votes, first)
    weight = np.divide(agreed, votes.given.sum(axis=1), out=np.zeros(len(votes.workers)), where=agreed > 0)
    size = len(votes.tasks) * len(votes.labels)
    place = votes.task_of * len(votes.labels) + votes.label_of
    sums = np.bincount(place, weights=votes.table.data * weight[votes.worker_of], minlength=size).astype(np.float64)
    return _of_shares("weighted_majority", votes, sums.reshape(len(votes.tasks), len(votes.labels)))


def dawid_skene(votes: Votes, *, start: Aggregate | None = None, rounds: int = ROUNDS) -> Aggregate:
    """A confusion of its own for every worker, by maximum likelihood (Dawid and Skene 1979)."""

    def fit(counts: Floats, _: Floats) -> Floats:
        return _columns(counts)

    return _maximise("dawid_skene", votes, fit, start=start, rounds=rounds)


def shared_dawid_skene(
    votes: Votes, *, start: Aggregate | None = None, rounds: int = ROUNDS, strength: float = 1.0
) -> Aggregate:
    """Dawid–Skene in which a worker of few votes is taken to err as all do (hierarchical; Paun et al. 2018).

    `strength` is the number of votes, for each label meant, that the crowd's own confusion is worth.
    """

    def fit(counts: Floats, _: Floats) -> Floats:
        labels = counts.shape[1]
        # The crowd is taken to be right rather than wrong, as firmly as two votes a label would say.
        crowd = _columns(counts.sum(axis=0, keepdims=True) + 1.0 + labels * np.eye(labels))
        return _columns(counts + strength * labels * crowd)

    return _maximise("shared_dawid_skene", votes, fit, start=start, rounds=rounds)


def one_coin(votes: Votes, *, start: Aggregate | None = None, rounds: int = ROUNDS) -> Aggregate:
    """One number a worker: how often they are right; all that is wrong is equally likely."""

    def fit(counts: Floats, _: Floats) -> Floats:
        labels = counts.shape[1]
        right = np.trace(counts, axis1=1, axis2=2)
        skill = np.divide(right, counts.sum(axis=(1, 2)), out=np.zeros_like(right), where=right > 0)[:, None, None]
        wrong = (1 - skill) / max(labels - 1, 1)
        return np.where(np.eye(labels, dtype=bool), skill, wrong)

    return _maximise("one_coin", votes, fit, start=start, rounds=rounds)


def mace(votes: Votes, *, start: Aggregate | None = None, rounds: int = ROUNDS, smoothing: float = 0.5) -> Aggregate:
    """A worker either knows the label or says what they always say (MACE, Hovy et al. 2013; MAP instead of restarts).

    `smoothing` votes are added to knowing, not knowing, and each label of the habit.
    """

    def fit(counts: Floats, confusion: Floats) -> Floats:
        labels = counts.shape[1]
        if labels < 2:
            return np.ones_like(counts)
        same = np.diagonal(confusion, axis1=1, axis2=2)
        # What a worker says without knowing does not depend on what is meant, so it is read off beside the diagonal.
        beside = np.where(np.eye(labels, dtype=bool), np.inf, confusion).min(axis=2)
        knew = np.diagonal(counts, axis1=1, axis2=2) * (1 - beside / np.maximum(same, LEAST)).clip(0, 1)
        habit = counts.sum(axis=2) - knew + smoothing
        knowing = (knew.sum(axis=1) + smoothing) / (counts.sum(axis=(1, 2)) + 2 * smoothing)
        by_habit = (1 - knowing)[:, None] * habit / habit.sum(axis=1, keepdims=True)
        return by_habit[:, :, None] + np.eye(labels) * knowing[:, None, None]

    return _maximise("mace", votes, fit, start=start, rounds=rounds, balanced=True)


def glad(votes: Votes, *, start: Aggregate | None = None, rounds: int = 60, steps: int = 10) -> Aggregate:
    """Workers differ in ability and tasks in difficulty: right with probability σ(ability · ease) (Whitehill 2009).

    Normal priors around ability 1 and log-ease 1 as in the paper; the maximisation climbs with AdaGrad steps.
    `start` gives workers' abilities by their skill.
    """
    labels = max(len(votes.labels), 2)
    ability = np.ones(len(votes.workers))
    if start is not None:
        known = start.skills.skill.clip(0.05, 0.95)
        ability = aligned(np.log(known / (1 - known)), start.skills.workers, votes.workers, 1.0)
    log_ease = np.ones(len(votes.tasks))
    task, worker, weight = votes.task_of, votes.worker_of, votes.table.data
    prior = np.full(len(votes.labels), 1 / max(len(votes.labels), 1))
    probability = majority(votes).probability
    climbed = np.full_like(ability, 1e-8), np.full_like(log_ease, 1e-8)
    done, before, change = 0, -np.inf, np.inf
    while done < rounds and len(task):
        done += 1
        strength = ability[worker] * np.exp(log_ease)[task]
        right, wrong = log_expit(strength), log_expit(-strength) - np.log(labels - 1)
        scores = np.tile(np.log(prior), (len(votes.tasks), 1))
        scores += np.bincount(task, weights=weight * wrong, minlength=len(votes.tasks))[:, None]
        place = task * max(len(votes.labels), 1) + votes.label_of
        gained = np.bincount(place, weights=weight * (right - wrong), minlength=scores.size)
        scores += gained.reshape(scores.shape)
        probability, likelihood = _normalised(scores)
        change, before = abs(likelihood - before), likelihood
        if change < TOLERANCE:
            break
        hit = probability[task, votes.label_of]
        _climb(ability, log_ease, climbed, task=task, worker=worker, weight=weight, hit=hit, steps=steps)
    agreement = np.bincount(worker, weights=weight * probability[task, votes.label_of], minlength=len(votes.workers))
    return Aggregate(
        method="glad",
        tasks=votes.tasks,
        labels=votes.labels,
        probability=probability,
        skills=skills_of(votes.workers, votes.given.sum(axis=1), agreement),
        prior=prior,
        rounds=done,
        converged=change < TOLERANCE or not len(task),
    )


def _climb(
    ability: Floats,
    log_ease: Floats,
    climbed: tuple[Floats, Floats],
    *,
    task: Floats,
    worker: Floats,
    weight: Floats,
    hit: Floats,
    steps: int,
) -> None:
    """AdaGrad steps up the expected log-posterior; `ability`, `log_ease` and `climbed` change in place."""
    for _ in range(steps):
        ease = np.exp(log_ease)
        error = weight * (hit - expit(ability[worker] * ease[task]))
        for_worker = np.bincount(worker, weights=error * ease[task], minlength=len(ability))
        for_task = np.bincount(task, weights=error * ability[worker] * ease[task], minlength=len(ease))
        slopes = for_worker - (ability - 1), for_task - (log_ease - 1)
        for place, slope, squares in zip((ability, log_ease), slopes, climbed, strict=True):
            np.add(squares, slope**2, out=squares)
            np.add(place, 0.3 * slope / np.sqrt(squares), out=place)


def pooled(votes: Votes, *, start: Aggregate | None = None, rounds: int = ROUNDS) -> Aggregate:
    """The mean of what three models say: Dawid–Skene, the same leaning on the crowd, and MACE.

    They err apart: the first with people of few votes, the second with people unlike the others, the third with
    people who mix two labels up.
    """
    models = [model(votes, start=start, rounds=rounds) for model in (dawid_skene, shared_dawid_skene, mace)]
    probability = np.mean([model.probability for model in models], axis=0)
    counts = votes.table.T @ probability
    labels = len(votes.labels)
    counts = counts.reshape(len(votes.workers), labels, labels)
    return Aggregate(
        method="pooled",
        tasks=votes.tasks,
        labels=votes.labels,
        probability=probability,
        skills=skills_of(votes.workers, votes.given.sum(axis=1), np.trace(counts, axis1=1, axis2=2)),
        confusion=_columns(counts),
        prior=probability.mean(axis=0) if len(votes.tasks) else None,
        rounds=max(model.rounds for model in models),
        converged=all(model.converged for model in models),
    )


METHODS: Mapping[str, Callable[..., Aggregate]] = MappingProxyType(
    {
        "majority": majority,
        "weighted_majority": weighted_majority,
        "dawid_skene": dawid_skene,
        "shared_dawid_skene": shared_dawid_skene,
        "one_coin": one_coin,
        "mace": mace,
        "glad": glad,
        "pooled": pooled,
    }
)


def _of_shares(method: str, votes: Votes, sums: Floats) -> Aggregate:
    total = sums.sum(axis=1, keepdims=True)
    even = np.full_like(sums, 1 / max(sums.shape[1], 1))
    result = Aggregate(
        method=method,
        tasks=votes.tasks,
        labels=votes.labels,
        probability=np.divide(sums, total, out=even, where=total > 0),
        skills=skills_of(votes.workers, np.zeros(len(votes.workers)), np.zeros(len(votes.workers))),
        prior=sums.sum(axis=0) / max(sums.sum(), LEAST),
    )
    return replace(result, skills=skills_of(votes.workers, votes.given.sum(axis=1), _hits(votes, result)))


def _hits(votes: Votes, result: Aggregate) -> Floats:
    """How many of each worker's votes are the label that was chosen."""
    hits = votes.table.data * (result.chosen[votes.task_of] == votes.label_of)
    return np.bincount(votes.worker_of, weights=hits, minlength=len(votes.workers)).astype(np.float64)


def _columns(counts: Floats) -> Floats:
    """Each worker's counts as shares of what is meant; even shares where nothing is known."""
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, total, out=np.full_like(counts, 1 / max(counts.shape[1], 1)), where=total > 0)


def _maximise(
    method: str, votes: Votes, fit: Fit, *, start: Aggregate | None, rounds: int, balanced: bool = False
) -> Aggregate:
    """Expectation–maximisation: each task's labels from the confusions, and these from the labels, in turn.

    `balanced` takes every label to be as frequent as the others.
    """
    tasks, workers, labels = len(votes.tasks), len(votes.workers), len(votes.labels)
    shape = (workers, labels, labels)
    confusion = np.full(shape, 1 / max(labels, 1))
    probability = majority(votes).probability
    if start is not None and start.confusion is not None and start.prior is not None and labels:
        confusion, prior = _known(votes, start, start.confusion, start.prior)
        probability, _ = _expect(votes, confusion, prior)
    prior = np.full(labels, 1 / max(labels, 1))
    done, before, change = 0, -np.inf, np.inf
    while done < rounds and tasks and labels:
        done += 1
        confusion = fit((votes.table.T @ probability).reshape(shape), confusion)
        if not balanced:
            prior = probability.mean(axis=0)
        probability, likelihood = _expect(votes, confusion, prior)
        change, before = abs(likelihood - before), likelihood
        if change < TOLERANCE:
            break
    counts = (votes.table.T @ probability).reshape(shape)
    return Aggregate(
        method=method,
        tasks=votes.tasks,
        labels=votes.labels,
        probability=probability,
        skills=skills_of(votes.workers, votes.given.sum(axis=1), np.trace(counts, axis1=1, axis2=2)),
        confusion=confusion,
        prior=prior,
        rounds=done,
        converged=change < TOLERANCE,
    )


def _expect(votes: Votes, confusion: Floats, prior: Floats) -> tuple[Floats, float]:
    """Each task's probability of each label, and the mean log-likelihood of a task's votes."""
    labels = len(votes.labels)
    scores = votes.table @ np.log(np.maximum(confusion, LEAST)).reshape(-1, labels) + np.log(np.maximum(prior, LEAST))
    return _normalised(scores)


def _normalised(scores: Floats) -> tuple[Floats, float]:
    """Probabilities in proportion to exp(scores) in each row, and the mean logarithm of the rows' sums.

    Column by column: rows are many and labels few, which suits neither numpy's nor scipy's reductions.
    """
    columns = list(scores.T)
    highest = reduce(np.maximum, columns)
    weights = np.exp(scores - highest[:, None])
    total = reduce(np.add, list(weights.T))
    weights /= total[:, None]
    return weights, float((highest + np.log(total)).mean())


def _known(votes: Votes, start: Aggregate, confusion: Floats, prior: Floats) -> tuple[Floats, Floats]:
    """An earlier result's confusions and label frequencies, for the present workers and labels."""
    even = 1 / len(votes.labels)
    by_worker = aligned(confusion, start.skills.workers, votes.workers, confusion.mean(axis=0))
    said = aligned(by_worker.transpose(1, 0, 2), start.labels, votes.labels, even)
    meant = aligned(said.transpose(2, 1, 0), start.labels, votes.labels, even)
    frequency = aligned(prior, start.labels, votes.labels, even)
    return _columns(meant.transpose(1, 2, 0)), frequency / frequency.sum()
