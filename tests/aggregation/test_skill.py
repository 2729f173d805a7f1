"""The private estimate of how carefully somebody votes."""

import math

import pytest

from annotation.aggregation.skill import (
    EARLY_GOLD,
    EARLY_GOLD_SHARE,
    GOLD_SHARE,
    OUTCOME_WEIGHT,
    Judgement,
    Tally,
    beta_probability,
    beta_quantile,
    estimate_skill,
    gold_chance,
    hours_before_settling,
    is_careful,
    is_careless,
    tally_judgements,
)


def judged(approved, is_right, *, is_gold=True, age_days=0.0):
    return Judgement(approved=approved, is_right=is_right, is_gold=is_gold, age_days=age_days)


def binomial_tail(x, first, second):
    """Beta(first, second) for whole numbers, as a sum: Abramowitz and Stegun 6.6.4."""
    trials = first + second - 1
    return math.fsum(
        math.comb(trials, hits) * x**hits * (1 - x) ** (trials - hits) for hits in range(first, trials + 1)
    )


@pytest.mark.parametrize(("first", "second"), [(1, 1), (3, 1), (1, 9), (12, 4), (200, 30), (40, 400)])
@pytest.mark.parametrize("x", [0.0, 0.01, 0.2, 0.5, 0.75, 0.93, 1.0])
def test_beta_probability_is_the_binomial_sum(first, second, x):
    assert beta_probability(x, first, second) == pytest.approx(binomial_tail(x, first, second), abs=1e-10)


@pytest.mark.parametrize(("first", "second"), [(0.5, 0.5), (0.5, 9.5), (2000, 30), (1.7, 0.3)])
@pytest.mark.parametrize("share", [0.025, 0.5, 0.975])
def test_the_quantile_undoes_the_probability(first, second, share):
    assert beta_probability(beta_quantile(share, first, second), first, second) == pytest.approx(share, abs=1e-4)


def test_a_newcomer_is_neither_careful_nor_careless():
    skill = estimate_skill(tally_judgements([]))
    assert (skill.mean, skill.evidence) == (0.75, 0)
    assert not is_careful(skill)
    assert not is_careless(skill)


def test_who_is_right_about_right_and_wrong_answers_has_shown_care():
    skill = estimate_skill(tally_judgements([judged(True, True), judged(False, False)] * 5))
    assert is_careful(skill)
    assert not is_careless(skill)


@pytest.mark.parametrize("approves", [True, False], ids=["approves everything", "rejects everything"])
def test_who_always_says_the_same_is_careless_however_often_it_happens_to_be_right(approves):
    mostly_right = [judged(approves, is_right) for is_right in [approves] * 90 + [not approves] * 10]
    skill = estimate_skill(tally_judgements(mostly_right))
    assert skill.mean == pytest.approx(0.5, abs=0.1)
    assert is_careless(skill)


def test_two_mistakes_stop_nobody():
    assert not is_careless(estimate_skill(tally_judgements([judged(True, False)] * 2)))


def test_the_interval_narrows_around_the_mean_as_evidence_grows():
    widths = []
    for times in (0, 5, 50):
        skill = estimate_skill(
            tally_judgements([judged(True, True), judged(False, False), judged(True, False)] * times)
        )
        low, high = skill.interval
        assert 0 < low < skill.mean < high < 1
        widths.append(high - low)
    assert widths[0] > widths[1] > widths[2]


def test_the_interval_holds_95_percent():
    skill = estimate_skill(Tally(approved=20, refused=2, caught=6, let_through=3))
    low, high = skill.interval
    inside = beta_probability(high, skill.agreed, skill.missed) - beta_probability(low, skill.agreed, skill.missed)
    assert inside == pytest.approx(0.95, abs=1e-4)


def test_agreement_with_outcomes_says_less_than_gold():
    tally = tally_judgements([judged(False, False), judged(False, False, is_gold=False)])
    assert tally == Tally(caught=1 + OUTCOME_WEIGHT)


def test_a_judgement_as_old_as_the_half_life_counts_half():
    aged = [judged(True, False, age_days=60), judged(False, False, age_days=0)]
    assert tally_judgements(aged, half_life_days=60) == Tally(caught=1, let_through=0.5)
    assert tally_judgements(aged) == Tally(caught=1, let_through=1)


def test_who_has_learnt_is_forgiven():
    learnt = [judged(True, False, age_days=400)] * 8
    learnt += [judged(True, True), judged(False, False)] * 8
    assert not is_careful(estimate_skill(tally_judgements(learnt)))
    assert is_careful(estimate_skill(tally_judgements(learnt, half_life_days=60)))


def test_the_order_of_judgements_does_not_matter():
    judgements = [judged(True, True), judged(True, False), judged(False, True, is_gold=False)]
    assert tally_judgements(judgements) == tally_judgements(judgements[::-1])


@pytest.mark.parametrize("half_life", [0, -1, math.nan])
def test_a_half_life_must_be_positive(half_life):
    with pytest.raises(ValueError, match="half-life"):
        tally_judgements([], half_life_days=half_life)


@pytest.mark.parametrize("age", [-0.1, math.nan])
def test_a_judgement_cannot_come_from_the_future(age):
    with pytest.raises(ValueError, match="cannot be"):
        tally_judgements([judged(True, True, age_days=age)])


def test_newcomers_give_first_votes_only_while_others_can_complete_them():
    assert hours_before_settling(has_shown_care=False, careful_people=50) == 24
    assert hours_before_settling(has_shown_care=True, careful_people=50) == 0


def test_a_small_community_does_not_wait():
    assert hours_before_settling(has_shown_care=False, careful_people=3) == 0


def test_early_gold_is_an_advance_on_one_in_twenty():
    assert gold_chance(votes=3, gold=0, has_shown_care=False) == EARLY_GOLD_SHARE
    assert gold_chance(votes=30, gold=5, has_shown_care=True) == 0
    assert gold_chance(votes=60, gold=EARLY_GOLD, has_shown_care=False) == 0
    assert gold_chance(votes=100, gold=5, has_shown_care=True) == GOLD_SHARE
