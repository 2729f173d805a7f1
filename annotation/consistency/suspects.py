"""Labels that models which never saw them would not have given: k folds, and confident learning over spans.

Northcutt, Jiang and Chuang 2021, "Confident learning": a model's confidence in the given label counts relative to how
confident it usually is of that label (the threshold of the class, the mean over all that carry it). Here the class is a
span's label, and "no label" is a class too. Faults that a model sees everywhere, such as names it never met taken for
none, say more about the model than about the labels: each counts less, the more there are of its kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import exp, log
from zlib import crc32

import numpy as np

from annotation.consistency.features import of_words
from annotation.consistency.rows import Cut, Mark
from annotation.consistency.tagger import Chances, Tagger
from annotation.text.duplicates import normal_key

FOLDS = 5
# Below this, a missed mark is the model's own fancy.
LEAST = 0.2
_EDGE = 1e-6
NOTHING = "O"
Span = tuple[int, int, str]


class Fault(StrEnum):
    """What seems to be wrong with a label."""

    MISSED = "missed"
    SPURIOUS = "spurious"
    TYPE = "wrong_type"
    LONG = "too_long"
    SHORT = "too_short"
    BOTH = "type_and_boundary"


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A place at which a model that never saw its text would have labelled otherwise."""

    row: int
    start: int
    end: int
    """Of what was given and what is expected together, in code points."""
    fault: Fault
    given: Mark | None
    expected: Mark | None
    confidence: float
    """How likely the label is wrong, 0 to 1, as far as the model can tell: only its order is measured."""

    @property
    def label(self) -> str:
        """The given label; of a missed mark the expected one."""
        mark = self.given or self.expected
        return mark.label if mark else ""


def fault_of(given: Span | None, expected: Span | None) -> Fault:
    """Name the difference between a given and an expected mark on overlapping words; one of them may be missing.

    A mark that is too long at one edge and too short at the other is named after the larger fault, else too long.
    """
    if given is None or expected is None:
        return Fault.MISSED if given is None else Fault.SPURIOUS
    if given[:2] == expected[:2]:
        return Fault.TYPE
    if given[2] != expected[2]:
        return Fault.BOTH
    lacks = max(0, given[0] - expected[0]) + max(0, expected[1] - given[1])
    extra = max(0, expected[0] - given[0]) + max(0, given[1] - expected[1])
    return Fault.SHORT if lacks > extra else Fault.LONG


def fold_of(text: str, folds: int) -> int:
    """In which fold a text is: equal texts are in one, so that no model has seen a text's twin."""
    return crc32(normal_key(text).encode("utf-8", "surrogatepass")) % folds


def tags_of(cut: Cut) -> list[str]:
    """A tag for each word: B- and I- with the label, or O; of marks that overlap, the one that begins first counts."""
    tags = [NOTHING] * len(cut.words)
    for first, last, label in cut.spans:
        if all(tag == NOTHING for tag in tags[first:last]):
            tags[first:last] = [f"B-{label}", *([f"I-{label}"] * (last - first - 1))]
    return tags


def spans_of(tags: Sequence[str]) -> list[Span]:
    """The spans that tags spell; an I- that continues nothing begins one."""
    spans: list[Span] = []
    for place, tag in enumerate(tags):
        if tag == NOTHING:
            continue
        head, label = tag[0], tag[2:]
        if head == "I" and spans and spans[-1][1:] == (place, label):
            spans[-1] = (spans[-1][0], place + 1, label)
        else:
            spans.append((place, place + 1, label))
    return spans


class Opinion:
    """What a model thinks of one text: the spans it would mark, and how likely any span is."""

    def __init__(self, cut: Cut, chances: Chances, offset: int, tags: Sequence[str], best: Sequence[int]) -> None:
        """`offset` is where the text's words begin in `chances`."""
        self.cut, self._chances, self._offset = cut, chances, offset
        self._number = {tag: place for place, tag in enumerate(tags)}
        self.labels = sorted({tag[2:] for tag in tags if tag != NOTHING})
        self.spans = spans_of([tags[place] for place in best])

    def of(self, span: Span) -> float:
        """The probability of exactly this span with this label."""
        first, last, label = span
        head, inner = self._number.get(f"B-{label}"), self._number.get(f"I-{label}")
        if head is None or (inner is None and last - first > 1):
            return 0.0
        ends = inner is not None and last < len(self.cut.words)
        at = self._offset
        return self._chances.run(at + first, at + last, head, head if inner is None else inner, ends=ends)

    def of_nothing(self, first: int, last: int) -> float:
        """The probability that nothing is marked in words [first, last)."""
        none = self._number.get(NOTHING)
        if none is None:
            return 0.0
        return self._chances.run(self._offset + first, self._offset + last, none, none, ends=False)


def read_unseen(cuts: Sequence[Cut], *, folds: int = FOLDS) -> list[Opinion | None]:
    """For each text the opinion of a model that learnt from the other folds; None for a text without words."""
    where = [fold_of(cut.row.text, folds) for cut in cuts]
    names = [of_words(cut) for cut in cuts]
    opinions: list[Opinion | None] = [None] * len(cuts)
    for fold in range(folds):
        learnt = [number for number, one in enumerate(where) if one != fold and names[number]]
        unseen = [number for number, one in enumerate(where) if one == fold and names[number]]
        if not learnt or not unseen:
            continue
        tagger = Tagger().fit([names[number] for number in learnt], [tags_of(cuts[number]) for number in learnt])
        chances = tagger.read([names[number] for number in unseen])
        best, offset = chances.best().tolist(), 0
        for number in unseen:
            size = len(names[number])
            opinions[number] = Opinion(cuts[number], chances, offset, tagger.tags, best[offset : offset + size])
            offset += size
    return opinions


def find_suspects(cuts: Sequence[Cut], *, folds: int = FOLDS) -> list[Suspect]:
    """All marks and missing marks that a model doubts, the surest first."""
    opinions = read_unseen(cuts, folds=folds)
    usual = _thresholds(cuts, opinions)
    found: list[Suspect] = []
    for row, (cut, opinion) in enumerate(zip(cuts, opinions, strict=True)):
        if opinion is None:
            continue
        for given in cut.spans:
            expected, other = _otherwise(opinion, given)
            found.append(_suspect(row, cut, given, expected, _doubt(usual, opinion.of(given), given, other, expected)))
        for span in opinion.spans:
            if not any(_overlap(span, given) for given in cut.spans):
                sure, none = opinion.of(span), opinion.of_nothing(span[0], span[1])
                if sure >= LEAST:
                    found.append(_suspect(row, cut, None, span, _doubt(usual, none, None, sure, span)))
    return sorted(_by_rarity(found), key=lambda one: (-one.confidence, one.row, one.start))


def _by_rarity(found: Sequence[Suspect]) -> list[Suspect]:
    """Confidences for equal numbers of errors of every kind: odds divided by how common a fault is with a label."""
    many = Counter((one.fault, one.label) for one in found if one.confidence > 0.5)
    usual = log(max(1.0, sum(many.values()) / max(1, len(many))))
    return [
        replace(one, confidence=chance(odds(one.confidence) + usual - log(1 + many[one.fault, one.label])))
        for one in found
    ]


def odds(confidence: float) -> float:
    """The log odds of a probability, which is taken for no surer than one in a million."""
    held = min(max(confidence, _EDGE), 1 - _EDGE)
    return log(held / (1 - held))


def chance(log_odds: float) -> float:
    """The probability of log odds."""
    return 1 / (1 + exp(-log_odds))


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _thresholds(cuts: Sequence[Cut], opinions: Sequence[Opinion | None]) -> Callable[[Span | None], float]:
    """How sure the models usually are of a label where it was given; of nothing, where nothing was."""
    seen: dict[str, list[float]] = {}
    for cut, opinion in zip(cuts, opinions, strict=True):
        for span in cut.spans if opinion else ():
            seen.setdefault(span[2], []).append(opinion.of(span))  # type: ignore[union-attr]
    means = {label: float(np.mean(values)) for label, values in seen.items()}
    overall = float(np.mean([value for values in seen.values() for value in values])) if seen else 1.0
    return lambda span: 1.0 if span is None else max(means.get(span[2], overall), 0.05)


def _otherwise(opinion: Opinion, given: Span) -> tuple[Span | None, float]:
    """The likeliest other reading of a mark's words, None for no mark at all, and its probability."""
    first, last, label = given
    readings: list[Span] = [span for span in opinion.spans if _overlap(span, given)]
    readings += [(first, last, other) for other in opinion.labels]
    edges = ((first - 1, last), (first, last + 1), (first + 1, last), (first, last - 1))
    readings += [(one, other, label) for one, other in edges if 0 <= one < other <= len(opinion.cut.words)]
    best: Span | None = None
    highest = opinion.of_nothing(first, last)
    for reading in readings:
        if reading != given and (likely := opinion.of(reading)) > highest:
            best, highest = reading, likely
    return best, highest


def _doubt(
    usual: Callable[[Span | None], float], held: float, given: Span | None, other: float, expected: Span | None
) -> float:
    """How likely the given label is wrong: the two confidences, each relative to what is usual, against each other."""
    held, other = held / usual(given), other / usual(expected)
    return other / (other + held) if other + held else 0.0


def _suspect(row: int, cut: Cut, given: Span | None, expected: Span | None, confidence: float) -> Suspect:
    spans = [span for span in (given, expected) if span is not None]
    start, end = cut.place(min(span[0] for span in spans), max(span[1] for span in spans))
    return Suspect(
        row=row,
        start=start,
        end=end,
        fault=fault_of(given, expected),
        given=Mark(*cut.place(given[0], given[1]), given[2]) if given else None,
        expected=Mark(*cut.place(expected[0], expected[1]), expected[2]) if expected else None,
        confidence=confidence,
    )
