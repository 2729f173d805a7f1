"""Named sets of generations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from care.models import Purpose, Restriction

if TYPE_CHECKING:
    from annotation.projects.models import Project
    from people.models import Person
    from training.runs.models import Adapter


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
