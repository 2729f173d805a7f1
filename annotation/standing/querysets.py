"""Named sets of standings and of pairs that are kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Count, Exists, OuterRef, Q

from annotation.aggregation.skill import hours_before_settling
from people.models import Community, Membership

if TYPE_CHECKING:
    from annotation.standing.models import KeptApart, Standing  # noqa: F401 - the types of the rows
    from people.models import Person


class StandingQuerySet(models.QuerySet["Standing"]):
    """Chainable selections of standings."""

    def visible_to(self, person: Person) -> StandingQuerySet:
        """One's own, and those of the communities that the person is a steward of."""
        return self.filter(Q(person_id=person.pk) | Q(community__in=Community.objects.where(person, "steward")))

    def who_may_not_check(self) -> StandingQuerySet:
        """Frozen people, and those whose votes do not count."""
        return self.filter(Q(is_frozen=True) | Q(is_stopped=True))

    def careful(self) -> StandingQuerySet:
        """Members who have shown care and may check."""
        present = Membership.objects.live().filter(
            person_id=OuterRef("person_id"), community_id=OuterRef("community_id"), role__in=["speaker", "expert"]
        )
        return self.filter(Exists(present), has_shown_care=True, is_frozen=False, is_stopped=False)

    def where_to_wait(self, person: Person) -> dict[int, int]:
        """The communities in which the person only gives first votes, with the hours after which they give any."""
        mine = Count("pk", filter=Q(person_id=person.pk))
        rows = self.careful().order_by().values("community").annotate(people=Count("pk"), mine=mine)
        hours = {
            row["community"]: hours_before_settling(has_shown_care=bool(row["mine"]), careful_people=row["people"])
            for row in rows
        }
        return {community: wait for community, wait in hours.items() if wait}


class KeptApartQuerySet(models.QuerySet["KeptApart"]):
    """Chainable selections of pairs."""

    def visible_to(self, person: Person) -> KeptApartQuerySet:
        """Pairs in the communities that the person is a steward of."""
        return self.filter(community__in=Community.objects.where(person, "steward"))
