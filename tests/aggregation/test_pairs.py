"""Scores from choices between two."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit
from statsmodels.discrete.discrete_model import Logit

from annotation.aggregation.pairs import METHODS, Choices, bradley_terry, noisy_bradley_terry

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
STRENGTH = dict(zip("abcdefgh", np.linspace(1.5, -1.5, 8), strict=True))


def contest(looking: list[float], *, each: int = 200, seed: int = 3) -> list[tuple[str, str, str, str | None]]:
    """Choices by workers who look with the given probabilities and else throw a coin."""
    chance = np.random.default_rng(seed)
    rows: list[tuple[str, str, str, str | None]] = []
    for worker, share in enumerate(looking):
        for _ in range(each):
            left, right = chance.choice(list(STRENGTH), 2, replace=False).tolist()
            wins = expit(STRENGTH[left] - STRENGTH[right]) if chance.random() < share else 0.5
            rows.append((f"w{worker}", left, right, left if chance.random() < wins else right))
    return rows


def order(result: Any) -> list[str]:
    return [result.items[place] for place in np.argsort(-result.score)]


@every_method
def test_the_better_ones_come_first(method: Any) -> None:
    result = method(Choices.of(contest([1.0, 1.0, 1.0])))

    truth = [STRENGTH[item] for item in result.items]
    assert np.corrcoef(result.score, truth)[0, 1] > 0.95
    assert order(result)[0] in "ab"
    assert order(result)[-1] in "gh"


def test_two_things_are_reckoned_by_hand() -> None:
    rows: list[Any] = [("w", "a", "b", "a")] * 3 + [("w", "a", "b", "b")]
    result = bradley_terry(Choices.of(rows), prior=0.0)

    # Three wins to one: log-odds log 3 between them, half of it to either side of the middle.
    assert result.score.tolist() == pytest.approx([np.log(3) / 2, -np.log(3) / 2], abs=1e-5)


def test_statsmodels_finds_the_same_scores() -> None:
    choices = Choices.of(contest([1.0, 1.0]))
    design = np.zeros((len(choices.won), len(choices.items)))
    design[np.arange(len(design)), choices.left] += 1
    design[np.arange(len(design)), choices.right] -= 1
    expected = np.append(0.0, Logit(choices.won, design[:, 1:]).fit(disp=0, tol=1e-12).params)

    result = bradley_terry(choices, prior=0.0)

    assert np.abs(result.score - (expected - expected.mean())).max() < 1e-6


def test_reliability_beats_trust_when_half_throw_coins() -> None:
    rows = contest([1.0, 1.0, 0.0, 0.0, 0.0, 0.0], each=120)
    truth = np.array([STRENGTH[item] for item in Choices.of(rows).items])
    plain, noisy = bradley_terry(Choices.of(rows)), noisy_bradley_terry(Choices.of(rows))

    assert np.abs(noisy.score - truth).mean() < np.abs(plain.score - truth).mean()
    assert noisy.skills.skill[:2].min() > noisy.skills.skill[2:].max()


@every_method
def test_who_always_wins_has_a_score_too(method: Any) -> None:
    result = method(Choices.of([("w", "a", "b", "a"), ("w", "b", "c", "b")]))

    assert order(result) == ["a", "b", "c"]
    assert np.isfinite(result.score).all()
    assert result.confidence[0] > 0.5 > result.confidence[2]


@every_method
def test_a_tie_is_half_a_win_for_either(method: Any) -> None:
    result = method(Choices.of([("w", "a", "b", None), ("v", "a", "b", None)]))

    assert result.score.tolist() == pytest.approx([0, 0], abs=1e-6)


@every_method
def test_nothing_was_compared(method: Any) -> None:
    result = method(Choices.of([]))

    assert (list(result.items), result.score.tolist(), result.groups) == ([], [], 0)


def test_things_that_nobody_compared_fall_into_groups() -> None:
    assert bradley_terry(Choices.of([("w", "a", "b", "a"), ("w", "c", "d", "c")])).groups == 2


@pytest.mark.parametrize("row", [("w", "a", "a", "a"), ("w", "a", "b", "c")])
def test_a_winner_must_be_one_of_two(row: Any) -> None:
    with pytest.raises(ValueError, match=r"compared with itself|neither"):
        Choices.of([row])


@every_method
def test_a_warm_start_comes_to_the_same(method: Any) -> None:
    rows = contest([1.0, 0.5, 0.2])
    before = method(Choices.of(rows[:-30]))

    assert np.abs(method(Choices.of(rows), start=before).score - method(Choices.of(rows)).score).max() < 1e-3
