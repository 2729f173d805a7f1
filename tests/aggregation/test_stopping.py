"""A task stops asking when it has answers enough."""

import pytest

from annotation.aggregation.settings import RuleError
from annotation.aggregation.stopping import StopRule, wants_more


@pytest.mark.parametrize(
    ("rule", "answers", "wants"),
    [
        (StopRule.total(2), [], True),
        (StopRule.total(2), ["a"], True),
        (StopRule.total(2), ["a", "a"], False),
        (StopRule.total(2), ["a", "b", "c"], False),
        (StopRule.matching(2, 4), [], True),
        (StopRule.matching(2, 4), ["a", "b", "c"], True),
        (StopRule.matching(2, 4), ["a", "b", "a"], False),
        (StopRule.matching(2, 4), ["a", "b", "c", "d"], False),
        (StopRule.unique(2, 4), ["a", "a", "a"], True),
        (StopRule.unique(2, 4), ["a", "a", "b"], False),
        (StopRule.unique(2, 4), ["a", "a", "a", "a"], False),
        (StopRule.unique(1, 1), [], True),
    ],
)
def test_stop_rules(rule, answers, wants):
    assert wants_more(rule, answers) is wants


def test_a_rejected_answer_that_is_left_out_makes_the_task_ask_again():
    standing = ["a", "b"]
    assert not wants_more(StopRule.unique(2, 5), standing)
    assert wants_more(StopRule.unique(2, 5), standing[:1])


@pytest.mark.parametrize("rule", [StopRule.total(3), StopRule.matching(2, 5), StopRule.unique(3, 3)], ids=str)
def test_a_stop_rule_survives_storage(rule):
    assert StopRule.from_mapping(rule.as_mapping()) == rule


@pytest.mark.parametrize(
    ("given", "setting", "message"),
    [
        ({"stop": "sometimes"}, "stop", "stop must be one of total, matching, unique, not 'sometimes'"),
        ({"stop": ["total"]}, "stop", "not \\['total'\\]"),
        ({"n": 0}, "n", "n must be a whole number from 1 to 10, not 0"),
        ({"stop": "unique", "n": 3}, "most", "most is missing: with unique"),
        ({"stop": "matching", "n": 3, "most": 2}, "most", "most must be a whole number from 3 to 10, not 2"),
        ({"stop": "total", "n": 3, "most": 5}, "most", "most has no meaning with total"),
        ({"max": 5}, "max", "'max' is unknown"),
        ("total", "", "must be a table of settings"),
    ],
)
def test_a_wrong_setting_is_named(given, setting, message):
    with pytest.raises(RuleError, match=message) as caught:
        StopRule.from_mapping(given)
    assert caught.value.setting == setting
