"""Values from ratings by people who differ in height and scatter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from annotation.aggregation.ratings import METHODS, Ratings, gaussian, mean

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def rated(biases: list[float], noises: list[float], *, tasks: int = 200, each: int = 4) -> tuple[Any, Any]:
    chance = np.random.default_rng(5)
    truth = chance.normal(50, 15, tasks)
    rows = [
        (task, worker, truth[task] + biases[worker] + noises[worker] * chance.normal())
        for task in range(tasks)
        for worker in chance.permutation(len(biases))[:each].tolist()
    ]
    return rows, truth


def error(result: Any, truth: Any) -> float:
    return float(np.abs(result.score - truth[np.array(result.tasks)]).mean())


def test_the_mean_is_reckoned_by_hand() -> None:
    result = mean(Ratings.of([("x", "a", 1), ("x", "b", 3), ("y", "a", 5)]))

    assert result.score.tolist() == [2, 5]


def test_a_harsh_and_a_careless_rater_are_allowed_for() -> None:
    rows, truth = rated([20, -20, 0, 0, 5, -5], [3, 3, 3, 25, 25, 3])
    plain, better = mean(Ratings.of(rows)), gaussian(Ratings.of(rows))

    assert error(better, truth) < 0.6 * error(plain, truth)
    assert better.converged
    bias = dict(zip(better.skills.workers, better.bias, strict=True))
    assert bias[0] == pytest.approx(20, abs=3)
    assert bias[1] == pytest.approx(-20, abs=3)
    skill = dict(zip(better.skills.workers, better.skills.skill, strict=True))
    assert max(skill[3], skill[4]) < min(skill[0], skill[1], skill[2], skill[5])


def test_a_random_effects_model_of_statsmodels_finds_the_same_values() -> None:
    import pandas as pd
    import statsmodels.formula.api as smf

    # Raters without bias and of one scatter are what a random intercept for each task describes.
    chance = np.random.default_rng(2)
    truth = chance.normal(0, 2, 150)
    rows = [(task, worker, truth[task] + chance.normal()) for task in range(150) for worker in range(5)]
    frame = pd.DataFrame(rows, columns=["task", "worker", "value"])
    model = smf.mixedlm("value ~ 1", frame, groups="task").fit(reml=False)
    expected = np.array([model.params["Intercept"] + model.random_effects[task].iloc[0] for task in range(150)])

    result = gaussian(Ratings.of(rows))

    assert np.corrcoef(result.score, expected)[0, 1] > 0.999
    # Not to the last digit: ours gives every rater a variance of their own, even where they scatter alike.
    assert np.abs(result.score - expected).max() < 0.3


@every_method
def test_nobody_rated(method: Any) -> None:
    assert method(Ratings.of([])).score.tolist() == []


@every_method
def test_everybody_says_the_same(method: Any) -> None:
    result = method(Ratings.of([("x", "a", 3), ("x", "b", 3), ("y", "a", 3)]))

    assert result.score.tolist() == pytest.approx([3, 3])
    assert np.isfinite(result.confidence).all()


@every_method
def test_repeating_oneself_is_not_a_second_rating(method: Any) -> None:
    once = [("x", "a", 1.0), ("x", "b", 5.0), ("y", "a", 2.0), ("y", "b", 4.0)]

    assert np.allclose(method(Ratings.of([*once, once[0]])).score, method(Ratings.of(once)).score)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_rating_is_a_number(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Ratings.of([("x", "a", value)])


def test_a_warm_start_knows_the_biases() -> None:
    rows, _ = rated([20, -20, 0, 0], [3, 3, 3, 3])
    before = gaussian(Ratings.of(rows[:-20]))

    warm, cold = gaussian(Ratings.of(rows), start=before), gaussian(Ratings.of(rows))

    assert np.abs(warm.score - cold.score).max() < 0.01
    assert warm.rounds <= cold.rounds
