"""Which writing system a text is in."""

from __future__ import annotations

from functools import cache

import regex

# ISO 15924 code -> Unicode script property (UAX 24). Japanese, Korean and Han mix several.
_PROPERTIES: dict[str, tuple[str, ...]] = {
    "Latn": ("Latin",),
    "Cyrl": ("Cyrillic",),
    "Arab": ("Arabic",),
    "Deva": ("Devanagari",),
    "Ethi": ("Ethiopic",),
    "Grek": ("Greek",),
    "Hebr": ("Hebrew",),
    "Cans": ("Canadian_Aboriginal",),
    "Cher": ("Cherokee",),
    "Tfng": ("Tifinagh",),
    "Nkoo": ("Nko",),
    "Adlm": ("Adlam",),
    "Beng": ("Bengali",),
    "Guru": ("Gurmukhi",),
    "Gujr": ("Gujarati",),
    "Taml": ("Tamil",),
    "Telu": ("Telugu",),
    "Knda": ("Kannada",),
    "Mlym": ("Malayalam",),
    "Sinh": ("Sinhala",),
    "Thai": ("Thai",),
    "Laoo": ("Lao",),
    "Mymr": ("Myanmar",),
    "Khmr": ("Khmer",),
    "Tibt": ("Tibetan",),
    "Mong": ("Mongolian",),
    "Geor": ("Georgian",),
    "Armn": ("Armenian",),
    "Hang": ("Hangul", "Han"),
    "Hans": ("Han",),
    "Hant": ("Han",),
    "Jpan": ("Han", "Hiragana", "Katakana"),
    "Olck": ("Ol_Chiki",),
    "Vaii": ("Vai",),
}


@cache
def _letters_of(script: str) -> regex.Pattern[str] | None:
    properties = _PROPERTIES.get(script)
    if properties is None:
        return None
    inside = "".join(rf"\p{{Script_Extensions={name}}}" for name in properties)
    return regex.compile(rf"[\p{{L}}&&[{inside}]]", flags=regex.V1)


_LETTER = regex.compile(r"\p{L}")


def share_in_script(text: str, script: str) -> float | None:
    """Share (0 to 1) of the text's letters that belong to an ISO 15924 script.

    None when the text has no letters (numbers are written in every script) or the script is not known here.
    Letters of the scripts Common and Inherited, such as ʼ, count as belonging.
    """
    pattern = _letters_of(script)
    letters = _LETTER.findall(text)
    if pattern is None or not letters:
        return None
    common = regex.compile(r"\p{Script=Common}|\p{Script=Inherited}")
    own = sum(1 for letter in letters if pattern.match(letter) or common.match(letter))
    return own / len(letters)


def is_in_script(text: str, script: str, *, at_least: float = 0.5) -> bool:
    """Whether enough of the letters belong to the script; names and loans in another script are allowed."""
    share = share_in_script(text, script)
    return share is None or share >= at_least
