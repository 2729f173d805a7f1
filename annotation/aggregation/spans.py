"""Spans from several people's: token-level voting, Dawid–Skene on candidates, and a sequential model.

A text is cut into atoms: words and signs, cut further wherever anybody's span begins or ends, so that every span is a
run of atoms in any script, also one that writes without spaces. Offsets are Unicode code points.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from annotation.aggregation.aggregate import Skills, skills_of
from annotation.aggregation.classes import shared_dawid_skene
from annotation.aggregation.votes import Floats, Index, Ints, Votes, aligned

Span = tuple[int, int, str]
_ATOM = re.compile(r"\w+|[^\w\s]")
OUTSIDE = 0
ROUNDS, TOLERANCE = 50, 1e-5
# A worker's confusion starts with so many votes like the crowd's, and so many right ones, for every tag meant.
LEANING, RIGHT = 10.0, 20.0


@dataclass(frozen=True)
class SpanTask:
    """A text and what each worker marked in it; a worker who marked nothing has an empty list."""

    task: Any
    text: str
    by: Mapping[Any, Sequence[Span]]


@dataclass(frozen=True)
class Learnt:
    """What the sequential model knows of the workers, in their order, and of what follows what."""

    labels: list[str]
    counts: Floats
    chain: Floats


@dataclass(frozen=True, kw_only=True)
class SpanAggregate:
    """The spans that workers' spans amount to."""

    method: str
    tasks: Sequence[Any]
    spans: Sequence[Sequence[Span]]
    confidence: Sequence[Sequence[float]]
    """Of each span: the share, or for the models the probability, of its least sure atom (or of the whole span)."""
    skills: Skills
    rounds: int = 0
    converged: bool = True
    why: str = ""
    learnt: Learnt | None = field(default=None, repr=False)
    """What a later run can start from."""


def overlap(tasks: Iterable[SpanTask]) -> bool:
    """Whether anybody's spans overlap each other, which no sequence of tokens can hold."""
    for task in tasks:
        for spans in task.by.values():
            ordered = sorted(spans)
            if any(after[0] < before[1] for before, after in pairwise(ordered)):
                return True
    return False


@dataclass(frozen=True)
class Tokens:
    """All texts' atoms in one long row, and every worker's tags on them.

    Tags are O, and for the label with number l: 1 + 2·l where a span begins, 2 + 2·l inside it.
    """

    tasks: Sequence[SpanTask]
    labels: list[str]
    starts: Ints
    ends: Ints
    first: Ints
    """Where each text's atoms begin; one more at the end."""
    atom: Ints
    """Of each entry, one for every worker and atom of a text that they looked at: the atom,"""
    worker: Ints
    said: Ints
    """the tag,"""
    before: Ints
    """and the worker's tag on the atom before it (O at the beginning)."""
    workers: list[Any]

    @property
    def states(self) -> int:
        """How many tags there are."""
        return 1 + 2 * len(self.labels)


def cut(tasks: Sequence[SpanTask]) -> Tokens:
    """Cut the texts into atoms and turn every worker's spans into tags."""
    names, workers = Index(), Index()
    for label in sorted({span[2] for task in tasks for spans in task.by.values() for span in spans}):
        names[label]
    starts: list[int] = []
    ends: list[int] = []
    first = [0]
    columns: tuple[list[NDArray[Any]], ...] = ([], [], [], [])
    for task in tasks:
        edges = {edge for spans in task.by.values() for span in spans for edge in span[:2]}
        pieces = [piece for found in _ATOM.finditer(task.text) for piece in _pieces(*found.span(), edges)]
        base, size = first[-1], len(pieces)
        at = {start: number for number, (start, _) in enumerate(pieces)}
        for worker, spans in task.by.items():
            tags = np.zeros(size, dtype=np.int64)
            for begin, end, label in spans:
                inside = [at[place] for place in range(begin, end) if place in at]
                if inside:
                    tags[inside] = 2 + 2 * names[label]
                    tags[inside[0]] = 1 + 2 * names[label]
            columns[0].append(np.arange(base, base + size))
            columns[1].append(np.full(size, workers[worker]))
            columns[2].append(tags)
            columns[3].append(np.concatenate([[OUTSIDE], tags[:-1]])[:size])
        starts += [start for start, _ in pieces]
        ends += [end for _, end in pieces]
        first.append(base + size)
    atom, worker_of, said, before = (
        np.concatenate(column) if column else np.zeros(0, dtype=np.int64) for column in columns
    )
    return Tokens(
        tasks=tasks,
        labels=names.names,
        workers=workers.names,
        starts=np.array(starts, dtype=np.int64),
        ends=np.array(ends, dtype=np.int64),
        first=np.array(first),
        atom=atom,
        worker=worker_of,
        said=said,
        before=before,
    )


def _pieces(start: int, end: int, edges: set[int]) -> Iterable[tuple[int, int]]:
    inner = [start, *sorted(edge for edge in edges if start < edge < end), end]
    return pairwise(inner)


def token_majority(tasks: Sequence[SpanTask], *, start: SpanAggregate | None = None) -> SpanAggregate:
    """Each atom gets the tag that most workers gave it; in a tie none, that is outside."""
    tokens = cut(tasks)
    shares = _shares(tokens)
    best = shares.max(axis=1, keepdims=True)
    tied = (shares >= best - 1e-9).sum(axis=1) > 1
    tags = np.where(tied, OUTSIDE, shares.argmax(axis=1))
    return _result("token_majority", tokens, tags, lambda begin, end: float(best[begin:end].min()))


def candidates(tasks: Sequence[SpanTask], *, start: SpanAggregate | None = None) -> SpanAggregate:
    """Everybody's spans are candidates, on which all who looked at the text vote; Dawid–Skene decides each.

    It holds nested and overlapping spans, and knows who marks too much and who too little.
    """
    found = [sorted({span for spans in task.by.values() for span in spans}) for task in tasks]
    votes = Votes.of(
        (
            ((number, span), worker, span in said)
            for number, task in enumerate(tasks)
            for worker, said in ((worker, set(spans)) for worker, spans in task.by.items())
            for span in found[number]
        ),
        labels=[False, True],
    )
    result = shared_dawid_skene(votes)
    chance = dict(zip(votes.tasks, result.probability[:, 1].tolist(), strict=True))
    spans = [[span for span in row if chance[number, span] > 0.5] for number, row in enumerate(found)]
    workers = list(dict.fromkeys(worker for task in tasks for worker in task.by))
    return SpanAggregate(
        method="candidates",
        tasks=[task.task for task in tasks],
        spans=spans,
        confidence=[[chance[number, span] for span in row] for number, row in enumerate(spans)],
        skills=span_skills(tasks, spans, workers),
        rounds=result.rounds,
        converged=result.converged,
    )


def _shares(tokens: Tokens) -> Floats:
    """Of each atom's votes, the share of every tag, shape (atoms, states)."""
    size = len(tokens.starts) * tokens.states
    sums = np.bincount(tokens.atom * tokens.states + tokens.said, minlength=size).reshape(-1, tokens.states)
    total = sums.sum(axis=1, keepdims=True)
    outside = np.eye(1, tokens.states) * np.ones_like(total)
    return np.divide(sums, total, out=outside.astype(np.float64), where=total > 0)


def sequential(tasks: Sequence[SpanTask], *, start: SpanAggregate | None = None, rounds: int = ROUNDS) -> SpanAggregate:
    """A hidden sequence of tags that workers follow as their own confusions let them.

    After Bayesian sequence combination (BSC-seq, Simpson and Gurevych 2019) and HMM-crowd (Nguyen et al. 2017): true
    tags follow a Markov chain in which nothing continues what has not begun; what a worker says depends on the true
    tag and on whether they had marked the atom before. By variational Bayes, so that rare evidence weighs little. A
    worker's confusion leans on the crowd's and on being right; without the latter the rarest label comes to mean
    "people disagree here". Spans of one person must not overlap; `candidates` can.
    """
    tokens = cut(tasks)
    states, atoms, people = tokens.states, len(tokens.starts), len(tokens.workers)
    symbol = (tokens.before != OUTSIDE) * states + tokens.said
    votes = Votes.encoded(
        tokens.atom, tokens.worker, symbol, tasks=range(atoms), workers=tokens.workers, labels=range(2 * states)
    )
    may = _may_follow(states)
    batches = _batches(tokens.first)
    posterior, chain = _shares(tokens), np.where(may, 1.0, 0.0)
    counts = (votes.table.T @ posterior).reshape(people, 2, states, states)
    if start is not None and start.learnt is not None and start.learnt.labels == tokens.labels:
        counts = aligned(start.learnt.counts, start.skills.workers, tokens.workers, 0.0)
        chain = start.learnt.chain
    done, before, change, path = 0, -np.inf, np.inf, np.zeros(atoms, dtype=np.int64)
    while done < rounds and atoms and states > 1:
        done += 1
        emission = votes.table @ _lean(counts).reshape(-1, states)
        log_chain = _expected_log_chain(chain, may)
        posterior, chain, likelihood = _forward_backward(emission, log_chain, batches)
        counts = (votes.table.T @ posterior).reshape(people, 2, states, states)
        path = _best_path(emission, log_chain, batches)
        change, before = abs(likelihood - before) / abs(likelihood), likelihood
        if change < TOLERANCE:
            break
    sure = posterior[np.arange(atoms), path]
    return _result(
        "sequential",
        tokens,
        path,
        lambda begin, end: float(sure[begin : end + 1].min()),
        rounds=done,
        converged=change < TOLERANCE or states == 1 or not atoms,
        learnt=Learnt(tokens.labels, counts, chain),
    )


def _lean(counts: Floats) -> Floats:
    """Expected log-confusions, shape (workers, marked before, said, meant), from expected counts."""
    right = RIGHT * np.eye(counts.shape[3])
    crowd = counts.sum(axis=0)
    general = crowd.sum(axis=0) + 1.0
    crowd = crowd + LEANING * general / general.sum(axis=0)
    weight = counts + LEANING * crowd / crowd.sum(axis=1, keepdims=True) + right
    belief: Floats = digamma(weight) - digamma(weight.sum(axis=2, keepdims=True))
    return belief


def _expected_log_chain(chain: Floats, may: NDArray[np.bool_]) -> Floats:
    weight = np.where(may, chain + 0.1, 1.0)
    spread = digamma((weight * may).sum(axis=1, keepdims=True))
    return np.where(may, digamma(weight) - spread, -np.inf)


def _may_follow(states: int) -> NDArray[np.bool_]:
    """From which true tag (and from the beginning, the last row) to which another may go."""
    may = np.ones((states + 1, states), dtype=bool)
    for inside in range(2, states, 2):
        may[:, inside] = False
        may[[inside - 1, inside], inside] = True
    return may


def _batches(first: Ints, width: int = 256) -> list[NDArray[np.int64]]:
    """Texts of like length together: (texts, longest) atom numbers, −1 where a text has ended."""
    lengths = np.diff(first)
    order = np.argsort(lengths, kind="stable")
    found = []
    for begin in range(0, len(order), width):
        some = order[begin : begin + width]
        some = some[lengths[some] > 0]
        if len(some):
            steps = np.arange(lengths[some].max())
            found.append(np.where(steps < lengths[some][:, None], first[some][:, None] + steps, -1))
    return found


def _forward_backward(
    emission: Floats, log_chain: Floats, batches: list[NDArray[np.int64]]
) -> tuple[Floats, Floats, float]:
    """Posterior of every atom's tag, expected transitions (the last row: beginnings), and the log-likelihood."""
    posterior = np.empty_like(emission)
    moves = np.exp(log_chain[:-1])
    begins = np.exp(log_chain[-1])
    expected = np.zeros_like(log_chain)
    likelihood = 0.0
    highest = emission.max(axis=1, keepdims=True)
    seen = np.exp(emission - highest)
    for batch in batches:
        texts, steps = batch.shape
        states = emission.shape[1]
        live = batch >= 0
        evidence = np.where(live[..., None], seen[batch], 1.0)
        forward = np.empty((steps, texts, states))
        scale = np.empty((steps, texts))
        for step in range(steps):
            ahead = begins if step == 0 else forward[step - 1] @ moves
            now = np.where(live[:, step, None], ahead * evidence[:, step], 0.0)
            scale[step] = np.where(live[:, step], now.sum(axis=1), 1.0)
            forward[step] = now / scale[step][:, None]
        backward = np.ones((texts, states))
        for step in range(steps - 1, -1, -1):
            here = live[:, step]
            gamma = forward[step] * backward
            posterior[batch[here, step]] = gamma[here]
            if step:
                message = np.where(here[:, None], evidence[:, step] * backward / scale[step][:, None], 0.0)
                expected[:-1] += moves * (forward[step - 1].T @ message)
                backward = np.where(here[:, None], message @ moves.T, 1.0)
            else:
                expected[-1] += gamma[here].sum(axis=0)
        likelihood += float(np.log(scale).sum() + highest[batch[live], 0].sum())
    return posterior, expected, likelihood


def _best_path(emission: Floats, log_chain: Floats, batches: list[NDArray[np.int64]]) -> Ints:
    """The most probable sequence of tags of every text (Viterbi)."""
    tags = np.zeros(len(emission), dtype=np.int64)
    for batch in batches:
        texts, steps = batch.shape
        live = batch >= 0
        came = np.zeros((steps, texts, emission.shape[1]), dtype=np.int64)
        score = log_chain[-1] + emission[batch[:, 0]]
        for step in range(1, steps):
            ways = score[:, :, None] + log_chain[None, :-1]
            came[step] = ways.argmax(axis=1)
            ahead = ways.max(axis=1) + emission[batch[:, step]]
            score = np.where(live[:, step, None], ahead, score)
        state = score.argmax(axis=1)
        for step in range(steps - 1, -1, -1):
            here = live[:, step]
            tags[batch[here, step]] = state[here]
            if step:
                state = np.where(here, came[step][np.arange(texts), state], state)
    return tags


def _result(method: str, tokens: Tokens, tags: Ints, sure: Callable[[int, int], float], **more: Any) -> SpanAggregate:
    spans: list[list[Span]] = []
    confidence: list[list[float]] = []
    for number in range(len(tokens.tasks)):
        begin, end = tokens.first[number], tokens.first[number + 1]
        found, sureness = [], []
        for first, last, label in runs(tags[begin:end]):
            found.append((int(tokens.starts[begin + first]), int(tokens.ends[begin + last - 1]), tokens.labels[label]))
            sureness.append(sure(int(begin + first), int(begin + last)))
        spans.append(found)
        confidence.append(sureness)
    return SpanAggregate(
        method=method,
        tasks=[task.task for task in tokens.tasks],
        spans=spans,
        confidence=confidence,
        skills=span_skills(tokens.tasks, spans, tokens.workers),
        **more,
    )


def runs(tags: Ints) -> Iterable[tuple[int, int, int]]:
    """(first, after the last, label number) of every span in a row of tags; an inside without a beginning begins."""
    begin, label = -1, -1
    for place, tag in enumerate([*tags.tolist(), OUTSIDE]):
        continues = tag and tag % 2 == 0 and label == (tag - 2) // 2
        if label >= 0 and not continues:
            yield begin, place, label
            label = -1
        if tag and not continues:
            begin, label = place, (tag - 1) // 2
    return


def span_skills(tasks: Sequence[SpanTask], spans: Sequence[Sequence[Span]], workers: Sequence[Any]) -> Skills:
    """Each worker's exact span F1 against the aggregate, over the texts that they looked at."""
    place = {worker: number for number, worker in enumerate(workers)}
    agreed, given = np.zeros(len(workers)), np.zeros(len(workers))
    for task, right in zip(tasks, spans, strict=True):
        wanted = set(right)
        for worker, own in task.by.items():
            said = set(own)
            agreed[place[worker]] += len(said & wanted)
            given[place[worker]] += (len(said) + len(wanted)) / 2
    return skills_of(workers, given, agreed)


METHODS: Mapping[str, Callable[..., SpanAggregate]] = MappingProxyType(
    {"token_majority": token_majority, "candidates": candidates, "sequential": sequential}
)
