"""`script/bench apart`: what it costs that the database keeps communities apart.

One community with many made-up answers and two small ones, in a transaction that is rolled back; the same pages and
questions with row security and without. The figures are in `docs/operations.md`.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from django.db import connection, transaction
from django.test import Client
from django.test.utils import override_settings
from rich.table import Table

from annotation.answers.models import Answer
from annotation.projects.models import Task
from care.models import Grant, Purpose, Receipt
from people.models import Membership, Role
from people.row_security import POLICY, bound_models
from people.tenants import InView, looking_at
from wordhearth.made_up import NOW, make

ANSWERS, TASKS, OTHERS = 100_000, 60_000, 2_000
TIMES = 7
PAGES = {
    "front page": "/",
    "community's page": "/c/{slug}/",
    "speaker's desk": "/c/{slug}/speak/",
    "a speaker's own words": "/c/{slug}/speak/words/",
    "expert's desk": "/c/{slug}/decide/",
    "researcher's desk": "/c/{slug}/train/",
    "dataset browser": "/c/{slug}/train/dataset/",
    "what became of our words": "/c/{slug}/transparency/",
    "stewards' desk": "/c/{slug}/steward/",
    "answers over the API": "/api/v1/answers/",
}
HERE = {"ALLOWED_HOSTS": ["*"], "CACHES": {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}}
Facts = dict[str, Any]


def run() -> Facts:
    """Milliseconds of each, bound and not."""
    with transaction.atomic(), override_settings(**HERE):
        made = make(size=ANSWERS, seed=1, tasks=TASKS)
        for seed in (2, 3):
            make(size=OTHERS, seed=seed)
        _agree(made)
        bound = measure(made)
        _unbind()
        free = measure(made)
        transaction.set_rollback(True)
    return {"answers": ANSWERS, "tasks": TASKS, "ms": {name: [bound[name], free[name]] for name in bound}}


def measure(made: SimpleNamespace) -> dict[str, float]:
    """Milliseconds, the median of several times."""
    client = Client()
    client.force_login(made.people[0])
    took = {}
    for name, page in PAGES.items():
        address = page.format(slug=made.community.slug)
        if client.get(address).status_code != 200:
            raise RuntimeError(f"{address} did not come up.")
        took[name] = _median(lambda address=address: client.get(address))
    ours = Answer.objects.of_community(made.community)
    questions: dict[str, Callable[[], Any]] = {
        "counting its answers": ours.count,
        "counting all answers": Answer.objects.count,
        "fifty answers with their sentences": lambda: list(ours.select_related("task__item").order_by("pk")[:50]),
        "one answer with its sentence": lambda: ours.select_related("task__item").get(pk=made.answers[0].pk),
        "twenty open tasks": lambda: list(Task.objects.filter(project=made.project, state="open").order_by("pk")[:20]),
    }
    with looking_at(InView({made.community.pk})):
        took |= {name: _median(question) for name, question in questions.items()}
    return took


def _median(act: Callable[[], Any]) -> float:
    act()
    took = []
    for _ in range(TIMES):
        start = time.perf_counter()
        act()
        took.append(1000 * (time.perf_counter() - start))
    return statistics.median(took)


def _agree(made: SimpleNamespace) -> None:
    """Everybody lets members read their words, and the first of them holds every role."""
    uses = (Purpose.DISPLAY_MEMBERS, Purpose.PEER_REVIEW, Purpose.TRAIN_NONCOMMERCIAL)
    Grant.objects.bulk_create([Grant(receipt=row, purpose=use) for row in Receipt.objects.all() for use in uses])
    for role in Role:
        Membership.objects.create(person=made.people[0], community=made.community, role=role, since=NOW)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _unbind() -> None:
    """As it was when queries alone kept communities apart: the policies for purposes stay."""
    with connection.cursor() as cursor:
        for table in (model._meta.db_table for model in bound_models()):
            cursor.execute(f'DROP POLICY {POLICY} ON "{table}"')
            if table != Answer._meta.db_table:
                cursor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')


def table(facts: Facts) -> Table:
    """The same for people."""
    title = f"Keeping communities apart: {facts['answers']:,} answers, {facts['tasks']:,} tasks"
    shown = Table(title=title, title_justify="left")
    for heading in ("what", "apart, ms", "not, ms", "ratio"):
        shown.add_column(heading, justify="left" if heading == "what" else "right")
    for name, (bound, free) in facts["ms"].items():
        shown.add_row(name, f"{bound:,.1f}", f"{free:,.1f}", f"{bound / free:.2f}")
    return shown
