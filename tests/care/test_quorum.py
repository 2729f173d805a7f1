"""The count of a vote equals an oracle that is written otherwise, and says in words what it found."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from care.quorum import (
    PRESETS,
    BadRules,
    Ballot,
    Because,
    Choice,
    Election,
    Kind,
    Proxy,
    Result,
    RuleSet,
    Seat,
    accepted,
    count,
    may_be_put_to_vote,
    months_after,
    takes_effect,
)
from wordhearth.benches.quorum import compare, oracle, random_election

OPEN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
FOR, AGAINST, ABSTAIN = Choice.FOR, Choice.AGAINST, Choice.ABSTAIN


def seats(number: int, elders: int = 0) -> list[Seat]:
    return [Seat(person, frozenset({"elder" if person < elders else "steward"})) for person in range(number)]


def cast(*choices: Choice) -> list[Ballot]:
    return [Ballot(person, person, choice, OPEN) for person, choice in enumerate(choices)]


def result(rule=PRESETS[Kind.QUORUM], number=5, choices=(), **more):
    return count(Election(rule=rule, seats=seats(number), ballots=cast(*choices), **more))


def test_ten_thousand_random_elections_equal_the_oracle():
    facts = compare(10_000, seed=2026)
    assert facts["mismatches"] == 0
    assert facts["risky opened below quorum"] == 0
    # The elections are not all alike: every result and every kind of rule comes up often.
    assert min(facts["results"].values()) > 500
    assert facts["with conflicts"] > 2000
    assert facts["with delegations"] > 2000


def test_an_upheld_conflict_leaves_both_sides_of_the_count():
    rng = random.Random(9)  # noqa: S311
    for _ in range(500):
        election = random_election(rng)
        before = count(Election(**{**election.__dict__, "barred": ()}))
        person = rng.choice(election.seats).person
        after = count(Election(**{**election.__dict__, "barred": (person,)}))
        assert after.electors == before.electors - 1
        assert person not in accepted(Election(**{**election.__dict__, "barred": (person,)}))


def test_the_oracle_can_fail():
    election = Election(rule=PRESETS[Kind.QUORUM], seats=seats(5), ballots=cast(FOR, FOR, AGAINST))
    assert oracle(election) == "passed"
    assert oracle(Election(**{**election.__dict__, "is_risky": True})) == "passed"
    assert oracle(Election(**{**election.__dict__, "barred": (0, 1)})) == "no_quorum"


@pytest.mark.parametrize(
    ("choices", "risky", "expected"),
    [
        ((FOR, FOR), False, "no_quorum"),
        ((FOR, FOR, ABSTAIN), False, "passed"),
        ((FOR, FOR, AGAINST, AGAINST), False, "rejected"),
        ((FOR, FOR, AGAINST), True, "passed"),
        ((FOR, FOR, FOR, AGAINST, AGAINST), True, "rejected"),
        ((ABSTAIN, ABSTAIN, ABSTAIN), False, "rejected"),
        ((), False, "no_quorum"),
    ],
)
def test_the_usual_rule(choices, risky, expected):
    assert result(choices=choices, is_risky=risky).result == expected


def test_what_is_missing_is_said():
    low = result(choices=(FOR,))
    assert (low.reason.values, low.missing[0].values) == ({"cast": 1, "needed": 3}, {"votes": 2})
    assert result(choices=(FOR, AGAINST, ABSTAIN)).missing[0].values == {"votes": 1}
    assert result(choices=(FOR, FOR, AGAINST, AGAINST, AGAINST), is_risky=True).missing[0].values == {"votes": 4}
    assert result(choices=(FOR, FOR, FOR)).missing == ()
    assert low.tally == {"electors": 5, "for": 1, "against": 0, "abstain": 0, "cast": 1}


def test_consensus_and_veto():
    consensus, veto = PRESETS[Kind.CONSENSUS], PRESETS[Kind.ELDER_VETO]
    assert result(consensus, choices=(FOR, FOR, ABSTAIN)).result == "passed"
    assert result(consensus, choices=(FOR, FOR, FOR, FOR, AGAINST)).result == "rejected"
    with_elder = Election(rule=veto, seats=seats(5, elders=1), ballots=cast(AGAINST, FOR, FOR, FOR))
    assert count(with_elder).reason == Because("An elder is against it.")
    assert count(Election(**{**with_elder.__dict__, "barred": (0,)})).result == "passed"
    assert result(veto, choices=(FOR, FOR, FOR, AGAINST)).result == "passed"


def test_one_alone_decides_where_the_community_chose_that():
    assert result(PRESETS[Kind.SINGLE], number=1, choices=(FOR,), is_risky=True).result == "passed"
    assert result(PRESETS[Kind.SINGLE], number=2, choices=(FOR, AGAINST)).result == "rejected"
    assert result(PRESETS[Kind.SINGLE], number=2).result == "no_quorum"


def test_below_three_electors_only_showing_and_rating_are_decided():
    both = (FOR, FOR)
    assert result(number=2, choices=both).result == "no_quorum"
    assert result(number=2, choices=both, is_light=True).result == "passed"
    assert result(number=4, choices=(*both, FOR, FOR), barred=(2, 3)).result == "no_quorum"
    assert not may_be_put_to_vote(PRESETS[Kind.QUORUM], 2, is_light=False)
    assert may_be_put_to_vote(PRESETS[Kind.QUORUM], 2, is_light=True)
    assert may_be_put_to_vote(PRESETS[Kind.SINGLE], 1, is_light=False)


def test_whoever_set_it_up_is_not_its_only_approver():
    assert result(choices=(FOR, ABSTAIN, ABSTAIN), configured_by=0).result == "rejected"
    assert result(choices=(FOR, FOR, ABSTAIN), configured_by=0).result == "passed"
    proxy = Proxy(1, 0, OPEN, OPEN + timedelta(days=9))
    ballots = [*cast(FOR)[:1], Ballot(1, 0, FOR, OPEN), Ballot(2, 2, ABSTAIN, OPEN)]
    alone = Election(rule=PRESETS[Kind.QUORUM], seats=seats(5), ballots=ballots, proxies=[proxy], configured_by=0)
    assert count(alone).result == "rejected"


@pytest.mark.parametrize(
    ("at", "revoked", "counts"),
    [(1, None, True), (0, None, True), (10, None, False), (-1, None, False), (5, 5, False), (5, 6, True)],
)
def test_votes_after_a_delegation_ended_are_not_accepted(at, revoked, counts):
    day = timedelta(days=1)
    proxy = Proxy(0, 1, OPEN, OPEN + 10 * day, None if revoked is None else OPEN + revoked * day)
    ballots = [Ballot(0, 1, FOR, OPEN + at * day)]
    votes = accepted(Election(rule=RuleSet(), seats=seats(3), ballots=ballots, proxies=[proxy]))
    assert (0 in votes) is counts


def test_what_was_given_cannot_be_given_on():
    end = OPEN + timedelta(days=9)
    chain = [Proxy(0, 1, OPEN, end), Proxy(1, 2, OPEN, end)]
    ballots = [Ballot(0, 2, FOR, OPEN), Ballot(1, 2, FOR, OPEN)]
    assert set(accepted(Election(rule=RuleSet(), seats=seats(3), ballots=ballots, proxies=chain))) == {1}


def test_a_later_vote_replaces_an_earlier_one_in_whatever_order_they_come():
    ballots = [Ballot(0, 0, AGAINST, OPEN + timedelta(hours=1)), Ballot(0, 0, FOR, OPEN)]
    assert accepted(Election(rule=RuleSet(), seats=seats(3), ballots=ballots))[0].choice == AGAINST


@pytest.mark.parametrize("kind", list(Kind))
def test_a_rule_survives_being_stored_and_says_itself(kind):
    rule = PRESETS[kind]
    assert RuleSet.from_mapping(rule.as_mapping()) == rule
    assert len(rule.explained()) >= 2


def test_a_rule_says_who_votes_and_how_much_is_enough():
    def said(**fields):
        return [because.message for because in RuleSet.from_mapping({"kind": "quorum", **fields}).explained()]

    assert "Only stewards vote." in said(voters=["steward"])
    assert "Only elders vote." in said(voters=["elder"])
    assert "It passes when %(share)s of the votes for and against are for it." in said(threshold="2/3")
    assert "For training, releases and work abroad, more votes for than against are enough." in said(
        risky_threshold="1/2"
    )


@pytest.mark.parametrize(
    ("given", "setting"),
    [
        ({"quorum": "0"}, "quorum"),
        ({"threshold": "3/2"}, "threshold"),
        ({"min_days": 9, "max_days": 3}, "min_days"),
        ({"min_days": 0, "max_days": 0}, "min_days"),
        ({"cooling_off_hours": 10_000}, "cooling_off_hours"),
        ({"grant_max_months": 25}, "grant_max_months"),
        ({"voters": []}, "voters"),
        ({"voters": ["speaker"]}, "voters"),
        ({"kind": "lottery"}, "kind"),
        ({"quorum": "1/0"}, "kind"),
        ({"luck": 1}, "luck"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_name(given, setting):
    with pytest.raises(BadRules) as caught:
        RuleSet.from_mapping(given)
    assert caught.value.setting == setting


def test_dates_follow_the_calendar():
    assert months_after(datetime(2026, 1, 31, tzinfo=UTC), 1) == datetime(2026, 2, 28, tzinfo=UTC)
    assert months_after(datetime(2026, 11, 5, tzinfo=UTC), 14) == datetime(2028, 1, 5, tzinfo=UTC)
    assert takes_effect(RuleSet(), OPEN) == OPEN + timedelta(hours=72)
    assert RuleSet().shares(is_risky=True) == (Fraction(3, 5), Fraction(2, 3))
    assert Result.PASSED == "passed"
