"""What people preferred where they compared texts of several models blindly: shares, strengths, agreement, and whether
they just took what stood first.

Votes of one person resemble each other, and so do votes on one sentence. So each interval is the widest of three: a
percentile bootstrap over people, one over sentences (Efron 1979), and the one that would hold if every vote were drawn
by itself (Wilson 1927 for shares, the curvature of the likelihood for strengths), which keeps a handful of unanimous
votes from looking certain.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from typing import NamedTuple

import numpy as np

from annotation.aggregation.agreement import Agreement, krippendorff_alpha
from annotation.aggregation.pairs import PRIOR, Choices, Z, bradley_terry
from annotation.aggregation.votes import Floats, Index, Ints

DRAWS = 1000
SEED = 1952
STEPS = 30


@dataclass(frozen=True, kw_only=True)
class Preference:
    """One person's choice between the texts that two models wrote to one sentence."""

    person: Hashable
    sentence: Hashable
    left: Hashable
    right: Hashable
    won: Hashable | None
    """`left`, `right`, or None where neither was better."""
    is_bad: bool = False
    """Whether neither was better because both are bad."""
    left_was_first: bool | None = None
    """Whether the left one's text stood first on the page; None where nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """How often the one was chosen, of the times that either was; 95 % interval."""

    won: int
    of: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Strength:
    """A model's Bradley–Terry score, the log-odds of being preferred to an average one of these; 95 % interval."""

    model: Hashable
    score: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """What all choices come to."""

    votes: int
    people: int
    sentences: int
    same: int
    """Votes that found both alike."""
    bad: int
    """Votes that found both bad."""
    strengths: Sequence[Strength]
    """The strongest first."""
    duels: Mapping[tuple[Hashable, Hashable], Share]
    """How often the first of two models was preferred to the second, in both directions; only where somebody chose."""
    agreed: float | None
    """Of all two votes on the same two texts, how many say the same; None where there are none."""
    alpha: Agreement
    """The same beyond chance (Krippendorff)."""
    first_shown: Share | None
    """How often the text that stood first was chosen: half, if order means nothing."""


class _Drawn(NamedTuple):
    """Groups drawn with replacement: the group of each vote, and how often each group is there in each draw."""

    of: Ints
    times: Floats

    def sums(self, values: Floats) -> Floats:
        """What comes together in each draw, of values that each vote has."""
        by_group = np.zeros((self.times.shape[1], *values.shape[1:]))
        np.add.at(by_group, self.of, values)
        return np.asarray(np.tensordot(self.times, by_group, axes=1))


def summarise(given: Sequence[Preference], *, draws: int = DRAWS) -> Preferences:
    """Count the choices. The same choices give the same intervals."""
    models, people, sentences = Index(), Index(), Index()
    places = [(models[one.left], models[one.right]) for one in given]
    of_person = np.array([people[one.person] for one in given], dtype=np.int64)
    of_sentence = np.array([sentences[one.sentence] for one in given], dtype=np.int64)
    names = list(models.names)
    # wins[v, i, j]: what i won against j in vote v; halves where neither was better.
    wins = np.zeros((len(given), len(names), len(names)))
    for vote, (one, (left, right)) in enumerate(zip(given, places, strict=True)):
        half = 0.5 if one.won is None else float(one.won == one.left)
        wins[vote, left, right], wins[vote, right, left] = half, 1 - half
    decided = np.array([one.won is not None for one in given], dtype=bool)
    random_ = np.random.default_rng(SEED)
    drawn = [_draw(of, random_, draws) for of in (of_person, of_sentence)] if given else []
    return Preferences(
        votes=len(given),
        people=len(people.names),
        sentences=len(sentences.names),
        same=sum(one.won is None and not one.is_bad for one in given),
        bad=sum(one.is_bad for one in given),
        strengths=_strengths(given, names, wins, drawn),
        duels=_duels(names, wins, decided, drawn),
        agreed=_agreed(given),
        alpha=krippendorff_alpha(_by_pair(given)),
        first_shown=_first_shown(given, drawn),
    )


def strengths_of(wins: Floats, *, prior: float = PRIOR) -> tuple[Floats, Floats]:
    """Bradley–Terry scores for many tables of wins at once, (tables, models, models) to (tables, models), and their
    standard errors: the greatest likelihood with the prior of `pairs.bradley_terry`, by Newton's steps."""
    size = wins.shape[-1]
    score = np.zeros(wins.shape[:-1])
    met = wins + wins.transpose(0, 2, 1)
    eye, centre = np.eye(size), np.eye(size) - 1 / size
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(score[:, None, :] - score[:, :, None]))
        alone = 1 / (1 + np.exp(-score))
        slope = (wins - met * chance).sum(axis=2) + prior * (1 - 2 * alone)
        bend = met * chance * (1 - chance)
        own = bend.sum(axis=2) + 2 * prior * alone * (1 - alone)
        known = own[:, :, None] * eye - bend
        step = np.linalg.solve(known, slope[:, :, None])[:, :, 0]
        score = score + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    spread = centre @ np.linalg.inv(known) @ centre
    return score - score.mean(axis=1, keepdims=True), np.sqrt(np.diagonal(spread, axis1=1, axis2=2))


def _draw(groups: Ints, random_: np.random.Generator, draws: int) -> _Drawn:
    number = int(groups.max()) + 1
    return _Drawn(groups, random_.multinomial(number, np.full(number, 1 / number), size=draws).astype(np.float64))


def _strengths(
    given: Sequence[Preference], names: Sequence[Hashable], wins: Floats, drawn: Sequence[_Drawn]
) -> list[Strength]:
    if not given:
        return []
    ranking = bradley_terry(Choices.of((one.person, one.left, one.right, one.won) for one in given))
    scores = dict(zip(ranking.items, ranking.score.tolist(), strict=True))
    errors = strengths_of(wins.sum(axis=0)[None])[1][0]
    found = [strengths_of(draw.sums(wins))[0] for draw in drawn]
    made = []
    for number, name in enumerate(names):
        score, reach = scores[name], Z * float(errors[number])
        low, high = _widest([one[:, number] for one in found], (score - reach, score + reach))
        made.append(Strength(model=name, score=score, low=low, high=high))
    return sorted(made, key=lambda one: -one.score)


def _duels(
    names: Sequence[Hashable], wins: Floats, decided: Ints, drawn: Sequence[_Drawn]
) -> dict[tuple[Hashable, Hashable], Share]:
    found = {}
    for left, right in combinations(range(len(names)), 2):
        for one, other in ((left, right), (right, left)):
            won = np.where(decided, wins[:, one, other], 0.0)
            of = won + np.where(decided, wins[:, other, one], 0.0)
            if share := _share(won, of, drawn):
                found[names[one], names[other]] = share
    return found


def _first_shown(given: Sequence[Preference], drawn: Sequence[_Drawn]) -> Share | None:
    known = np.array([one.won is not None and one.left_was_first is not None for one in given], dtype=np.float64)
    won = np.array([(one.won == one.left) == one.left_was_first for one in given], dtype=np.float64)
    return _share(known * won, known, drawn)


def _share(won: Floats, of: Floats, drawn: Sequence[_Drawn]) -> Share | None:
    """Sums of what was won, of how many; each a vote's part."""
    all_won, number = float(won.sum()), float(of.sum())
    if not number:
        return None
    shares = []
    for draw in drawn:
        there = draw.sums(of)
        shares.append(draw.sums(won)[there > 0] / there[there > 0])
    share = all_won / number
    middle = (share + Z**2 / (2 * number)) / (1 + Z**2 / number)
    half = Z / (1 + Z**2 / number) * sqrt(share * (1 - share) / number + Z**2 / (4 * number**2))
    low, high = _widest(shares, (middle - half, middle + half))
    return Share(won=round(all_won), of=round(number), share=share, low=low, high=high)


def _widest(drawn: Sequence[Floats], alone: tuple[float, float]) -> tuple[float, float]:
    ends = [tuple(np.quantile(values, [0.025, 0.975])) for values in drawn]
    return float(min(alone[0], *(low for low, _ in ends))), float(max(alone[1], *(high for _, high in ends)))


def _by_pair(given: Sequence[Preference]) -> list[list[Hashable]]:
    """What was said of each two texts."""
    said: dict[Hashable, list[Hashable]] = {}
    for one in given:
        models = frozenset((one.left, one.right))
        said.setdefault((one.sentence, models), []).append("bad" if one.is_bad else str(one.won))
    return list(said.values())


def _agreed(given: Sequence[Preference]) -> float | None:
    pairs = [one == other for votes in _by_pair(given) for one, other in combinations(votes, 2)]
    return sum(pairs) / len(pairs) if pairs else None
