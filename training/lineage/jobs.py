"""Repeated work on what people took back."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from care.models import AccountErasure
from training.lineage.erasing import finish_erasure
from training.lineage.services import follow_withdrawals


@shared_task
def follow_withdrawals_job(**kwargs: Any) -> int:
    """Trace what was taken back, delete adapters whose time is over, tick off what is done (every twenty seconds)."""
    return follow_withdrawals(now=timezone.now())


@shared_task
def erase_accounts_job(**kwargs: Any) -> int:
    """Erase the words of accounts that were given up (rung when one is, and every minute); how many answers."""
    return sum(finish_erasure(erasure=row, now=timezone.now()) for row in AccountErasure.objects.unfinished())


def ring_erasing() -> None:
    """Wake a worker after the transaction; without one, the job of the next minute does it."""
    erase_accounts_job.delay_on_commit()  # type: ignore[attr-defined] # a task of Celery's for Django
