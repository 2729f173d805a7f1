"""Suggestions for span labels from a community's list of names and terms."""

from __future__ import annotations

from collections.abc import Container, Mapping
from itertools import accumulate

from annotation.text.segments import fold, is_blank, pieces
from annotation.text.spans import Span

ORIGIN = "gazetteer"
LONGEST_TERM = 200


class Gazetteer:
    """Terms with their labels, made ready once so that many texts can be searched."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        """Take terms and the label of each.

        Of two terms that fold alike the first counts. Blank terms, and those of more than 200 characters, are dropped.
        """
        # Folding one long string is ten times faster than folding ten thousand short ones.
        together = fold("\n".join(" ".join(term.split()) for term in entries))
        self._labels: dict[str, str] = {}
        for term, label in zip(together.split("\n"), entries.values(), strict=False):
            if 0 < len(term) <= LONGEST_TERM:
                self._labels.setdefault(term, label)
        # By the first two characters, so that few lengths are tried at each place.
        lengths: dict[str, set[int]] = {}
        for term in self._labels:
            lengths.setdefault(term[:2], set()).add(len(term))
        self._lengths = {start: sorted(found, reverse=True) for start, found in lengths.items()}

    def find(self, text: str) -> list[Span]:
        """The terms in a text as suggested spans: from the left, the longest at each place, none overlapping.

        A term matches whole words (in scripts without spaces, whole grapheme clusters) without regard to case, with
        any blanks between its words. The time grows with the text and with how many lengths the terms have that
        begin alike, not with the number of terms.
        """
        found = pieces(text)
        units = [" " if is_blank(piece.text) else fold(piece.text) for piece in found]
        folded = "".join(units)
        # In the folded text: where each piece begins, and which piece ends at a place.
        places = list(accumulate(map(len, units), initial=0))
        ends = {place: number for number, place in enumerate(places[1:])}
        spans, free_from = [], 0
        for number, place in enumerate(places[:-1]):
            term = self._longest_at(folded, place, ends) if place >= free_from else None
            if term is not None:
                free_from = place + len(term)
                spans.append(Span(found[number].start, found[ends[free_from]].end, self._labels[term], ORIGIN))
        return spans

    def _longest_at(self, folded: str, place: int, ends: Container[int]) -> str | None:
        """The longest term that begins at a place of the folded text and ends where a piece does."""
        lengths = self._lengths.get(folded[place : place + 2], [])
        for length in [*lengths, 1]:
            term = folded[place : place + length]
            if place + length in ends and term in self._labels:
                return term
        return None


def from_gazetteer(text: str, entries: Mapping[str, str]) -> list[Span]:
    """The terms of a text as suggested spans; see `Gazetteer.find`. For many texts build a `Gazetteer` once."""
    return Gazetteer(entries).find(text)
