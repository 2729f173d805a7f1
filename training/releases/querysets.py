"""Named sets of releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from care.models import Purpose, Restriction
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
        """Releases that hold no withdrawn words, and that nobody holds back."""
        return self.filter(withdrawn_since__isnull=True).not_held()

    def not_held(self) -> ReleaseQuerySet:
        """All but those that a label or a hold on the release itself keeps from training."""
        ours = Restriction.objects.blocking(Purpose.TRAIN_NONCOMMERCIAL).filter(community=models.OuterRef("community"))
        return self.filter(~models.Exists(ours.on(release=models.OuterRef("pk"))))
