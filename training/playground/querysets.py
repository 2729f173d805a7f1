"""Named sets of generations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from people.models import Person


class GenerationQuerySet(models.QuerySet["Generation"]):
    """Chainable selections of generations."""

    def visible_to(self, person: Person) -> GenerationQuerySet:
        """What somebody tried is theirs alone."""
        return self.filter(person_id=person.pk)
