"""The published formula of the game: points, levels, streaks and badges. Plain arithmetic, no database."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_noop

# (kind of event) -> points. Most is paid on outcome, approving and rejecting pay the same, and what was rejected
# keeps nothing.
POINTS: Mapping[str, int] = {
    "answer_sent": 1,
    "answer_validated": 4,
    "review_given": 1,
    "review_agreed": 2,
}
STEP = 5
BADGES: Sequence[tuple[str, int]] = (
    (gettext_noop("ember"), 5),
    (gettext_noop("flame"), 25),
    (gettext_noop("fire"), 100),
    (gettext_noop("beacon"), 500),
)
STREAK_GAP = timedelta(hours=36)
FORGIVEN_GAP = timedelta(hours=60)
FORGIVEN_EVERY = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Work:
    """One answer or review as the formula sees it."""

    kind: str
    """answer or review"""
    counts: bool
    """False once it was rejected or withdrawn: it then earns nothing."""
    is_settled_well: bool
    """The answer was validated; the review's verdict agrees with what became of the answer."""


def points_of(work: Work) -> dict[str, int]:
    """What a piece of work earns now, by kind of event; a later look may earn it more, or take it back."""
    if not work.counts:
        return {}
    if work.kind == "answer":
        earned = {"answer_sent": POINTS["answer_sent"]}
        return {**earned, "answer_validated": POINTS["answer_validated"]} if work.is_settled_well else earned
    earned = {"review_given": POINTS["review_given"]}
    return {**earned, "review_agreed": POINTS["review_agreed"]} if work.is_settled_well else earned


def agrees(verdict: str, state: str) -> bool:
    """Whether a verdict agrees with what became of the answer: approving and turning down weigh the same."""
    if verdict == "approve":
        return state == "validated"
    return verdict in {"reject", "fix"} and state == "rejected"


def level_of(points: int) -> int:
    """Level n begins at 5 n² points: 5, 20, 45, 80, …"""
    return math.isqrt(max(0, points) // STEP)


def points_for(level: int) -> int:
    """Where a level begins."""
    return STEP * level * level


def badge_of(made: int, checked: int) -> str:
    """The highest badge for making and checking both: the smaller of the two numbers counts; empty below the first."""
    both = min(made, checked)
    return next((name for name, least in reversed(BADGES) if both >= least), "")


def streak_of(times: Sequence[datetime], now: datetime) -> int:
    """Days in a row with work, from moments in any order.

    A gap of up to 36 hours goes on, which forgives time zones; a gap of up to 60 hours, a missed day, is forgiven once
    in seven days. Days are counted as 24 hours from the first moment, so that no zone is favoured.
    """
    moments = sorted(times)
    if not moments or now - moments[-1] > FORGIVEN_GAP:
        return 0
    first, forgiven = moments[0], None
    for earlier, later in zip(moments, [*moments[1:], now], strict=True):
        gap = later - earlier
        if gap <= STREAK_GAP:
            continue
        if gap <= FORGIVEN_GAP and (forgiven is None or later - forgiven >= FORGIVEN_EVERY):
            forgiven = later
        elif later is not now:
            first, forgiven = later, None
        else:
            return 0
    return (moments[-1] - first).days + 1
