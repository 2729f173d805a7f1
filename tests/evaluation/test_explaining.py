"""Weights say which words an answer hangs on, and whether they can be relied on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from training.evaluation.explaining import (
    Masks,
    explain,
    fit,
    lost,
    masks_of,
    masks_of_deletion,
    rank_correlation,
    text_of,
    units_of,
)

TRUTH = np.array([0.5, -0.3, 0.0, 0.9, 0.1, -0.1, 0.2, 0.05, -0.6, 0.35, 0.15, -0.2])


def linear(noise: float = 0.0) -> Callable[[Masks], list[float]]:
    draw = np.random.default_rng(0)
    return lambda masks: (masks @ TRUTH + draw.normal(0, noise, len(masks)) - 2).tolist()


@pytest.mark.parametrize("text", ["Una frase, con marcas.", "¿ñu ä?  sí", "ñu", "นี่คือ", "…", ""])
def test_units_joined_are_the_text(text: str) -> None:
    assert "".join(units_of(text)) == text


def test_each_unit_begins_with_a_word_and_takes_the_marks_behind_it() -> None:
    assert units_of("¿Dónde está, hermano?") == ["¿Dónde ", "está, ", "hermano?"]
    assert text_of(["¿Dónde ", "está, ", "hermano?"], [True, False, True]) == "¿Dónde hermano?"
    assert text_of(["¿Dónde ", "está, "], [False, False]) == ""


def test_what_each_word_adds_is_found() -> None:
    found = explain(linear(), len(TRUTH))
    assert found.samples == 200
    assert rank_correlation(found.weights, TRUTH) > 0.98
    assert found.weights == pytest.approx(TRUTH.tolist(), abs=0.1)
    assert found.r2 > 0.98
    assert found.is_stable


def test_weights_that_chance_made_are_called_unstable() -> None:
    draw = np.random.default_rng(1)
    found = [explain(lambda masks: draw.normal(size=len(masks)).tolist(), 12, seed=seed) for seed in range(20)]
    assert sum(one.is_stable for one in found) <= 1


def test_a_short_text_is_tried_in_every_way_once() -> None:
    asked: list[Masks] = []

    def score(masks: Masks) -> list[float]:
        asked.append(masks)
        return (masks @ TRUTH[:5]).tolist()

    found = explain(score, 5)
    assert (found.samples, found.agreement) == (32, 1.0)
    assert len({tuple(mask) for mask in asked[0].tolist()}) == 32
    assert asked[0][0].all()


def test_masks_differ_and_begin_with_the_whole_text() -> None:
    masks = masks_of(12, 100, seed=3)
    assert masks.shape == (100, 12)
    assert masks[0].all()
    assert len({tuple(mask) for mask in masks.tolist()}) == 100
    assert (masks_of(12, 100, seed=3) == masks).all()


def test_a_ridge_is_reckoned_by_hand() -> None:
    # Every text weighs the same where all lack as many words: two texts, one word each, one apart.
    weights, r2 = fit(np.array([[True, False], [False, True]]), [1.0, 0.0])
    near = np.exp(-(((1 - np.sqrt(0.5)) / 0.25) ** 2) / 2)
    # The slope along (1, -1) / 2, shrunk by the penalty: near / 2 · 1 over (near + 1).
    assert weights.tolist() == pytest.approx([near / 2 / (near + 1), -near / 2 / (near + 1)])
    assert 0 < r2 < 1


def test_deleting_what_matters_first_costs_more() -> None:
    score = linear()
    best, worst = np.argsort(-TRUTH).tolist(), np.argsort(TRUTH).tolist()
    assert masks_of_deletion([2, 0, 1]).astype(int).tolist() == [[1, 1, 1], [1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert lost(score(masks_of_deletion(best))) > lost(score(masks_of_deletion(worst)))
    assert lost([0.0, -1.0, -3.0]) == 2.0


def test_words_without_any_order_agree_with_nothing() -> None:
    assert rank_correlation([1.0, 1.0], [0.0, 1.0]) == 0.0
