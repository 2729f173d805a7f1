"""Named sets of adjudications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from people.models import Community

if TYPE_CHECKING:
    from people.models import Person


class AdjudicationQuerySet(models.QuerySet["Adjudication"]):
    """Chainable selections of experts' decisions."""

    def visible_to(self, person: Person) -> AdjudicationQuerySet:
        """Decisions in the communities in which the person is a member: a reason is owed to everybody."""
        return self.filter(answer__task__project__community__in=Community.objects.visible_to(person))
