"""The formula of the game does what its page says."""

from datetime import UTC, datetime, timedelta

import pytest

from annotation.rewards.formula import Work, agrees, badge_of, level_of, points_for, points_of, streak_of

NOW = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)


def days(*ago):
    return [NOW - timedelta(days=n) for n in ago]


def test_most_is_paid_on_outcome_and_nothing_for_what_was_rejected():
    sent = Work(kind="answer", counts=True, is_settled_well=False)
    validated = Work(kind="answer", counts=True, is_settled_well=True)
    rejected = Work(kind="answer", counts=False, is_settled_well=False)
    assert sum(points_of(sent).values()) == 1
    assert sum(points_of(validated).values()) == 5
    assert points_of(rejected) == {}


@pytest.mark.parametrize(
    ("verdict", "state", "right"),
    [
        ("approve", "validated", True),
        ("approve", "rejected", False),
        ("reject", "rejected", True),
        ("fix", "rejected", True),
        ("reject", "validated", False),
        ("unsure", "validated", False),
        ("unsure", "rejected", False),
        ("approve", "submitted", False),
    ],
)
def test_approving_and_turning_down_weigh_the_same(verdict, state, right):
    assert agrees(verdict, state) is right


def test_levels_begin_where_they_say():
    for level in range(1, 50):
        assert level_of(points_for(level)) == level
        assert level_of(points_for(level) - 1) == level - 1
    assert level_of(-5) == 0


def test_a_badge_needs_both_making_and_checking():
    assert badge_of(1000, 4) == ""
    assert badge_of(5, 5) == "ember"
    assert badge_of(100, 2000) == "fire"


@pytest.mark.parametrize(
    ("times", "streak"),
    [
        (days(), 0),
        (days(0), 1),
        (days(0, 1, 2), 3),
        (days(0.2, 1.6, 2.9), 3),
        (days(0, 2, 3), 4),
        (days(0, 2, 4, 5), 1),
        (days(0, 2, 3, 4, 5, 6, 7, 8, 10, 11), 12),
        (days(3), 0),
        (days(1.5), 1),
        (days(0, 4), 1),
    ],
    ids=[
        "never",
        "today",
        "three",
        "time zones",
        "a missed day",
        "two missed days",
        "one a week",
        "over",
        "held",
        "new",
    ],
)
def test_a_streak_forgives_zones_and_one_missed_day_a_week(times, streak):
    assert streak_of(times, NOW) == streak
