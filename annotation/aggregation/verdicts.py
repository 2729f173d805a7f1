"""When peers have settled an answer: the first to two concordant verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import Enum

CONCORDANT = 2
MOST_REVIEWS = 3


class Outcome(Enum):
    """What the verdicts so far amount to."""

    OPEN = "open"
    VALIDATED = "validated"
    REJECTED = "rejected"
    EXPERT = "expert"


def settle(verdicts: Sequence[str]) -> Outcome:
    """Settle an answer from its verdicts (approve, reject, fix, unsure) in the order in which they came.

    Two equal verdicts settle it: two approvals validate, two rejections or two corrections turn the present
    wording down (a correction competes as an answer of its own). One against one asks a third peer; three peers
    without two equal verdicts hand it to an expert. An unsure peer counts as having been asked, not as a verdict.
    """
    counts: Counter[str] = Counter()
    for verdict in verdicts:
        counts[verdict] += 1
        if verdict != "unsure" and counts[verdict] == CONCORDANT:
            return Outcome.VALIDATED if verdict == "approve" else Outcome.REJECTED
    return Outcome.EXPERT if len(verdicts) >= MOST_REVIEWS else Outcome.OPEN
