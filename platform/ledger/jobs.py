"""The ledger's repeated job."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from ledger.checkpoints import chains_with_news, checkpoint_now


@shared_task
def make_checkpoints_job(**kwargs: Any) -> int:
    """Sign every chain that has grown since its last checkpoint; returns how many (every half hour)."""
    grown = chains_with_news()
    for community in grown:
        checkpoint_now(community=community, now=timezone.now())
    return len(grown)
