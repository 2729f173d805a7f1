"""Which words of a request an answer hangs on: words are left out by chance, and a straight-line model learns what that
does to how likely the answer is (LIME, Ribeiro, Singh and Guestrin 2016). Knows no model: it is given a function.

A weight says how much likelier, in nats a token, the answer is with the word than without it, on the average over what
else was left out. It says nothing about why, nor about whose words taught it, nor whether the answer is right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from annotation.text.segments import find_words, is_blank, pieces

SAMPLES = 200
# Of more words, so few samples say too little of each, and reading them takes too long.
MOST_WORDS = 30
# LIME's own: distances are cosines in percent, the kernel is 25 of them wide, and the ridge's penalty is 1.
WIDTH, PENALTY = 0.25, 1.0
# Two halves of the samples whose weights agree less than this in their order are not to be relied on.
STABLE = 0.7

Masks = NDArray[Any]
Floats = NDArray[Any]
# From which words are there, (samples, words), to how likely the answer is then, in nats a token.
Score = Callable[[Masks], Sequence[float]]


@dataclass(frozen=True)
class Explanation:
    """The weight of each word, and how far the weights can be trusted."""

    weights: list[float]
    r2: float
    """How much of what leaving words out changed the straight line accounts for, weighted as LIME weighs; 0 to 1."""
    agreement: float
    """Spearman's correlation of the weights that each half of the samples gives by itself; 1 if all there are, were
    tried."""
    samples: int

    @property
    def is_stable(self) -> bool:
        """Whether another round of chance would give much the same order."""
        return self.agreement >= STABLE


def units_of(text: str) -> list[str]:
    """The text cut before each of its words, so that marks and blanks go with the word before them; joined, they are
    the text. Where no script with words is found, its letters' clusters are the units."""
    starts = [word.start for word in find_words(text)]
    if not starts:
        starts = [piece.start for piece in pieces(text) if not is_blank(piece.text)]
    if not starts:
        return [text] if text else []
    edges = [0, *starts[1:], len(text)]
    return [text[begin:end] for begin, end in pairwise(edges)]


def text_of(units: Sequence[str], mask: Sequence[bool]) -> str:
    """The text with the words that are there."""
    return "".join(unit for unit, is_there in zip(units, mask, strict=True) if is_there).strip()


def masks_of(words: int, samples: int, seed: int) -> Masks:
    """The whole text, and then `samples` - 1 different ones that each lack some words: how many is drawn evenly, then
    which. All there are, where these are no more."""
    if 2**words <= samples:
        every = np.arange(2**words)[::-1]
        return np.asarray((every[:, None] >> np.arange(words)) % 2 == 1)
    random_ = np.random.default_rng(seed)
    found = {(True,) * words: None}
    while len(found) < samples:
        mask = np.ones(words, dtype=bool)
        mask[random_.choice(words, random_.integers(1, words + 1), replace=False)] = False
        found[tuple(mask.tolist())] = None
    return np.array(list(found))


def fit(masks: Masks, scores: Sequence[float] | Floats) -> tuple[Floats, float]:
    """The weights of a ridge regression on which words are there, near texts weighing most; and its weighted R²."""
    kept = masks.mean(axis=1)
    near = np.exp(-(((1 - np.sqrt(kept)) / WIDTH) ** 2) / 2)
    there, said = masks.astype(np.float64), np.asarray(scores, dtype=np.float64)
    share = near / near.sum()
    there_apart, said_apart = there - share @ there, said - share @ said
    square = there_apart.T @ (near[:, None] * there_apart) + PENALTY * np.eye(masks.shape[1])
    weights = np.linalg.solve(square, there_apart.T @ (near * said_apart))
    left, all_ = near @ (said_apart - there_apart @ weights) ** 2, near @ said_apart**2
    return weights, float(max(0.0, 1 - left / all_)) if all_ > 0 else 0.0


def explain(score: Score, words: int, *, samples: int = SAMPLES, seed: int = 0) -> Explanation:
    """Weights from `samples` texts, drawn in two halves by themselves, so that it shows how far chance decides."""
    if 2**words <= samples:
        masks = masks_of(words, samples, seed)
        weights, r2 = fit(masks, score(masks))
        return Explanation(weights.tolist(), r2, 1.0, len(masks))
    halves = [masks_of(words, samples // 2, 2 * seed + half) for half in range(2)]
    masks = np.concatenate(halves)
    scores = np.asarray(score(masks))
    weights, r2 = fit(masks, scores)
    size = len(halves[0])
    one, other = (fit(half, part)[0] for half, part in zip(halves, (scores[:size], scores[size:]), strict=True))
    return Explanation(weights.tolist(), r2, rank_correlation(one, other), len(masks))


def rank_correlation(one: Sequence[float] | Floats, other: Sequence[float] | Floats) -> float:
    """Spearman's; 0 where one of the two has no order."""
    if len(set(one)) < 2 or len(set(other)) < 2:
        return 0.0
    return float(spearmanr(one, other).statistic)


def masks_of_deletion(order: Sequence[int]) -> Masks:
    """The whole text, then one word fewer each time, in this order, to none."""
    masks = np.ones((len(order) + 1, len(order)), dtype=bool)
    for step, word in enumerate(order, start=1):
        masks[step:, word] = False
    return masks


def lost(scores: Sequence[float]) -> float:
    """The mean of what the answer lost in likelihood over the steps of a deletion: the area over its curve (after
    Petsiuk, Das and Saenko 2018). The sooner what matters goes, the larger it is."""
    said = np.asarray(scores)
    return float((said[0] - said[1:]).mean())
