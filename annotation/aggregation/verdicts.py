"""When peers have settled an answer: the first to so many concordant verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

from annotation.aggregation.settings import RuleError, check_whole, read_settings

# Beyond seven opinions on one answer a community needs a conversation and not a vote.
MOST_VOTES = 7


class Outcome(Enum):
    """What the verdicts so far amount to."""

    OPEN = "open"
    VALIDATED = "validated"
    REJECTED = "rejected"
    EXPERT = "expert"


# What each verdict makes of an answer when enough peers give it. Somebody unsure was asked, but gives no verdict.
MEANING: Mapping[str, Outcome | None] = MappingProxyType(
    {"approve": Outcome.VALIDATED, "reject": Outcome.REJECTED, "fix": Outcome.REJECTED, "unsure": None}
)
SKIP = "skip"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How many verdicts settle an answer, as a community or a project sets it."""

    concordant: int = 2
    """Equal verdicts that settle it."""
    most: int = 3
    """People asked at most, unsure ones included; when they have not settled it, an expert does."""
    unsure_limit: int = 3
    """Unsure people after whom it goes to an expert at once. Above `most` it never matters."""

    def __post_init__(self) -> None:
        check_whole("concordant", self.concordant, least=1, most=MOST_VOTES)
        check_whole("most", self.most, least=1, most=MOST_VOTES)
        check_whole("unsure_limit", self.unsure_limit, least=1, most=MOST_VOTES)
        if self.most < self.concordant:
            raise RuleError(
                "most must be at least %(least)s, which is concordant, or no vote could settle it.",
                setting="most",
                least=self.concordant,
            )

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Rule:
        """Read {"concordant": 2, "most": 3, "unsure_limit": 3}. Raises RuleError, which names the wrong setting."""
        return read_settings(cls, given)

    def as_mapping(self) -> dict[str, int]:
        """The same as plain values, as the database keeps them."""
        return asdict(self)


FIRST_TO_TWO = Rule()
THREE_OF_FIVE = Rule(concordant=3, most=5)
PRESETS: Mapping[str, Rule] = MappingProxyType(
    {"first to two concordant": FIRST_TO_TWO, "three of five": THREE_OF_FIVE}
)


def settle(votes: Sequence[str], rule: Rule = FIRST_TO_TWO) -> Outcome:
    """Settle an answer from its votes (approve, reject, fix, unsure) in the order in which they came.

    With the usual rule two equal verdicts settle it: two approvals validate, two rejections or two corrections turn
    the present wording down (a correction competes as an answer of its own). One against one asks a third peer;
    three peers without two equal verdicts hand it to an expert. An unsure peer counts as having been asked, not as a
    verdict; a skip is no vote at all. The first outcome stands: votes that come after it change nothing.

    Raises:
        ValueError: a vote that is none of these.
    """
    asked = 0
    counts = dict.fromkeys(MEANING, 0)
    for vote in votes:
        if vote == SKIP:
            continue
        if vote not in MEANING:
            raise ValueError(f"{vote!r} is not a vote; votes are {', '.join(MEANING)}.")
        asked += 1
        counts[vote] += 1
        outcome = MEANING[vote]
        if outcome is not None and counts[vote] == rule.concordant:
            return outcome
        if asked == rule.most or counts["unsure"] == rule.unsure_limit:
            return Outcome.EXPERT
    return Outcome.OPEN
