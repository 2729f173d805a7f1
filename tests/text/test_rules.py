"""A community's own spelling rules can do no harm."""

import time

import pytest

from annotation.text.findings import words
from annotation.text.rules import BadRule, Rule, broken_rules


def rule(pattern):
    return Rule("made", pattern, "Please look at this again.")


@pytest.mark.parametrize(
    ("pattern", "text", "places"),
    [
        ("q", "aqa q", [(1, 2), (4, 5)]),
        (r"\bb\w+", "aba bebe", [(4, 8)]),
        (r"[^\p{Latin}\s]+", "ab \u0431\u0430 c", [(3, 5)]),
        (r"(?<=n)\u0331", "a\u0331n\u0331", [(3, 4)]),
        (r"(aa|ee){2}", "aaee", [(0, 4)]),
        (r"(?:ab?)+c", "abac", [(0, 4)]),
        (r"\U0001E900{2,3}", "\U0001e900\U0001e900", [(0, 2)]),
        (r"\.\s*\.", ". .", [(0, 3)]),
        ("x*", "axa", [(1, 2)]),
        ("Q", "q", []),
    ],
)
def test_a_rule_marks_what_it_matches_in_code_points(pattern, text, places):
    found = broken_rules(text, [rule(pattern)])

    assert [(finding.start, finding.end) for finding in found] == places
    assert {words(finding) for finding in found} <= {"Please look at this again."}


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "between 1 and 200"),
        ("a" * 201, "between 1 and 200"),
        ("((a{50}){50}){50}", "repeats already"),
        ("(a+)+b", "repeats already"),
        ("(?:x(?:a*)?)*", "repeats already"),
        ("(?:a{2}){3}", "repeats already"),
        ("a{51}", "more than 50"),
        ("a{1,9999}", "more than 50"),
        (r"(a)\1", "may not use"),
        ("(?R)", "may not use"),
        ("(?i)a", "may not use"),
        ("(?P<x>a)", "may not use"),
        ("(?:abc){e<=2}", "may not use"),
        (r"\L<x>", "may not use"),
        (r"\p{Nonsense}", "not a regular expression"),
        ("*a", "not a regular expression"),
        ("a**", "not a regular expression"),
        ("[a", "may not use"),
        ("(a", "does not close"),
        ("a)", "did not open"),
    ],
)
def test_a_pattern_that_is_wrong_or_may_take_too_long_is_refused_with_the_reason(pattern, message):
    with pytest.raises(BadRule, match=message):
        rule(pattern)


@pytest.mark.parametrize(("name", "message"), [("", "x"), ("x", " ")])
def test_a_rule_without_a_name_or_a_message_is_refused(name, message):
    with pytest.raises(BadRule, match="needs a name"):
        Rule(name, "a", message)


def test_at_most_five_places_are_named_for_each_rule():
    assert len(broken_rules("q" * 50, [rule("q"), rule("q")])) == 10


def test_a_slow_rule_is_given_up_and_the_others_still_count():
    slow = Rule("slow", "(?:a|aa)*$", "x")
    text = "a" * 3999 + "b"
    began = time.monotonic()
    found = broken_rules(text, [slow, rule("b")], seconds=0.05)

    assert [finding.code for finding in found] == ["rule_unfinished", "rule"]
    assert "“slow” took too long" in words(found[0])
    assert time.monotonic() - began < 20
