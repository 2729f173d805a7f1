"""`script/bench going_on`: words are taken back from an adapter of groups; how long until the other groups answer?

A made-up community with a release of so many sentences and an adapter of four groups in service, of the size of a rank
16 on SmolLM2-135M, in a transaction that is rolled back, so nothing of it stays. Measured is all of `withdraw_answer`,
and, to compare with, the same where the adapter learnt from everybody together and is only paused. The figures are in
`docs/withdrawal-proof.md`.
"""

from __future__ import annotations

import hashlib
import json
import random
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.test.utils import override_settings
from rich.table import Table

from annotation.answers.models import Answer
from care.models import Grant, Purpose
from training.recipes.grouping import shard_of
from training.releases.models import Release, ReleaseItem
from training.releases.services import folder_of as release_folder
from training.releases.writing import data_files, manifest_of, sha256_of_row, write_folder
from training.runs.artefacts import FILE, folder_of, sha256_of_adapter
from training.runs.models import Adapter, AdapterEvent, Run
from training.runs.promotion import in_service
from training.runs.withdrawals import withdraw_answer
from wordhearth.made_up import NOW, ground

SENTENCES = (1_000, 10_000)
SHARDS, SEED = 4, 1
# Of one group's adapter: 4.88 million numbers of four bytes.
BYTES = 19_520_000
LONGEST_SECONDS = 2.0
RECIPE = {"method": "qlora", "shards": SHARDS, "seed": SEED}

Facts = dict[str, Any]


def run() -> Facts:
    """Both, at each size."""
    facts: Facts = {"adapter_bytes": BYTES, "shards": SHARDS, "sizes": {}}
    for size in SENTENCES:
        facts["sizes"][str(size)] = {
            "switched_seconds": measure(size, in_groups=True),
            "paused_seconds": measure(size, in_groups=False),
        }
    slowest = max(one["switched_seconds"] for one in facts["sizes"].values())
    slow = f"The other groups answered only after {slowest} s; {LONGEST_SECONDS} s are promised."
    return {**facts, "failures": [slow] if slowest > LONGEST_SECONDS else []}


def measure(size: int, *, in_groups: bool) -> float:
    """Seconds until one answer is taken back and, in groups, another adapter is in service."""
    with tempfile.TemporaryDirectory(prefix="wordhearth-bench-") as place, transaction.atomic():
        with override_settings(RUNS_DIR=f"{place}/runs", RELEASES_DIR=f"{place}/releases"):
            made = make(size, in_groups=in_groups)
            began = time.perf_counter()
            withdraw_answer(answer=made.answers[0], author=made.answers[0].author, now=NOW)
            seconds = time.perf_counter() - began
            now_serving = in_service(made.project)
        transaction.set_rollback(True)
    if (now_serving is not None) is not in_groups:
        raise RuntimeError("What was measured is not what was to be measured.")
    return round(seconds, 3)


def make(size: int, *, in_groups: bool) -> SimpleNamespace:
    """The community; rows are stored past the services, so the trigger that asks for consent is off meanwhile."""
    made = ground(random.Random(SEED), size)  # noqa: S311 - a draw that can be repeated, not secrecy
    purposes = (Purpose.TRAIN_NONCOMMERCIAL, Purpose.EVALUATE_MODELS)
    Grant.objects.bulk_create([Grant(receipt=one, purpose=purpose) for one in made.receipts for purpose in purposes])
    made.answers = Answer.objects.bulk_create(
        [
            Answer(
                pk=UUID(int=number + 1),
                task=task,
                author=made.people[number % len(made.people)],
                receipt=made.receipts[number % len(made.people)],
                client_id=UUID(int=number + 1),
                body_sha256="",
                text="made up",
                state=Answer.State.VALIDATED,
                created_at=NOW,
                changed_at=NOW,
            )
            for number, task in enumerate(made.tasks)
        ],
        batch_size=2000,
    )
    _serve(made, _release(made), in_groups=in_groups)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ANALYZE")
    return made


def _release(made: SimpleNamespace) -> Release:
    """Four of five sentences train; who is held out is in no group."""
    held_out = {0: "validation", 1: "test"}
    people = [one.pk for one in made.people]
    splits = {str(one.pk): held_out.get(people.index(one.author_id) - len(people) + 2, "train") for one in made.answers}
    lesson = {"system": "You translate.", "request": "made up", "completion": "made up"}
    facts = {"licence": "", "variety": "", "document": "made up", "lesson": lesson}
    rows = [
        {"id": str(one.pk), "contributors": [f"{one.author_id:016x}"], "receipts": [str(one.receipt_id)], **facts}
        for one in made.answers
    ]
    files = data_files(rows, splits)
    named = {"name": "-", "tag": "mis"}
    community = {"slug": made.community.slug, "name": "-"}
    project, query = {"kind": "translate", "title": "-"}, {"purpose": Purpose.TRAIN_NONCOMMERCIAL}
    head: Facts = {"community": community, "project": project, "query": query}
    head |= {"source_language": named, "target_language": named}
    manifest = manifest_of(head=head, rows=rows, splits=splits, files=files)
    content = json.dumps(manifest).encode()
    release = Release.objects.create(
        community=made.community,
        project=made.project,
        number=1,
        purpose=Purpose.TRAIN_NONCOMMERCIAL,
        sha256=hashlib.sha256(content).hexdigest(),
        folder=f"{made.community.slug}/1",
        counts=manifest["counts"],
        leaks=[],
        created_at=NOW,
    )
    write_folder(release_folder(release), files=files, manifest=content, beside={})
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE releases_releaseitem DISABLE TRIGGER USER")
        items = [
            ReleaseItem(
                release=release,
                answer=answer,
                receipt_id=answer.receipt_id,
                split=splits[row["id"]],
                row_sha256=sha256_of_row(row),
            )
            for answer, row in zip(made.answers, rows, strict=True)
        ]
        ReleaseItem.objects.bulk_create(items, batch_size=5000)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE releases_releaseitem ENABLE TRIGGER USER")
    return release


def _serve(made: SimpleNamespace, release: Release, *, in_groups: bool) -> None:
    """An adapter in service, with its files."""
    run = Run.objects.create(
        community=made.community,
        release=release,
        number=1,
        base_model="-",
        settings={"recipe": RECIPE},
        folder=f"{made.community.slug}/0001",
        state=Run.State.FINISHED,
        created_at=NOW,
    )
    folder = folder_of(run)
    people = {f"{one.pk:016x}" for one in made.people[:-2]}
    numbers = sorted({shard_of([name], shards=SHARDS, seed=SEED) for name in people})
    groups = [
        {"shard": one, "rows": 1, "contributors": 1, "sha256": _weights(folder / "shards" / str(one), BYTES, one)}
        for one in numbers
    ]
    rest = (len(numbers) - 1) * BYTES
    without = [
        {"shard": one, "sha256": _weights(folder / "shards" / f"without-{one}", rest, one)} | FIGURES for one in numbers
    ]
    shards = {"groups": groups, "without": without, "control": None, "sentences": 30, "base_bpb": 2.0, **FIGURES}
    sha256 = _weights(folder / "adapter", rest + BYTES, 0)
    report = {"recipe": RECIPE, "adapter_sha256": sha256, "release": {"sha256": release.sha256}}
    adapter = Adapter.objects.create(
        run=run,
        community=made.community,
        sha256=sha256,
        state=Adapter.State.APPROVED,
        base_bpb=2,
        adapter_bpb=1,
        report=report | ({"shards": shards} if in_groups else {}),
        created_at=NOW,
    )
    AdapterEvent.objects.create(adapter=adapter, kind=Adapter.State.APPROVED, at=NOW)


FIGURES = {"bpb": 1.0, "difference_ci95": [-1.1, -0.9]}


def _weights(folder: Path, size: int, number: int) -> str:
    """A file of one matrix of so many bytes, as safetensors writes it; its hash."""
    header = json.dumps({"a": {"dtype": "F32", "shape": [size // 4], "data_offsets": [0, size]}}).encode()
    content = random.Random(number).randbytes(size)  # noqa: S311 - as above
    folder.mkdir(parents=True)
    (folder / FILE).write_bytes(len(header).to_bytes(8, "little") + header + content)
    return sha256_of_adapter(folder)


def table(facts: Facts) -> Table:
    """The same for people."""
    shown = Table(title=f"{facts['shards']} groups of {facts['adapter_bytes'] / 1e6:.1f} MB", title_justify="left")
    for name in ("sentences", "the others answer after, s", "paused only, s"):
        shown.add_column(name, justify="right")
    for size, one in facts["sizes"].items():
        shown.add_row(f"{int(size):,}", f"{one['switched_seconds']:.3f}", f"{one['paused_seconds']:.3f}")
    return shown
