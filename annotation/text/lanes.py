"""Several people's labels on one text, side by side: where they agree, and how they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from annotation.text.segments import Stretch, pieces
from annotation.text.spans import Span

AGREED, MISSED, BOUNDARY, TYPE, BOTH = "agreed", "missed", "boundary", "type", "both"


@dataclass(frozen=True)
class Fragment:
    """One labelled stretch, and the lanes (numbered from 0) in which it stands."""

    start: int
    end: int
    label: str
    lanes: tuple[int, ...]

    @property
    def span(self) -> Span:
        """The same as a span."""
        return Span(self.start, self.end, self.label)


@dataclass(frozen=True)
class Place:
    """Fragments that touch each other, from the first to the last of their characters, and how they differ.

    agreed: everybody marked the same · missed: some did, the others nothing · boundary: the same label on other
    stretches · type: other labels on the same stretch · both.
    """

    start: int
    end: int
    kind: str
    fragments: tuple[Fragment, ...]


def fragments_of(lanes: Sequence[Sequence[Span]]) -> list[Fragment]:
    """Every different labelled stretch, in the order of the text, with who marked it."""
    seen: dict[tuple[int, int, str], set[int]] = {}
    for number, spans in enumerate(lanes):
        for span in spans:
            seen.setdefault((span.start, span.end, span.label), set()).add(number)
    ordered = sorted(seen.items(), key=lambda entry: (entry[0][0], -entry[0][1], entry[0][2]))
    return [Fragment(start, end, label, tuple(sorted(who))) for (start, end, label), who in ordered]


def places_of(lanes: Sequence[Sequence[Span]]) -> list[Place]:
    """The text's marked places in order: fragments that share a character are one place."""
    groups: list[list[Fragment]] = []
    reach = -1
    for fragment in fragments_of(lanes):
        if fragment.start < reach:
            groups[-1].append(fragment)
        else:
            groups.append([fragment])
        reach = max(reach, fragment.end)
    return [
        Place(group[0].start, max(one.end for one in group), _kind(group, len(lanes)), tuple(group)) for group in groups
    ]


def _kind(group: Sequence[Fragment], lanes: int) -> str:
    said = {
        number: frozenset((one.start, one.end, one.label) for one in group if number in one.lanes)
        for number in range(lanes)
    }
    if len(set(said.values())) == 1:
        return AGREED
    if len({marks for marks in said.values() if marks}) == 1:
        return MISSED
    ranges = {(one.start, one.end) for one in group}
    labels = {one.label for one in group}
    if len(labels) == 1:
        return BOUNDARY
    return TYPE if len(ranges) == 1 else BOTH


@dataclass(frozen=True)
class Token:
    """A piece of the text with what each lane says of it: the number of its shortest fragment there, or None."""

    start: int
    end: int
    text: str
    lanes: tuple[int | None, ...]
    share: float
    """Of the lanes, how many say what most of them say of it: 1 is full agreement."""


def tokens_of(text: str, lanes: Sequence[Sequence[Span]]) -> list[Token]:
    """The text cut at its words and at every edge of a label."""
    fragments = fragments_of(lanes)
    cuts = {0, len(text)} | {edge for one in fragments for edge in (one.start, one.end)}
    cuts |= {piece.start for piece in pieces(text)}
    parts = [Stretch(start, end, text[start:end]) for start, end in pairwise(sorted(cuts))]
    return [_token(part, fragments, len(lanes)) for part in parts]


def _token(part: Stretch, fragments: Sequence[Fragment], lanes: int) -> Token:
    over = [(number, one) for number, one in enumerate(fragments) if one.start <= part.start and part.end <= one.end]
    over.sort(key=lambda entry: entry[1].end - entry[1].start)
    first = tuple(next((number for number, one in over if lane in one.lanes), None) for lane in range(lanes))
    said = Counter(frozenset(one.label for _, one in over if lane in one.lanes) for lane in range(lanes))
    share = max(said.values()) / lanes if lanes else 1.0
    return Token(part.start, part.end, part.text, first, share)
