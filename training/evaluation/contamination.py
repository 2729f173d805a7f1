"""Whether what a model is tested on was in what it learnt from, letter for letter or nearly.

A held-out text leaks where a training text shares

- at least half of its runs of eight words (Chowdhery et al. 2022 took 70 % of eight-grams), which finds a sentence
  that was put into a longer one; or
- at least 0.7 of all trigrams of characters (`annotation.text.duplicates.resemblance`), which finds a sentence that
  was changed a little, in scripts without blanks too.

Both are exact: no pair as alike as that is missed. Short texts are left alone unless both sides of a row are the same:
greetings and formulas come again in every language, and a held-out "Good morning" is no leak.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from annotation.text.duplicates import normal_key, shingles

RUN = 8
SHARED_RUNS = 0.5
ALIKE = 0.7
# About five words. Below, one changed word is a different sentence.
SHORTEST = 24


@dataclass(frozen=True)
class Pair:
    """A row as it is compared: its id, what was asked (empty where the same may be asked of many), and the answer."""

    id: str
    source: str
    completion: str


@dataclass(frozen=True)
class Leak:
    """A held-out row and the training row that gives it away; `how` is same, run or near; `side` source or answer."""

    held_out: str
    trained: str
    side: str
    how: str
    alike: float


def find_leaks(trained: Sequence[Pair], held_out: Sequence[Pair]) -> list[Leak]:
    """For each held-out row the training row most like it, if that leaks; in the order of the held-out rows."""
    best: dict[str, Leak] = {}
    for leak in (*_same(trained, held_out), *_sides(trained, held_out)):
        if leak.held_out not in best or leak.alike > best[leak.held_out].alike:
            best[leak.held_out] = leak
    return [best[row.id] for row in held_out if row.id in best]


def giving_away(trained: Sequence[Pair], held_out: Sequence[Pair]) -> set[str]:
    """Ids of all training rows that hold a held-out answer, or are the same as a held-out row on both sides.

    For rows from elsewhere: the same question, answered in another language, gives nothing away.
    """
    known = {(normal_key(row.source), normal_key(row.completion)) for row in held_out if row.source}
    same = {row.id for row in trained if (normal_key(row.source), normal_key(row.completion)) in known}
    answers = _Lookup([(row.id, row.completion) for row in held_out])
    return same | {row.id for row in trained if any(True for _ in answers.like(row.completion))}


def _same(trained: Sequence[Pair], held_out: Sequence[Pair]) -> Iterable[Leak]:
    """Rows whose two sides both are the same but for case, punctuation and blanks."""
    known: dict[tuple[str, str], str] = {}
    for row in trained:
        if row.source:
            known.setdefault((normal_key(row.source), normal_key(row.completion)), row.id)
    for row in held_out:
        if found := known.get((normal_key(row.source), normal_key(row.completion))):
            yield Leak(row.id, found, "answer", "same", 1.0)


def _sides(trained: Sequence[Pair], held_out: Sequence[Pair]) -> Iterable[Leak]:
    for side in ("source", "answer"):
        lookup = _Lookup([(row.id, _side(row, side)) for row in held_out])
        for row in trained:
            for held, how, alike in lookup.like(_side(row, side)):
                yield Leak(held, row.id, side, how, alike)


def _side(row: Pair, side: str) -> str:
    return row.source if side == "source" else row.completion


class _Lookup:
    """The held-out texts of one side, to be asked which of them a training text gives away.

    Two sets of which a share t is in both have one of their rarest (1 - t)·n + 1 elements in common (prefix filtering,
    Chaudhuri, Ganti and Kaushik 2006): only those are looked up, and no pair is missed.
    """

    def __init__(self, texts: Sequence[tuple[str, str]]) -> None:
        self._sets = {name: shingles(text) for name, text in texts if len(normal_key(text)) >= SHORTEST}
        self._often = Counter(one for some in self._sets.values() for one in some)
        self._rare: dict[str, list[str]] = defaultdict(list)
        for name, some in self._sets.items():
            for one in self._prefix(some):
                self._rare[one].append(name)
        self._runs: dict[str, set[tuple[str, ...]]] = {}
        self._by_run: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for name, text in texts:
            if runs := _runs(text):
                self._runs[name] = runs
                for run in runs:
                    self._by_run[run].append(name)

    def like(self, text: str) -> Iterable[tuple[str, str, float]]:
        """(held-out row, how, how alike) for each that this training text gives away."""
        shared = Counter(name for run in _runs(text) for name in self._by_run.get(run, ()))
        for name, count in shared.items():
            if count >= SHARED_RUNS * len(self._runs[name]):
                yield name, "run", count / len(self._runs[name])
        if len(normal_key(text)) < SHORTEST:
            return
        mine = shingles(text)
        for name in {name for one in self._prefix(mine) for name in self._rare.get(one, ())}:
            both = len(mine & self._sets[name])
            alike = both / (len(mine) + len(self._sets[name]) - both)
            if alike >= ALIKE:
                yield name, "near", alike

    def _prefix(self, some: set[str]) -> list[str]:
        rarest = sorted(some, key=lambda one: (self._often[one], one))
        return rarest[: len(some) - ceil(ALIKE * len(some)) + 1]


def _runs(text: str) -> set[tuple[str, ...]]:
    words = normal_key(text).split()
    return {tuple(words[place : place + RUN]) for place in range(len(words) - RUN + 1)}
