"""Whom a model serves: group by group, and without accents; and how far it depends on chance in training."""

from __future__ import annotations

import math

import pytest

from training.evaluation.robustness import LEAST_OF_GROUP, by_group, without_marks
from training.evaluation.seeds import over_seeds, spread


def test_each_group_is_judged_by_its_own_sentences() -> None:
    groups = ["east"] * 12 + ["west"] * 10 + ["south"] * (LEAST_OF_GROUP - 1) + [""] * 10
    sizes = [10 + place % 5 for place in range(len(groups))]
    change = {"east": 0.5, "west": 1.5, "south": 1.5, "": 1.0}
    base = [size * math.log(2) * 3 for size in sizes]
    # In the last group as many sentences become easier as harder.
    wobble = [(-1) ** place * 0.2 if not group else 0.0 for place, group in enumerate(groups)]
    adapter = [nat * (change[group] + apart) for nat, group, apart in zip(base, groups, wobble, strict=True)]
    east, unnamed, west, south = by_group(groups, base, adapter, sizes)
    assert (east["name"], east["sentences"], east["says"]) == ("east", 12, "better")
    assert (east["base_bpb"], east["adapter_bpb"]) == (pytest.approx(3), pytest.approx(1.5))
    assert east["difference_ci95"] == [pytest.approx(-1.5), pytest.approx(-1.5)]
    assert (west["name"], west["says"]) == ("west", "worse")
    assert (south["name"], south["says"]) == ("south", "few")
    assert (unnamed["name"], unnamed["says"]) == ("", "unsure")


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("¿Adónde vas, señor?", "¿Adonde vas, senor?"),
        ("ñu̱ xä 'be̱hñä", "nu xa 'behna"),
        ("كَتَبَ", "كتب"),
        ("שָׁלוֹם", "שלום"),
        ("हिन्दी में", "हिन्दी में"),
        ("ที่นี่", "ที่นี่"),
        ("한국어 plain", "한국어 plain"),
    ],
)
def test_marks_that_keyboards_lack_are_left_out_and_letters_are_not(written: str, plain: str) -> None:
    assert without_marks(written) == plain


def test_the_spread_over_seeds_is_student_s() -> None:
    found = spread([3.0, 3.1, 3.2])
    # 4.303 is Student's t for two degrees of freedom, from a table.
    assert found == {
        "number": 3,
        "mean": pytest.approx(3.1),
        "deviation": pytest.approx(0.1),
        "low": pytest.approx(3.1 - 4.303 * 0.1 / math.sqrt(3), abs=1e-4),
        "high": pytest.approx(3.1 + 4.303 * 0.1 / math.sqrt(3), abs=1e-4),
    }


def test_a_seed_that_failed_is_told_and_not_counted() -> None:
    one, other = {"seed": 7, "bpb": 2.0, "score_name": "chrF++", "score": 20.0}, {"seed": 8, "failure": "No number."}
    assert over_seeds([one, other]) == {"measured": [one, other]}
    found = over_seeds([one, other, {**one, "seed": 9, "bpb": 3.0}])
    assert found["bpb"]["mean"] == 2.5
    assert found["score"] == {
        "name": "chrF++",
        "number": 2,
        **dict.fromkeys(("mean", "low", "high"), 20.0),
        "deviation": 0.0,
    }
    assert len(found["measured"]) == 3
