"""Repeated work on what people took back."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from training.lineage.services import follow_withdrawals


@shared_task
def follow_withdrawals_job(**kwargs: Any) -> int:
    """Trace what was taken back, delete adapters whose time is over, tick off what is done (every twenty seconds)."""
    return follow_withdrawals(now=timezone.now())
