"""Repeated work on decisions and reports."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from care.ages import keep_ages
from care.deciding import keep_time
from care.harm import mark_late


@shared_task
def keep_time_job(**kwargs: Any) -> int:
    """Close votes, begin and end decisions, let suspensions lapse (every minute)."""
    return keep_time(now=timezone.now())


@shared_task
def mark_late_job(**kwargs: Any) -> int:
    """Tell stewards of reports that nobody has read in time (every minute)."""
    return mark_late(now=timezone.now())


@shared_task
def keep_ages_job(**kwargs: Any) -> int:
    """Ask those who have come of age again, and stop what the silent ones' words are used for (every hour)."""
    return keep_ages(now=timezone.now())
