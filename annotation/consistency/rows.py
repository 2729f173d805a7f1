"""What is looked at: texts with what was said of them, cut into words. No language is assumed."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from annotation.text.segments import fold, is_blank, pieces

Fold = Callable[[str], str]
_APOSTROPHES = str.maketrans(dict.fromkeys("'‘’`´", "ʼ"))


class Mark(NamedTuple):
    """A label on text[start:end], in code points."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One answer: the text it is about, and the marks it put there, or the class or the words it gave."""

    key: str
    text: str
    marks: tuple[Mark, ...] = ()
    said: str = ""
    """The class, or the translation; empty where an answer is marks."""
    of: Mapping[str, str] = field(default_factory=dict)
    """Which subset it belongs to, by the kind of subset: annotator, document, batch, dialect."""


def as_written(text: str) -> str:
    """The folding of a language whose orthography needs none."""
    return text


def fold_apostrophes(text: str) -> str:
    """The folding of an orthography whose apostrophes are typed in several ways: ' ‘ ’ ` ´ become ʼ."""
    return text.translate(_APOSTROPHES)


class Cut:
    """A row's text in words: every piece that is not blank, so marks of punctuation are words here too."""

    def __init__(self, row: Row, orthography: Fold = as_written) -> None:
        """Cut it, and fold each word: NFC, without case, and as the orthography's folding has it."""
        self.row = row
        found = [piece for piece in pieces(row.text) if not is_blank(piece.text)]
        self.words = [piece.text for piece in found]
        self.starts = [piece.start for piece in found]
        self.ends = [piece.end for piece in found]
        self._orthography = orthography

    @cached_property
    def folded(self) -> list[str]:
        """The words as they are compared."""
        return [unicodedata.normalize("NFC", self._orthography(fold(word))) for word in self.words]

    @cached_property
    def spans(self) -> list[tuple[int, int, str]]:
        """The marks as (first word, word after the last, label), those that touch a word, in order."""
        found = {(*self.words_in(mark.start, mark.end), mark.label) for mark in self.row.marks}
        return sorted(span for span in found if span[0] < span[1])

    def words_in(self, start: int, end: int) -> tuple[int, int]:
        """The words that a stretch of code points touches: the first, and the one after the last."""
        return bisect_right(self.ends, start), bisect_left(self.starts, end)

    def place(self, first: int, last: int) -> tuple[int, int]:
        """The code points of words [first, last)."""
        return self.starts[first], self.ends[last - 1]


def cut_all(rows: Sequence[Row], orthography: Fold = as_written) -> list[Cut]:
    """All rows, cut into words."""
    return [Cut(row, orthography) for row in rows]
