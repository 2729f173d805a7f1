"""Scores against values that are known beforehand."""

import math

import pytest
from sacrebleu.metrics import CHRF

from training.evaluation.scores import bits_per_byte, chrf, difference_interval, mean_interval, two_means_interval


def test_a_uniform_model_over_bytes_needs_eight_bits():
    sizes = [3, 10, 7]
    assert bits_per_byte([size * math.log(256) for size in sizes], sizes) == pytest.approx(8)


def test_long_sentences_weigh_more():
    assert bits_per_byte([math.log(2), 30 * math.log(2)], [1, 10]) == pytest.approx(31 / 11)


def test_sizes_must_fit():
    with pytest.raises(ValueError, match="one positive size"):
        bits_per_byte([1.0], [])


def test_interval_of_a_constant_difference_is_that_difference():
    sizes = [4, 8, 2, 6]
    first = [size * math.log(2) * 3 for size in sizes]
    second = [size * math.log(2) * 2 for size in sizes]
    interval = difference_interval(first, second, sizes)
    assert (interval.low, interval.high) == pytest.approx((-1, -1))


def test_chrf_is_sacrebleu_s_chrf_plus_plus():
    hypotheses, references = ["ra ngu", "hinä"], ["ra ngú", "hinä xi"]
    assert chrf(references, references) == pytest.approx(100)
    assert chrf(hypotheses, references) == CHRF(word_order=2).corpus_score(hypotheses, [references]).score
    assert chrf(hypotheses, references) != CHRF(word_order=0).corpus_score(hypotheses, [references]).score


def test_the_interval_of_a_mean_is_what_its_standard_error_says():
    values = [((n * 37) % 101) / 10 for n in range(400)]
    mean = sum(values) / 400
    error = math.sqrt(sum((value - mean) ** 2 for value in values) / 400) / 20
    interval = mean_interval(values)
    assert (interval.low, interval.high) == pytest.approx((mean - 1.96 * error, mean + 1.96 * error), abs=0.25 * error)
    assert mean_interval(values) == interval


def test_two_means_that_were_drawn_apart():
    first, second = [1.0, 2.0, 3.0] * 30, [5.0, 6.0] * 30
    interval = two_means_interval(first, second)
    assert interval.low < -3.5 < interval.high
    assert two_means_interval([2.0] * 5, [2.0] * 9) == two_means_interval([2.0], [2.0])
