"""Telling a language from that of the source by its letters, with profiles learnt from a community's validated texts.

No language is built in, and none but the two that are compared can be found. A profile is a trigram model of
characters, each length of context smoothed by the next shorter one (Witten and Bell 1991, "The zero-frequency
problem"); that such models tell languages apart from little text is shown by Dunning 1994, "Statistical
identification of language".

How far to trust it, measured on Otomí and Spanish of documents that the profiles had not seen (the corpus Tsunkua in
the package elotl; tests/text/test_profiles.py repeats it): with 2,000 characters for each, 96 to 99.5 % of the Spanish
sentences are noticed, and 0.3 to 1.1 % of the Otomí ones are called Spanish, mostly names. The Otomí of two regions in
their two spellings is told apart as well; languages that are closer, and spelt alike, will not be.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log2

import regex

from annotation.text.duplicates import normal_key
from annotation.text.findings import Finding

FEWEST_CHARACTERS = 2000
FEWEST_LETTERS = 12
_CONTEXT = 2
# The chance of a character that a profile has never seen: one of all that a writing system might hold.
_UNSEEN = 1 / 65_536
_NUMBERS = regex.compile(r"[\p{N}\s]+")


@dataclass(frozen=True)
class Profile:
    """How often each character follows which others in the texts of a language. All of it can be stored as JSON."""

    characters: int
    """How many letters and blanks it was learnt from."""
    following: Mapping[str, Mapping[str, int]]
    """For each context of 0, 1 and 2 characters: the characters seen after it, and how often."""

    @cached_property
    def totals(self) -> dict[str, int]:
        """How often each context was seen."""
        return {context: sum(after.values()) for context, after in self.following.items()}


def build_profile(texts: Iterable[str]) -> Profile:
    """Learn a profile from texts in one language; case, punctuation and numbers are left out."""
    following: dict[str, dict[str, int]] = {}
    characters = 0
    for text in texts:
        key = _key(text)
        characters += max(0, len(key) - 1)
        for place in range(1, len(key)):
            for length in range(min(_CONTEXT, place) + 1):
                after = following.setdefault(key[place - length : place], {})
                after[key[place]] = after.get(key[place], 0) + 1
    return Profile(characters, following)


def language_mismatch(text: str, target: Profile, source: Profile) -> float | None:
    """By how many bits per character the source's profile foretells the text worse than the target's.

    Above zero the text looks more like the target language, below zero more like the source language; within about
    0.2 of zero it may be either. None where an answer would be a guess: one profile was learnt from fewer than 2,000
    characters, or the text has fewer than 12 letters.
    """
    key = _key(text)
    if min(target.characters, source.characters) < FEWEST_CHARACTERS or len(key.replace(" ", "")) < FEWEST_LETTERS:
        return None
    return (_bits(key, source) - _bits(key, target)) / (len(key) - 1)


def other_language(text: str, target: Profile, source: Profile, *, margin: float = 0.2) -> list[Finding]:
    """A finding if the text looks clearly more like the source language (`language_mismatch` below -margin)."""
    found = language_mismatch(text, target, source)
    return [Finding("other_language", 0, len(text))] if found is not None and found < -margin else []


def _key(text: str) -> str:
    return f" {_NUMBERS.sub(' ', normal_key(text)).strip()} "


def _bits(key: str, profile: Profile) -> float:
    total = 0.0
    for place in range(1, len(key)):
        chance = _UNSEEN
        for length in range(min(_CONTEXT, place) + 1):
            context = key[place - length : place]
            after = profile.following.get(context)
            if after:
                chance = (after.get(key[place], 0) + len(after) * chance) / (profile.totals[context] + len(after))
        total -= log2(chance)
    return total
