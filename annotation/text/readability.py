"""Hints for writing more simply, as a community sets them. No language's words are built in, and hints never refuse.

What they look for is what guidelines for plain language name: long sentences, long words, rare words, and several
clauses in one sentence. All places are half-open ranges of code points.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import regex

from annotation.text.findings import Finding
from annotation.text.gazetteer import Gazetteer
from annotation.text.graphemes import clusters
from annotation.text.segments import Stretch, find_sentences, find_words, fold

_LETTER = regex.compile(r"\p{L}")


@dataclass(frozen=True, kw_only=True)
class Plainness:
    """What counts as simple in a language. A hint that is not set up is not given."""

    longest_sentence: int | None = None
    """The most words in a sentence, for scripts that separate them."""
    longest_stretch: int | None = None
    """The most grapheme clusters in a sentence, for scripts that do not separate words."""
    longest_word: int | None = None
    """The most grapheme clusters in a word."""
    common: Collection[str] = field(default_factory=frozenset)
    """The community's list of words that everybody knows."""
    frequencies: Mapping[str, int] = field(default_factory=dict)
    """How often words occur in a corpus; with `rarest`, used as a list of common words too."""
    rarest: int = 0
    """From which frequency on a word counts as common."""
    conjunctions: Collection[str] = field(default_factory=frozenset)
    """Words, or several together, that join one clause to another."""
    most_joined: int = 1
    """How many conjunctions a sentence may have without a hint."""

    def __post_init__(self) -> None:
        """Refuse a bound below one (ValueError)."""
        for bound in (self.longest_sentence, self.longest_stretch, self.longest_word):
            if bound is not None and bound < 1:
                raise ValueError("A bound of a hint must be at least one.")

    @cached_property
    def known(self) -> frozenset[str]:
        """The common words, folded; empty if the community gave none."""
        frequent = [word for word, times in self.frequencies.items() if times >= self.rarest]
        return frozenset(fold(word) for word in [*self.common, *frequent])

    @cached_property
    def joining(self) -> Gazetteer:
        """The conjunctions, made ready to be found."""
        return Gazetteer(dict.fromkeys(self.conjunctions, ""))


def hints(text: str, plainness: Plainness) -> list[Finding]:
    """Everything in a text that could be simpler, by place. A rare word is named once, at its first place.

    Words are compared as they stand (`fold`): a list of common words must hold the forms that occur, not only stems.
    """
    found = [
        hint
        for sentence in find_sentences(text)
        for hint in [*_long_sentence(sentence, plainness), *_many_clauses(sentence, plainness)]
    ]
    seen: set[str] = set()
    for word in find_words(text):
        length, folded = len(clusters(word.text)), fold(word.text)
        if not _LETTER.search(folded):
            continue
        if plainness.longest_word is not None and length > plainness.longest_word:
            found.append(Finding("long_word", word.start, word.end, {"word": word.text, "count": length}))
        if plainness.known and folded not in plainness.known and folded not in seen:
            found.append(Finding("rare_word", word.start, word.end, {"word": word.text}))
        seen.add(folded)
    return sorted(found, key=lambda hint: (hint.start, hint.end, hint.code))


def _long_sentence(sentence: Stretch, plainness: Plainness) -> list[Finding]:
    counts = [
        ("long_sentence", len(find_words(sentence.text)), plainness.longest_sentence),
        ("long_stretch", len(clusters(sentence.text)), plainness.longest_stretch),
    ]
    return [
        Finding(code, sentence.start, sentence.end, {"count": count, "most": most})
        for code, count, most in counts
        if most is not None and count > most
    ]


def _many_clauses(sentence: Stretch, plainness: Plainness) -> list[Finding]:
    joining = plainness.joining.find(sentence.text)
    if len(joining) <= plainness.most_joined:
        return []
    shown = ", ".join(sentence.text[span.start : span.end] for span in joining)
    return [Finding("many_clauses", sentence.start, sentence.end, {"conjunctions": shown})]
