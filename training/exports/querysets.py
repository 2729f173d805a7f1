"""Named sets of exports."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models

from training.runs.models import Run

if TYPE_CHECKING:
    from people.models import Person


class ExportQuerySet(models.QuerySet["Export"]):
    """Chainable selections of exports."""

    def visible_to(self, person: Person) -> ExportQuerySet:
        """Those of runs that the person may see: as a researcher or a steward."""
        return self.filter(adapter__run__in=Run.objects.visible_to(person))

    def waiting(self, now: datetime) -> ExportQuerySet:
        """Those that a worker may take: queued, or left by a worker whose lease ran out."""
        return self.filter(models.Q(state="queued") | models.Q(state="running", lease_expires_at__lte=now))
