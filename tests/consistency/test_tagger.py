"""The sequence model, against every path written out, and against another library's logistic regression."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from scipy.optimize import minimize

from annotation.consistency.tagger import Batch, Chances, Tagger

SCORES = np.array([[0.2, 1.1, -0.4], [0.9, -0.3, 0.5], [-0.7, 0.4, 0.3], [1.3, 0.1, -0.2], [0.5, 0.6, 0.7]])
FOLLOWS = np.array([[0.3, -0.5, 0.2], [-0.1, 0.8, -0.9], [0.4, 0.0, -0.6]])
# Two sequences, the shorter one first: positions 0-1 and 2-4.
LENGTHS = (2, 3)


def paths(first: int, last: int) -> dict[tuple[int, ...], float]:
    """The probability of every tag sequence at positions [first, last), by adding up all of them."""
    weight = {}
    for path in product(range(3), repeat=last - first):
        score = sum(SCORES[first + place, tag] for place, tag in enumerate(path))
        weight[path] = np.exp(score + sum(FOLLOWS[one, other] for one, other in pairwise(path)))
    whole = sum(weight.values())
    return {path: float(value / whole) for path, value in weight.items()}


@pytest.fixture
def chances() -> Chances:
    return Chances(SCORES, FOLLOWS, Batch(LENGTHS))


def test_marginals_are_sums_over_all_paths(chances: Chances) -> None:
    for first, last in ((0, 2), (2, 5)):
        for place in range(first, last):
            for tag in range(3):
                expected = sum(p for path, p in paths(first, last).items() if path[place - first] == tag)
                assert chances.marginals[place, tag] == pytest.approx(expected, abs=1e-12)


def test_the_total_is_the_log_of_all_weights(chances: Chances) -> None:
    def log_weight(first: int, last: int) -> float:
        best = next(iter(paths(first, last)))
        score = sum(SCORES[first + place, tag] for place, tag in enumerate(best))
        score += sum(FOLLOWS[one, other] for one, other in pairwise(best))
        return float(score - np.log(paths(first, last)[best]))

    assert chances.total == pytest.approx(log_weight(0, 2) + log_weight(2, 5), abs=1e-9)


def test_a_run_is_the_sum_of_the_paths_that_hold_it_and_go_on_otherwise(chances: Chances) -> None:
    expected = sum(p for path, p in paths(2, 5).items() if path[:2] == (1, 2) and path[2] != 2)

    assert chances.run(2, 4, 1, 2) == pytest.approx(expected, abs=1e-12)
    assert chances.run(2, 4, 1, 2, ends=False) == pytest.approx(
        sum(p for path, p in paths(2, 5).items() if path[:2] == (1, 2)), abs=1e-12
    )


def test_the_best_path_is_the_likeliest_of_all(chances: Chances) -> None:
    best = [max(paths(first, last).items(), key=lambda row: row[1])[0] for first, last in ((0, 2), (2, 5))]

    assert chances.best().tolist() == [tag for path in best for tag in path]


def test_one_position_alone_is_logistic_regression() -> None:
    names = [["1", "a"], ["1", "a"], ["1", "b"], ["1", "b"], ["1", "a", "b"]]
    said = ["x", "y", "y", "y", "x"]
    table = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 1], [1, 0, 1], [1, 1, 1]], float)
    gold = np.array([[1, 0], [0, 1], [0, 1], [0, 1], [1, 0]], float)

    def loss(flat: np.ndarray) -> float:
        weights = flat.reshape(3, 2)
        scores = table @ weights
        return float(np.log(np.exp(scores).sum(axis=1)).sum() - (gold * scores).sum() + 0.25 * flat @ flat)

    weights = minimize(loss, np.zeros(6), tol=1e-10).x.reshape(3, 2)
    expected = np.exp(table @ weights) / np.exp(table @ weights).sum(axis=1, keepdims=True)
    read = Tagger(prior=0.5).fit([[one] for one in names], [[one] for one in said]).read([[one] for one in names])

    np.testing.assert_allclose(read.marginals, expected, atol=1e-3)


def test_the_same_rows_give_the_same_weights() -> None:
    names, tags = [[["1", "a"], ["1", "b"]], [["1", "b"], ["1", "a"]]], [["x", "y"], ["y", "x"]]
    one, other = (Tagger().fit(names, tags).read(names).marginals for _ in range(2))

    assert np.array_equal(one, other)
