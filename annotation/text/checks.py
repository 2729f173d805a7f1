"""Checks of what somebody wrote. They warn and never refuse: a person may know better, and a reviewer is told.

Every check can be switched off, and nothing about any language is built in: alphabets, ratios and rules come from the
community. All places are half-open ranges of code points.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

import regex

from annotation.text.duplicates import normal_key, resemblance
from annotation.text.findings import Finding
from annotation.text.graphemes import clusters, snap
from annotation.text.rules import Rule, broken_rules
from annotation.text.scripts import mixes_scripts
from annotation.text.segments import find_words, fold, is_blank

_LETTER = regex.compile(r"[\p{L}\p{M}]")
# A letter with its marks: less than a grapheme cluster where one cluster holds several letters, as conjuncts do.
_UNIT = regex.compile(r"\p{L}\p{M}*|\p{M}+|.", flags=regex.DOTALL)
_MARK = regex.compile(r"\p{M}")
_FINAL_MARK = regex.compile(r"[\p{STerm}…](?=[\p{Pe}\p{Pf}\p{Pi}\"'’\s]*\Z)")
_THOUSANDS = regex.compile(r"(?<=\p{Nd})[.,'’ ٬](?=\p{Nd}{3}(?!\p{Nd}))")
_NUMBER = regex.compile(r"\p{Nd}+")
_SMALL = regex.compile(r"\p{Ll}")
# Cherokee is written in what Unicode calls its capitals.
_CAPITAL = regex.compile(r"[\p{Lu}--\p{Script=Cherokee}]", flags=regex.V1)
_FEWEST_CAPITALS = 8


def outside_alphabet(text: str, alphabet: Collection[str]) -> list[Finding]:
    """Letters that are not in an alphabet, each once, at its first place, with how often it occurs.

    An entry is a letter, with its marks if it has some (a, ñ, n̠); several that count as one (ch: a c alone is then
    outside); or a mark alone (U+0331, a vowel sign, a virama), which may stand on any letter of the alphabet. Case does
    not matter. Numbers and punctuation are not letters, ʼ is. Not for Korean, whose syllables are composed.
    """
    letters = {tuple(map(_small, _UNIT.findall(entry))) for entry in alphabet if not _MARK.match(entry)} - {()}
    marks = "".join(unicodedata.normalize("NFD", entry) for entry in alphabet if _MARK.match(entry))
    longest = max(map(len, letters), default=1)
    ranges = [match.span() for match in _UNIT.finditer(text)]
    units = [_without(_small(text[start:end]), marks, letters) for start, end in ranges]
    places: dict[str, list[int]] = {}
    place = 0
    while place < len(units):
        known = next((n for n in range(longest, 0, -1) if tuple(units[place : place + n]) in letters), 0)
        if not known and _LETTER.search(units[place]):
            places.setdefault(units[place], []).append(place)
        place += known or 1
    found = []
    for outside in places.values():
        start, end = ranges[outside[0]]
        shown: dict[str, str | int] = {"character": text[start:end], "times": len(outside)}
        found.append(Finding("outside_alphabet", *snap(text, start, end), shown))
    return found


def _small(unit: str) -> str:
    # Not `fold`, which would make two letters of ß.
    return unicodedata.normalize("NFC", unit.lower())


def _without(unit: str, marks: str, letters: Collection[tuple[str, ...]]) -> str:
    """The letter without marks that may stand on any, unless it is in the alphabet with them."""
    if not marks or (unit,) in letters:
        return unit
    bare = "".join(character for character in unicodedata.normalize("NFD", unit) if character not in marks)
    return unicodedata.normalize("NFC", bare)


def repeated_words(text: str, may_repeat: Collection[str] = ()) -> list[Finding]:
    """Words that stand twice in a row with only blanks between, but for those that may; numbers are no words here.

    Where doubling is grammar, a community lists such words or switches the check off.
    """
    allowed = {fold(word) for word in may_repeat}
    return [
        Finding("repeated_word", second.start, second.end, {"word": second.text})
        for first, second in pairwise(find_words(text))
        if (folded := fold(second.text)) == fold(first.text)
        and folded not in allowed
        and _LETTER.search(folded)
        and is_blank(text[first.end : second.start])
    ]


def missing_final_mark(text: str, source: str) -> list[Finding]:
    """Whether the source ends with a sentence-final mark of any script (Unicode STerm, or …) and the text with none."""
    ending = _FINAL_MARK.search(source)
    if ending is None or _FINAL_MARK.search(text):
        return []
    return [Finding("no_final_mark", 0, len(text), {"mark": ending.group()})]


def copied_source(text: str, source: str, *, at_least: float = 0.8) -> list[Finding]:
    """Whether the text is its source (equal `normal_key`), or shares so much of its trigrams (`resemblance`)."""
    if normal_key(text) == normal_key(source):
        return [Finding("same_as_source", 0, len(text))]
    share = resemblance(text, source)
    return [Finding("near_source", 0, len(text), {"percent": int(100 * share)})] if share >= at_least else []


def differing_numbers(text: str, source: str) -> list[Finding]:
    """Numbers of the source that the text lacks, and numbers it adds, whatever digits and separators they are in.

    Only decimal digits (Unicode Nd) are read: other numerals, and words, look like a missing number.
    """
    ours, theirs = _numbers(text), _numbers(source)
    missing = [Finding("number_missing", 0, len(text), {"number": number}) for number in (theirs - ours).elements()]
    return missing + [
        Finding("number_added", 0, len(text), {"number": number}) for number in (ours - theirs).elements()
    ]


def _numbers(text: str) -> Counter[str]:
    whole = _THOUSANDS.sub("", text)
    return Counter("".join(str(unicodedata.decimal(digit, digit)) for digit in run) for run in _NUMBER.findall(whole))


def differing_length(text: str, source: str, *, shortest: float = 0.4, longest: float = 2.5) -> list[Finding]:
    """Whether the text has far fewer or more grapheme clusters than its source; sources under 20 are not compared.

    The bounds are ratios text / source; a community sets them from its own validated pairs.
    """
    ours, theirs = len(clusters(text)), len(clusters(source))
    if theirs < 20 or shortest <= ours / theirs <= longest:
        return []
    code = "much_shorter" if ours < theirs else "much_longer"
    return [Finding(code, 0, len(text), {"characters": ours, "source": theirs})]


def all_capitals(text: str, source: str = "") -> list[Finding]:
    """Whether all of at least eight cased letters are capitals, unless the source is in capitals too."""
    if _shouts(text) and not _shouts(source):
        return [Finding("all_capitals", 0, len(text))]
    return []


def _shouts(text: str) -> bool:
    return not _SMALL.search(text) and len(_CAPITAL.findall(text)) >= _FEWEST_CAPITALS


def mixed_scripts(text: str, alphabet: Collection[str] = ()) -> list[Finding]:
    """Words with letters of two scripts, such as a Cyrillic а among Latin letters.

    Letters of the alphabet are taken as they are, for some orthographies borrow from another script.
    """
    own = {character for entry in alphabet for character in fold(entry)}
    return [
        Finding("mixed_scripts", word.start, word.end, {"word": word.text})
        for word in find_words(text)
        if mixes_scripts("".join(letter for letter in word.text if fold(letter) not in own))
    ]


@dataclass(frozen=True, kw_only=True)
class Checks:
    """What a community asks of the texts in its language."""

    alphabet: tuple[str, ...] = ()
    """As in `outside_alphabet`; empty means that letters are not checked."""
    may_repeat: tuple[str, ...] = ()
    """Words that may stand twice in a row."""
    shortest: float = 0.4
    """The least length of a text as a share of its source's."""
    longest: float = 2.5
    """The greatest length of a text as a share of its source's."""
    copied: float = 0.8
    """From which resemblance on a text counts as a copy of its source."""
    rules: tuple[Rule, ...] = ()
    """Spelling rules of the community's own."""
    off: frozenset[str] = frozenset()
    """Codes of findings that are not wanted."""


def check_text(text: str, checks: Checks, *, source: str | None = None) -> list[Finding]:
    """Everything that the checks notice in a text, and in comparison with its source if it has one, by place."""
    found = repeated_words(text, checks.may_repeat) + mixed_scripts(text, checks.alphabet)
    found += broken_rules(text, checks.rules) + all_capitals(text, source or "")
    if checks.alphabet:
        found += outside_alphabet(text, checks.alphabet)
    if source is not None:
        found += missing_final_mark(text, source) + copied_source(text, source, at_least=checks.copied)
        found += differing_numbers(text, source)
        found += differing_length(text, source, shortest=checks.shortest, longest=checks.longest)
    wanted = [finding for finding in found if finding.code not in checks.off]
    return sorted(wanted, key=lambda finding: (finding.start, finding.end, finding.code))
