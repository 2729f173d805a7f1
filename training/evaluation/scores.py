"""Scores from plain numbers and texts: bits per byte, intervals, chrF++."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sacrebleu.metrics.chrf import CHRF

FloatArray = NDArray[np.float64]


def bits_per_byte(nats: Sequence[float], sizes: Sequence[int]) -> float:
    """Bits that a model needs for one byte of held-out text: sum of nats / ln 2 / UTF-8 bytes; lower is better.

    `nats` is the summed negative log-likelihood of each sentence including its end mark; `sizes` its bytes without
    one. Independent of the tokenizer, so base models can be compared.
    """
    if len(nats) != len(sizes) or sum(sizes) <= 0:
        raise ValueError("bits per byte needs one positive size for each sentence")
    return math.fsum(nats) / math.log(2) / sum(sizes)


def bits_per_byte_error(nats: Sequence[float], sizes: Sequence[int]) -> float:
    """Standard error of `bits_per_byte` over sentences, as of a ratio of two means (Cochran 1977, 2.11); 0 for one."""
    count, ratio = len(sizes), math.fsum(nats) / sum(sizes)
    if count < 2:
        return 0.0
    squares = math.fsum((nat - ratio * size) ** 2 for nat, size in zip(nats, sizes, strict=True))
    return math.sqrt(squares * count / (count - 1)) / math.log(2) / sum(sizes)


@dataclass(frozen=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


def difference_interval(
    first: Sequence[float], second: Sequence[float], sizes: Sequence[int], *, seed: int = 0, draws: int = 1000
) -> Interval:
    """Paired bootstrap over sentences of bits_per_byte(second) - bits_per_byte(first) (Koehn 2004)."""
    random_ = np.random.default_rng(seed)
    apart, weights = np.asarray(second) - np.asarray(first), np.asarray(sizes, dtype=np.float64)
    count = len(weights)
    # In pieces of some million drawn numbers, so that large test sets fit into the memory.
    at_once = max(1, 4_000_000 // count)
    found = []
    for start in range(0, draws, at_once):
        drawn = random_.integers(count, size=(min(at_once, draws - start), count))
        found.append(apart[drawn].sum(axis=1) / weights[drawn].sum(axis=1))
    return _middle(np.concatenate(found) / math.log(2))


def mean_interval(values: Sequence[float], *, seed: int = 0, draws: int = 1000) -> Interval:
    """Bootstrap interval of a mean (Efron 1979); of paired differences, it is the paired bootstrap."""
    return _middle(_drawn_means(np.asarray(values), np.random.default_rng(seed), draws))


def two_means_interval(
    first: Sequence[float], second: Sequence[float], *, seed: int = 0, draws: int = 1000
) -> Interval:
    """Bootstrap interval of mean(first) - mean(second), where the two were drawn apart from each other."""
    random_ = np.random.default_rng(seed)
    means = _drawn_means(np.asarray(first), random_, draws) - _drawn_means(np.asarray(second), random_, draws)
    return _middle(means)


def _drawn_means(values: FloatArray, random_: np.random.Generator, draws: int) -> FloatArray:
    return np.array([random_.choice(values, len(values)).mean() for _ in range(draws)])


def _middle(values: FloatArray) -> Interval:
    low, high = np.quantile(values, [0.025, 0.975])
    return Interval(float(low), float(high))


def chrf(hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """Corpus chrF++ (0 to 100, higher is better): character 6-grams and word bigrams (Popović 2017), sacrebleu."""
    return float(CHRF(word_order=2).corpus_score(list(hypotheses), [list(references)]).score)


def sentence_chrf(hypothesis: str, reference: str) -> float:
    """chrF++ of one sentence."""
    return float(CHRF(word_order=2).sentence_score(hypothesis, [reference]).score)


def share_in_order(high: Sequence[float], low: Sequence[float]) -> float:
    """How often a value of the first is above one of the second, ties half (Mann & Whitney 1947): the area under the
    curve that tells the two apart. Both must hold something."""
    ranks = np.searchsorted(np.sort(np.asarray(low)), np.asarray(high), side="left")
    ties = np.searchsorted(np.sort(np.asarray(low)), np.asarray(high), side="right")
    return float((ranks + ties).sum() / (2 * len(high) * len(low)))
