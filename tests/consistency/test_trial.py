"""Planting, finding and repairing: what the bench counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management.base import CommandError

from annotation.consistency.planting import Planted, plant
from annotation.consistency.rows import Cut, Mark, cut_all
from annotation.consistency.surfaces import find_surfaces
from annotation.consistency.trial import Spot, found_of, made_up, majority, repair
from tests.consistency.made import cuts
from wordhearth.benches.consistency import read_sets, run


def test_a_share_of_the_marks_and_nothing_else_is_made_wrong() -> None:
    rows = made_up(rows=200, seed=3)
    noisy, planted = plant(rows, share=0.05, seed=1)
    marks = sum(len(row.marks) for row in rows)

    assert len(planted) == round(0.05 * marks)
    assert {one.kind for one in planted} == {"type", "dropped", "shifted"}
    touched = {one.row for one in planted}
    assert all(
        (row == other) == (place not in touched) for place, (row, other) in enumerate(zip(rows, noisy, strict=True))
    )
    assert plant(rows, share=0.05, seed=1) == (noisy, planted)


def test_each_planted_fault_is_what_it_says() -> None:
    rows = made_up(rows=60, seed=4)
    noisy, planted = plant(rows, share=1.0, seed=2)

    for one in planted:
        before = next(mark for mark in rows[one.row].marks if mark.start < one.end and one.start < mark.end)
        after = [mark for mark in noisy[one.row].marks if mark.start < before.end and before.start < mark.end]
        if one.kind == "dropped":
            assert after == []
        elif one.kind == "type":
            assert (after[0][:2], after[0].label != before.label) == (before[:2], True)
        else:
            assert (after[0][:2] != before[:2], after[0].label) == (True, before.label)


def test_a_spot_finds_one_planted_fault_and_the_second_on_it_none() -> None:
    planted = [Planted(0, 0, 4, "type"), Planted(3, 5, 9, "dropped")]
    spots = [Spot(0, 3, 6), Spot(0, 0, 4), Spot(3, 9, 12), Spot(3, 0, 6)]

    assert found_of(spots, planted) == (0.02, 0.5)
    assert found_of([], []) == (0.0, 0.0)


def test_surface_majority_points_to_the_minority() -> None:
    cut = cuts("[LOC Luma]", "[LOC Luma]", "[PER Luma]", "Luma", "[PER Ana]")

    assert majority(cut, find_surfaces(cut)) == [Spot(2, 0, 4), Spot(3, 0, 4)]


def test_what_an_expert_has_seen_is_right_and_nothing_else_changes() -> None:
    right = [one.row for one in cuts("[LOC Luma]", "[LOC Mira]")]
    noisy = [one.row for one in cuts("[PER Luma]", "[PER Mira]")]

    assert repair(noisy, right, [1]) == [noisy[0], right[1]]


def test_both_formats_are_read_and_other_lines_passed_over(tmp_path: Path) -> None:
    lines = [
        {"tokens": ["in", "Luma", "Mira", "."], "spans": [[1, 3, "LOC"]]},
        {"text": "in Luma", "gold": [[3, 7, "LOC"]]},
        {"text": "in Luma", "gold": 0.5},
        {"something": "else"},
    ]
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "dev.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (name, rows), *more = read_sets(tmp_path)

    assert (name, more) == ("set/dev", [])
    assert [(row.text, row.marks) for row in rows] == [
        ("in Luma Mira .", (Mark(3, 12, "LOC"),)),
        ("in Luma", (Mark(3, 7, "LOC"),)),
    ]
    assert Cut(rows[0]).spans == [(1, 3, "LOC")]
    assert len(cut_all(rows)) == 2


def test_a_path_with_nothing_to_measure_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no"):
        run(data=[tmp_path / "nowhere"])
    with pytest.raises(CommandError, match="No file there"):
        run(data=[tmp_path])
