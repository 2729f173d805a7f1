"""`manage.py schedules`: what every schedule would do now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from training.runs.models import Schedule
from training.runs.schedule import look


class Command(BaseCommand):
    """Looks at the schedules without starting anything."""

    help = "Say for each schedule whether a run would start now, and why or why not. Nothing is started."

    def handle(self, *args: Any, **options: Any) -> None:
        """A line for each."""
        schedules = Schedule.objects.select_related("project__community").order_by("project__community", "project")
        for schedule in schedules:
            found = look(schedule, now=timezone.now())
            project = schedule.project
            self.stdout.write(
                f"{project.community.slug}, {project.title}: {found.outcome} "
                f"(new: {found.new}; taken back: {found.withdrawn} of {found.held})"
            )
