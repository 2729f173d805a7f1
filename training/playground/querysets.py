"""Named sets of generations."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models

from care.models import Purpose, Restriction

if TYPE_CHECKING:
    from annotation.projects.models import Project
    from people.models import Person


# Nobody works so long on one: its worker is gone.
LOST = timedelta(minutes=30)


class GenerationQuerySet(models.QuerySet["Generation"]):
    """Chainable selections of generations."""

    def visible_to(self, person: Person) -> GenerationQuerySet:
        """What somebody tried is theirs alone; what an adapter wrote that is hidden now is nobody's to read."""
        ours = Restriction.objects.blocking(Purpose.DISPLAY_MEMBERS).filter(
            community=models.OuterRef("adapter__community")
        )
        return self.filter(~models.Exists(ours.on(adapter=models.OuterRef("adapter_id"))), person_id=person.pk)

    def of_sentence(self, project: Project, source: str) -> GenerationQuerySet:
        """Finished ones for the same sentence with the project's own adapters, newest first."""
        done = self.filter(adapter__run__release__project=project, source=source, state="finished")
        return done.order_by("-created_at")


class ExplanationQuerySet(models.QuerySet["Explanation"]):
    """Chainable selections of explanations."""

    def going_on(self, now: datetime) -> ExplanationQuerySet:
        """Those that wait or are reckoned, and have not been given up."""
        return self.filter(state__in=["queued", "running"], asked_at__gt=now - LOST)
