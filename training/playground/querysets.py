"""Named sets of generations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from annotation.projects.models import Project
    from people.models import Person


class GenerationQuerySet(models.QuerySet["Generation"]):
    """Chainable selections of generations."""

    def visible_to(self, person: Person) -> GenerationQuerySet:
        """What somebody tried is theirs alone."""
        return self.filter(person_id=person.pk)

    def of_sentence(self, project: Project, source: str) -> GenerationQuerySet:
        """Finished ones for the same sentence with the project's own adapters, newest first."""
        done = self.filter(adapter__run__release__project=project, source=source, state="finished")
        return done.order_by("-created_at")
