"""Named sets of generations."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models

from care.models import Purpose, Restriction

# A bell that is under way arrives in less.
BELL = timedelta(seconds=30)
# The playground's worker does one thing after the other, and proposing answers to many tasks takes it minutes. Whatever
# begins to be written does so before the first is over, and has the five minutes in between for its eighty tokens.
LONGEST_WAIT, LONGEST = timedelta(minutes=10), timedelta(minutes=15)

if TYPE_CHECKING:
    from annotation.projects.models import Project
    from people.models import Person
    from training.runs.models import Adapter


# Nobody works so long on one: its worker is gone.
LOST = timedelta(minutes=30)


class GenerationQuerySet(models.QuerySet["Generation"]):
    """Chainable selections of generations."""

    def visible_to(self, person: Person) -> GenerationQuerySet:
        """What somebody tried is theirs alone; what an adapter wrote that is hidden now is nobody's to read."""
        ours = Restriction.objects.blocking(Purpose.DISPLAY_MEMBERS).filter(
            community=models.OuterRef("adapter__community")
        )
        beside = ours.on(adapter=models.OuterRef("beside_id"))
        mine = self.filter(~models.Exists(ours.on(adapter=models.OuterRef("adapter_id"))), person_id=person.pk)
        return mine.filter(models.Q(beside__isnull=True) | ~models.Exists(beside))

    def with_adapter(self, adapter: Adapter) -> GenerationQuerySet:
        """Those in which the adapter wrote one of the two texts."""
        return self.filter(models.Q(adapter=adapter) | models.Q(beside=adapter))

    def of_sentence(self, project: Project, source: str) -> GenerationQuerySet:
        """Finished ones for the same sentence with the project's own adapters, newest first."""
        done = self.filter(adapter__run__release__project=project, source=source, state="finished")
        return done.order_by("-created_at")

    def unheard(self, now: datetime) -> GenerationQuerySet:
        """Those that have waited for longer than a bell takes: no worker may have heard of them."""
        return self.filter(state="queued", created_at__lte=now - BELL)

    def stuck(self, now: datetime) -> GenerationQuerySet:
        """Those that nobody will write any more: they wait, or are said to be written, for too long."""
        waits = models.Q(state="queued", created_at__lte=now - LONGEST_WAIT)
        return self.filter(waits | models.Q(state="running", created_at__lte=now - LONGEST))


class ExplanationQuerySet(models.QuerySet["Explanation"]):
    """Chainable selections of explanations."""

    def going_on(self, now: datetime) -> ExplanationQuerySet:
        """Those that wait or are reckoned, and have not been given up."""
        return self.filter(state__in=["queued", "running"], asked_at__gt=now - LOST)
