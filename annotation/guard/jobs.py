"""Repeated work of the guard."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from annotation.guard.services import estimate_skills, find_pairs


@shared_task
def estimate_skills_job(**kwargs: Any) -> int:
    """Let the estimates of skill follow votes and outcomes (every minute)."""
    return estimate_skills(now=timezone.now())


@shared_task
def find_pairs_job(**kwargs: Any) -> int:
    """Look for people who approve each other far above chance (once a day)."""
    return find_pairs(now=timezone.now())
