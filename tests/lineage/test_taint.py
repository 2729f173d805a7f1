"""What a withdrawal reaches is what a walk along every edge, one by one, reaches."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

import pytest

from annotation.answers.models import Answer, Quotation, Suggestion
from annotation.projects.models import Task
from training.lineage.tracing import taint_of
from training.releases.models import ReleaseItem
from training.runs.models import Adapter, Run
from wordhearth.benches.lineage import make

pytestmark = pytest.mark.django_db


def edges() -> dict[str, set[str]]:
    """Every edge there is, read from the tables with the plainest of queries."""
    found: dict[str, set[str]] = defaultdict(set)
    for made, of in Answer.objects.exclude(fixes=None).values_list("pk", "fixes"):
        found[f"answer:{of}"].add(f"answer:{made}")
    tasks = defaultdict(list)
    for pk, item in Task.objects.values_list("pk", "item"):
        tasks[item].append(pk)
    at = defaultdict(list)
    for pk, task in Answer.objects.values_list("pk", "task"):
        at[task].append(pk)
    for of, item in Quotation.objects.values_list("answer", "item"):
        found[f"answer:{of}"] |= {f"answer:{made}" for task in tasks[item] for made in at[task]}
    for of, made in ReleaseItem.objects.values_list("answer", "release"):
        found[f"answer:{of}"].add(f"release:{made}")
    for of, made in Run.objects.values_list("release", "pk"):
        found[f"release:{of}"].add(f"run:{made}")
    makers = {}
    for adapter in Adapter.objects.select_related("run__release__project"):
        found[f"run:{adapter.run_id}"].add(f"adapter:{adapter.pk}")
        makers[f"{adapter.run.release.project.title[:60]}, run {adapter.run.number}"] = adapter.pk
    for made, maker in Suggestion.objects.values_list("pk", "made_by"):
        found[f"adapter:{makers[maker]}"].add(f"suggestion:{made}")
    for of, made in Answer.objects.exclude(suggestion=None).values_list("suggestion", "pk"):
        found[f"suggestion:{of}"].add(f"answer:{made}")
    return found


def walk(roots: list[str], ways: dict[str, set[str]]) -> dict[str, int]:
    """Everything that can be reached, with the smallest number of steps."""
    depth, edge = dict.fromkeys(roots, 0), set(roots)
    while edge:
        edge = {made for of in edge for made in ways.get(of, ())} - depth.keys()
        steps = 1 + max(depth.values())
        depth |= dict.fromkeys(edge, steps)
    return depth


@pytest.fixture
def lineage() -> SimpleNamespace:
    return make(size=10_000, seed=7)


def test_the_taint_equals_a_walk_by_hand(lineage):
    ways = edges()
    draws = [lineage.answers[:1], lineage.answers[:40], lineage.answers[::10], lineage.answers[-1:]]
    deepest = 0
    for roots in draws:
        found = taint_of(row.pk for row in roots)
        wanted = walk([f"answer:{row.pk}" for row in roots], ways)
        assert {f"{row.kind}:{row.key}": row.depth for row in found} == wanted
        for row in found[::17]:
            assert (row.path[0] in wanted, row.path[-1]) == (True, f"{row.kind}:{row.key}")
            assert len(row.path) == row.depth + 1
            assert all(made in ways[of] for of, made in zip(row.path, row.path[1:], strict=False))
        deepest = max(deepest, *wanted.values())
    assert deepest >= 6
