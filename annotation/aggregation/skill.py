"""How carefully somebody votes: a private estimate from gold answers and from what became of what they voted on.

Two shares are estimated apart: of right answers, how many the person approves; of wrong ones, how many they turn
down. The skill is the mean of the two, so that approving everything, rejecting everything and throwing a coin all
come to 0.5, however few answers are wrong. Each share has a Beta posterior (Gelman et al., Bayesian Data Analysis,
2.4) and their mean the Beta with the same mean and variance. Nobody but the person and the stewards sees it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# Before any evidence a person is taken to be right three times in four, as firmly as two gold answers would say.
PRIOR_AGREED, PRIOR_MISSED = 1.5, 0.5
# Others decide the outcome with the person, and may err: a vote that agrees with it says less than a gold answer.
OUTCOME_WEIGHT = 0.5
CONFIDENCE = 0.95
# Care opens a door, so nine chances in ten are enough; carelessness closes one, which takes the interval's certainty.
LINE = 0.75
SURELY_CAREFUL = 0.90
SURELY_CARELESS = 0.975

# One vote in twenty is on a gold answer. Up to ten come early, until the person has shown care.
GOLD_SHARE = 0.05
EARLY_GOLD = 10
EARLY_GOLD_SHARE = 0.25
# An answer that nobody careful has settled in a day is anybody's, and so are all where few have shown care so far.
PATIENCE_HOURS = 24
CAREFUL_PEOPLE = 5


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """One vote beside what the answer really was. An unsure vote is none."""

    approved: bool
    """The person approved; a rejection or a correction is not an approval."""
    is_right: bool
    """The gold answer is right, or the answer was validated in the end."""
    is_gold: bool
    age_days: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Weighted counts of judgements: right answers approved and refused, wrong ones caught and let through."""

    approved: float = 0.0
    refused: float = 0.0
    caught: float = 0.0
    let_through: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Skill:
    """The estimate as a Beta distribution, and how many gold answers the evidence for it is worth."""

    agreed: float
    missed: float
    evidence: float
    below_line: float
    """The probability that the skill is below the line between careful and careless."""

    @property
    def mean(self) -> float:
        """The posterior mean."""
        return self.agreed / (self.agreed + self.missed)

    @property
    def interval(self) -> tuple[float, float]:
        """The bounds between which the skill lies with 95 % probability."""
        tail = (1 - CONFIDENCE) / 2
        return beta_quantile(tail, self.agreed, self.missed), beta_quantile(1 - tail, self.agreed, self.missed)


def tally_judgements(judgements: Iterable[Judgement], *, half_life_days: float | None = None) -> Tally:
    """Add judgements up; with a half-life, one that old counts half, for people who learn or tire.

    Raises:
        ValueError: a half-life that is not positive, or a judgement from the future.
    """
    if half_life_days is not None and not half_life_days > 0:
        raise ValueError(f"A half-life must be longer than nothing, not {half_life_days} days.")
    sums = {(approved, is_right): 0.0 for approved in (True, False) for is_right in (True, False)}
    for judgement in judgements:
        if not judgement.age_days >= 0:
            raise ValueError(f"A judgement cannot be {judgement.age_days} days old.")
        weight = 1.0 if judgement.is_gold else OUTCOME_WEIGHT
        if half_life_days is not None:
            weight *= 0.5 ** (judgement.age_days / half_life_days)
        sums[judgement.approved, judgement.is_right] += weight
    return Tally(
        approved=sums[True, True], refused=sums[False, True], caught=sums[False, False], let_through=sums[True, False]
    )


def estimate_skill(tally: Tally) -> Skill:
    """Estimate a person's skill; without evidence it is the prior's."""
    right = PRIOR_AGREED + tally.approved, PRIOR_MISSED + tally.refused
    wrong = PRIOR_AGREED + tally.caught, PRIOR_MISSED + tally.let_through
    mean = (_mean(*right) + _mean(*wrong)) / 2
    variance = (_variance(*right) + _variance(*wrong)) / 4
    strength = mean * (1 - mean) / variance - 1
    first, second = mean * strength, (1 - mean) * strength
    return Skill(
        agreed=first,
        missed=second,
        below_line=beta_probability(LINE, first, second),
        evidence=tally.approved + tally.refused + tally.caught + tally.let_through,
    )


def is_careful(skill: Skill) -> bool:
    """Whether the person has shown care: their skill is above the line in all likelihood. A newcomer has not yet."""
    return skill.below_line <= 1 - SURELY_CAREFUL


def is_careless(skill: Skill) -> bool:
    """Whether the person has shown carelessness: their skill is below the line almost surely. A newcomer has not."""
    return skill.below_line >= SURELY_CARELESS


def hours_before_settling(*, has_shown_care: bool, careful_people: int) -> int:
    """How long an answer must have waited before the person may give more than the first vote on it.

    Whoever has not shown care yet gives first votes and others complete them: that costs no vote, and newcomers alone
    settle nothing. Where it could make answers wait for ever, it ends: after a day, or where few have shown care.
    """
    return 0 if has_shown_care or careful_people < CAREFUL_PEOPLE else PATIENCE_HOURS


def gold_chance(*, votes: int, gold: int, has_shown_care: bool) -> float:
    """The probability with which a person's next vote is on a gold answer, after so many votes and gold ones.

    Early gold is an advance on the share of one in twenty, so it is followed by none until the share is reached.
    """
    if gold < EARLY_GOLD and not has_shown_care:
        return EARLY_GOLD_SHARE
    return GOLD_SHARE if gold <= votes * GOLD_SHARE else 0.0


def _mean(first: float, second: float) -> float:
    return first / (first + second)


def _variance(first: float, second: float) -> float:
    total = first + second
    return first * second / (total * total * (total + 1))


def beta_quantile(share: float, first: float, second: float) -> float:
    """The x below which a Beta(first, second) variable lies with probability `share`, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(24):
        middle = (low + high) / 2
        if beta_probability(middle, first, second) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def beta_probability(x: float, first: float, second: float) -> float:
    """The probability that a Beta(first, second) variable is at most x (the regularised incomplete beta function)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    # The fraction converges fast on the near side of the mean; the far side is its mirror image.
    if x > (first + 1) / (first + second + 2):
        return 1 - beta_probability(1 - x, second, first)
    beta = math.lgamma(first) + math.lgamma(second) - math.lgamma(first + second)
    front = math.exp(first * math.log(x) + second * math.log1p(-x) - beta)
    return front / first / _fraction(x, first, second)


def _fraction(x: float, a: float, b: float) -> float:
    """The continued fraction 1 + d1 / (1 + d2 / (1 + ...)) of DLMF 8.17.22, from its far end."""
    value = 1.0
    for m in range(10 + 2 * math.isqrt(int(max(a, b))), 0, -1):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m - 1) * (a + b + m - 1) * x / ((a + 2 * m - 2) * (a + 2 * m - 1))
        value = 1 + odd / (1 + even / value)
    return value
