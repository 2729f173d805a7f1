"""Labelled stretches of a text. Offsets count Unicode code points and ranges are half-open: text[start:end].

JavaScript counts UTF-16 code units instead, two for every character beyond U+FFFF (Adlam, emoji): `to_utf16` and
`from_utf16` translate.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any

from annotation.text.graphemes import boundaries
from annotation.text.segments import fold, is_blank, pieces, word_edges
from annotation.worded import Worded

MOST_SPANS = 1000
_LONGEST_ORIGIN = 100
_REQUIRED = {"start", "end", "label"}
_KNOWN = _REQUIRED | {"suggested_by"}


class MalformedSpans(Worded):
    """The spans cannot be kept; the message names the first bad one by its number, counted from 1, and says why."""


@dataclass(frozen=True)
class Span:
    """A label on text[start:end], in code points."""

    start: int
    end: int
    label: str
    suggested_by: str = ""
    """What proposed it before a person accepted it, such as "gazetteer"; empty when a person marked it unaided."""


def canonical(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Order spans by start, the longer first, then by label: the one order in which they are kept and compared."""
    return tuple(sorted(spans, key=lambda span: (span.start, -span.end, span.label, span.suggested_by)))


def read_spans(
    raw: Any, text: str, labels: Collection[str], *, may_overlap: bool = True, at_most: int = MOST_SPANS
) -> tuple[Span, ...]:
    """Read spans as they came over the wire (decoded JSON), in canonical order.

    Each is an object with `start`, `end` (integers, code points), `label` and optionally `suggested_by`. The text must
    be the one that was shown, in the same normalisation. Nested spans are a kind of overlap.

    Raises:
        MalformedSpans: not a list; too many; an entry that is no object or has missing or unknown fields; an offset
            that is no integer; a span that is negative, past the end, reversed, empty, blank or cuts a grapheme
            cluster; an unknown label; the same label on the same place twice; an overlap where none is allowed.
    """
    if not isinstance(raw, list):
        raise MalformedSpans("The labels must come as a list.")
    if len(raw) > at_most:
        raise MalformedSpans("There are %(found)s labels; at most %(most)s are allowed.", found=len(raw), most=at_most)
    edges = frozenset(boundaries(text))
    seen: dict[tuple[int, int, str], int] = {}
    spans = []
    for number, entry in enumerate(raw, start=1):
        span = _read_one(number, entry, text, edges, labels)
        first = seen.setdefault((span.start, span.end, span.label), number)
        if first != number:
            raise MalformedSpans(
                "Label %(number)s repeats label %(first)s: the same words with the same label.",
                number=number,
                first=first,
            )
        spans.append(span)
    if not may_overlap:
        _refuse_overlaps(spans)
    return canonical(spans)


def _read_one(number: int, entry: Any, text: str, edges: Collection[int], labels: Collection[str]) -> Span:
    if not isinstance(entry, dict):
        raise MalformedSpans("Label %(number)s is not an object with start, end and label.", number=number)
    if missing := _REQUIRED - entry.keys():
        raise MalformedSpans("Label %(number)s has no %(missing)s.", number=number, missing=", ".join(sorted(missing)))
    if unknown := entry.keys() - _KNOWN:
        raise MalformedSpans(
            "Label %(number)s has a field nobody knows: %(name)s.", number=number, name=_short(min(map(str, unknown)))
        )
    start, end, label = entry["start"], entry["end"], entry["label"]
    for name, offset in (("start", start), ("end", end)):
        # JSON's true is an int to Python, and 3.0 is a float.
        if not isinstance(offset, int) or isinstance(offset, bool):
            raise MalformedSpans("The %(name)s of label %(number)s is not a whole number.", number=number, name=name)
    _refuse_place(number, start, end, text, edges)
    if not isinstance(label, str) or label not in labels:
        raise MalformedSpans(
            "Label %(number)s is called %(name)s, which is not among the labels of this task.",
            number=number,
            name=_short(label),
        )
    origin = entry.get("suggested_by", "")
    if not isinstance(origin, str) or len(origin) > _LONGEST_ORIGIN or not origin.isprintable():
        raise MalformedSpans("Label %(number)s does not say in a short line of text what suggested it.", number=number)
    return Span(start, end, label, origin)


def _refuse_place(number: int, start: int, end: int, text: str, edges: Collection[int]) -> None:
    """Refuse a range of whole numbers that marks no whole characters of this text."""
    if start < 0 or end < 0:
        raise MalformedSpans("Label %(number)s begins before the text.", number=number)
    if start > len(text) or end > len(text):
        raise MalformedSpans(
            "Label %(number)s goes past the end of the text, which has %(length)s characters.",
            number=number,
            length=len(text),
        )
    if end < start:
        raise MalformedSpans("Label %(number)s ends before it begins.", number=number)
    if start == end:
        raise MalformedSpans("Label %(number)s marks nothing: it ends where it begins.", number=number)
    if start not in edges:
        raise MalformedSpans("Label %(number)s begins in the middle of a character and its marks.", number=number)
    if end not in edges:
        raise MalformedSpans("Label %(number)s ends in the middle of a character and its marks.", number=number)
    if is_blank(text[start:end]):
        raise MalformedSpans("Label %(number)s marks only blanks.", number=number)


def _refuse_overlaps(spans: Iterable[Span]) -> None:
    numbered = sorted(enumerate(spans, start=1), key=lambda pair: (pair[1].start, pair[1].end))
    for (first, before), (second, after) in pairwise(numbered):
        if after.start < before.end:
            low, high = sorted((first, second))
            raise MalformedSpans(
                "Labels %(first)s and %(second)s overlap, which this task does not allow.", first=low, second=high
            )


def _short(value: Any) -> str:
    """A value as a message may show it: quoted, and cut."""
    shown = value if isinstance(value, str) else type(value).__name__
    return f"“{shown[:40]}…”" if len(shown) > 40 else f"“{shown}”"


def same_word_spans(text: str, span: Span) -> list[Span]:
    """The other places of the same surface form, with the same label and origin: "same word everywhere".

    Forms are equal without regard to case and Unicode normalisation (`segments.fold`), and blanks equal each other.
    Where the given span begins (ends) at the edge of a word, so do the others; inside a word, as for a label on a
    stem, any grapheme boundary will do. From left to right, overlapping neither the given span nor each other.

    Raises:
        ValueError: the span does not lie on grapheme boundaries of this text.
    """
    edges = boundaries(text)
    if span.start not in edges or span.end not in edges or span.start >= span.end:
        raise ValueError("The span does not lie on the characters of this text.")
    at_word = frozenset(word_edges(text))
    units = [_unit(text[start:end]) for start, end in pairwise(edges)]
    # Folding may change lengths (ß, ss): which offset of the text each place of the folded text is.
    offsets = dict(zip(accumulate(map(len, units), initial=0), edges, strict=True))
    folded = "".join(units)
    wanted = "".join(units[bisect_left(edges, span.start) : bisect_left(edges, span.end)])
    found: list[Span] = []
    place = folded.find(wanted)
    while place >= 0:
        start, end = offsets.get(place), offsets.get(place + len(wanted))
        if (
            start is not None
            and end is not None
            and (start in at_word or span.start not in at_word)
            and (end in at_word or span.end not in at_word)
            and (end <= span.start or span.end <= start)
        ):
            found.append(replace(span, start=start, end=end))
            place = folded.find(wanted, place + len(wanted))
        else:
            place = folded.find(wanted, place + 1)
    return found


def _unit(cluster: str) -> str:
    return " " if is_blank(cluster) else fold(cluster)


def to_utf16(text: str, offset: int) -> int:
    """The number of UTF-16 code units before an offset in code points.

    Raises:
        ValueError: the offset is not inside the text.
    """
    if not 0 <= offset <= len(text):
        raise ValueError(f"Offset {offset} is not inside a text of {len(text)} characters.")
    return offset + sum(character > "\uffff" for character in text[:offset])


def from_utf16(text: str, units: int) -> int:
    """The offset in code points of a place given in UTF-16 code units, as JavaScript counts.

    Raises:
        ValueError: it is not inside the text, or between the two halves of a character.
    """
    passed = offset = 0
    while passed < units and offset < len(text):
        passed += 2 if text[offset] > "\uffff" else 1
        offset += 1
    if passed != units:
        raise ValueError(f"There is no whole character at UTF-16 unit {units}.")
    return offset


def bio_tags(text: str, spans: Iterable[Span]) -> list[tuple[str, str]]:
    """The pieces of the text that are not blank, each with its tag: B-label, I-label or O (IOB2).

    A piece is a word, a mark of punctuation, or a grapheme cluster of a script without spaces; it belongs to a span
    that covers any of it. (Ramshaw and Marcus 1995; IOB2 as in Tjong Kim Sang and Veenstra 1999.)

    Raises:
        ValueError: two spans cover the same piece; IOB2 cannot say that.
    """
    waiting = list(canonical(spans))
    current: Span | None = None
    tagged: list[tuple[str, str]] = []
    for piece in pieces(text):
        if is_blank(piece.text):
            continue
        inside = current is not None and piece.start < current.end
        begun = [span for span in waiting if span.start < piece.end]
        del waiting[: len(begun)]
        if len(begun) + inside > 1:
            raise ValueError("Overlapping labels cannot be written as one tag for each word.")
        if begun:
            current = begun[0]
            tagged.append((piece.text, f"B-{current.label}"))
        else:
            tagged.append((piece.text, f"I-{current.label}" if inside and current else "O"))
    return tagged
