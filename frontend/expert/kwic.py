"""Places in their contexts (keywords in context), and what a correction takes away and adds, as the pages show them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from annotation.answers.models import Answer
from annotation.kinds.contract import Written
from annotation.text.direction import base_direction
from annotation.text.segments import word_edges

CONTEXT = 48


@dataclass(frozen=True)
class Context:
    """Words of a text between what stands before and after them, cut between words."""

    before: str
    words: str
    after: str
    direction: str
    cut_before: bool
    cut_after: bool


def context_of(text: str, start: int, end: int) -> Context:
    """The stretch [start, end) of a text with its neighbourhood."""
    edges = word_edges(text)
    first = edges[bisect_left(edges, max(0, start - CONTEXT))]
    last = edges[bisect_right(edges, min(len(text), end + CONTEXT)) - 1]
    first, last = min(first, start), max(last, end)
    return Context(
        before=text[first:start],
        words=text[start:end],
        after=text[end:last],
        direction=base_direction(text),
        cut_before=first > 0,
        cut_after=last < len(text),
    )


@dataclass(frozen=True)
class Difference:
    """What a correction takes away and adds: each a label with its words, or words alone."""

    text: str
    direction: str
    removed: list[tuple[str, str]]
    added: list[tuple[str, str]]


def difference_of(answer: Answer, written: Written) -> Difference:
    """Between an answer and what stands or would stand in its place."""
    text = answer.task.item.text
    before = _parts(text, answer.text, answer.payload)
    after = _parts(text, written.text, written.payload)
    return Difference(text, base_direction(text), _shown(before, after), _shown(after, before))


def _parts(text: str, words: str, payload: Mapping[str, Any]) -> dict[Any, tuple[str, str]]:
    marks = {
        (span["start"], span["end"], span["label"]): (span["label"], text[span["start"] : span["end"]])
        for span in payload.get("spans", [])
    }
    classes = {label: (label, "") for label in payload.get("labels", [])}
    return {**marks, **classes, **({words: ("", words)} if words else {})}


def _shown(ones: Mapping[Any, tuple[str, str]], others: Iterable[Any]) -> list[tuple[str, str]]:
    known = set(others)
    return [part for key, part in ones.items() if key not in known]
