"""When a task has enough answers, and when peers have settled one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from enum import Enum
from typing import Any

STOPS = ("total", "matching", "unique")


class UnusableRule(ValueError):
    """A rule that cannot hold; the message names the setting."""


class Outcome(Enum):
    """What the verdicts so far amount to."""

    OPEN = "open"
    VALIDATED = "validated"
    REJECTED = "rejected"
    EXPERT = "expert"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """First to `concordant` equal verdicts settles an answer; after `most` without them an expert decides.

    A task is complete with `answers` answers in all (stop "total"), that many equal ones ("matching") or that many
    different ones ("unique"), the latter two after `at_most` at the latest (the stop rules of Karya).
    """

    concordant: int = 2
    most: int = 3
    unsure_limit: int = 3
    stop: str = "total"
    answers: int = 1
    at_most: int = 0

    def __post_init__(self) -> None:
        """Raise UnusableRule for what cannot hold."""
        numbers = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name != "stop"}
        if wrong := [name for name, value in numbers.items() if isinstance(value, bool) or not isinstance(value, int)]:
            raise UnusableRule(f"{wrong[0]} must be a whole number.")
        if self.stop not in STOPS:
            raise UnusableRule(f"stop must be one of {', '.join(STOPS)}.")
        if not 1 <= self.concordant <= self.most <= 9:
            raise UnusableRule("concordant must be from 1 to most, and most at most 9.")
        if not 1 <= self.unsure_limit <= 9:
            raise UnusableRule("unsure_limit must be from 1 to 9.")
        if not 1 <= self.answers <= 20 or not (self.stop == "total" or self.answers <= self.at_most <= 50):
            raise UnusableRule("answers must be from 1 to 20, and at_most from answers to 50.")

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Rule:
        """Read settings; what is left out gets its default. Raises UnusableRule."""
        known = {entry.name for entry in fields(cls)}
        if unknown := sorted(set(given) - known):
            raise UnusableRule(f"There is no setting {unknown[0]}. Known: {', '.join(sorted(known))}.")
        return cls(**given)

    def as_mapping(self) -> dict[str, Any]:
        """The same as plain values."""
        return asdict(self)

    @property
    def wants_many(self) -> bool:
        """Whether several answers of one task may be good."""
        return self.answers > 1

    def wanted(self, keys: Sequence[str]) -> int:
        """How many answers a task wants in all, given the keys of those it has; equal keys say the same."""
        if self.stop == "total":
            return self.answers
        counts = Counter(keys)
        reached = len(counts) if self.stop == "unique" else max(counts.values(), default=0)
        return min(self.at_most, len(keys) + max(0, self.answers - reached))

    def agreed(self, keys: Sequence[str]) -> set[str] | None:
        """Keys that complete answers settle on without review; None when they do not agree."""
        if self.stop != "matching":
            return set(keys)
        found = {key for key, count in Counter(keys).items() if count >= self.answers}
        return found or None


DEFAULT = Rule()


def settle(verdicts: Sequence[str], rule: Rule = DEFAULT) -> Outcome:
    """Settle an answer from its verdicts (approve, reject, fix, unsure) in the order in which they came.

    `concordant` approvals validate, as many rejections or corrections turn the present wording down (a correction
    competes as an answer of its own). After `most` verdicts, or `unsure_limit` unsure ones, an expert decides. An
    unsure peer counts as having been asked, not as a verdict.
    """
    counts: Counter[str] = Counter()
    for verdict in verdicts:
        counts[verdict] += 1
        if verdict != "unsure" and counts[verdict] == rule.concordant:
            return Outcome.VALIDATED if verdict == "approve" else Outcome.REJECTED
    undecided = len(verdicts) >= rule.most or counts["unsure"] >= rule.unsure_limit
    return Outcome.EXPERT if undecided else Outcome.OPEN
