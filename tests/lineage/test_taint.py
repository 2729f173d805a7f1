"""What a withdrawal reaches is what a walk along every edge, one by one, reaches."""

from __future__ import annotations

import pytest

from training.lineage.tracing import taint_of
from wordhearth.benches import lineage
from wordhearth.benches.lineage import CONTRIBUTIONS, MOST_SECONDS, compared, every_edge, judged, walk
from wordhearth.made_up import make


@pytest.mark.django_db
def test_the_taint_of_ten_thousand_answers_is_whole_and_there_in_two_seconds():
    made = make(size=10_000, seed=7)
    ways = every_edge()
    draws = [made.answers[:1], made.answers[:40], made.answers[::10], made.answers[-1:]]
    deepest = 0
    for drawn in draws:
        roots = [row.pk for row in drawn]
        facts = compared(roots, ways)
        assert (facts["missing"], facts["too_much"]) == (0, 0)
        assert facts["seconds"] <= MOST_SECONDS == 2
        deepest = max(deepest, facts["deepest"])
        wanted = walk([f"answer:{key}" for key in roots], ways)
        for row in taint_of(roots)[::17]:
            assert (row.path[0] in wanted, row.path[-1]) == (True, f"{row.kind}:{row.key}")
            assert len(row.path) == row.depth + 1
            assert all(made in ways[of] for of, made in zip(row.path, row.path[1:], strict=False))
    assert deepest >= 6


PART = {"answers": 1, "found": 9, "deepest": 6, "seconds": 0.5, "missing": 0, "too_much": 0}
FACTS = {
    "sizes": {"100000": {"one_person": PART}},
    "export": {"answers": CONTRIBUTIONS, "seconds": 9.0, "mb": 1.0},
    "looking": {
        **{"rows": 1_000_000, "answers": 50, "adapters": 40, "seconds": 0.04},
        **{"found": 300, "seconds_for_all": 0.5},
    },
}


@pytest.mark.parametrize(
    ("part", "export", "failure"),
    [
        ({"missing": 1}, {}, "1 things are missing"),
        ({"too_much": 2}, {}, "2 are too much"),
        ({"seconds": 2.1}, {}, "one person of 100000: 2.10 s"),
        ({}, {"seconds": 61.0}, "took 61 s"),
        ({}, {"answers": 4_999}, "4999 answers only"),
    ],
)
def test_the_bench_fails_where_something_is_missing_or_slow(part, export, failure):
    assert judged(FACTS)["failures"] == []
    changed = {
        **FACTS,
        "sizes": {"100000": {"one_person": {**PART, **part}}},
        "export": {**FACTS["export"], **export},
    }
    (said,) = judged(changed)["failures"]
    assert failure in said
    assert lineage.table(judged(changed)).row_count == 1


def test_the_bench_fails_where_somebody_is_looked_for_too_long():
    slow = {**FACTS, "looking": {**FACTS["looking"], "seconds": 1.051}}
    assert judged(slow)["failures"] == ["Looking for somebody's words took 1051 ms."]


@pytest.mark.django_db
def test_a_few_answers_are_looked_for_in_as_many_rows_as_are_asked_for():
    made = make(size=600, seed=7)
    facts = lineage.measure_looking(made, rows=3_000)
    assert facts["rows"] > 3_000
    assert facts["found"] > facts["answers"] == lineage.A_FEW
    assert 0 < facts["adapters"] <= len(made.adapters)
