"""Repeated work on points."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from annotation.rewards.services import score_changes


@shared_task
def score_changes_job(**kwargs: Any) -> int:
    """Let points follow outcomes (every twenty seconds)."""
    return score_changes(now=timezone.now())
