"""When a task has answers enough, for kinds that want several answers to one source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotation.aggregation.settings import RuleError, check_whole, read_settings

N_TOTAL = "total"
N_MATCHING = "matching"
N_UNIQUE = "unique"
STOPS = (N_TOTAL, N_MATCHING, N_UNIQUE)
MOST_ANSWERS = 10


@dataclass(frozen=True, kw_only=True)
class StopRule:
    """When a task stops asking: after `n` answers, `n` equal ones, or `n` different ones (Karya's three policies)."""

    stop: str = N_TOTAL
    """One of STOPS."""
    n: int = 1
    """Answers wanted: in all, the same, or different from each other."""
    most: int | None = None
    """Answers asked at most, when they do not come out as wanted; N_TOTAL has none."""

    def __post_init__(self) -> None:
        if self.stop not in STOPS:
            raise RuleError(
                "stop must be one of %(known)s, not %(given)r.", setting="stop", known=", ".join(STOPS), given=self.stop
            )
        check_whole("n", self.n, least=1, most=MOST_ANSWERS)
        if self.stop == N_TOTAL:
            if self.most is not None:
                raise RuleError(
                    "most has no meaning with %(stop)s: n answers are asked, no more.", setting="most", stop=N_TOTAL
                )
            return
        if self.most is None:
            raise RuleError(
                "most is missing: with %(stop)s it says when to stop asking in any case.",
                setting="most",
                stop=self.stop,
            )
        check_whole("most", self.most, least=self.n, most=MOST_ANSWERS)

    @property
    def wants_many(self) -> bool:
        """Whether several answers of one task may be good."""
        return self.n > 1

    def wanted(self, keys: Sequence[str]) -> int:
        """How many answers a task wants in all, given the keys of those it has; equal keys say the same."""
        if self.most is None:
            return self.n
        counts = Counter(keys)
        reached = len(counts) if self.stop == N_UNIQUE else max(counts.values(), default=0)
        return min(self.most, len(keys) + max(0, self.n - reached))

    def agreed(self, keys: Sequence[str]) -> set[str] | None:
        """Keys that complete answers settle on without review; None when they do not agree."""
        if self.stop != N_MATCHING:
            return set(keys)
        return {key for key, count in Counter(keys).items() if count >= self.n} or None

    @classmethod
    def total(cls, n: int) -> StopRule:
        """N_TOTAL(n): n answers, whatever they are."""
        return cls(stop=N_TOTAL, n=n)

    @classmethod
    def matching(cls, n: int, most: int) -> StopRule:
        """N_MATCHING(n, max): n equal answers, for kinds with one right answer."""
        return cls(stop=N_MATCHING, n=n, most=most)

    @classmethod
    def unique(cls, n: int, most: int) -> StopRule:
        """N_UNIQUE(n, max): n different answers, for several translations or simplifications of one source."""
        return cls(stop=N_UNIQUE, n=n, most=most)

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> StopRule:
        """Read {"stop": "unique", "n": 3, "most": 5}. Raises RuleError, which names the wrong setting."""
        return read_settings(cls, given)

    def as_mapping(self) -> dict[str, str | int]:
        """The same as plain values, as the database keeps them."""
        values: dict[str, str | int] = {"stop": self.stop, "n": self.n}
        if self.most is not None:
            values["most"] = self.most
        return values


def wants_more(rule: StopRule, answers: Sequence[str]) -> bool:
    """Whether the task asks for another answer.

    `answers` are the answers that still stand, as keys: two that the caller takes for the same have the same key. A
    rejected or withdrawn answer is left out, so that its task asks again.
    """
    if rule.most is not None and len(answers) >= rule.most:
        return False
    if rule.stop == N_MATCHING:
        return max(Counter(answers).values(), default=0) < rule.n
    if rule.stop == N_UNIQUE:
        return len(set(answers)) < rule.n
    return len(answers) < rule.n
