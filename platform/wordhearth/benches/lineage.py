"""`script/bench lineage`: how long it takes to find all that was made from somebody's words, and to hand somebody all
that is kept about them.

Made-up lineages in a transaction that is rolled back, so nothing of it stays. The figures are in `docs/my-data.md`.
"""

from __future__ import annotations

import random
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from rich import box
from rich.table import Table

from annotation.answers.models import Answer, Quotation, Suggestion
from annotation.projects.models import Task
from care.models import Receipt
from frontend.me.archive import zip_about
from people.models import Person
from training.lineage.tracing import taint_of, taint_of_person
from training.releases.models import ReleaseItem
from training.releases.services import items_with_words_of
from training.runs.models import Adapter, Run
from wordhearth.made_up import DEPTH, NOW, RUNS, SNAPSHOTS, make

SIZES = (10_000, 100_000)
CONTRIBUTIONS = 5_000
# Rows of releases among which somebody with so many answers is looked for, and the seconds that it may take.
MANIFEST_ROWS, A_FEW, MOST_SECONDS_TO_LOOK = 1_000_000, 50, 0.05
# Seconds that they may take.
MOST_SECONDS, MOST_SECONDS_TO_EXPORT = 2.0, 60.0
SEED = 1

Facts = dict[str, Any]


def run() -> Facts:
    """Both, at each size."""
    facts: Facts = {"sizes": {}}
    for size in SIZES:
        with transaction.atomic():
            made = make(size=size, seed=SEED)
            facts["sizes"][str(size)] = measure(made)
            if size == SIZES[0]:
                facts["export"] = measure_export(made)
            else:
                facts["looking"] = measure_looking(made)
            transaction.set_rollback(True)
    return judged(facts)


def judged(facts: Facts) -> Facts:
    """The facts, with a sentence in `failures` for everything that is not as it must be."""
    failures = []
    for size, parts in facts["sizes"].items():
        for name, part in parts.items():
            about = f"{name.replace('_', ' ')} of {size}"
            if part["missing"] or part["too_much"]:
                failures.append(f"{about}: {part['missing']} things are missing, {part['too_much']} are too much.")
            if part["seconds"] > MOST_SECONDS:
                failures.append(f"{about}: {part['seconds']:.2f} s, and at most {MOST_SECONDS:.0f} are allowed.")
    export = facts["export"]
    if export["answers"] < CONTRIBUTIONS:
        failures.append(f"The file was made about {export['answers']} answers only.")
    if export["seconds"] > MOST_SECONDS_TO_EXPORT:
        failures.append(f"The file about somebody took {export['seconds']:.0f} s.")
    if facts["looking"]["seconds"] > MOST_SECONDS_TO_LOOK:
        failures.append(f"Looking for somebody's words took {1000 * facts['looking']['seconds']:.0f} ms.")
    return {**facts, "failures": failures}


def measure_looking(made: SimpleNamespace, rows: int = MANIFEST_ROWS) -> Facts:
    """Seconds to find the adapters that learnt from the words of somebody with a few answers, in releases of so many
    rows together, the median of five; and to find everything that was made of them."""
    person = Person.objects.create(username=f"{made.community.slug}-few")
    draw = random.Random(SEED)  # noqa: S311 - as above
    few = [row.pk for row in draw.sample(made.answers, A_FEW)]
    receipt = Receipt.objects.create(
        person=person,
        community=made.community,
        policy=made.receipts[0].policy,
        policy_sha256="0" * 64,
        given_at=NOW,
        sha256=f"{draw.getrandbits(256):064x}",
    )
    Answer.objects.filter(pk__in=few).update(author=person, receipt=receipt)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE releases_releaseitem DISABLE TRIGGER USER")
        # Each release takes in further answers until there are as many rows as are wanted.
        cursor.execute(
            """INSERT INTO releases_releaseitem (release_id, answer_id, receipt_id, split, is_good, row_sha256)
               SELECT r.id, a.id, a.receipt_id, 'train', true, '' FROM releases_release r CROSS JOIN answers_answer a
               WHERE r.community_id = %s AND a.task_id IN (SELECT id FROM projects_task WHERE project_id = %s)
               ORDER BY r.number, a.id LIMIT %s ON CONFLICT DO NOTHING""",
            [made.community.pk, made.project.pk, rows],
        )
        cursor.execute("ANALYZE")
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        releases = items_with_words_of(person, made.community).values("release")
        adapters = list(Adapter.objects.filter(run__release__in=releases).values_list("pk", flat=True))
        seconds.append(time.perf_counter() - start)
    start = time.perf_counter()
    found = taint_of_person(person, made.community)
    return {
        "rows": ReleaseItem.objects.filter(release__community=made.community).count(),
        "answers": A_FEW,
        "adapters": len(adapters),
        "seconds": statistics.median(seconds),
        "found": len(found),
        "seconds_for_all": time.perf_counter() - start,
    }


def measure_export(made: SimpleNamespace) -> Facts:
    """Seconds for the file about somebody with `CONTRIBUTIONS` answers, and its size in megabytes."""
    person = made.people[0]
    given = Answer.objects.filter(pk__in=[row.pk for row in made.answers[:CONTRIBUTIONS]])
    given.update(author=person, receipt=made.receipts[0])
    start = time.perf_counter()
    file = zip_about(person, now=NOW)
    seconds = time.perf_counter() - start
    return {"answers": Answer.objects.filter(author=person).count(), "seconds": seconds, "mb": file.seek(0, 2) / 1e6}


def measure(made: SimpleNamespace) -> Facts:
    """Seconds for one answer, for one person of twenty, and for a twentieth of all drawn at random."""
    draw = random.Random(SEED)  # noqa: S311 - a draw that can be repeated, not secrecy
    of_one = [row.pk for row in made.answers if row.author_id == made.people[0].pk]
    asked = {
        "one_answer": [ReleaseItem.objects.filter(release=made.releases[0]).values_list("answer", flat=True)[0]],
        "one_person": of_one,
        "a_twentieth": [row.pk for row in draw.sample(made.answers, len(made.answers) // 20)],
    }
    ways = every_edge()
    return {name: compared(roots, ways) for name, roots in asked.items()}


def compared(roots: list[UUID], ways: Mapping[str, set[str]]) -> Facts:
    """What is found from these answers, in how many seconds, and what a walk along all ways finds otherwise: things
    that are missing, or nearer or farther than they are, and things that should not be there."""
    start = time.perf_counter()
    found = taint_of(roots)
    seconds = time.perf_counter() - start
    by_walking = walk([f"answer:{key}" for key in roots], ways)
    depths = {f"{row.kind}:{row.key}": row.depth for row in found}
    return {
        "answers": len(roots),
        "found": len(found),
        "deepest": max(row.depth for row in found),
        "seconds": seconds,
        "missing": sum(depths.get(name) != depth for name, depth in by_walking.items()),
        "too_much": len(depths.keys() - by_walking.keys()),
    }


def every_edge() -> dict[str, set[str]]:
    """Every edge there is, what was made of what, read from the tables with the plainest of queries."""
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
    for of, release in ReleaseItem.objects.values_list("answer", "release"):
        found[f"answer:{of}"].add(f"release:{release}")
    for release, run in Run.objects.values_list("release", "pk"):
        found[f"release:{release}"].add(f"run:{run}")
    makers = {}
    for adapter in Adapter.objects.select_related("run__release__project"):
        found[f"run:{adapter.run_id}"].add(f"adapter:{adapter.pk}")
        makers[f"{adapter.run.release.project.title[:60]}, run {adapter.run.number}"] = adapter.pk
    for suggested, maker in Suggestion.objects.values_list("pk", "made_by"):
        if maker in makers:
            found[f"adapter:{makers[maker]}"].add(f"suggestion:{suggested}")
    for made, suggestion in Answer.objects.exclude(suggestion=None).values_list("pk", "suggestion"):
        found[f"suggestion:{suggestion}"].add(f"answer:{made}")
    return found


def walk(roots: Iterable[str], ways: Mapping[str, set[str]]) -> dict[str, int]:
    """Everything that can be reached from these, these included, with the smallest number of steps."""
    depth = dict.fromkeys(roots, 0)
    edge, steps = set(depth), 0
    while edge:
        steps += 1
        edge = {made for of in edge for made in ways.get(of, ())} - depth.keys()
        depth |= dict.fromkeys(edge, steps)
    return depth


def table(facts: Facts) -> Table:
    """The same for people."""
    export, looking = facts["export"], facts["looking"]
    shown = Table(
        caption=f"Everything about somebody with {export['answers']} answers: {export['seconds']:.1f} s, "
        f"{export['mb']:.1f} MB.\n"
        f"The adapters that learnt from {looking['answers']} answers, among {looking['rows']} rows of releases: "
        f"{1000 * looking['seconds']:.0f} ms; everything made of them: {looking['seconds_for_all']:.2f} s.",
        caption_justify="left",
        title=f"{SNAPSHOTS} releases, {RUNS} runs with an adapter each, corrections {DEPTH} deep",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for name in ("corpus", "taken back", "answers", "found", "missing", "too much", "deepest", "seconds"):
        shown.add_column(name, justify="left" if name == "taken back" else "right")
    for size, parts in facts["sizes"].items():
        for name, part in parts.items():
            cells = [str(part[what]) for what in ("answers", "found", "missing", "too_much", "deepest")]
            shown.add_row(size, name.replace("_", " "), *cells, f"{part['seconds']:.2f}")
    return shown
