"""What a project asks of texts, read from plain values."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.text.checks import check_text
from annotation.text.readability import hints
from annotation.text.settings import GROUPS, BadSettings, read_settings, tidy_settings

RULE = {"name": "Double a", "pattern": "aa", "message": "One a is enough."}


def codes(text: str, given: dict[str, Any], source: str | None = None) -> list[str]:
    return [finding.code for finding in check_text(text, read_settings(tidy_settings(given)).checks, source=source)]


def test_an_empty_table_asks_for_nothing():
    assert tidy_settings({}) == {}
    assert codes("ba ba AAAAAAAA", {}, source="a long source with the number 7.") == []


@pytest.mark.parametrize(
    ("group", "text", "source"),
    [
        ("repeated", "ba ba", None),
        ("mixed", "bаb", None),  # the а is Cyrillic
        ("capitals", "BABABABA", None),
        ("mark", "ba", "bo."),
        ("numbers", "ba", "bo 7"),
        ("length", "ba", "bo " * 20),
        ("copy", "bo bo be", "Bo bo be!"),
    ],
)
def test_a_group_that_is_wanted_warns_of_its_own_codes_alone(group: str, text: str, source: str | None):
    found = codes(text, {"wanted": [group]}, source)

    assert found
    assert set(found) <= set(GROUPS[group])


def test_letters_and_rules_are_looked_at_as_soon_as_they_are_given():
    assert codes("baax", {"alphabet": ["a", "b"], "rules": [RULE]}) == ["rule", "outside_alphabet"]


def test_words_are_kept_once_in_nfc_without_blanks():
    assert tidy_settings({"alphabet": ["n\u0303", "ñ", " ", " b "]}) == {"alphabet": ["ñ", "b"]}


def test_what_was_kept_can_be_kept_again():
    given = {
        "wanted": ["length", "repeated"],
        "alphabet": ["a", "ñ"],
        "rules": [RULE],
        "shortest": 0.5,
        "longest_sentence": 8,
        "conjunctions": ["ba bo"],
    }

    kept = tidy_settings(given)

    assert kept == {**given, "wanted": ["repeated", "length"]}
    assert tidy_settings(kept) == kept


def test_hints_follow_the_settings():
    plainness = read_settings(tidy_settings({"longest_sentence": 2, "common": ["ba"]})).plainness

    assert [hint.code for hint in hints("ba ba bo", plainness)] == ["long_sentence", "rare_word"]


@pytest.mark.parametrize(
    ("given", "setting", "message"),
    [
        ([], "", "must be a table"),
        ({"colour": 1}, "", "There is no setting colour"),
        ({"wanted": ["tone"]}, "wanted", "There is no check tone"),
        ({"wanted": "numbers"}, "wanted", "list of names"),
        ({"alphabet": "abc"}, "alphabet", "list of words"),
        ({"alphabet": ["a" * 101]}, "alphabet", "100 characters at most"),
        ({"alphabet": [f"a{number}" for number in range(1001)]}, "alphabet", "1,000 entries at most"),
        ({"shortest": 2}, "shortest", "from 0 to 1"),
        ({"longest": float("nan")}, "longest", "from 1 to 100"),
        ({"longest_word": True}, "longest_word", "whole number from 1"),
        ({"longest_word": 2.5}, "longest_word", "whole number from 1"),
        ({"rules": [{"name": "x"}]}, "rules", "a name, a pattern and a message"),
        ({"rules": [RULE] * 21}, "rules", "20 spelling rules at most"),
        ({"rules": [{**RULE, "pattern": "(a+)+"}]}, "rules", "Double a: The pattern repeats a group"),
    ],
)
def test_a_wrong_setting_is_named_and_said_to_be_wrong(given: Any, setting: str, message: str):
    with pytest.raises(BadSettings, match=message.replace("(", r"\(")) as refused:
        tidy_settings(given)

    assert refused.value.setting == setting
