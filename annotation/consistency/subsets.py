"""Which annotator, document or batch is labelled unlike the rest: a subset that predicts the rest worse than chance.

For a subset A the pairs of places of one surface, one place in A and one outside, are counted that say the same. Chance
subsets hold as many rows, drawn at random; the p-value is the share of them that agree with the rest no better (Phipson
and Smyth 2010: never zero). All subsets of a kind are tested, so p-values are adjusted (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from annotation.consistency.rows import Row
from annotation.consistency.surfaces import Surface

DRAWS = 999
_AT_ONCE = 50
_SEED = 20260301


@dataclass(frozen=True, kw_only=True)
class Subset:
    """How well one subset predicts the rest."""

    kind: str
    name: str
    rows: int
    pairs: int
    """Pairs of places of one surface, inside and outside, on which it was compared."""
    agreement: float
    """The share of these pairs that say the same."""
    by_chance: float
    """The mean of that over chance subsets of as many rows."""
    p_value: float
    adjusted: float
    """The p-value, adjusted for how many subsets were tested."""


def find_odd_subsets(
    rows: Sequence[Row], surfaces: Sequence[Surface], kind: str, *, draws: int = DRAWS
) -> list[Subset]:
    """All subsets of a kind that can be compared with the rest, the oddest first.

    Rows that do not say to which subset they belong are part of every rest. Fewer than two subsets are nothing to
    compare.
    """
    names = sorted({row.of[kind] for row in rows if row.of.get(kind)})
    if len(names) < 2:
        return []
    table, belongs = _counts(len(rows), surfaces)
    chance = np.random.default_rng(_SEED)
    found = []
    for name in names:
        inside = np.array([row.of.get(kind) == name for row in rows])
        many = int(inside.sum())
        agreement, pairs = _agreement(inside[None, :].astype(float), table, belongs)
        if not pairs[0]:
            continue
        others = _chance_subsets(len(rows), many, draws, chance, table, belongs)
        worse = int(np.count_nonzero(others <= agreement[0] + 1e-12))
        found.append(
            (name, many, int(pairs[0]), float(agreement[0]), float(others.mean()), (1 + worse) / (1 + len(others)))
        )
    adjusted = adjust([row[-1] for row in found])
    subsets = [
        Subset(kind=kind, name=n, rows=r, pairs=c, agreement=a, by_chance=b, p_value=p, adjusted=q)
        for (n, r, c, a, b, p), q in zip(found, adjusted, strict=True)
    ]
    return sorted(subsets, key=lambda one: (one.p_value, one.agreement, one.name))


def _chance_subsets(
    rows: int, many: int, draws: int, chance: np.random.Generator, table: csr_array, belongs: csr_array
) -> NDArray[np.float64]:
    """The agreement of chance subsets with their rests, a few at a time so that little memory is used."""
    agreements = []
    for begun in range(0, draws, _AT_ONCE):
        drawn = np.zeros((min(_AT_ONCE, draws - begun), rows))
        for line in drawn:
            line[chance.choice(rows, many, replace=False)] = 1.0
        agreement, pairs = _agreement(drawn, table, belongs)
        agreements.append(agreement[pairs > 0])
    return np.concatenate(agreements)


def adjust(p_values: Sequence[float]) -> list[float]:
    """P-values for a false discovery rate: Benjamini and Hochberg's, in the order given."""
    order = sorted(range(len(p_values)), key=lambda place: -p_values[place])
    adjusted, lowest = [1.0] * len(p_values), 1.0
    for left, place in enumerate(order):
        lowest = min(lowest, p_values[place] * len(p_values) / (len(p_values) - left))
        adjusted[place] = lowest
    return adjusted


def _counts(rows: int, surfaces: Sequence[Surface]) -> tuple[csr_array, csr_array]:
    """How often each row says what of which surface; and which of these columns are of one surface."""
    lines: list[int] = []
    columns: list[int] = []
    owners: list[int] = []
    number: dict[tuple[int, str], int] = {}
    for which, surface in enumerate(surfaces):
        for place in surface.places:
            column = number.setdefault((which, place.says), len(number))
            if column == len(owners):
                owners.append(which)
            lines.append(place.row)
            columns.append(column)
    table = csr_array((np.ones(len(lines)), (lines, columns)), shape=(rows, len(number)))
    belongs = csr_array((np.ones(len(owners)), (range(len(owners)), owners)), shape=(len(owners), len(surfaces)))
    return table, belongs


def _agreement(
    chosen: NDArray[np.float64], table: csr_array, belongs: csr_array
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """For each choice of rows: the share of pairs across its border that say the same, and how many pairs there are."""
    inside = chosen @ table
    outside = np.asarray(table.sum(axis=0))[None, :] - inside
    same = (inside * outside).sum(axis=1)
    pairs = ((inside @ belongs) * (outside @ belongs)).sum(axis=1)
    return np.divide(same, pairs, out=np.zeros_like(same), where=pairs > 0), pairs
