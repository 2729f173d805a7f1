"""Leans between groups: by hand, planted, and where there is none."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from training.evaluation.bias import FOUND_BELOW, PairRead, compare_groups, sign_flip_p


def simulated(drawn: np.random.Generator, *, pairs: int = 40, planted: float = 0.0) -> list[PairRead]:
    """Pairs of made-up sentences: a base model that leans a little, and an adapter that finds every sentence likelier,
    more or less, and those about the first group by `planted` nats per byte more than the others."""
    made = []
    for _ in range(pairs):
        size = int(drawn.integers(20, 80))
        sizes = (size, size + int(drawn.integers(-4, 5)))
        base = [one * drawn.normal(1.7, 0.2) for one in sizes]
        base[0] -= 0.03 * sizes[0]
        adapter = [nats - one * drawn.normal(0.5, 0.06) for nats, one in zip(base, sizes, strict=True)]
        adapter[0] -= planted * sizes[0]
        made.append(PairRead(("first", "second"), sizes, (base[0], base[1]), (adapter[0], adapter[1])))
    return made


def test_two_pairs_by_hand_whatever_the_order_of_their_groups() -> None:
    one = PairRead(("a", "b"), (10, 20), base=(10.0, 30.0), adapter=(8.0, 30.0))
    other = PairRead(("b", "a"), (10, 10), base=(12.0, 13.0), adapter=(12.0, 12.0))

    (found,) = compare_groups([one, other])

    assert (found["first"], found["second"], found["pairs"]) == ("a", "b", 2)
    # Leans to a: 1.5 - 1 and 1.2 - 1.3 before; 1.5 - 0.8 and 1.2 - 1.2 after.
    assert found["base"]["value"] == pytest.approx(0.2)
    assert found["adapter"]["value"] == pytest.approx(0.35)
    assert found["change"]["value"] == pytest.approx(0.15)
    assert found["base_share"]["value"] == 0.5
    assert found["adapter_share"]["value"] == 0.75
    assert found["change"]["low"] <= 0.15 <= found["change"]["high"]


def test_each_two_groups_are_compared_apart() -> None:
    pairs = [PairRead((one, other), (10, 10), (1.0, 1.0), (1.0, 2.0)) for one, other in ("ab", "ac", "ab")]

    found = compare_groups(pairs)

    assert [(one["first"], one["second"], one["pairs"]) for one in found] == [("a", "b", 2), ("a", "c", 1)]
    assert compare_groups([]) == []


def test_p_is_that_of_all_sign_flips() -> None:
    values = [0.3, 0.1, -0.05, 0.2, 0.4, 0.15, 0.02, -0.1]
    sums = [
        abs(sum(sign * one for sign, one in zip(signs, values, strict=True))) for signs in product((1, -1), repeat=8)
    ]
    exact = np.mean([one >= abs(sum(values)) - 1e-12 for one in sums])

    assert sign_flip_p(values) == pytest.approx(exact, abs=0.01)


def test_an_adapter_that_changes_nothing_has_no_change_and_no_evidence() -> None:
    same = [PairRead(one.groups, one.sizes, one.base, one.base) for one in simulated(np.random.default_rng(0))]

    (found,) = compare_groups(same)

    assert found["change"] == {"value": 0.0, "low": 0.0, "high": 0.0, "p": 1.0}
    assert found["base"] == found["adapter"]


def test_a_planted_bias_is_found_with_its_size_and_direction() -> None:
    drawn = np.random.default_rng(1)
    for planted in (0.08, -0.08):
        found = [compare_groups(simulated(drawn, planted=planted))[0]["change"] for _ in range(10)]

        assert all(one["p"] < FOUND_BELOW for one in found)
        assert np.mean([one["value"] for one in found]) == pytest.approx(planted, abs=0.01)
        assert all((one["low"] > 0) == (planted > 0) and (one["high"] < 0) == (planted < 0) for one in found)


def test_where_nothing_is_planted_hardly_anything_is_found() -> None:
    drawn = np.random.default_rng(2)
    chances = [
        sign_flip_p([pair.lean(pair.adapter) - pair.lean(pair.base) for pair in simulated(drawn)]) for _ in range(600)
    ]

    alarms = sum(one < FOUND_BELOW for one in chances[:200])
    assert alarms <= 10, f"{alarms} of 200"
    # And p means what it says: below 0.05 in about one of twenty.
    assert 0.03 <= np.mean([one < 0.05 for one in chances]) <= 0.07
