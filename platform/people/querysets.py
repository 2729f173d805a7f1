"""Named sets of communities and memberships."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from people.models import Person


class CommunityQuerySet(models.QuerySet["Community"]):
    """Chainable selections of communities."""

    def visible_to(self, person: Person) -> CommunityQuerySet:
        """Communities in which the person holds any live role."""
        return self.filter(memberships__person_id=person.pk, memberships__ended_at__isnull=True).distinct()

    def where(self, person: Person, *roles: str) -> CommunityQuerySet:
        """Communities in which the person holds one of the roles now."""
        return self.filter(
            memberships__person_id=person.pk, memberships__role__in=roles, memberships__ended_at__isnull=True
        ).distinct()

    def joinable(self) -> CommunityQuerySet:
        """Communities that anyone with an account may join as a speaker."""
        return self.filter(is_open=True)


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Chainable selections of memberships."""

    def live(self) -> MembershipQuerySet:
        """Memberships that have not ended."""
        return self.filter(ended_at__isnull=True)

    def visible_to(self, person: Person) -> MembershipQuerySet:
        """The person's own memberships, and all of those in communities where they are a steward."""
        stewarded = self.model._default_manager.filter(
            person_id=person.pk, role="steward", ended_at__isnull=True
        ).values("community")
        return self.filter(models.Q(person_id=person.pk) | models.Q(community__in=stewarded))
