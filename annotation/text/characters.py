"""The row of characters that a phone's keyboard lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import regex

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzáéíóúüñàèìòùâêîôûç")
_MARK = regex.compile(r"\p{M}")
_CANDIDATE = regex.compile(r"[\p{L}\p{M}\p{Lm}’ʼ']")


def character_row(given: str) -> list[str]:
    """The characters of an orthography's row: a list written with spaces between, duplicates dropped."""
    return list(dict.fromkeys(given.split()))


def key_and_variants(entry: str) -> tuple[str, list[str]]:
    """One entry of a row: the letter of its key, and those that a long press offers, as in `a:ä,â`."""
    key, colon, variants = entry.partition(":")
    return (key, [variant for variant in variants.split(",") if variant]) if key and colon else (entry, [])


def shown(character: str) -> str:
    """How a key shows a character: a combining mark sits on a dotted circle so that it can be seen."""
    return "◌" + character if _MARK.match(character) else character


def propose_row(texts: Iterable[str], *, at_most: int = 16) -> list[str]:
    """The rarest-to-type characters of a corpus, most frequent first: letters and marks outside plain Latin."""
    counts = Counter(
        character
        for text in texts
        for character in text.lower()
        if _CANDIDATE.match(character) and character not in _PLAIN
    )
    return [character for character, _ in counts.most_common(at_most)]
