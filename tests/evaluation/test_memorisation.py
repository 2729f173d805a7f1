"""Exposure: what a hand reckons, what chance gives, and how often a model is said to know by heart what it does not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.evaluation.memorisation import ALTERNATIVES, MOST_BITS, Recall, exposure, fitted_exposure, memorised

CHANCE = 1 / math.log(2)


def test_exposure_by_rank_is_what_a_hand_reckons() -> None:
    assert exposure(1.0, [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]) == 3.0
    assert exposure(9.0, [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]) == 0.0
    assert exposure(3.5, [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]) == pytest.approx(3 - math.log2(3))
    assert exposure(2.0, [2.0]) == 0.0, "a tie tells nothing"


def test_what_is_one_of_many_has_what_chance_gives_and_what_stands_out_has_more_than_their_number_allows() -> None:
    drawn = np.random.default_rng(3)
    values = drawn.normal(40, 6, (4000, ALTERNATIVES + 1))
    found = [fitted_exposure(float(row[0]), list(row[1:])) for row in values]
    assert np.mean(found) == pytest.approx(CHANCE, abs=0.06)
    assert np.mean([bits > 3 for bits in found]) == pytest.approx(1 / 8, abs=0.02)
    assert fitted_exposure(2.0, [40.0, 44.0, 37.0, 41.0, 39.0, 42.0, 36.0]) > 10
    assert fitted_exposure(40.0, [40.0, 40.0]) == 1.0
    assert fitted_exposure(0.0, [1e9, 1e9, 1e9]) == MOST_BITS


def drawn_rows(random_: np.random.Generator, number: int, *, known: float, heart: float = 0.0) -> list[Recall]:
    """Rows whose own request makes an answer likelier by `known` spreads, and by `heart` more where it was learnt."""
    found = []
    for _ in range(number):
        others = random_.normal(40, 6, ALTERNATIVES)
        found.append(Recall(float(random_.normal(40 - 6 * (known + heart), 6)), list(others)))
    return found


@pytest.mark.parametrize("known", [0.0, 3.0])
def test_a_model_that_knows_by_heart_is_found_and_one_that_only_knows_the_language_is_not(known: float) -> None:
    drawn = np.random.default_rng(5)
    refused = {0.0: 0, 4.0: 0}
    for heart in refused:
        for _ in range(15):
            found = memorised(drawn_rows(drawn, 24, known=known, heart=heart), drawn_rows(drawn, 24, known=known))
            assert found is not None
            refused[heart] += found["over_control_ci95"][0] > 2
    assert refused[0.0] == 0
    assert refused[4.0] >= 14, refused


def test_too_few_rows_or_alternatives_say_nothing() -> None:
    one = Recall(3.0, [4.0, 5.0], is_recited=True)
    assert memorised([one], [one, one]) is None
    assert memorised([one, one], [Recall(3.0, [4.0]), one]) is None
    found = memorised([one, one], [one, Recall(3.0, [4.0, 5.0])])
    assert found is not None
    assert (found["rows"], found["alternatives"], found["over_control"]) == (2, 2, 0.0)
    assert (found["recited"], found["recited_held_out"]) == (1.0, 0.5)
