"""A rule settles answers, and refuses settings that make no sense."""

from itertools import permutations, product

import pytest

from annotation.aggregation.settings import RuleError
from annotation.aggregation.verdicts import FIRST_TO_TWO, PRESETS, THREE_OF_FIVE, Outcome, Rule, settle

VOTES = ["approve", "reject", "fix", "unsure"]


def test_the_usual_rule_is_first_to_two_with_a_third_vote_on_one_to_one():
    assert Rule() == FIRST_TO_TWO == Rule(concordant=2, most=3, unsure_limit=3)
    assert settle(["approve", "reject"]) is Outcome.OPEN
    assert settle(["approve", "reject", "reject"]) is Outcome.REJECTED


@pytest.mark.parametrize(
    ("votes", "outcome"),
    [
        ([], Outcome.OPEN),
        (["approve", "approve"], Outcome.OPEN),
        (["approve", "reject", "approve", "reject"], Outcome.OPEN),
        (["approve", "reject", "approve", "reject", "approve"], Outcome.VALIDATED),
        (["fix", "approve", "fix", "reject", "fix"], Outcome.REJECTED),
        (["approve", "approve", "reject", "reject", "fix"], Outcome.EXPERT),
        (["approve", "approve", "unsure", "reject", "reject"], Outcome.EXPERT),
        (["unsure", "unsure", "unsure"], Outcome.EXPERT),
    ],
)
def test_three_of_five(votes, outcome):
    assert settle(votes, THREE_OF_FIVE) is outcome


def test_a_community_may_trust_the_first_verdict():
    alone = Rule(concordant=1, most=2)
    assert settle(["fix"], alone) is Outcome.REJECTED
    assert settle(["unsure", "approve"], alone) is Outcome.VALIDATED
    assert settle(["unsure", "unsure"], alone) is Outcome.EXPERT


def test_unsure_people_reach_the_expert_before_everybody_was_asked():
    assert settle(["approve", "unsure", "unsure"], Rule(concordant=3, most=5, unsure_limit=2)) is Outcome.EXPERT


def test_a_skip_is_no_vote():
    assert settle(["skip", "approve", "skip", "skip", "reject"]) is Outcome.OPEN
    assert settle(["skip"] * 9) is Outcome.OPEN


def test_what_is_not_a_vote_is_refused_by_name():
    with pytest.raises(ValueError, match="'aprove' is not a vote; votes are approve, reject, fix, unsure"):
        settle(["aprove"])


@pytest.mark.parametrize("rule", PRESETS.values(), ids=PRESETS)
def test_the_first_outcome_stands(rule):
    for votes in product(VOTES, repeat=rule.most):
        settled = [settle(votes[:asked], rule) for asked in range(rule.most + 1)]
        first = next(asked for asked, outcome in enumerate(settled) if outcome is not Outcome.OPEN)
        assert set(settled[first:]) == {settled[first]}


@pytest.mark.parametrize("rule", PRESETS.values(), ids=PRESETS)
def test_votes_that_settled_nothing_settle_nothing_in_another_order(rule):
    for votes in product(VOTES, repeat=rule.most - 1):
        if settle(votes, rule) is Outcome.OPEN:
            assert {settle(order, rule) for order in permutations(votes)} == {Outcome.OPEN}


def test_a_rule_survives_storage():
    rule = Rule(concordant=3, most=4, unsure_limit=2)
    assert rule.as_mapping() == {"concordant": 3, "most": 4, "unsure_limit": 2}
    assert Rule.from_mapping(rule.as_mapping()) == rule
    assert Rule.from_mapping({}) == FIRST_TO_TWO


@pytest.mark.parametrize(
    ("given", "setting", "message"),
    [
        ({"concordant": 0}, "concordant", "concordant must be a whole number from 1 to 7, not 0"),
        ({"most": 8}, "most", "most must be a whole number from 1 to 7, not 8"),
        ({"concordant": True}, "concordant", "not True"),
        ({"concordant": "2"}, "concordant", "not '2'"),
        ({"most": 3.0}, "most", "not 3.0"),
        ({"most": None}, "most", "not None"),
        ({"unsure_limit": -1}, "unsure_limit", "unsure_limit must be a whole number"),
        ({"concordant": 4}, "most", "most must be at least 4"),
        ({"votes": 2}, "votes", "'votes' is unknown; known are: concordant, most, unsure_limit"),
        ([2, 3], "", "must be a table of settings"),
    ],
)
def test_a_wrong_setting_is_named(given, setting, message):
    with pytest.raises(RuleError, match=message) as caught:
        Rule.from_mapping(given)
    assert caught.value.setting == setting
