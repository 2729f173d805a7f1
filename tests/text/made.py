"""Made-up text in many scripts: random letters and marks of a script, never words of a language."""

from __future__ import annotations

import random
import unicodedata
from functools import cache

import regex

# ISO 15924 code -> blocks of code points to draw from (Unicode blocks, unassigned ones are left out).
BLOCKS = {
    "Latn": ((0x61, 0x7A), (0xE0, 0xFF), (0x250, 0x2AF), (0x300, 0x36F), (0x2BC, 0x2BC)),
    "Cyrl": ((0x430, 0x45F), (0x483, 0x487), (0x4D0, 0x4FF)),
    "Grek": ((0x3B1, 0x3C9), (0x1F00, 0x1FFF)),
    "Arab": ((0x620, 0x65F), (0x670, 0x6D5), (0x8A0, 0x8B4), (0x8D4, 0x8FF), (0x600, 0x605)),
    "Hebr": ((0x5D0, 0x5EA), (0x591, 0x5BD)),
    "Syrc": ((0x710, 0x74A),),
    "Thaa": ((0x780, 0x7B1),),
    "Nkoo": ((0x7C0, 0x7F5),),
    "Adlm": ((0x1E900, 0x1E94B), (0x1E950, 0x1E959)),
    "Deva": ((0x900, 0x97F), (0x200C, 0x200D)),
    "Beng": ((0x980, 0x9FE),),
    "Taml": ((0xB82, 0xBD7),),
    "Mlym": ((0xD00, 0xD7F),),
    "Khmr": ((0x1780, 0x17DD),),
    "Mymr": ((0x1000, 0x109F),),
    "Thai": ((0xE01, 0xE4E),),
    "Laoo": ((0xE81, 0xECD),),
    "Tibt": ((0xF40, 0xFBC),),
    "Ethi": ((0x1200, 0x137F),),
    "Hang": ((0x1100, 0x11FF), (0xAC00, 0xAC40)),
    "Hani": ((0x4E00, 0x4E80),),
    "Cans": ((0x1400, 0x1450),),
    "emoji": ((0x1F466, 0x1F469), (0x1F3FB, 0x1F3FF), (0x1F1E6, 0x1F1FF), (0x200D, 0x200D), (0xFE0F, 0xFE0F)),
    "mixed": ((0x61, 0x66), (0x640, 0x64F), (0x915, 0x94D), (0x1E900, 0x1E94A), (0x1780, 0x17D2), (0x1F466, 0x1F469)),
}


def seeded(number: int = 0) -> random.Random:
    """Chance that falls the same way in every run."""
    return random.Random(number)  # noqa: S311 - nothing here is a secret


@cache
def characters(script: str) -> tuple[str, ...]:
    """The assigned letters, marks, digits and signs of the blocks."""
    return tuple(
        chr(point)
        for first, last in BLOCKS[script]
        for point in range(first, last + 1)
        if unicodedata.category(chr(point)) not in {"Cn", "Cs"}
    )


def soup(chance: random.Random, script: str, *, at_most: int = 24) -> str:
    """Characters in any order, badly formed clusters included, in NFC as everything that is kept."""
    drawn = chance.choices([*characters(script), " "], k=chance.randint(1, at_most))
    return unicodedata.normalize("NFC", "".join(drawn))


@cache
def _of_kind(script: str, kind: str) -> tuple[str, ...]:
    pattern = regex.compile(kind, flags=regex.V1)
    return tuple(sign for sign in characters(script) if pattern.match(sign))


def syllable(chance: random.Random, script: str) -> str:
    """A letter and up to two marks after it; in scripts with conjuncts sometimes two letters joined by a virama."""
    marks = _of_kind(script, r"[\p{M}--\p{InCB=Linker}]")
    linkers = _of_kind(script, r"\p{InCB=Linker}")
    if linkers and chance.random() < 0.3:
        consonants = _of_kind(script, r"\p{InCB=Consonant}")
        text = chance.choice(consonants) + chance.choice(linkers) + chance.choice(consonants)
    else:
        text = chance.choice(_of_kind(script, r"\p{L}"))
    return text + "".join(chance.choices(marks, k=chance.choice((0, 0, 1, 2)))) if marks else text


def word(chance: random.Random, script: str, *, at_most: int = 5) -> str:
    """Up to five syllables, in NFC."""
    return unicodedata.normalize("NFC", "".join(syllable(chance, script) for _ in range(chance.randint(1, at_most))))


def sentence(chance: random.Random, script: str, *, words: int = 8) -> str:
    """So many words with spaces between and a full stop."""
    return " ".join(word(chance, script) for _ in range(words)) + "."
