"""What a community asks of texts, read from plain values as a project keeps them. An empty table asks for nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.text.checks import Checks
from annotation.text.readability import Plainness
from annotation.text.rules import BadRule, Rule
from annotation.worded import Worded

# What can be switched on, and the codes of the findings that belong to it.
GROUPS: dict[str, tuple[str, ...]] = {
    "repeated": ("repeated_word",),
    "mixed": ("mixed_scripts",),
    "capitals": ("all_capitals",),
    "mark": ("no_final_mark",),
    "numbers": ("number_missing", "number_added"),
    "length": ("much_shorter", "much_longer"),
    "copy": ("same_as_source", "near_source"),
    "again": ("same_as_before", "near_before", "same_as_stored", "near_stored"),
    "language": ("other_language",),
    "machine": ("same_as_machine",),
}
MOST_RULES = 20
_LISTS = {"alphabet": 1_000, "may_repeat": 1_000, "common": 50_000, "conjunctions": 1_000}
_RATIOS = {"shortest": (0.0, 1.0), "longest": (1.0, 100.0), "copied": (0.1, 1.0)}
_COUNTS = {
    "longest_sentence": (1, 1_000),
    "longest_stretch": (1, 4_000),
    "longest_word": (1, 1_000),
    "most_joined": (0, 100),
}
_KNOWN = ("wanted", "rules", *_LISTS, *_RATIOS, *_COUNTS)
_OF_PLAINNESS = ("longest_sentence", "longest_stretch", "longest_word", "most_joined", "common", "conjunctions")


class BadSettings(Worded):
    """A setting that cannot be used; `setting` names it, the message says what is allowed."""

    def __init__(self, message: str, *, setting: str = "", **values: object) -> None:
        super().__init__(message, **values)
        self.setting = setting


@dataclass(frozen=True, kw_only=True)
class TextSettings:
    """What is looked for in the texts of a project."""

    wanted: frozenset[str] = frozenset()
    """The groups that are switched on."""
    checks: Checks
    plainness: Plainness


def tidy_settings(given: Any) -> dict[str, Any]:
    """The settings as they are kept: lists without blanks and repetitions in NFC, and nothing that says nothing.

    Raises:
        BadSettings: a name is unknown, or a value is not what it should be.
    """
    if not isinstance(given, Mapping):
        raise BadSettings("The checks must be a table of settings.")
    if unknown := sorted(str(name) for name in given if name not in _KNOWN):
        raise BadSettings("There is no setting %(name)s. Known: %(known)s.", name=unknown[0], known=", ".join(_KNOWN))
    kept: dict[str, Any] = {"wanted": _groups(given.get("wanted", []))}
    kept |= {name: _words(name, given.get(name, []), most) for name, most in _LISTS.items()}
    kept["rules"] = _rules(given.get("rules", []))
    for name, (least, most) in {**_RATIOS, **_COUNTS}.items():
        kept[name] = _number(name, given.get(name), least, most, is_whole=name in _COUNTS)
    return {name: value for name, value in kept.items() if value not in (None, [])}


def read_settings(kept: Mapping[str, Any]) -> TextSettings:
    """What was kept by `tidy_settings`, ready to be used."""
    wanted = frozenset(kept.get("wanted", ()))
    checks = Checks(
        alphabet=tuple(kept.get("alphabet", ())),
        may_repeat=tuple(kept.get("may_repeat", ())),
        rules=tuple(Rule(**rule) for rule in kept.get("rules", ())),
        off=frozenset(code for group, codes in GROUPS.items() if group not in wanted for code in codes),
        **{name: kept[name] for name in _RATIOS if name in kept},
    )
    plainness = Plainness(**{name: kept[name] for name in _OF_PLAINNESS if name in kept})
    return TextSettings(wanted=wanted, checks=checks, plainness=plainness)


def _groups(given: Any) -> list[str]:
    if not isinstance(given, list | tuple) or not all(isinstance(group, str) for group in given):
        raise BadSettings("The checks that are wanted must be a list of names.", setting="wanted")
    if unknown := sorted(set(given) - set(GROUPS)):
        raise BadSettings(
            "There is no check %(name)s. Known: %(known)s.", setting="wanted", name=unknown[0], known=", ".join(GROUPS)
        )
    return [group for group in GROUPS if group in given]


def _number(name: str, given: Any, least: float, most: float, *, is_whole: bool) -> int | float | None:
    if given is None:
        return None
    fits = isinstance(given, int) if is_whole else isinstance(given, int | float)
    if not fits or isinstance(given, bool) or not least <= given <= most:
        bounds = {"least": f"{least:g}", "most": f"{most:g}"}
        if is_whole:
            raise BadSettings("This must be a whole number from %(least)s to %(most)s.", setting=name, **bounds)
        raise BadSettings("This must be a number from %(least)s to %(most)s.", setting=name, **bounds)
    return given  # type: ignore[no-any-return]


def _words(name: str, given: Any, most: int) -> list[str]:
    if not isinstance(given, list | tuple) or not all(isinstance(word, str) for word in given):
        raise BadSettings("This must be a list of words.", setting=name)
    words = list(dict.fromkeys(unicodedata.normalize("NFC", " ".join(word.split())) for word in given if word.strip()))
    if len(words) > most:
        raise BadSettings(
            "This may hold %(most)s entries at most; these are %(number)s.", setting=name, most=most, number=len(words)
        )
    if longest := next((word for word in words if len(word) > 100), ""):
        raise BadSettings(
            "An entry may have 100 characters at most. Too long: %(entry)s…", setting=name, entry=longest[:40]
        )
    return words


def _rules(given: Any) -> list[dict[str, str]]:
    if not isinstance(given, list | tuple):
        raise BadSettings("The spelling rules must be a list.", setting="rules")
    if len(given) > MOST_RULES:
        raise BadSettings("There may be %(most)s spelling rules at most.", setting="rules", most=MOST_RULES)
    return [_rule(entry) for entry in given]


def _rule(entry: Any) -> dict[str, str]:
    names = {"name", "pattern", "message"}
    if (
        not isinstance(entry, Mapping)
        or set(entry) != names
        or not all(isinstance(part, str) for part in entry.values())
    ):
        raise BadSettings("Every spelling rule has a name, a pattern and a message.", setting="rules")
    rule = {
        "name": entry["name"].strip(),
        "pattern": unicodedata.normalize("NFC", entry["pattern"]),
        "message": entry["message"].strip(),
    }
    if len(rule["name"]) > 80 or len(rule["message"]) > 300:
        raise BadSettings("A rule's name has 80 characters at most, its message 300.", setting="rules")
    try:
        Rule(**rule)
    except BadRule as error:
        raise BadSettings("%(rule)s: %(why)s", setting="rules", rule=rule["name"] or "–", why=error) from error
    return rule
