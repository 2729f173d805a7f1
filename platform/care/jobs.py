"""Repeated work on decisions, agreements, reports, ages and labels."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from care.ages import keep_ages
from care.agreements import keep_agreements
from care.answering import mark_unanswered
from care.deciding import keep_time
from care.harm import mark_late
from care.hub import read_hub


@shared_task
def keep_time_job(**kwargs: Any) -> int:
    """Close votes, begin and end decisions, let suspensions lapse (every minute)."""
    return keep_time(now=timezone.now())


@shared_task
def read_hub_job(**kwargs: Any) -> int:
    """Ask the Local Contexts Hub for the labels that are followed (daily, and when a steward asks)."""
    return read_hub(now=timezone.now())


@shared_task
def keep_agreements_job(**kwargs: Any) -> int:
    """Let access agreements end and their promises fall due, and give notice of the end (every day)."""
    return keep_agreements(now=timezone.now())


@shared_task
def mark_late_job(**kwargs: Any) -> int:
    """Tell stewards of reports that nobody has read in time (every minute)."""
    return mark_late(now=timezone.now())


@shared_task
def mark_unanswered_job(**kwargs: Any) -> int:
    """Tell stewards of requests for access that nobody has answered in time (every hour)."""
    return mark_unanswered(now=timezone.now())


@shared_task
def keep_ages_job(**kwargs: Any) -> int:
    """Ask those who have come of age again, and stop what the silent ones' words are used for (every hour)."""
    return keep_ages(now=timezone.now())
