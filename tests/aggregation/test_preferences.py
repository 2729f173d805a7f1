"""What people preferred: a true preference is found, a false one seldom, and order is noticed."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.discrete.discrete_model import Logit

from annotation.aggregation.pairs import Choices, Z, bradley_terry
from annotation.aggregation.preferences import Preference, strengths_of, summarise

BASE, TUNED = "base", "tuned"


def crowd(
    chance: float,
    *,
    seed: int,
    people: int = 12,
    sentences: int = 40,
    votes: int = 3,
    leans: float = 0.0,
    differs: float = 0.0,
) -> list[Preference]:
    """Each sentence is compared by some people; `chance` is how likely the tuned model's text is preferred, on the
    whole. A part of the people lean to what stands first, and sentences differ in which model suits them."""
    draw = np.random.default_rng(seed)
    lean = draw.normal(0, leans, people)
    suits = draw.normal(0, differs, sentences)
    odds = np.log(chance / (1 - chance))
    given = []
    for sentence in range(sentences):
        for person in draw.choice(people, votes, replace=False):
            was_first = bool(draw.random() < 0.5)
            likely = odds + suits[sentence] + (lean[person] if was_first else -lean[person])
            won = TUNED if draw.random() < 1 / (1 + np.exp(-likely)) else BASE
            given.append(
                Preference(person=person, sentence=sentence, left=TUNED, right=BASE, won=won, left_was_first=was_first)
            )
    return given


def test_a_preference_of_seventy_to_thirty_is_found() -> None:
    found = [summarise(crowd(0.7, seed=seed), draws=200) for seed in range(60)]

    assert sum(one.duels[TUNED, BASE].low > 0.5 for one in found) >= 57
    # And the strengths say the same of it.
    assert sum(one.strengths[0].model == TUNED and one.strengths[0].low > 0 for one in found) >= 57
    truth = np.log(0.7 / 0.3) / 2
    inside = [
        one.strengths[0].low <= truth <= one.strengths[0].high for one in found if one.strengths[0].model == TUNED
    ]
    assert sum(inside) >= 54


@pytest.mark.parametrize(
    ("leans", "differs", "times", "most"),
    # 8 or fewer of 100, and 5 or fewer of 60, come of 5 % more than nine times in ten.
    [(0.0, 0.0, 100, 8), (1.5, 0.0, 60, 5), (0.0, 1.0, 60, 5)],
)
def test_equal_models_are_seldom_told_apart(leans: float, differs: float, times: int, most: int) -> None:
    found = [summarise(crowd(0.5, seed=seed, leans=leans, differs=differs), draws=200) for seed in range(times)]

    wrong = sum(not one.duels[TUNED, BASE].low <= 0.5 <= one.duels[TUNED, BASE].high for one in found)
    assert wrong <= most


def test_what_stands_first_is_noticed() -> None:
    fair = summarise(crowd(0.6, seed=1)).first_shown
    assert fair is not None
    assert fair.low < 0.5 < fair.high
    always = [Preference(person=n % 5, sentence=n, left=TUNED, right=BASE, won=TUNED if n % 2 else BASE,
                         left_was_first=bool(n % 2)) for n in range(40)]  # fmt: skip
    lazy = summarise(always)
    assert lazy.first_shown is not None
    assert (lazy.first_shown.won, lazy.first_shown.of) == (40, 40)
    assert lazy.first_shown.low > 0.9
    assert lazy.duels[TUNED, BASE].share == 0.5


def test_two_models_are_reckoned_by_hand() -> None:
    wins = np.array([[[0, 30], [10, 0]]], dtype=float)
    score, error = strengths_of(wins, prior=1e-7)

    # Three to one: half of log 3 to either side; the difference has the error 1 / sqrt(n p q), each score half of it.
    assert score[0].tolist() == pytest.approx([np.log(3) / 2, -np.log(3) / 2], abs=1e-6)
    assert error[0].tolist() == pytest.approx([0.5 / np.sqrt(40 * 0.75 * 0.25)] * 2, rel=1e-5)


def test_several_models_agree_with_a_logistic_regression_and_with_the_one_in_the_house() -> None:
    draw = np.random.default_rng(5)
    truth = dict(zip("abcd", (0.8, 0.3, -0.2, -0.9), strict=True))
    given = []
    for number in range(600):
        left, right = draw.choice(list(truth), 2, replace=False).tolist()
        wins = draw.random() < 1 / (1 + np.exp(truth[right] - truth[left]))
        given.append(Preference(person=number % 9, sentence=number % 50, left=left, right=right,
                                won=left if wins else right))  # fmt: skip
    table = np.zeros((4, 4))
    place = {name: number for number, name in enumerate(truth)}
    design, won = np.zeros((600, 4)), np.zeros(600)
    for row, one in enumerate(given):
        loser = one.right if one.won == one.left else one.left
        table[place[one.won], place[loser]] += 1
        design[row, place[one.left]], design[row, place[one.right]] = 1, -1
        won[row] = one.won == one.left
    fitted = np.append(0.0, Logit(won, design[:, 1:]).fit(disp=0, tol=1e-12).params)

    plain = strengths_of(table[None], prior=1e-9)[0][0]
    found = summarise(given)

    assert plain.tolist() == pytest.approx((fitted - fitted.mean()).tolist(), abs=1e-5)
    house = bradley_terry(Choices.of((one.person, one.left, one.right, one.won) for one in given))
    scores = {one.model: one.score for one in found.strengths}
    assert [scores[name] for name in house.items] == pytest.approx(house.score.tolist())
    assert strengths_of(table[None])[0][0].tolist() == pytest.approx([scores[name] for name in truth], abs=1e-4)
    assert [one.model for one in found.strengths] == list("abcd")
    assert all(one.low < one.score < one.high for one in found.strengths)


def test_a_few_unanimous_votes_prove_little() -> None:
    given = [Preference(person=n, sentence=n, left=TUNED, right=BASE, won=TUNED) for n in range(4)]
    found = summarise(given).duels[TUNED, BASE]
    assert found.high == 1
    assert found.low == pytest.approx(1 / (1 + Z**2 / 4))  # Wilson's


def test_both_alike_and_both_bad_are_counted_apart_and_agreement_by_hand() -> None:
    def said(person: str, sentence: int, won: str | None, **more: bool) -> Preference:
        return Preference(person=person, sentence=sentence, left=TUNED, right=BASE, won=won, **more)

    found = summarise([said("x", 1, TUNED), said("y", 1, TUNED), said("x", 2, None), said("y", 2, None, is_bad=True)])

    assert (found.votes, found.people, found.sentences, found.same, found.bad) == (4, 2, 2, 1, 1)
    assert (found.duels[TUNED, BASE].won, found.duels[TUNED, BASE].of) == (2, 2)
    assert (found.duels[BASE, TUNED].won, found.duels[BASE, TUNED].of) == (0, 2)
    assert found.agreed == 0.5
    assert found.alpha.items == 2


def test_nothing_said_is_nothing_found() -> None:
    found = summarise([])
    assert (found.votes, found.strengths, found.duels, found.agreed, found.first_shown) == (0, [], {}, None, None)
