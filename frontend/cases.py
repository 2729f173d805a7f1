"""Withdrawals as pages show them, to the person and to the stewards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from care.models import Purpose, Withdrawal, WithdrawalStage
from training.lineage.models import Taint

KINDS = ("release", "run", "adapter")


@dataclass(frozen=True)
class Case:
    """One withdrawal: what was taken back, its stages and which of them are late, and what it reached."""

    row: Withdrawal
    purposes: list[str]
    stages: list[tuple[WithdrawalStage, bool]]
    reached: list[Taint]

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
    """The rows with all that their page needs, in three queries."""
    found = list(rows.select_related("community").prefetch_related("stages"))
    reached: dict[int, list[Taint]] = {row.pk: [] for row in found}
    for taint in Taint.objects.filter(withdrawal__in=found, kind__in=KINDS):
        reached[taint.withdrawal_id].append(taint)
    return [
        Case(
            row=row,
            purposes=[str(Purpose(purpose).label) for purpose in row.purposes],
            stages=[(stage, stage.is_late(now)) for stage in row.stages.all()],
            reached=reached[row.pk],
        )
        for row in found
    ]
