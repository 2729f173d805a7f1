"""A small sequence model of our own: a linear-chain conditional random field over hashed features.

Lafferty, McCallum and Pereira 2001, "Conditional random fields"; trained by L-BFGS with a Gaussian prior. It knows no
language: its features are words, their beginnings and ends, their shape, and their neighbours. One position alone makes
it a multinomial logistic regression, which is how classes of whole texts are learnt. The same rows in the same order
give the same weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PRIOR = 0.5
STEPS = 60
# A weight is learnt for what was seen at least so often.
SEEN = 2
_TINY = 1e-300


class Batch:
    """Sequences of one corpus, packed so that all first positions come first, then all second ones, and so on."""

    def __init__(self, lengths: Sequence[int]) -> None:
        """Pack them, the longest first."""
        sizes = np.asarray(lengths, dtype=np.int64)
        self.order = np.argsort(-sizes, kind="stable")
        offsets = np.concatenate([[0], np.cumsum(sizes)])[:-1][self.order]
        ranked = sizes[self.order]
        steps = int(ranked[0]) if len(ranked) else 0
        self.at = [offsets[: int(np.count_nonzero(ranked > step))] + step for step in range(steps)]
        self.lengths = sizes


class Tagger:
    """Tags for positions, learnt from examples."""

    def __init__(self, *, prior: float = PRIOR, steps: int = STEPS) -> None:
        """`prior`: how strongly weights are held back; `steps`: how long the fit may go on."""
        self.prior, self.steps = prior, steps
        self.tags: list[str] = []
        self._known: dict[int, int] = {}
        self._weights: Floats = np.zeros((0, 0))
        self._follows: Floats = np.zeros((0, 0))

    def fit(self, sequences: Sequence[Sequence[Sequence[str]]], tags: Sequence[Sequence[str]]) -> Tagger:
        """Learn from sequences of positions, each a list of feature names, and their tags."""
        self.tags = sorted({tag for row in tags for tag in row}) or ["O"]
        self._known = _seen_often(sequences)
        number = {tag: place for place, tag in enumerate(self.tags)}
        found = np.array([number[tag] for row in tags for tag in row], dtype=np.int64)
        table, batch = self._table(sequences), Batch([len(row) for row in sequences])
        many, wide = len(self.tags), table.shape[1]
        turned = table.T.tocsr()
        seen = np.zeros((len(found), many))
        seen[np.arange(len(found)), found] = 1.0
        pairs = np.zeros((many, many))
        for before, after in zip(batch.at, batch.at[1:], strict=False):
            np.add.at(pairs, (found[before[: len(after)]], found[after]), 1.0)

        def loss(flat: Floats) -> tuple[float, Floats]:
            weights, follows = flat[: wide * many].reshape(wide, many), flat[wide * many :].reshape(many, many)
            scores = table @ weights
            chances = Chances(scores, follows, batch)
            gold = float(scores[np.arange(len(found)), found].sum() + (pairs * follows).sum())
            down = turned @ (chances.marginals - seen) + self.prior * weights
            across = chances.pairs - pairs + self.prior * follows
            value = chances.total - gold + self.prior / 2 * float(flat @ flat)
            return value, np.concatenate([down.ravel(), across.ravel()])

        start = np.zeros(wide * many + many * many)
        done = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": self.steps, "maxcor": 6})
        self._weights = done.x[: wide * many].reshape(wide, many)
        self._follows = done.x[wide * many :].reshape(many, many)
        return self

    def read(self, sequences: Sequence[Sequence[Sequence[str]]]) -> Chances:
        """What it thinks of sequences that it need not have seen."""
        batch = Batch([len(row) for row in sequences])
        return Chances(self._table(sequences) @ self._weights, self._follows, batch)

    def _table(self, sequences: Sequence[Sequence[Sequence[str]]]) -> csr_array:
        columns: list[int] = []
        starts = [0]
        for row in sequences:
            for features in row:
                columns.extend({self._known[code] for code in map(_code, features) if code in self._known})
                starts.append(len(columns))
        values = np.ones(len(columns))
        return csr_array((values, columns, starts), shape=(len(starts) - 1, len(self._known)))


class Chances:
    """Probabilities of tags, by the forward-backward algorithm with scaling (Rabiner 1989, section V.A)."""

    def __init__(self, scores: Floats, follows: Floats, batch: Batch) -> None:
        """From the scores of tags at positions, and of tags after tags."""
        self.scores, self.follows, self.batch = scores, follows, batch
        most = scores.max(axis=1, initial=0.0, keepdims=True) if scores.size else scores
        self._here = np.exp(scores - most)
        self._step = np.exp(follows - follows.max(initial=0.0))
        forward, scale = np.zeros_like(scores), np.ones(len(scores))
        for number, at in enumerate(batch.at):
            held = self._here[at]
            if number:
                held = held * (forward[batch.at[number - 1][: len(at)]] @ self._step)
            scale[at] = held.sum(axis=1) + _TINY
            forward[at] = held / scale[at, None]
        backward = np.ones_like(scores)
        self.pairs = np.zeros_like(follows)
        for number in range(len(batch.at) - 1, 0, -1):
            at, before = batch.at[number], batch.at[number - 1][: len(batch.at[number])]
            onward = self._here[at] * backward[at] / scale[at, None]
            backward[before] = onward @ self._step.T
            self.pairs += (forward[before].T @ onward) * self._step
        self.forward, self.backward, self._scale = forward, backward, scale
        self.marginals: Floats = forward * backward
        moves = sum(len(at) for at in batch.at[1:])
        self.total = float(np.log(scale).sum() + most.sum() + moves * follows.max(initial=0.0))

    def run(self, first: int, last: int, head: int, inner: int, *, ends: bool = True) -> float:
        """The probability of `head` at `first` and `inner` up to before `last`; with `ends`, of no `inner` after it.

        Positions are those of the whole batch, in the order they were given; `last` must be in the same sequence.
        """
        value = self.forward[first, head]
        for place in range(first + 1, last):
            before = head if place == first + 1 else inner
            value *= self._step[before, inner] * self._here[place, inner] / self._scale[place]
        tail = inner if last - first > 1 else head
        whole = value * self.backward[last - 1, tail]
        if ends:
            more = self._step[tail, inner] * self._here[last, inner] / self._scale[last]
            whole -= value * more * self.backward[last, inner]
        return float(min(max(whole, 0.0), 1.0))

    def best(self) -> Ints:
        """The likeliest tags of each sequence as a whole (Viterbi)."""
        found = np.zeros(len(self.scores), dtype=np.int64)
        value = np.zeros_like(self.scores)
        origin = np.zeros(self.scores.shape, dtype=np.int64)
        for number, at in enumerate(self.batch.at):
            value[at] = self.scores[at]
            if number:
                reached = value[self.batch.at[number - 1][: len(at)]][:, :, None] + self.follows[None, :, :]
                origin[at] = reached.argmax(axis=1)
                value[at] += reached.max(axis=1)
        for number in range(len(self.batch.at) - 1, -1, -1):
            at = self.batch.at[number]
            following = self.batch.at[number + 1] if number + 1 < len(self.batch.at) else at[:0]
            going, ending = at[: len(following)], at[len(following) :]
            found[ending] = value[ending].argmax(axis=1)
            found[going] = origin[following, found[following]]
        return found


def _code(feature: str) -> int:
    return crc32(feature.encode("utf-8", "surrogatepass"))


def _seen_often(sequences: Sequence[Sequence[Sequence[str]]]) -> dict[int, int]:
    """A column for each feature that was seen often enough, in the order they came."""
    counts: dict[int, int] = {}
    for row in sequences:
        for features in row:
            for code in map(_code, features):
                counts[code] = counts.get(code, 0) + 1
    return {code: column for column, code in enumerate(code for code, many in counts.items() if many >= SEEN)}
