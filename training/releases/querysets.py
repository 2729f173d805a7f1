"""Named sets of releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from people.models import Community

if TYPE_CHECKING:
    from people.models import Person


class ReleaseQuerySet(models.QuerySet["Release"]):
    """Chainable selections of releases."""

    def visible_to(self, person: Person) -> ReleaseQuerySet:
        """Releases of the communities in which the person is a researcher or a steward."""
        communities = Community.objects.where(person, "researcher", "steward")
        return self.filter(community__in=communities)

    def trainable(self) -> ReleaseQuerySet:
        """Releases that hold no withdrawn words."""
        return self.filter(withdrawn_since__isnull=True)
