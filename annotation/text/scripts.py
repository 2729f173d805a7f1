"""Which writing system a text is in."""

from __future__ import annotations

from functools import cache

import regex

# ISO 15924 codes that stand for several Unicode scripts (UAX 24), or for a variant that Unicode does not tell apart.
# Every other code is a Unicode script by itself.
_SEVERAL: dict[str, tuple[str, ...]] = {
    "Hang": ("Hang", "Hani"),
    "Kore": ("Hang", "Hani"),
    "Hans": ("Hani",),
    "Hant": ("Hani",),
    "Jpan": ("Hani", "Hira", "Kana"),
    "Hrkt": ("Hira", "Kana"),
    "Aran": ("Arab",),
    "Cyrs": ("Cyrl",),
    "Latf": ("Latn",),
    "Latg": ("Latn",),
    "Geok": ("Geor",),
    "Syre": ("Syrc",),
    "Syrj": ("Syrc",),
    "Syrn": ("Syrc",),
}
_CODE = regex.compile(r"(?!Zyyy|Zinh|Zzzz)[A-Z][a-z]{3}")
# fmt: off
# What people write today; a word is looked at for these.
LIVING = (
    "Latn", "Cyrl", "Grek", "Arab", "Hebr", "Armn", "Geor", "Ethi", "Tfng", "Nkoo", "Adlm", "Vaii", "Cans", "Cher",
    "Deva", "Beng", "Guru", "Gujr", "Orya", "Taml", "Telu", "Knda", "Mlym", "Sinh", "Thai", "Laoo", "Mymr", "Khmr",
    "Tibt", "Mong", "Jpan", "Hang", "Bopo", "Yiii", "Lisu", "Olck", "Mtei", "Cakm", "Syrc", "Thaa", "Mand", "Samr",
    "Rohg", "Lana", "Talu", "Tale", "Tavt", "Cham", "Bali", "Java", "Sund", "Batk", "Bugi", "Rjng", "Tglg", "Hano",
    "Buhd", "Tagb", "Kali", "Lepc", "Limb", "Newa", "Sylo", "Saur", "Wcho", "Nagm", "Toto", "Hmnp", "Hmng", "Plrd",
    "Bamu", "Mend", "Bass", "Osge", "Dsrt", "Shaw", "Mroo", "Sora", "Wara", "Gong", "Gonm", "Kthi", "Mahj", "Sind",
    "Khoj", "Tirh", "Modi", "Takr", "Copt", "Glag", "Gara", "Medf", "Tnsa", "Gukh", "Sunu", "Onao", "Krai",
)
# fmt: on
_LETTER = regex.compile(r"\p{L}")
_COMMON = regex.compile(r"\p{Script=Common}|\p{Script=Inherited}")


@cache
def _letters_of(script: str) -> regex.Pattern[str] | None:
    if not _CODE.fullmatch(script):
        return None
    inside = "".join(rf"\p{{Script_Extensions={name}}}" for name in _SEVERAL.get(script, (script,)))
    try:
        return regex.compile(rf"[\p{{L}}&&[{inside}]]", flags=regex.V1)
    except regex.error:
        return None


def share_in_script(text: str, script: str) -> float | None:
    """Share (0 to 1) of the text's letters that belong to an ISO 15924 script.

    None when the text has no letters (numbers are written in every script) or Unicode knows no such script.
    Letters of the scripts Common and Inherited, such as ʼ, count as belonging.
    """
    pattern = _letters_of(script)
    letters = _LETTER.findall(text)
    if pattern is None or not letters:
        return None
    own = sum(1 for letter in letters if pattern.match(letter) or _COMMON.match(letter))
    return own / len(letters)


def is_in_script(text: str, script: str, *, at_least: float = 0.5) -> bool:
    """Whether enough of the letters belong to the script; names and loans in another script are allowed."""
    share = share_in_script(text, script)
    return share is None or share >= at_least


@cache
def scripts_of(letter: str) -> frozenset[str]:
    """The living scripts that a letter may belong to (ISO 15924; UAX 24, Script_Extensions).

    Empty for what is no letter, belongs to every script, or to none that is written today.
    """
    if _COMMON.match(letter):
        return frozenset()
    return frozenset(code for code in LIVING if (pattern := _letters_of(code)) and pattern.match(letter))


def mixes_scripts(word: str) -> bool:
    """Whether no one script has all the letters of a word, as when Latin a stands in a Cyrillic word.

    Han with kana and Han with hangul count as one script; letters that `scripts_of` cannot place are passed over.
    """
    placed = [found for letter in word if (found := scripts_of(letter))]
    return bool(placed) and not frozenset.intersection(*placed)
