"""A rule reads word for word as it counts, its limits are where they are said to be, and an outcome says its reason."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from care.quorum import PRESETS, BadRules, Because, Choice, Kind, RuleSet, may_be_put_to_vote, months_after
from tests.care.test_quorum import ABSTAIN, AGAINST, FOR, result

OPEN_FOR = "A vote is open for 3 to 14 days."
TAKE_PART = "50% of those who may vote must take part."
TAKE_PART_RISKY = "For training, releases and work abroad, 60% of those who may vote must take part."
MAJORITY = "It passes with more votes for than against; a tie rejects it."
MAJORITY_RISKY = "For training, releases and work abroad, 2/3 of the votes for and against must be for it."
APPEAL = "A decision holds 72 hours after the vote; until then a steward may appeal, once."
YEAR = "A decision ends after 12 months at most."
USUAL = ["Stewards and elders vote.", OPEN_FOR, TAKE_PART, TAKE_PART_RISKY]
IN_WORDS = {
    Kind.SINGLE: ["Any one steward decides alone, and at once.", "A decision ends after 24 months at most."],
    Kind.QUORUM: [*USUAL, MAJORITY, MAJORITY_RISKY, APPEAL, YEAR],
    Kind.CONSENSUS: [*USUAL, "It passes when somebody is for it and nobody is against it.", APPEAL, YEAR],
    Kind.ELDER_VETO: [*USUAL, MAJORITY, MAJORITY_RISKY, "One elder who is against it stops it.", APPEAL, YEAR],
}


def read(because: Because) -> str:
    return because.message % because.values


@pytest.mark.parametrize("kind", list(Kind))
def test_a_preset_reads(kind):
    assert [read(one) for one in PRESETS[kind].explained()] == IN_WORDS[kind]


def test_every_number_of_a_rule_is_in_its_words():
    rule = RuleSet.from_mapping(
        {
            **{"quorum": "1/3", "threshold": "3/4", "risky_quorum": "5/7", "risky_threshold": "1/2"},
            **{"min_days": "1", "max_days": "2", "cooling_off_hours": "5", "grant_max_months": "6"},
            **{"voters": ["elder"], "veto_roles": ["steward", "elder"]},
        }
    )
    assert [read(one) for one in rule.explained()] == [
        "Only elders vote.",
        "A vote is open for 1 to 2 days.",
        "34% of those who may vote must take part.",
        "For training, releases and work abroad, 72% of those who may vote must take part.",
        "It passes when 3/4 of the votes for and against are for it.",
        "For training, releases and work abroad, more votes for than against are enough.",
        "A decision holds 5 hours after the vote; until then a steward may appeal, once.",
        "A decision ends after 6 months at most.",
    ]
    assert rule.as_mapping() == {
        **{"kind": "quorum", "quorum": "1/3", "threshold": "3/4", "risky_quorum": "5/7", "risky_threshold": "1/2"},
        **{"min_days": 1, "max_days": 2, "cooling_off_hours": 5, "grant_max_months": 6},
        **{"voters": ["elder"], "veto_roles": ["elder", "steward"]},
    }
    assert next(read(one) for one in RuleSet(voters=("steward",)).explained()) == "Only stewards vote."


def test_what_a_rule_is_where_nobody_chose():
    assert RuleSet().as_mapping() == {
        **{"kind": "quorum", "quorum": "1/2", "threshold": "1/2", "risky_quorum": "3/5", "risky_threshold": "2/3"},
        **{"min_days": 3, "max_days": 14, "cooling_off_hours": 72, "grant_max_months": 12},
        **{"voters": ["steward", "elder"], "veto_roles": []},
    }
    single = {"kind": "single", "min_days": 0, "cooling_off_hours": 0, "voters": ["steward"], "grant_max_months": 24}
    assert PRESETS[Kind.SINGLE].as_mapping() == RuleSet().as_mapping() | single
    assert RuleSet().shares(is_risky=False) == (Fraction(1, 2), Fraction(1, 2))


SHARE = "This share is above 0 and at most 1."
TIMES = "The shortest time of a vote is not above its longest, and that is 1 to 90 days."
APPEALS, MONTHS = "The time for appeals is at most 30 days.", "A decision holds for 1 to 24 months."
WHO = "Stewards vote, or elders, or both."


@pytest.mark.parametrize(
    ("within", "beyond", "message"),
    [
        ({"quorum": "1"}, {"quorum": "0"}, SHARE),
        ({"quorum": "1/1000"}, {"quorum": "-1/1000"}, SHARE),
        ({"threshold": "1"}, {"threshold": "1001/1000"}, SHARE),
        ({"risky_quorum": "1"}, {"risky_quorum": "2"}, SHARE),
        ({"risky_threshold": "1"}, {"risky_threshold": "0"}, SHARE),
        ({"min_days": 0}, {"min_days": -1}, TIMES),
        ({"min_days": 14}, {"min_days": 15}, TIMES),
        ({"max_days": 90}, {"max_days": 91}, TIMES),
        ({"min_days": 0, "max_days": 1}, {"min_days": 0, "max_days": 0}, TIMES),
        ({"cooling_off_hours": 0}, {"cooling_off_hours": -1}, APPEALS),
        ({"cooling_off_hours": 720}, {"cooling_off_hours": 721}, APPEALS),
        ({"grant_max_months": 1}, {"grant_max_months": 0}, MONTHS),
        ({"grant_max_months": 24}, {"grant_max_months": 25}, MONTHS),
        ({"voters": ["elder"]}, {"voters": []}, WHO),
        ({"voters": ["elder", "steward"]}, {"voters": ["elder", "speaker"]}, WHO),
        ({}, {"luck": 1}, "There is no such setting."),
        ({"kind": "consensus"}, {"kind": "lottery"}, "This rule cannot be read."),
        ({"min_days": "3"}, {"min_days": "soon"}, "This rule cannot be read."),
    ],
)
def test_limits_are_where_they_are_said_to_be(within, beyond, message):
    RuleSet.from_mapping(within)
    with pytest.raises(BadRules, match=f"^{message}$") as caught:
        RuleSet.from_mapping(beyond)
    assert (caught.value.because, caught.value.setting) == (Because(message), _setting(beyond))


def _setting(given):
    """The part that a refusal names: what cannot be read is named by what is read first, and days by the shortest."""
    (name, *_), unreadable = given, {"soon", "lottery"} & {str(value) for value in given.values()}
    return "kind" if unreadable else "min_days" if name.endswith("_days") else name


ONE_MORE = "Votes that are still needed: 1."


@pytest.mark.parametrize(
    ("kind", "choices", "more", "reason", "missing"),
    [
        (Kind.QUORUM, (FOR,) * 3, {}, "It has the votes that the rules ask for.", []),
        (
            Kind.QUORUM,
            (FOR, ABSTAIN),
            {},
            "Votes cast: 2 of the 3 that are needed.",
            ["Votes that are still needed: 1."],
        ),
        (Kind.QUORUM, (FOR, FOR), {"number": 2}, "2 may vote on this, and at least 3 people must be able to.", None),
        (
            *(Kind.QUORUM, (FOR, AGAINST, ABSTAIN), {}, "As many are for it as against it, and a tie rejects it."),
            ["Votes for it that are still needed: 1."],
        ),
        (
            *(Kind.QUORUM, (FOR, FOR, AGAINST, AGAINST, AGAINST), {"is_risky": True}),
            *("Votes for it: 2; against it: 3. That is not enough.", ["Votes for it that are still needed: 4."]),
        ),
        (
            *(Kind.CONSENSUS, (FOR, FOR, AGAINST), {}),
            *("Somebody is against it, and the community decides by consensus.", None),
        ),
        (
            *(Kind.QUORUM, (FOR, ABSTAIN, ABSTAIN), {"configured_by": 0}),
            *("Whoever set this up must not be the only one who is for it.", None),
        ),
        (
            Kind.SINGLE,
            (),
            {"number": 1},
            "Votes cast: 0 of the 1 that are needed.",
            ["Votes that are still needed: 1."],
        ),
    ],
)
def test_an_outcome_says_its_reason_and_what_is_missing(kind, choices, more, reason, missing):
    """Where there is nothing that more votes could do, the reason is what is missing (None)."""
    outcome = result(PRESETS[kind], choices=choices, **more)
    assert read(outcome.reason) == reason
    assert [read(one) for one in outcome.missing] == ([reason] if missing is None else missing)


def test_where_all_must_be_for_it():
    all_of_them = RuleSet(threshold=Fraction(1))
    assert result(all_of_them, choices=(FOR,) * 3).result == "passed"
    outcome = result(all_of_them, choices=(FOR, FOR, FOR, AGAINST))
    assert read(outcome.reason) == "Votes for it: 3; against it: 1. That is not enough."
    assert [read(one) for one in outcome.missing] == ["Nobody may be against it."]
    (still,) = result(all_of_them, choices=(ABSTAIN,) * 3).missing
    assert read(still) == "Votes for it that are still needed: 1."


def test_reasons_are_stored_with_their_values_and_compared_by_both():
    one = Because("%(votes)s votes", votes=3)
    assert one.as_json() == ["%(votes)s votes", {"votes": 3}]
    assert one == Because("%(votes)s votes", votes=3)
    assert one != Because("%(votes)s votes", votes=4)
    assert one != Because("%(seats)s votes", votes=3)
    assert one != "3 votes"


def test_three_may_decide_and_a_december_is_followed_by_a_january():
    assert may_be_put_to_vote(RuleSet(), 3, is_light=False)
    assert not may_be_put_to_vote(RuleSet(), 2, is_light=False)
    assert result(number=3, choices=(FOR, FOR)).result == "passed"
    assert result(number=9, choices=(Choice.FOR,) * 5).electors == 9
    december = datetime(2027, 12, 31, tzinfo=UTC)
    assert months_after(december, 0) == december
    assert months_after(december, 1) == datetime(2028, 1, 31, tzinfo=UTC)
    assert months_after(december, 2) == datetime(2028, 2, 29, tzinfo=UTC)
    assert months_after(datetime(2026, 1, 5, tzinfo=UTC), 11) == datetime(2026, 12, 5, tzinfo=UTC)
