"""The same text, or nearly the same, of which different things were said: classes and translations.

Texts are the same when `annotation.text.duplicates.normal_key` of their orthography's folding is, and nearly the same
when three quarters of their trigrams are (candidates by MinHash bands). What was said of near texts may well differ
in the words that differ, so translations of near texts clash only where they are much less alike than their texts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import log2

from annotation.consistency.rows import Fold, Row, as_written
from annotation.text.duplicates import bands, fingerprint, normal_key, resemblance

NEAR = 0.75
_FAR = 0.35


@dataclass(frozen=True, kw_only=True)
class Likes:
    """Rows of one text, or of nearly one, that say different things."""

    text: str
    """The first row's."""
    rows: tuple[int, ...]
    near: bool
    """Whether the texts are only nearly the same."""
    expected: str
    """What most of them say; of equals, what the first of them says."""
    estimate: float
    """The estimated number of wrong labels: those that say something else."""

    def entropy(self, rows: Sequence[Row]) -> float:
        """Of what is said, in bits."""
        counts = Counter(normal_key(rows[row].said) for row in self.rows)
        return max(0.0, -sum(many / len(self.rows) * log2(many / len(self.rows)) for many in counts.values()))


def find_likes(
    rows: Sequence[Row], *, words: bool, orthography: Fold = as_written, with_near: bool = True
) -> list[Likes]:
    """Groups of like texts with unlike answers, the most wrong first. `words`: answers are words, not classes."""
    keys = [normal_key(orthography(row.text)) for row in rows]
    same: dict[str, list[int]] = defaultdict(list)
    for number, key in enumerate(keys):
        same[key].append(number)
    found = [group for numbers in same.values() if (group := _judged(rows, numbers, near=False))]
    if with_near:
        for numbers in _near(same):
            clashing = numbers if not words else _clashing(rows, numbers)
            if group := _judged(rows, clashing, near=True):
                found.append(group)
    return sorted(found, key=lambda one: (-one.estimate, one.text))


def _judged(rows: Sequence[Row], numbers: Sequence[int], *, near: bool) -> Likes | None:
    if len(numbers) < 2:
        return None
    said = [normal_key(rows[number].said) for number in numbers]
    counts = Counter(said)
    if len(counts) < 2:
        return None
    top, many = counts.most_common(1)[0]
    return Likes(
        text=rows[numbers[0]].text,
        rows=tuple(numbers),
        near=near,
        expected=rows[numbers[said.index(top)]].said,
        estimate=(len(numbers) - many) * (0.5 if near else 1.0),
    )


def _near(same: dict[str, list[int]]) -> list[list[int]]:
    """Rows of texts that are near another text but not the same; each text joins the first it is near to."""
    shelves: dict[int, list[str]] = defaultdict(list)
    leader: dict[str, str] = {}
    for key in same:
        marks = bands(fingerprint(key))
        candidates = dict.fromkeys(other for mark in marks for other in shelves[mark])
        near = next((other for other in candidates if resemblance(key, other) >= NEAR), None)
        leader[key] = leader[near] if near is not None else key
        for mark in marks:
            shelves[mark].append(key)
    families: dict[str, list[str]] = defaultdict(list)
    for key, first in leader.items():
        families[first].append(key)
    return [[row for key in keys for row in same[key]] for keys in families.values() if len(keys) > 1]


def _clashing(rows: Sequence[Row], numbers: Sequence[int]) -> list[int]:
    """Those whose words are far from the words of the first, though their texts are near."""
    first = rows[numbers[0]]
    far = [number for number in numbers[1:] if resemblance(first.said, rows[number].said) < _FAR]
    return [numbers[0], *far] if far else []
