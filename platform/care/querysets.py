"""Named sets of receipts and grants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from people.models import Community, Person


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    """Chainable selections of consent receipts."""

    def visible_to(self, person: Person) -> ReceiptQuerySet:
        """A receipt is between one person and their community: only that person reads it."""
        return self.filter(person_id=person.pk)

    def current(self, person: Person, community: Community) -> ReceiptQuerySet:
        """The person's receipt that is in force in the community: at most one."""
        return self.filter(person_id=person.pk, community_id=community.pk, ended_at__isnull=True)


class GrantQuerySet(models.QuerySet["Grant"]):
    """Chainable selections of granted purposes."""

    def live(self) -> GrantQuerySet:
        """Grants that were not withdrawn."""
        return self.filter(withdrawn_at__isnull=True)
