"""Rows made by hand: "[PER ana] sees [LOC luma]" is a text with two marks."""

from __future__ import annotations

import re

from annotation.consistency.rows import Cut, Mark, Row, cut_all

_MARK = re.compile(r"\[(\w+) ([^\]]+)\]")


def row(written: str, key: str = "", **of: str) -> Row:
    """The row that brackets spell."""
    text, marks, at = "", [], 0
    for found in _MARK.finditer(written):
        text += written[at : found.start()]
        marks.append(Mark(len(text), len(text) + len(found[2]), found[1]))
        text += found[2]
        at = found.end()
    return Row(key=key, text=text + written[at:], marks=tuple(marks), of=of)


def cuts(*written: str) -> list[Cut]:
    """Several of them, cut into words."""
    return cut_all([row(one) for one in written])
