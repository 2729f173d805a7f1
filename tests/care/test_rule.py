"""May it be used? The rule against an oracle that was written apart from it; no database."""

from __future__ import annotations

import itertools

from care.eligibility import Allowed, Consent, Facts, Hold, Why, refusal
from care.labels import EVERYTHING, LABELS, blocked_by, label_of
from care.models import Purpose

PURPOSES = sorted(EVERYTHING - {"credit_name"})
LABEL_SETS = ((), ("tka", "bcp"), ("tknc",), ("tkco",), ("tkss",), ("from-another-world",))


def oracle(purpose: str, consent: str, community: str, labels: tuple[str, ...], hold: str) -> bool:
    """Written apart from the rule, from the words of docs/care.md."""
    inside = purpose in ("display_members", "peer_review")
    allows = community == "in_force" or (community == "run_out" and inside)
    if consent not in ("given", "renewed_given") or not allows:
        return False
    if hold == "display" or (hold == "use" and not inside):
        return False
    for label in labels:
        if label in ("tkss", "from-another-world"):
            return False
        if label == "tkco" and not inside:
            return False
        if label == "tknc" and purpose == "train_commercial":
            return False
    return True


def test_the_rule_equals_the_oracle_in_all_10800_cases() -> None:
    cases = list(itertools.product(PURPOSES, Consent, Allowed, LABEL_SETS, Hold))
    assert len(cases) == 10 * 10 * 6 * 6 * 3
    for purpose, consent, community, labels, hold in cases:
        facts = Facts(consents=[consent], community=community, labels=labels, hold=hold)
        wanted = oracle(purpose, consent, community, labels, hold)
        assert (refusal(purpose, facts) is None) == wanted, (purpose, facts)


def test_whatever_is_not_known_is_refused() -> None:
    facts = Facts(consents=[Consent.GIVEN], community=Allowed.IN_FORCE)
    assert refusal("sell_to_the_moon", facts) == Why.PURPOSE
    assert refusal("research", Facts(consents=[], community=Allowed.IN_FORCE)) == Why.CONSENT
    assert refusal("research", Facts([Consent.GIVEN, Consent.WITHDRAWN], Allowed.IN_FORCE)) == Why.CONSENT
    assert refusal("research", Facts([Consent.GIVEN], Allowed.IN_FORCE, is_validated=False)) == Why.NOT_VALIDATED
    assert refusal("peer_review", Facts([Consent.GIVEN], Allowed.IN_FORCE, is_validated=False)) is None
    assert refusal("research", facts) is None


def test_counter_examples_are_for_whoever_asks_for_them_by_name() -> None:
    turned_down = Facts([Consent.GIVEN], Allowed.IN_FORCE, is_validated=False, is_counter_example=True)
    assert refusal("research", turned_down) == Why.NOT_VALIDATED
    assert refusal("research", turned_down, counter_examples=True) is None
    unsettled = Facts([Consent.GIVEN], Allowed.IN_FORCE, is_validated=False)
    assert refusal("research", unsettled, counter_examples=True) == Why.NOT_VALIDATED


def test_words_of_somebody_under_age_are_kept_from_what_is_named() -> None:
    kept = Facts([Consent.GIVEN], Allowed.IN_FORCE, kept_from={"research"})
    assert refusal("research", kept) == Why.HOLD
    assert refusal("evaluate_models", kept) is None


def test_in_its_season_a_label_stops_nothing() -> None:
    assert refusal("research", Facts([Consent.GIVEN], Allowed.IN_FORCE, labels=["tks"])) == Why.LABEL
    assert refusal("research", Facts([Consent.GIVEN], Allowed.IN_FORCE, labels=["tks"], in_season=True)) is None


def test_all_labels_and_notices_are_known_by_code() -> None:
    families = [code[:2] for code, label in LABELS.items() if not label.is_notice]
    assert (families.count("tk"), families.count("bc")) == (20, 10)
    assert sum(label.is_notice for label in LABELS.values()) == 4
    assert label_of("tkxx").blocks == EVERYTHING
    assert blocked_by(["tks"]) == EVERYTHING
    assert blocked_by(["tks"], in_season=True) == frozenset()
    assert set(Purpose.values) == EVERYTHING
