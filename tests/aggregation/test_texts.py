"""One text of several."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.aggregation.texts import METHODS, choose_by_likeness, choose_by_votes

every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


def test_most_votes_win() -> None:
    result = choose_by_votes([("x", "a", "one text"), ("x", "b", "one text"), ("x", "c", "quite another thing")])

    assert list(result.text) == ["one text"]


def test_likeness_prefers_what_lies_between() -> None:
    rows = [("x", "a", "the cat sat there now"), ("x", "b", "the cat sat there"), ("x", "c", "a cat sat there"),
            ("x", "d", "buy cheap watches")]  # fmt: skip

    assert list(choose_by_likeness(rows).text) == ["the cat sat there"]


def test_a_spammer_who_copies_themselves_outvotes_nobody() -> None:
    rows = [("x", "spam", "aaa")] * 5 + [("x", "b", "a good sentence"), ("x", "c", "a good sentence!")]

    for method in METHODS.values():
        assert list(method(rows).text) != ["aaa"]


def test_skill_from_other_tasks_decides_between_two() -> None:
    good = [(task, worker, f"sentence number {task} as it should be") for task in "abcdef" for worker in ("g", "h")]
    bad = [(task, "z", f"{task * 9}") for task in "abcdef"]
    two = [("new", "z", "zzzz zzz zz"), ("new", "g", "what the good one wrote"), ("new", "y", "yyy yyyy")]

    result = choose_by_likeness([*good, *bad, *two])

    skill = dict(zip(result.skills.workers, result.skills.skill, strict=True))
    assert skill["h"] > 0.8 > skill["z"]


@every_method
def test_nobody_wrote(method: Any) -> None:
    result = method([])

    assert (list(result.tasks), list(result.text), result.confidence.tolist()) == ([], [], [])


@every_method
def test_a_single_text_is_taken(method: Any) -> None:
    result = method([("x", "a", "alone")])

    assert (list(result.text), result.confidence.tolist(), list(result.is_tied)) == (["alone"], [1.0], [False])


@every_method
def test_a_tie_is_named_and_settled_by_the_alphabet(method: Any) -> None:
    result = method([("x", "a", "bbbb"), ("x", "b", "aaaa")])

    assert (list(result.text), list(result.is_tied)) == (["aaaa"], [True])
