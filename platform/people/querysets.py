"""Named sets of communities and memberships."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from people.models import Person


def suits(person: Person, *, project: str, variety_of_text: str = "") -> models.Q:
    """That a row's project, and its text where one is named, are in a variety and an orthography of the person.

    `project` is the prefix that leads there ("project__"). Whoever has said nothing of theirs gets all, and so does a
    project that names none.
    """
    spoken, written = person.spoken_varieties, person.written_orthographies
    community = models.OuterRef(f"{project}community")

    def is_one_of(field: str, chosen: models.QuerySet[Any]) -> models.Q:
        said = models.Exists(chosen.filter(community=community))
        return models.Q(**{f"{field}__isnull": True}) | ~models.Q(said) | models.Q(**{f"{field}__in": chosen})

    both = is_one_of(f"{project}variety", spoken) & is_one_of(f"{project}orthography", written)
    return both & is_one_of(variety_of_text, spoken) if variety_of_text else both


class CommunityQuerySet(models.QuerySet["Community"]):
    """Chainable selections of communities."""

    def visible_to(self, person: Person) -> CommunityQuerySet:
        """Communities in which the person holds any live role; and the one whose glass they broke, on its pages."""
        if person.looking_into is not None:
            return self.filter(pk=person.looking_into)
        return self._held_by(person).distinct()

    def where(self, person: Person, *roles: str) -> CommunityQuerySet:
        """Communities in which the person holds one of the roles now."""
        return self._held_by(person, memberships__role__in=roles).distinct()

    def _held_by(self, person: Person, **more: Any) -> CommunityQuerySet:
        """By a live membership; a suspended account holds none, whatever was read of it when the request began."""
        return self.filter(
            memberships__person_id=person.pk,
            memberships__person__is_active=True,
            memberships__ended_at__isnull=True,
            **more,
        )

    def joinable(self) -> CommunityQuerySet:
        """Communities that anyone with an account may join as a speaker."""
        return self.filter(is_open=True)


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Chainable selections of memberships."""

    def live(self) -> MembershipQuerySet:
        """Memberships that have not ended."""
        return self.filter(ended_at__isnull=True)

    def of_active(self) -> MembershipQuerySet:
        """Those of accounts that are not suspended."""
        return self.filter(person__is_active=True)

    def visible_to(self, person: Person) -> MembershipQuerySet:
        """The person's own memberships, and all of those in communities where they are a steward."""
        mine = models.Q(person_id=person.pk, person__is_active=True)
        stewarded = self.model._default_manager.filter(mine, role="steward", ended_at__isnull=True).values("community")
        return self.filter(mine | models.Q(community__in=stewarded))
