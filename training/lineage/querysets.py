"""Named sets of what withdrawals reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from people.models import Community

if TYPE_CHECKING:
    from people.models import Person
    from training.lineage.models import Taint  # noqa: F401 - names the rows


class TaintQuerySet(models.QuerySet["Taint"]):
    """Chainable selections of what withdrawals reached."""

    def visible_to(self, person: Person) -> TaintQuerySet:
        """What one's own withdrawals reached, and those in communities of which the person is a steward."""
        stewarded = Community.objects.where(person, "steward")
        mine = models.Q(withdrawal__person_id=person.pk)
        return self.filter(mine | models.Q(withdrawal__community__in=stewarded))

    def counted(self) -> dict[str, int]:
        """How many things of each kind."""
        return dict(self.order_by().values_list("kind").annotate(models.Count("pk")))
