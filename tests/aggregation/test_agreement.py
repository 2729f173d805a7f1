"""Agreement coefficients: by hand, beside other libraries, with reasons where they are undefined."""

from __future__ import annotations

from typing import Any

import krippendorff
import numpy as np
import pytest
from nltk.metrics.agreement import AnnotationTask
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.inter_rater import fleiss_kappa as fleiss_of_statsmodels

from annotation.aggregation.agreement import (
    NO_PAIRS,
    NO_SPANS,
    NOT_NUMBERS,
    ONE_LABEL,
    UNEQUAL,
    by_pair,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    span_f1,
    span_gamma,
)
from annotation.aggregation.spans import Span, SpanTask


def votes(*, people: int = 4, items: int = 60, labels: int = 4, missing: float = 0.3, seed: int = 1) -> Any:
    """A table (people, items) of labels 0 … with gaps (not a number), in which people agree somewhat."""
    chance = np.random.default_rng(seed)
    truth = chance.integers(labels, size=items)
    table = np.where(chance.random((people, items)) < 0.6, truth, chance.integers(labels, size=(people, items)))
    return np.where(chance.random((people, items)) < missing, np.nan, table)


def by_item(table: Any) -> list[list[int]]:
    return [[int(label) for label in column if not np.isnan(label)] for column in table.T]


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_alpha_is_that_of_krippendorffs_library(level: str, seed: int) -> None:
    table = votes(seed=seed)
    expected = krippendorff.alpha(reliability_data=table, level_of_measurement=level)

    assert krippendorff_alpha(by_item(table), level=level).value == pytest.approx(expected, abs=1e-6)


def test_alpha_is_that_of_nltk_without_gaps() -> None:
    table = votes(missing=0.0)
    rows = [(f"w{worker}", str(item), int(label)) for (worker, item), label in np.ndenumerate(table)]

    assert krippendorff_alpha(by_item(table)).value == pytest.approx(AnnotationTask(rows).alpha(), abs=1e-6)


def test_alpha_of_the_example_in_krippendorffs_paper() -> None:
    # "Computing Krippendorff's alpha-reliability" (2011), section C: nominal data, any number of observers, gaps.
    nan = np.nan
    table = np.array(
        [[1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
         [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan]]
    )  # fmt: skip

    assert krippendorff_alpha(by_item(table)).value == pytest.approx(0.743, abs=5e-4)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cohens_kappa_is_that_of_statsmodels(seed: int) -> None:
    first, second = votes(people=2, missing=0.0, seed=seed).astype(int)
    table = np.zeros((4, 4))
    np.add.at(table, (first, second), 1)

    found = cohen_kappa(first.tolist(), second.tolist())

    assert found.value == pytest.approx(cohens_kappa(table).kappa, abs=1e-6)
    # The bootstrap's interval is about that of the large-sample variance.
    assert (found.low, found.high) == pytest.approx(
        (cohens_kappa(table).kappa_low, cohens_kappa(table).kappa_upp), abs=0.05
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_fleiss_kappa_is_that_of_statsmodels(seed: int) -> None:
    table = votes(missing=0.0, seed=seed).astype(int)
    counts = np.stack([(table == label).sum(axis=0) for label in range(4)], axis=1)

    assert fleiss_kappa(table.T.tolist()).value == pytest.approx(fleiss_of_statsmodels(counts), abs=1e-6)


def test_intervals_hold_the_value_and_narrow_with_items() -> None:
    few, many = (krippendorff_alpha(by_item(votes(items=items))) for items in (40, 2000))

    for found in (few, many):
        assert found.low is not None
        assert found.high is not None
        assert found.value is not None
        assert found.low < found.value < found.high
    assert many.high - many.low < 0.3 * (few.high - few.low)
    assert krippendorff_alpha(by_item(votes())) == krippendorff_alpha(by_item(votes()))


def test_the_interval_covers_the_truth_nineteen_times_of_twenty() -> None:
    # The coefficient of ten thousand items stands for the true one.
    true = krippendorff_alpha(by_item(votes(items=10_000, seed=99)), draws=0).value
    found = [krippendorff_alpha(by_item(votes(items=80, seed=seed)), draws=300) for seed in range(100, 200)]

    assert 88 <= sum(one.low <= true <= one.high for one in found) <= 99


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (krippendorff_alpha([]), NO_PAIRS),
        (krippendorff_alpha([["A"], ["B"]]), NO_PAIRS),
        (krippendorff_alpha([["A", "A"], ["A", "A"]]), ONE_LABEL),
        (krippendorff_alpha([["A", "B"]], level="interval"), NOT_NUMBERS),
        (cohen_kappa(["A", None], [None, "A"]), NO_PAIRS),
        (cohen_kappa(["A", "A"], ["A", "A"]), ONE_LABEL),
        (fleiss_kappa([["A", "A"], ["A"]]), UNEQUAL),
        (fleiss_kappa([["A"], ["A"]]), NO_PAIRS),
        (fleiss_kappa([["A", "A"], ["A", "A"]]), ONE_LABEL),
        (span_f1([SpanTask("x", "Anna", {"a": [], "b": []})]), NO_SPANS),
        (span_f1([SpanTask("x", "Anna", {"a": [(0, 4, "PER")]})]), NO_PAIRS),
        (span_gamma([SpanTask("x", "Anna", {"a": [], "b": []})]), NO_SPANS),
    ],
)
def test_what_is_undefined_says_why(found: Any, reason: str) -> None:
    assert (found.value, found.low, found.high, found.undefined) == (None, None, None, reason)


def test_another_level_is_refused() -> None:
    with pytest.raises(ValueError, match="nominal, ordinal, interval"):
        krippendorff_alpha([["A", "B"]], level="ratio")


def test_kappa_by_pair_takes_the_tasks_that_both_voted_on() -> None:
    rows = [(task, worker, label) for task, a, b in [(1, 0, 0), (2, 0, 1), (3, 1, 1), (4, 1, 1)]
            for worker, label in (("a", a), ("b", b))]  # fmt: skip
    found = by_pair([*rows, (5, "c", 1)])

    assert list(found) == [("a", "b")]
    assert found["a", "b"].value == pytest.approx(0.5)
    assert found["a", "b"].items == 4


def text(*people: list[Span]) -> SpanTask:
    return SpanTask("x", "x" * 100, {f"w{number}": spans for number, spans in enumerate(people)})


def test_exact_and_partial_f1_are_reckoned_by_hand() -> None:
    # Of two and two spans one is equal, and one is half of the other's.
    tasks = [text([(0, 10, "A"), (20, 30, "B")], [(0, 10, "A"), (20, 25, "B")])]

    assert span_f1(tasks).value == pytest.approx(2 * 1 / 4)
    assert span_f1(tasks, partial=True).value == pytest.approx(2 * 1.5 / 4)


def test_gamma_is_one_where_all_agree_and_about_nothing_where_all_is_chance() -> None:
    chance = np.random.default_rng(3)

    def scattered() -> list[Span]:
        starts = chance.integers(0, 95, size=4).tolist()
        return [(start, start + 5, "AB"[int(chance.integers(2))]) for start in starts]

    same = [text(spans, spans) for spans in (scattered() for _ in range(30))]
    apart = [text(scattered(), scattered()) for _ in range(60)]

    assert span_gamma(same).value == pytest.approx(1)
    assert abs(span_gamma(apart).value or 1) < 0.15


def test_gamma_forgives_a_letter_more_than_a_label() -> None:
    spans: list[Span] = [(10, 20, "A"), (50, 60, "B")]
    near = [text(spans, [(10, 21, "A"), (50, 60, "B")])]
    wrong = [text(spans, [(10, 20, "B"), (50, 60, "B")])]

    exact, letter, label = (span_gamma(tasks).value or 0 for tasks in ([text(spans, spans)], near, wrong))
    assert exact > letter > label


def test_the_disorder_of_two_people_is_reckoned_by_hand() -> None:
    from annotation.aggregation.agreement import _disorder

    # One pair of spans apart by 2 of 20 letters, and one span without a counterpart: (0.01 + 1) over 1.5 units each.
    assert _disorder([(0, 10, "A"), (50, 60, "A")], [(1, 11, "A")]) == pytest.approx((0.1**2 + 1) / 1.5)
