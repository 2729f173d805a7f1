"""Which way a text runs, for the `dir` attribute of what shows it. The language does not decide, the script does."""

from __future__ import annotations

from typing import Literal

import regex

Direction = Literal["ltr", "rtl"]

# ISO 15924 codes of the scripts whose letters have the bidirectional class R or AL (UAX 9), with the variant codes
# Aran (Nastaliq), Syre, Syrj and Syrn, which no character property knows.
# fmt: off
RIGHT_TO_LEFT = frozenset({
    "Adlm", "Arab", "Aran", "Armi", "Avst", "Chrs", "Cprt", "Elym", "Gara", "Hatr", "Hebr", "Hung", "Khar",
    "Lydi", "Mand", "Mani", "Mend", "Merc", "Mero", "Narb", "Nbat", "Nkoo", "Orkh", "Ougr", "Palm", "Phli",
    "Phlp", "Phnx", "Prti", "Rohg", "Samr", "Sarb", "Sidt", "Sogd", "Sogo", "Syrc", "Syre", "Syrj", "Syrn",
    "Thaa", "Yezi",
})
# fmt: on

_STRONG = regex.compile(r"(?P<ltr>\p{bc=L})|(?P<rtl>[\p{bc=R}\p{bc=AL}])")


def script_direction(script: str) -> Direction:
    """The direction of a script by its ISO 15924 code; unknown codes run from left to right, as most scripts do."""
    return "rtl" if script in RIGHT_TO_LEFT else "ltr"


def first_strong(text: str) -> Direction | None:
    """The direction of the first strongly directional character (UAX 9, rule P2), None if there is none.

    Isolates are not passed over, as the rule asks, because `clean_text` lets none in.
    """
    found = _STRONG.search(text)
    if found is None:
        return None
    return "rtl" if found.lastgroup == "rtl" else "ltr"


def base_direction(text: str, script: str | None = None) -> Direction:
    """The direction in which to set a text that is expected in a script (ISO 15924).

    As long as one letter of the text runs the script's way, the script decides: an Arabic sentence that begins with a
    name in Latin letters still runs from right to left, where dir="auto" would turn it round. A text with letters of
    the other direction alone follows them; a text without any letters follows the script. Without a script the first
    strong character decides, and left to right is the last resort.
    """
    if script is None:
        return first_strong(text) or "ltr"
    expected = script_direction(script)
    found = {match.lastgroup for match in _STRONG.finditer(text)}
    if not found or expected in found:
        return expected
    return "ltr" if expected == "rtl" else "rtl"
