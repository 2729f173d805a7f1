"""Planting wrong labels where right ones are known, to see which of them are found again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import NamedTuple

from annotation.consistency.rows import Cut, Mark, Row

KINDS = ("type", "dropped", "shifted")


class Planted(NamedTuple):
    """A label that was made wrong: where, what was there, and in which way."""

    row: int
    start: int
    end: int
    """Of the right and the wrong mark together, in code points."""
    kind: str


def plant(rows: Sequence[Row], *, share: float, seed: int) -> tuple[list[Row], list[Planted]]:
    """Make a share of all marks wrong: a third each gets another label, is dropped, or loses or gains a word.

    A shifted mark stays inside its text, keeps a word, and runs into no other mark; where it cannot shift, its label
    changes instead. With one label alone there is no other label: it is dropped.
    """
    chance = Random(seed)  # noqa: S311 - a trial, not a secret
    cuts = [Cut(row) for row in rows]
    labels = sorted({label for cut in cuts for *_, label in cut.spans})
    spots = [(number, span) for number, cut in enumerate(cuts) for span in cut.spans]
    chosen = sorted(chance.sample(range(len(spots)), round(share * len(spots))))
    wrong: dict[int, dict[tuple[int, int, str], tuple[int, int, str] | None]] = {}
    planted = []
    for place in chosen:
        number, span = spots[place]
        kind = chance.choice(KINDS)
        now: tuple[int, int, str] | None = None
        if kind == "shifted" and (moved := _shifted(cuts[number], span, chance)):
            now = (*moved, span[2])
        elif kind != "dropped" and len(labels) > 1:
            kind = "type"
            now = (*span[:2], chance.choice([label for label in labels if label != span[2]]))
        else:
            kind = "dropped"
        wrong.setdefault(number, {})[span] = now
        first, last = (min(span[0], now[0]), max(span[1], now[1])) if now else span[:2]
        planted.append(Planted(number, *cuts[number].place(first, last), kind))
    return [_with(cut, wrong.get(number, {})) for number, cut in enumerate(cuts)], planted


def _shifted(cut: Cut, span: tuple[int, int, str], chance: Random) -> tuple[int, int] | None:
    """The span with one edge moved by a word."""
    first, last, _ = span
    taken = {place for one in cut.spans if one != span for place in range(one[0], one[1])}
    moves = [(first - 1, last), (first, last + 1), (first + 1, last), (first, last - 1)]
    possible = [
        (start, end)
        for start, end in moves
        if 0 <= start < end <= len(cut.words) and not taken & set(range(start, end))
    ]
    return chance.choice(possible) if possible else None


def _with(cut: Cut, wrong: dict[tuple[int, int, str], tuple[int, int, str] | None]) -> Row:
    spans = [wrong.get(span, span) for span in cut.spans]
    marks = [Mark(*cut.place(span[0], span[1]), span[2]) for span in spans if span is not None]
    return replace(cut.row, marks=tuple(sorted(marks)))
