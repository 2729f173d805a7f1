"""What one wording has and another has not, by the characters that readers see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from annotation.text.graphemes import clusters
from annotation.text.segments import pieces

SAME, ADDED, GONE = "same", "added", "gone"
# Matching grows with the product of the lengths; longer texts are compared word by word.
MOST_CLUSTERS = 600


@dataclass(frozen=True)
class Change:
    """A stretch that both have, that only the second has, or that only the first has."""

    kind: str
    text: str


def compare(before: str, after: str, *, by_words: bool = False) -> list[Change]:
    """From the first wording to the second, in order, never cutting a grapheme cluster; or whole words alone.

    The changes that are not `added` make up the first text, and those that are not `gone` the second. (Ratcliff and
    Obershelp's matching, as in the standard library's difflib.)
    """
    one, other = clusters(before), clusters(after)
    if by_words or max(len(one), len(other)) > MOST_CLUSTERS:
        one, other = [piece.text for piece in pieces(before)], [piece.text for piece in pieces(after)]
    found: list[Change] = []
    for tag, start, end, first, last in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if tag == "equal":
            _put(found, SAME, one[start:end])
        else:
            _put(found, GONE, one[start:end])
            _put(found, ADDED, other[first:last])
    return found


def _put(found: list[Change], kind: str, units: Sequence[str]) -> None:
    if units:
        found.append(Change(kind, "".join(units)))
