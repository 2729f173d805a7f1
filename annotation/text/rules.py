"""Spelling rules that a community writes as regular expressions, kept to a form that cannot hold a server up.

An unlimited pattern can: ((a{1000}){1000}){1000} takes all memory long before any timeout. So a rule may use
characters, classes, \\p{...}, alternatives, groups, looking ahead and behind, and counts up to 50, but may not repeat
what already repeats, nor refer back, recurse, or set flags; what remains is stopped by the clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import regex

from annotation.text.findings import Finding
from annotation.worded import Worded

LONGEST_PATTERN = 200
LARGEST_COUNT = 50
MOST_FINDINGS = 5

_TOKEN = regex.compile(
    r"(?P<escape>\\[pP]\{\^?[\w=& -]+\}|\\x[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}"
    r"|\\[wWdDsSbBXnt]|\\[^\w\s])"
    r"|(?P<class>\[\^?(?:\\.|[^\]\[\\])+\])"
    r"|(?P<open>\((?!\?)|\(\?(?::|=|!|<=|<!))"
    r"|(?P<close>\))"
    r"|(?P<count>(?:[*+?]|\{(?P<least>\d*)(?:,(?P<most>\d*))?\})[?+]?)"
    r"|(?P<plain>[^\\\[\](){}*+?])"
)


class BadRule(Worded):
    """The rule cannot be kept; the message says why, for the steward who wrote it."""


@dataclass(frozen=True)
class Rule:
    """Where the pattern matches, the message is shown. Matching tells capital and small letters apart.

    Raises:
        BadRule: the pattern is too long, not understood, or may take too long; or name or message is empty.
    """

    name: str
    pattern: str
    message: str

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.message.strip():
            raise BadRule("A rule needs a name and a message for the people who write.")
        if not 0 < len(self.pattern) <= LONGEST_PATTERN:
            raise BadRule("The pattern must have between 1 and %(most)s characters.", most=LONGEST_PATTERN)
        _refuse_costly(self.pattern)
        _compiled(self.pattern)


def broken_rules(text: str, rules: Iterable[Rule], *, seconds: float = 0.1) -> list[Finding]:
    """Where a text breaks the rules, at most five places for each; matches of nothing do not count.

    A rule that takes longer than so many seconds is given up, which is a finding too ("rule_unfinished"): it is meant
    for stewards, for the person who writes can do nothing about it.
    """
    found = []
    for rule in rules:
        places: list[Finding] = []
        try:
            for match in _compiled(rule.pattern).finditer(text, timeout=seconds):
                if match.start() < match.end():
                    shown = {"name": rule.name, "message": rule.message}
                    places.append(Finding("rule", match.start(), match.end(), shown))
                if len(places) == MOST_FINDINGS:
                    break
        except TimeoutError:
            places.append(Finding("rule_unfinished", 0, len(text), {"name": rule.name}))
        found += places
    return found


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> regex.Pattern[str]:
    try:
        return regex.compile(pattern, flags=regex.V0)
    except regex.error as problem:
        raise BadRule("The pattern is not a regular expression: %(why)s.", why=str(problem)) from problem


def _refuse_costly(pattern: str) -> None:
    """Refuse what the pattern language of rules leaves out, and repetition inside repetition."""
    # For each open group, and the pattern itself: does anything in it repeat?
    repeats = [False]
    closed_repeats = False
    place = 0
    while place < len(pattern):
        token = _TOKEN.match(pattern, place)
        if token is None:
            raise BadRule(
                "The pattern uses something rules may not use, at “%(place)s”.", place=pattern[place : place + 8]
            )
        place = token.end()
        kind = token.lastgroup
        if kind == "open":
            repeats.append(False)
        elif kind == "close":
            if len(repeats) == 1:
                raise BadRule("The pattern closes a bracket that it did not open.")
            closed_repeats = repeats.pop()
            repeats[-1] |= closed_repeats
            continue
        elif token["count"] and not token["count"].startswith("?"):
            counts = [int(number) for number in (token["least"], token["most"]) if number]
            if max(counts, default=0) > LARGEST_COUNT:
                raise BadRule("The pattern counts to more than %(most)s.", most=LARGEST_COUNT)
            if closed_repeats:
                raise BadRule("The pattern repeats a group in which something repeats already; that may take for ever.")
            repeats[-1] = True
        closed_repeats = False
    if len(repeats) > 1:
        raise BadRule("The pattern opens a bracket that it does not close.")
