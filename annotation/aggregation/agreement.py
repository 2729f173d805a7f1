"""How far people agree: Cohen, Fleiss, Krippendorff, and for spans exact, partial and gamma-like agreement.

Every coefficient is a function of sums over items. So each is computed from what every item contributes, and its
interval from the same contributions, items drawn again with replacement (percentile bootstrap, Efron 1979). Where a
coefficient is undefined it says why in words.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array

from annotation.aggregation.spans import Span, SpanTask
from annotation.aggregation.votes import Floats

DRAWS = 1000
SEED = 20_121
TAIL = 2.5
LEVELS = ("nominal", "ordinal", "interval")
NO_PAIRS = "Nobody voted on an item that somebody else voted on, too."
ONE_LABEL = "Everybody said the same everywhere, so chance would agree as well."
UNEQUAL = "Fleiss' kappa needs the same number of votes on every item; Krippendorff's alpha does not."
NO_SPANS = "Nobody marked anything."
NOT_NUMBERS = "The labels are no numbers, so they have no distances."

# A coefficient from sums, shape (draws, parts), to values, shape (draws,); not a number where it is undefined.
Coefficient = Callable[[Floats], Floats]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """A coefficient with its 95 % bootstrap interval, or the reason why there is none."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    items: int = 0
    """Items that say something: those with two votes at least."""
    undefined: str = ""


def cohen_kappa(
    first: Sequence[Hashable | None], second: Sequence[Hashable | None], *, draws: int = DRAWS
) -> Agreement:
    """Agreement of two people beyond what their own habits would give (Cohen 1960); None is a missing label."""
    both = [(one, two) for one, two in zip(first, second, strict=True) if one is not None and two is not None]
    if not both:
        return Agreement(name="cohen_kappa", value=None, undefined=NO_PAIRS)
    place = {label: number for number, label in enumerate(_sorted({label for pair in both for label in pair}))}
    size = len(place)
    cells = np.array([place[one] * size + place[two] for one, two in both])
    table = csr_array((np.ones(len(both)), (np.arange(len(both)), cells)), shape=(len(both), size * size))

    def kappa(sums: Floats) -> Floats:
        shares = sums.reshape(-1, size, size)
        shares = shares / shares.sum(axis=(1, 2), keepdims=True)
        observed = np.trace(shares, axis1=1, axis2=2)
        by_chance = np.einsum("di,di->d", shares.sum(axis=2), shares.sum(axis=1))
        return _beyond(observed, by_chance)

    return _estimate("cohen_kappa", table, kappa, undefined=ONE_LABEL, draws=draws)


def fleiss_kappa(items: Iterable[Sequence[Hashable]], *, draws: int = DRAWS) -> Agreement:
    """Agreement of any people beyond the labels' frequencies (Fleiss 1971); each item holds equally many labels."""
    rows = [list(item) for item in items]
    if not rows or max(len(row) for row in rows) < 2:
        return Agreement(name="fleiss_kappa", value=None, undefined=NO_PAIRS)
    if len({len(row) for row in rows}) > 1:
        return Agreement(name="fleiss_kappa", value=None, undefined=UNEQUAL)
    votes = len(rows[0])
    counts = _counted(rows)
    agreeing = ((counts**2).sum(axis=1) - votes) / (votes * (votes - 1))
    parts = csr_array(np.column_stack([np.ones(len(rows)), agreeing, counts / votes]))

    def kappa(sums: Floats) -> Floats:
        means = sums[:, 1:] / sums[:, :1]
        return _beyond(means[:, 0], (means[:, 1:] ** 2).sum(axis=1))

    return _estimate("fleiss_kappa", parts, kappa, undefined=ONE_LABEL, draws=draws)


def krippendorff_alpha(items: Iterable[Sequence[Hashable]], *, level: str = "nominal", draws: int = DRAWS) -> Agreement:
    """One minus observed over expected disagreement (Krippendorff 2011); each item holds the labels it got.

    Items may hold different numbers of labels; those with fewer than two say nothing. `level` is nominal, ordinal
    (labels in sorted order) or interval (labels are numbers). Raises ValueError for another level.
    """
    if level not in LEVELS:
        raise ValueError(f"The level is one of {', '.join(LEVELS)}, not {level!r}.")
    name = f"krippendorff_alpha_{level}"
    rows = [list(item) for item in items]
    rows = [row for row in rows if len(row) > 1]
    if not rows:
        return Agreement(name=name, value=None, undefined=NO_PAIRS)
    labels = _sorted({label for row in rows for label in row})
    if level == "interval":
        try:
            values = np.array([float(label) for label in labels])
        except (TypeError, ValueError):
            return Agreement(name=name, value=None, undefined=NOT_NUMBERS)
    counts = _counted(rows)
    size = counts.shape[1]
    given = counts.sum(axis=1)
    # Coincidences: every ordered pair of votes on one item, worth one over the number of votes less one.
    pairs = counts[:, :, None] * counts[:, None, :]
    pairs[:, np.arange(size), np.arange(size)] -= counts
    table = csr_array((pairs / (given - 1)[:, None, None]).reshape(len(rows), -1))

    def alpha(sums: Floats) -> Floats:
        coincidences = sums.reshape(-1, size, size)
        frequency = coincidences.sum(axis=2)
        if level == "nominal":
            distance: Floats = (1 - np.eye(size))[None]
        elif level == "interval":
            distance = ((values[:, None] - values[None]) ** 2)[None]
        else:
            upto = np.cumsum(frequency, axis=1)
            # Votes from one label to another, half of the two themselves.
            between = np.abs((upto - frequency / 2)[:, :, None] - (upto - frequency / 2)[:, None, :])
            distance = between**2
        observed = (coincidences * distance).sum(axis=(1, 2))
        expected = (frequency[:, :, None] * frequency[:, None, :] * distance).sum(axis=(1, 2))
        total = frequency.sum(axis=1)
        ratio = np.divide((total - 1) * observed, expected, out=np.full_like(observed, np.nan), where=expected > 0)
        return 1 - ratio

    return _estimate(name, table, alpha, undefined=ONE_LABEL, draws=draws)


def span_f1(tasks: Iterable[SpanTask], *, partial: bool = False, draws: int = DRAWS) -> Agreement:
    """Mean pairwise F1 of people's spans: either one's as the answer to the other's.

    Exact: a span counts when both bounds and the label are equal. Partial: it counts by how much of it the other's
    best span of the same label covers (intersection over union).
    """
    name = "span_f1_partial" if partial else "span_f1"
    rows, said = [], False
    for task in tasks:
        matched = total = 0.0
        for one, two in combinations([list(dict.fromkeys(spans)) for spans in task.by.values()], 2):
            total += len(one) + len(two)
            matched += 2 * _matched(one, two, partial=partial)
        said = said or len(task.by) > 1
        if total:
            rows.append((matched, total))
    if not rows:
        return Agreement(name=name, value=None, undefined=NO_SPANS if said else NO_PAIRS)

    def share(sums: Floats) -> Floats:
        return np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0)

    return _estimate(name, csr_array(np.array(rows)), share, undefined=NO_SPANS, draws=draws)


def span_gamma(tasks: Iterable[SpanTask], *, draws: int = DRAWS, samples: int = 30) -> Agreement:
    """One minus observed over expected disorder of people's spans (γ, Mathet et al. 2015), pair by pair.

    Disorder is the least cost of aligning two people's spans: differing bounds (squared, relative to the spans'
    lengths), another label, or no counterpart at all. What chance would give comes from placing everybody's spans at
    random in the same texts. Means over pairs of people stand for the alignment of all at once; so it is γ itself for
    two people and a close relative for more.
    """
    rows, said = [], False
    chance = np.random.default_rng(SEED)
    for task in tasks:
        people = [list(dict.fromkeys(spans)) for spans in task.by.values()]
        said = said or len(people) > 1
        units = sum(len(spans) for spans in people) / max(len(people), 1)
        pairs = list(combinations(people, 2))
        if not pairs or not units:
            continue
        observed = float(np.mean([_disorder(one, two) for one, two in pairs]))
        expected = float(
            np.mean(
                [
                    _disorder(_placed(one, len(task.text), chance), _placed(two, len(task.text), chance))
                    for one, two in pairs
                    for _ in range(max(samples // len(pairs), 1))
                ]
            )
        )
        rows.append((observed, expected))
    if not rows:
        return Agreement(name="span_gamma", value=None, undefined=NO_SPANS if said else NO_PAIRS)

    def gamma(sums: Floats) -> Floats:
        ratio = np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0)
        return 1 - ratio

    return _estimate("span_gamma", csr_array(np.array(rows)), gamma, undefined=ONE_LABEL, draws=draws)


def by_pair(
    rows: Iterable[tuple[Hashable, Hashable, Hashable]], *, draws: int = DRAWS
) -> dict[tuple[Any, Any], Agreement]:
    """Cohen's kappa of every two people who voted on the same tasks; rows are (task, worker, label)."""
    said: dict[Hashable, dict[Hashable, Hashable]] = {}
    for task, worker, label in rows:
        said.setdefault(worker, {})[task] = label
    found = {}
    for one, two in combinations(_sorted(said), 2):
        common = sorted(said[one].keys() & said[two].keys(), key=str)
        if common:
            first, second = [said[one][task] for task in common], [said[two][task] for task in common]
            found[one, two] = cohen_kappa(first, second, draws=draws)
    return found


def _estimate(
    name: str, contributions: csr_array, coefficient: Coefficient, *, undefined: str, draws: int
) -> Agreement:
    """The coefficient of all items, and its interval from items drawn again."""
    items = contributions.shape[0]
    whole = np.asarray(contributions.sum(axis=0)).reshape(1, -1)
    value = float(coefficient(whole)[0])
    if not np.isfinite(value):
        return Agreement(name=name, value=None, items=items, undefined=undefined)
    if items < 2 or not draws:
        return Agreement(name=name, value=value, items=items)
    chance = np.random.default_rng(SEED)
    even = np.full(items, 1 / items)
    values = []
    step = max(1, 4_000_000 // items)
    for begin in range(0, draws, step):
        drawn = chance.multinomial(items, even, size=min(step, draws - begin)).astype(np.float64)
        values.append(coefficient(drawn @ contributions))
    low, high = np.nanpercentile(np.concatenate(values), [TAIL, 100 - TAIL])
    return Agreement(name=name, value=value, low=float(low), high=float(high), items=items)


def _beyond(observed: Floats, by_chance: Floats) -> Floats:
    """Agreement beyond chance as a share of what there is beyond it; not a number where there is nothing."""
    room = 1 - by_chance
    return np.divide(observed - by_chance, room, out=np.full_like(observed, np.nan), where=room > 1e-12)


def _sorted(labels: Iterable[Any]) -> list[Any]:
    return sorted(labels, key=lambda label: (str(type(label)), label))


def _counted(rows: list[list[Hashable]]) -> Floats:
    """Labels counted by item, shape (items, labels), labels in sorted order."""
    place = {label: number for number, label in enumerate(_sorted({label for row in rows for label in row}))}
    counts = np.zeros((len(rows), len(place)))
    for number, row in enumerate(rows):
        for label in row:
            counts[number, place[label]] += 1
    return counts


def _matched(one: list[Span], two: list[Span], *, partial: bool) -> float:
    if not partial:
        return float(len(set(one) & set(two)))
    if not one or not two:
        return 0.0
    covered = np.array([[_covered(a, b) for b in two] for a in one])
    rows, columns = linear_sum_assignment(covered, maximize=True)
    return float(covered[rows, columns].sum())


def _covered(one: Span, two: Span) -> float:
    if one[2] != two[2]:
        return 0.0
    common = min(one[1], two[1]) - max(one[0], two[0])
    return max(common, 0) / (max(one[1], two[1]) - min(one[0], two[0]))


def _disorder(one: Sequence[Span], two: Sequence[Span]) -> float:
    """The least mean cost of aligning two people's spans (Mathet et al. 2015, with α = β = Δ∅ = 1)."""
    size = len(one) + len(two)
    if not size:
        return 0.0
    cost: NDArray[np.float64] = np.ones((size, size))
    for row, (start, end, label) in enumerate(one):
        for column, (other_start, other_end, other_label) in enumerate(two):
            apart = (abs(start - other_start) + abs(end - other_end)) / (end - start + other_end - other_start)
            cost[row, column] = apart**2 + (label != other_label)
    cost[len(one) :, len(two) :] = 0.0
    rows, columns = linear_sum_assignment(cost)
    return float(cost[rows, columns].sum()) / (size / 2)


def _placed(spans: Sequence[Span], length: int, chance: np.random.Generator) -> list[Span]:
    """The same spans somewhere else in a text of that length."""
    placed = []
    for start, end, label in spans:
        begin = int(chance.integers(0, max(length - (end - start), 0) + 1))
        placed.append((begin, begin + end - start, label))
    return placed
