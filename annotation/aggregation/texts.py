"""One text of several: the one that is most like the others, weighed by how good their authors are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from sacrebleu.metrics.chrf import CHRF

from annotation.aggregation.aggregate import Skills, skills_of
from annotation.aggregation.votes import Floats, Index

ROUNDS = 20
# A person's skill is taken from this many texts' worth of the crowd's.
SHARED = 2.0


@dataclass(frozen=True, kw_only=True)
class Consensus:
    """The text chosen for each task."""

    method: str
    tasks: Sequence[Any]
    text: Sequence[str]
    confidence: Floats
    """Mean likeness to the others' texts, between 0 and 1; 1 where all wrote the same."""
    is_tied: Sequence[bool]
    skills: Skills
    """A worker's skill is how like the others' texts theirs are, on average."""


@dataclass(frozen=True)
class _Group:
    """The different texts of one task, who wrote each, and how alike they are."""

    texts: list[str]
    by: list[list[int]]
    like: Floats


def choose_by_votes(rows: Iterable[tuple[Hashable, Hashable, str]]) -> Consensus:
    """The text that most people wrote word for word; a tie goes to the one that is most like the others."""
    return _choose("votes", rows, rounds=1, most_first=True)


def choose_by_likeness(rows: Iterable[tuple[Hashable, Hashable, str]], *, rounds: int = ROUNDS) -> Consensus:
    """The text that is most like all others by chrF, each weighed by its author's skill.

    After reliability-aware sequence aggregation (RASA, Li and Fukumoto 2019), with chrF (Popović 2015) in place of
    embeddings, so that it works for any language and script.
    """
    return _choose("likeness", rows, rounds=rounds, most_first=False)


METHODS: Mapping[str, Callable[..., Consensus]] = MappingProxyType(
    {"votes": choose_by_votes, "likeness": choose_by_likeness}
)


def _choose(method: str, rows: Iterable[tuple[Hashable, Hashable, str]], *, rounds: int, most_first: bool) -> Consensus:
    tasks, workers, groups = _grouped(rows)
    skill = np.ones(len(workers))
    of_worker, sums = np.zeros(len(workers)), np.zeros(len(workers))
    for _ in range(rounds):
        before = skill
        of_worker, sums = np.zeros(len(workers)), np.zeros(len(workers))
        for group in groups:
            scores = _scores(group, skill)
            for place, people in enumerate(group.by):
                for worker in people:
                    of_worker[worker] += 1
                    sums[worker] += scores[place]
        crowd = sums.sum() / max(of_worker.sum(), 1.0)
        skill = (sums + SHARED * crowd) / (of_worker + SHARED)
        if np.abs(skill - before).max(initial=0.0) < 1e-6:
            break
    texts, confidence, tied = [], [], []
    for group in groups:
        scores = _scores(group, skill)
        if most_first:
            written = np.array([len(set(people)) for people in group.by])
            scores_of_best = np.where(written == written.max(), scores + 1, scores)
        else:
            scores_of_best = scores
        best = int(scores_of_best.argmax())
        texts.append(group.texts[best])
        confidence.append(float(scores[best]))
        tied.append(bool((scores_of_best >= scores_of_best[best] - 1e-9).sum() > 1))
    return Consensus(
        method=method,
        tasks=tasks,
        text=texts,
        confidence=np.array(confidence),
        is_tied=tied,
        skills=skills_of(workers, of_worker, sums),
    )


def _grouped(rows: Iterable[tuple[Hashable, Hashable, str]]) -> tuple[list[Any], list[Any], list[_Group]]:
    tasks, workers = Index(), Index()
    found: list[dict[str, list[int]]] = []
    for task, worker, text in rows:
        number = tasks[task]
        if number == len(found):
            found.append({})
        people = found[number].setdefault(text, [])
        person = workers[worker]
        # Sending the same text again is not another opinion.
        if person not in people:
            people.append(person)
    chrf = CHRF()
    groups = []
    for by_text in found:
        texts = sorted(by_text)
        like = np.eye(len(texts))
        for one in range(len(texts)):
            for other in range(one):
                likeness = chrf.sentence_score(texts[one], [texts[other]]).score
                back = chrf.sentence_score(texts[other], [texts[one]]).score
                like[one, other] = like[other, one] = (likeness + back) / 200
        groups.append(_Group(texts, [by_text[text] for text in texts], like))
    return tasks.names, workers.names, groups


def _scores(group: _Group, skill: Floats) -> Floats:
    """How like each text is to those of other people, weighed by skill; 1 where there is nobody else."""
    weight = np.array([skill[people].sum() for people in group.by])
    own = np.array([skill[people].mean() for people in group.by])
    # One's own text says nothing of its quality: of those who wrote it, all but one count.
    others = group.like @ weight - own
    total = weight.sum() - own
    return np.divide(others, total, out=np.ones_like(others), where=total > 1e-12)
