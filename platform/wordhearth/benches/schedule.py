"""`script/bench schedule`: how long it takes to look at a schedule, with so many answers of which a part is new.

Made-up answers, a sentence for each of them, and a release in a transaction that is rolled back, so nothing of it
stays. The figures are in `docs/runs.md`.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from rich import box
from rich.table import Table

from care.models import Grant, Purpose
from training.releases.models import ReleaseItem
from training.runs.models import Run, Schedule
from training.runs.schedule import look, sha256_of_usable
from wordhearth.made_up import NOW, make

SIZES = (10_000, 100_000)
SEED = 1
# What the dry run may take, compared with the last look or not.
MOST_SECONDS = 5.0

Facts = dict[str, Any]


def run() -> Facts:
    """Each size."""
    facts: Facts = {"sizes": {}}
    for size in SIZES:
        with transaction.atomic():
            facts["sizes"][str(size)] = measure(size, tasks=size)
            transaction.set_rollback(True)
    return judged(facts)


def judged(facts: Facts) -> Facts:
    """The facts, with a sentence in `failures` where a look took too long."""
    slowest = max(max(one["seconds"], one["seconds_compared"]) for one in facts["sizes"].values())
    slow = f"A look took {slowest:.1f} s; at most {MOST_SECONDS:.0f} s are allowed."
    return {**facts, "failures": [slow] if slowest > MOST_SECONDS else []}


def measure(size: int, *, tasks: int) -> Facts:
    """Seconds for a dry run, and for one that also compares what is usable with what was when nothing had changed."""
    made = make(size=size, seed=SEED, snapshots=1, runs=1, tasks=tasks)
    Grant.objects.bulk_create(
        Grant(receipt=receipt, purpose=purpose)
        for receipt in made.receipts
        for purpose in (Purpose.TRAIN_NONCOMMERCIAL, Purpose.EVALUATE_MODELS)
    )
    last = Run.objects.select_related("release").get(release__project=made.project)
    ReleaseItem.objects.filter(release=last.release).delete()
    kept = made.answers[: size * 9 // 10]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE releases_releaseitem DISABLE TRIGGER USER")
        ReleaseItem.objects.bulk_create(
            (
                ReleaseItem(release=last.release, answer=row, receipt_id=row.receipt_id, split="train", row_sha256="")
                for row in kept
            ),
            batch_size=5000,
        )
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE releases_releaseitem ENABLE TRIGGER USER")
    schedule = Schedule(project=made.project, is_allowed=True, minimum_new_items=1, cadence_hours=1)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    later = NOW + timedelta(days=400)
    start = time.perf_counter()
    found = look(schedule, now=later)
    seconds = time.perf_counter() - start
    schedule.seen_sha256 = sha256_of_usable(made.project, last)
    start = time.perf_counter()
    again = look(schedule, now=later)
    return {
        "new": found.new,
        "held": found.held,
        "outcome": str(found.outcome),
        "seconds": seconds,
        "outcome_compared": str(again.outcome),
        "seconds_compared": time.perf_counter() - start,
    }


def table(facts: Facts) -> Table:
    """For people."""
    shown = Table(title="Looking at a schedule", box=box.SIMPLE)
    for name in ("answers", "new", "seconds", "and compared with the last look"):
        shown.add_column(name, justify="right")
    for size, row in facts["sizes"].items():
        shown.add_row(f"{int(size):,}", f"{row['new']:,}", f"{row['seconds']:.2f}", f"{row['seconds_compared']:.2f}")
    return shown
