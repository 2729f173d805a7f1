"""Named sets of sources and items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from people.models import Community

if TYPE_CHECKING:
    from people.models import Person


class SourceQuerySet(models.QuerySet["Source"]):
    """Chainable selections of sources."""

    def visible_to(self, person: Person) -> SourceQuerySet:
        """Sources of the communities in which the person holds a role."""
        return self.filter(community__in=Community.objects.visible_to(person))


class ItemQuerySet(models.QuerySet["Item"]):
    """Chainable selections of items."""

    def visible_to(self, person: Person) -> ItemQuerySet:
        """Items of the communities in which the person holds a role."""
        return self.filter(source__community__in=Community.objects.visible_to(person))


class PictureQuerySet(models.QuerySet["Picture"]):
    """Chainable selections of pictures."""

    def visible_to(self, person: Person) -> PictureQuerySet:
        """Pictures of the communities in which the person holds a role."""
        return self.filter(community__in=Community.objects.visible_to(person))
