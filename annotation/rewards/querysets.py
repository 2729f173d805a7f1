"""Named sets of points."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models

from people.models import Community

if TYPE_CHECKING:
    from annotation.rewards.models import Point  # noqa: F401 - the type of the rows
    from people.models import Person


class PointQuerySet(models.QuerySet["Point"]):
    """Chainable selections of points."""

    def visible_to(self, person: Person) -> PointQuerySet:
        """One's own lines; boards show sums of others only, and only of those who are not hidden."""
        return self.filter(person_id=person.pk)

    def of_community(self, community: Community) -> PointQuerySet:
        """Points earned in one community."""
        return self.filter(community_id=community.pk)

    def since(self, moment: datetime | None) -> PointQuerySet:
        """Lines from a moment on; all of them for None."""
        return self.filter(at__gte=moment) if moment else self

    def sums(self) -> list[tuple[int, int]]:
        """(person, points) of those who have any, the most first; equal ones in the order of their accounts."""
        rows = self.order_by().values_list("person").annotate(total=models.Sum("points")).filter(total__gt=0)
        return list(rows.order_by("-total", "person"))
