"""Withdrawals as pages show them, to the person and to the stewards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from care.models import Purpose, Withdrawal, WithdrawalStage
from training.lineage.models import Taint
from training.runs.models import Adapter

KINDS = ("release", "run", "adapter")


@dataclass(frozen=True)
class Learnt:
    """An adapter that learnt from withdrawn words, and those that were trained without them in its place."""

    adapter: Adapter
    successors: list[Adapter]


@dataclass(frozen=True)
class Case:
    """One withdrawal: what was taken back, its stages and which of them are late, and what it reached."""

    row: Withdrawal
    purposes: list[str]
    stages: list[tuple[WithdrawalStage, bool]]
    reached: list[Taint]
    learnt: list[Learnt]

    @property
    def left(self) -> list[tuple[WithdrawalStage, bool]]:
        """The stages that are not done."""
        return [(stage, is_late) for stage, is_late in self.stages if not stage.done_at]

    @property
    def done(self) -> list[WithdrawalStage]:
        """Those that are."""
        return [stage for stage, _ in self.stages if stage.done_at]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return not self.left


def cases(rows: QuerySet[Withdrawal], *, now: datetime) -> list[Case]:
    """The rows with all that their page needs, in five queries."""
    found = list(rows.select_related("community").prefetch_related("stages"))
    reached: dict[int, list[Taint]] = {row.pk: [] for row in found}
    for taint in Taint.objects.filter(withdrawal__in=found, kind__in=KINDS):
        reached[taint.withdrawal_id].append(taint)
    learnt = learnt_from(taint.key for some in reached.values() for taint in some if taint.kind == "adapter")
    return [
        Case(
            row=row,
            purposes=[str(Purpose(purpose).label) for purpose in row.purposes],
            stages=[(stage, stage.is_late(now)) for stage in row.stages.all()],
            reached=reached[row.pk],
            learnt=[learnt[taint.key] for taint in reached[row.pk] if taint.kind == "adapter" and taint.key in learnt],
        )
        for row in found
    ]


def learnt_from(keys: Iterable[str]) -> dict[str, Learnt]:
    """Of adapters that were traced, by key, those that had to stop, each with what was trained in its place."""
    numbers = {int(key) for key in keys}
    stopped = Adapter.objects.filter(pk__in=numbers, withdrawn_since__isnull=False).select_related("run__release")
    found = {str(adapter.pk): Learnt(adapter, []) for adapter in stopped}
    projects = {one.adapter.run.release.project_id for one in found.values()}
    certified = Adapter.objects.filter(run__release__project__in=projects, report__has_key="certificate")
    for successor in certified.select_related("run__release", "community").order_by("pk"):
        for replaced in (successor.certificate or {})["replaces_adapters"]:
            if str(replaced["id"]) in found:
                found[str(replaced["id"])].successors.append(successor)
    return found
