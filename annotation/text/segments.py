"""Words, sentences and the places where a word may begin or end, in code points. No language is assumed.

A word is a run of letters, marks and digits; an apostrophe between two letters is part of it, as are joiners inside
it. Scripts written without spaces (Thai, Khmer, Burmese, Han and the like) do not show their words: there every
grapheme cluster may be the edge of one, and `find_words` passes over them.

This is simpler than the word rules of Unicode Standard Annex 29, section 4, and differs from them in two places:
full stops and colons never join words, and no script is treated letter by letter because of a dictionary.
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import NamedTuple

import regex

from annotation.text.graphemes import boundaries

# Line_Break=SA (UAX 14): the scripts of Southeast Asia whose words only a dictionary could find.
_UNSPACED = r"\p{LB=SA}\p{Script=Hani}\p{Script=Hira}\p{Script=Kana}\p{Script=Bali}\p{Script=Java}"
_LETTER = rf"[\p{{L}}\p{{M}}\p{{N}}\p{{Pc}}\u200C\u200D--[{_UNSPACED}]]"
_JOINED = r"(?:['’‘·׳״](?=\p{L})|[.,](?=\p{Nd})(?<=\p{Nd}[.,]))"
_WORD = regex.compile(rf"{_LETTER}+(?:{_JOINED}{_LETTER}+)*", flags=regex.V1)
_SEEN = regex.compile(r"[\p{L}\p{N}]")
_BLANK = regex.compile(r"\s+")
_MORE = r"[\p{STerm}…]*+[\p{Pe}\p{Pf}\p{Pi}\"']*+"
# Final marks of scripts such as Ethiopic, Arabic or Khmer end a sentence whatever follows; of those that numbers and
# addresses share, only one before a blank does.
_SENTENCE_END = regex.compile(rf"[\p{{STerm}}--[.?!]]{_MORE}|(?<![.?!…])[.?!…]{_MORE}(?=\s|$)|\n", flags=regex.V1)


class Stretch(NamedTuple):
    """A half-open range of code points and the text in it."""

    start: int
    end: int
    text: str


def fold(text: str) -> str:
    """The text without differences of case: canonical caseless matching (Unicode Standard, D145), kept in NFC.

    Full case folding, so ß equals ss. Compatibility letters, and the several apostrophes, stay apart.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def find_words(text: str) -> list[Stretch]:
    """The words of the scripts that separate them, in order; numbers are words too."""
    return [
        Stretch(match.start(), match.end(), match.group())
        for match in _WORD.finditer(text)
        if _SEEN.search(match.group())
    ]


def word_edges(text: str) -> list[int]:
    """The offsets, ascending, at which a word may begin or end: grapheme boundaries inside no word and no blanks."""
    inside: set[int] = set()
    for pattern in (_WORD, _BLANK):
        for found in pattern.finditer(text):
            inside.update(range(found.start() + 1, found.end()))
    return [edge for edge in boundaries(text) if edge not in inside]


def pieces(text: str) -> list[Stretch]:
    """The text cut at every word edge: words, blanks, marks of punctuation, and the clusters of unspaced scripts."""
    edges = word_edges(text)
    return [Stretch(start, end, text[start:end]) for start, end in pairwise(edges)]


def is_blank(text: str) -> bool:
    """Whether there is nothing but blanks (the empty text included)."""
    return not text or _BLANK.fullmatch(text) is not None


def find_sentences(text: str) -> list[Stretch]:
    """The sentences, without the blanks around them: cut after sentence-final marks (Unicode STerm) and line ends.

    An abbreviation with a full stop before a blank is taken for an end; this is good enough for hints.
    """
    found, start = [], 0
    for end in [match.end() for match in _SENTENCE_END.finditer(text)] + [len(text)]:
        body = text[start:end]
        trimmed = body.strip()
        if trimmed:
            begins = start + len(body) - len(body.lstrip())
            found.append(Stretch(begins, begins + len(trimmed), trimmed))
        start = end
    return found
