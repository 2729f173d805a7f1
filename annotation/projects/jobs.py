"""Repeated work on projects."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from annotation.projects.services import expire_leases


@shared_task
def expire_leases_job(**kwargs: Any) -> int:
    """Close overdue leases (every minute)."""
    return expire_leases(now=timezone.now())
