"""The same words, labelled differently: every place of a surface, what is said there, and how likely that is wrong.

At a place of a surface (a run of words, folded) the marks say one of: nothing; exactly this, with a label; a longer
mark holds it; or a mark ends inside it. What the other places say, those with like neighbours and like case first, then
surfaces of the same stem, then all surfaces, gives a probability for each of these (leave one out, Dirichlet
smoothing); a place is wrong by Bayes' rule with a rate of wrong labels that is estimated from all places together (EM).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log2
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from annotation.consistency.features import shape_of
from annotation.consistency.rows import Cut

Words = tuple[str, ...]
NOTHING, INSIDE, PART = "", "›inside", "›part"
MOST_PLACES = 1500
LONGEST = 12
_STEM = 0.7
_OWN, _FAMILY = 1.0, 2.0
# How much more a place with the same neighbour says, and how little one that is written in another case.
_NEIGHBOUR, _OTHER_CASE = 2.0, 0.15
_ROUNDS = 12
_MOST_WRONG = 0.25


class Place(NamedTuple):
    """One place of a surface."""

    row: int
    first: int
    last: int
    """Words [first, last) of the row."""
    says: str
    """A label, or NOTHING, INSIDE or PART."""
    mark: tuple[int, int, str] | None
    """The mark that touches it, in words."""


@dataclass
class Surface:
    """All places of one run of words."""

    words: Words
    places: list[Place]
    wrong: NDArray[np.float64]
    """For each place the probability that what it says is wrong."""
    better: list[str]
    """For each place the likeliest other thing to say."""

    @property
    def counts(self) -> Counter[str]:
        """How often it says what."""
        return Counter(place.says for place in self.places)

    @property
    def entropy(self) -> float:
        """Of what is said, in bits: 0 where all places agree."""
        whole = len(self.places)
        return max(0.0, -sum(many / whole * log2(many / whole) for many in self.counts.values()))

    @property
    def estimate(self) -> float:
        """The estimated number of wrong labels."""
        return float(self.wrong.sum())


def find_surfaces(cuts: Sequence[Cut]) -> list[Surface]:
    """All surfaces that are marked somewhere, with all their places, judged together."""
    places = _places(cuts)
    judge = _Judge(cuts, places)
    rate = 0.05
    for _ in range(_ROUNDS):
        total = sum(float(judge.wrong(words, rate).sum()) for words in places)
        rate = min(max(total / max(1, judge.marked), 0.005), _MOST_WRONG)
    return [Surface(words, found, judge.wrong(words, rate), judge.better(words)) for words, found in places.items()]


def _places(cuts: Sequence[Cut]) -> dict[Words, list[Place]]:
    known = {tuple(cut.folded[a:b]) for cut in cuts for a, b, _ in cut.spans if b - a <= LONGEST}
    sizes: dict[str, set[int]] = defaultdict(set)
    for words in known:
        sizes[words[0]].add(len(words))
    found: dict[Words, list[Place]] = {words: [] for words in sorted(known)}
    for row, cut in enumerate(cuts):
        for first, word in enumerate(cut.folded):
            for size in sorted(sizes.get(word, ())):
                words = tuple(cut.folded[first : first + size])
                if len(words) == size and words in found:
                    found[words].append(Place(row, first, first + size, *_said(cut, first, first + size)))
    return found


def _said(cut: Cut, first: int, last: int) -> tuple[str, tuple[int, int, str] | None]:
    touching = [span for span in cut.spans if span[0] < last and first < span[1]]
    if not touching:
        return NOTHING, None
    for span in touching:
        if span[:2] == (first, last):
            return span[2], span
    for span in touching:
        if span[0] <= first and last <= span[1]:
            return INSIDE, span
    return PART, touching[0]


def stem_of(words: Words) -> Words:
    """What surfaces of one stem share: the first 70 % of each word of five letters and more, of any language."""
    return tuple(word if len(word) < 5 else word[: max(4, int(_STEM * len(word) + 0.5))] for word in words)


class _Judge:
    """Probabilities of what is said at places."""

    def __init__(self, cuts: Sequence[Cut], places: dict[Words, list[Place]]) -> None:
        self._cuts, self._places = cuts, places
        self.marked = sum(len(cut.spans) for cut in cuts)
        labels = {label for cut in cuts for *_, label in cut.spans}
        self.states = [NOTHING, INSIDE, PART, *sorted(labels)]
        self._number = {state: place for place, state in enumerate(self.states)}
        everywhere: Counter[str] = Counter()
        families: dict[Words, Counter[str]] = defaultdict(Counter)
        for words, found in places.items():
            counts = Counter(place.says for place in found)
            everywhere += counts
            families[stem_of(words)] += counts
        self._everywhere, self._families = self._vector(everywhere) + 1.0, families
        self._everywhere /= self._everywhere.sum()
        self._belongs = _belonging(cuts)
        self._chances = {words: self._chance(words) for words in places}

    def _vector(self, counts: Counter[str]) -> NDArray[np.float64]:
        return np.array([float(counts[state]) for state in self.states])

    def _chance(self, words: Words) -> NDArray[np.float64]:
        """For each place the probabilities of all states, by the other places."""
        found = self._places[words]
        own = Counter(place.says for place in found)
        family = self._vector(self._families[stem_of(words)] - own)
        base = (_FAMILY * self._everywhere + family) / (_FAMILY + family.sum())
        said = np.array([self._number[place.says] for place in found], dtype=np.int64)
        seen = np.eye(len(self.states))[said]
        # Every place against every other costs too much for words that are everywhere; they count alike.
        alike = len(found) > MOST_PLACES
        near = seen.sum(axis=0) - seen if alike else self._likeness(found) @ seen
        chances: NDArray[np.float64] = (near + _OWN * base) / (near.sum(axis=1, keepdims=True) + _OWN)
        for number, place in enumerate(found):
            if place.says == INSIDE and place.mark is not None:
                longer = self._belongs(place.row, place.first, place.last, place.mark)
                chances[number, self._number[INSIDE]] = max(chances[number, self._number[INSIDE]], longer)
        return chances

    def _likeness(self, found: Sequence[Place]) -> NDArray[np.float64]:
        """How much one place says about another: more with the same neighbours, less with another case."""

        names: dict[str, int] = {}

        def same(of: Callable[[Place], str]) -> NDArray[np.float64]:
            values = np.array([names.setdefault(of(place), len(names)) for place in found])
            alike: NDArray[np.float64] = (values[:, None] == values[None, :]).astype(np.float64)
            return alike

        weight: NDArray[np.float64] = 1.0 + _NEIGHBOUR * same(lambda place: self._word(place.row, place.first - 1))
        weight += _NEIGHBOUR * same(lambda place: self._word(place.row, place.last))
        shapes = same(lambda place: " ".join(map(shape_of, self._cuts[place.row].words[place.first : place.last])))
        weight *= _OTHER_CASE + (1 - _OTHER_CASE) * shapes
        np.fill_diagonal(weight, 0.0)
        return weight

    def _word(self, row: int, place: int) -> str:
        words = self._cuts[row].folded
        return words[place] if 0 <= place < len(words) else ""

    def wrong(self, words: Words, rate: float) -> NDArray[np.float64]:
        """For each place the probability that it is wrong, when a share `rate` of all labels is."""
        chances, found = self._chances[words], self._places[words]
        if len(found) < 2:
            return np.zeros(len(found))
        said = np.array([self._number[place.says] for place in found], dtype=np.int64)
        right = chances[np.arange(len(found)), said]
        spread = rate / len(self.states)
        return spread / (spread + (1 - rate) * right)

    def better(self, words: Words) -> list[str]:
        """For each place the likeliest of the other states that a person could choose."""
        chances, found = self._chances[words].copy(), self._places[words]
        chances[:, [self._number[INSIDE], self._number[PART]]] = -1.0
        for number, place in enumerate(found):
            chances[number, self._number[place.says]] = -1.0
        return [self.states[place] for place in chances.argmax(axis=1)]


def _belonging(cuts: Sequence[Cut]) -> Callable[[int, int, int, tuple[int, int, str]], float]:
    """How surely the words that a longer mark has besides a surface belong into marks, by their other places."""
    counts: Counter[str] = Counter()
    marked: Counter[str] = Counter()
    for cut in cuts:
        counts.update(cut.folded)
        for first, last, _ in cut.spans:
            marked.update(cut.folded[first:last])
    overall = sum(marked.values()) / max(1, sum(counts.values()))

    def belongs(row: int, first: int, last: int, mark: tuple[int, int, str]) -> float:
        words = cuts[row].folded
        edges = [words[mark[0]]] if mark[0] < first else []
        edges += [words[mark[1] - 1]] if mark[1] > last else []
        return min((marked[word] - 1 + overall) / counts[word] for word in edges)

    return belongs
