"""Pairs of people who approve each other's answers far more often than chance explains.

A reviewer is compared with themselves: how often they approve this author's answers, and how often other people's
answers that came to the same outcome. So a strict reviewer of an excellent author is not suspicious, and neither is
somebody who approves everything. The tail is Fisher's exact one, summed over the outcomes (the exact form of Mantel
and Haenszel 1959). Both directions must stand out, and Benjamini and Hochberg (1995) correct for the number of pairs.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

# Share of the reported pairs that may be false alarms on average.
FALSE_DISCOVERY = 0.01
# "Far above": of a hundred votes, so many more approvals than chance explains. With thousands of votes the exact test
# notices that one honest author writes a little better than others; that is no reason to keep two people apart.
LEAST_EXCESS = 0.06
# With fewer answers in each direction a pair cannot stand out, and testing it would only blunt the test of others.
LEAST_VOTES = 3
APPROVE = "approve"
JUDGING = {APPROVE, "reject", "fix"}


class Vote(NamedTuple):
    """One vote as the detector sees it: whose answer, whose vote, which, and what became of the answer."""

    author: Hashable
    reviewer: Hashable
    verdict: str
    outcome: str


class Approvals(NamedTuple):
    """Approvals among votes, and how many were to be expected by chance."""

    approved: int
    votes: int
    expected: float

    @property
    def is_far_above_chance(self) -> bool:
        """Whether there are not only surely more than expected, but many more."""
        return self.approved - self.expected >= LEAST_EXCESS * self.votes


@dataclass(frozen=True, kw_only=True)
class SuspiciousPair:
    """Two people, what each approved of the other's answers, and how likely that would be by chance."""

    first: Hashable
    second: Hashable
    first_of_second: Approvals
    second_of_first: Approvals
    p_value: float
    corrected: float
    """The smallest false discovery rate at which this pair is reported."""


def find_collusion(votes: Iterable[Vote], *, false_discovery: float = FALSE_DISCOVERY) -> list[SuspiciousPair]:
    """Report the suspicious pairs, the least likely first.

    Unsure votes and skips say nothing and are left out, and so are votes on one's own answers.
    """
    given = [vote for vote in votes if vote.verdict in JUDGING and vote.author != vote.reviewer]
    meetings = Counter((vote.reviewer, vote.author) for vote in given)
    pairs = _mutual(meetings)
    table = _Table(given, {person for pair in pairs for person in pair})
    found = []
    for first, second in pairs:
        # Of two independent p-values both are below x with probability x².
        p_value = max(table.chance(first, second), table.chance(second, first)) ** 2
        found.append((p_value, first, second))
    found.sort(key=lambda pair: pair[0])
    corrected = benjamini_hochberg([p_value for p_value, _, _ in found])
    suspicious = []
    for (p_value, first, second), rate in zip(found, corrected, strict=True):
        there, back = table.approvals(first, second), table.approvals(second, first)
        if rate <= false_discovery and there.is_far_above_chance and back.is_far_above_chance:
            suspicious.append(
                SuspiciousPair(
                    first=first,
                    second=second,
                    first_of_second=there,
                    second_of_first=back,
                    p_value=p_value,
                    corrected=rate,
                )
            )
    return suspicious


def _mutual(meetings: Counter[tuple[Hashable, Hashable]]) -> list[tuple[Hashable, Hashable]]:
    """Each pair once, in the order in which they met, that met often enough in both directions."""
    often = {pair: None for pair, count in meetings.items() if count >= LEAST_VOTES}
    pairs: dict[tuple[Hashable, Hashable], None] = {}
    for reviewer, author in often:
        if (author, reviewer) in often and (author, reviewer) not in pairs:
            pairs[reviewer, author] = None
    return list(pairs)


class _Table:
    """Votes by (outcome, whether approved): of each reviewer, and of each reviewer on each author."""

    def __init__(self, votes: Iterable[Vote], people: set[Hashable]) -> None:
        self.given: defaultdict[Hashable, Counter[tuple[str, bool]]] = defaultdict(Counter)
        self.between: defaultdict[tuple[Hashable, Hashable], Counter[tuple[str, bool]]] = defaultdict(Counter)
        for author, reviewer, verdict, outcome in votes:
            if reviewer in people:
                cell = (outcome, verdict == APPROVE)
                self.given[reviewer][cell] += 1
                if author in people:
                    self.between[reviewer, author][cell] += 1

    def approvals(self, reviewer: Hashable, author: Hashable) -> Approvals:
        """What the reviewer approved of the author's answers."""
        here = self.between[reviewer, author]
        expected = [
            met * self.given[reviewer][outcome, True] / self._votes(reviewer, outcome)
            for outcome, met in self._met(reviewer, author).items()
        ]
        return Approvals(
            approved=sum(count for (_, approved), count in here.items() if approved),
            votes=here.total(),
            expected=math.fsum(expected),
        )

    def chance(self, reviewer: Hashable, author: Hashable) -> float:
        """The probability of so many approvals or more, if the reviewer's approvals fell on authors by chance."""
        chances = [1.0]
        for outcome, met in self._met(reviewer, author).items():
            approved = self.given[reviewer][outcome, True]
            chances = _add_up(chances, hypergeometric(approved, self._votes(reviewer, outcome) - approved, met))
        return min(1.0, math.fsum(chances[self.approvals(reviewer, author).approved :]))

    def _votes(self, reviewer: Hashable, outcome: str) -> int:
        return self.given[reviewer][outcome, True] + self.given[reviewer][outcome, False]

    def _met(self, reviewer: Hashable, author: Hashable) -> dict[str, int]:
        """The reviewer's votes on the author's answers, by outcome."""
        here = self.between[reviewer, author]
        outcomes = sorted({outcome for outcome, _ in here})
        return {outcome: here[outcome, True] + here[outcome, False] for outcome in outcomes}


def benjamini_hochberg(ascending: Sequence[float]) -> list[float]:
    """For p-values in ascending order, the smallest false discovery rate at which each would be reported."""
    rates: list[float] = []
    lowest = 1.0
    for rank in range(len(ascending), 0, -1):
        lowest = min(lowest, ascending[rank - 1] * len(ascending) / rank)
        rates.append(lowest)
    return rates[::-1]


def hypergeometric(good: int, bad: int, drawn: int) -> list[float]:
    """The probabilities of 0, 1, ... `drawn` good ones among `drawn`, taken from `good` and `bad` without return."""
    ways = math.comb(good + bad, drawn)
    return [math.comb(good, hits) * math.comb(bad, drawn - hits) / ways for hits in range(drawn + 1)]


def _add_up(first: Sequence[float], second: Sequence[float]) -> list[float]:
    """The probabilities of the sum of two independent counts."""
    summed = [0.0] * (len(first) + len(second) - 1)
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            summed[i + j] += one * other
    return summed
