"""Named sets of receipts, grants, proposals and decisions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models

from people.models import Community

if TYPE_CHECKING:
    from people.models import Person


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


class ProposalQuerySet(models.QuerySet["Proposal"]):
    """Chainable selections of proposals."""

    def visible_to(self, person: Person) -> ProposalQuerySet:
        """Every member reads what their community decides on."""
        return self.filter(community__in=Community.objects.visible_to(person))

    def open(self) -> ProposalQuerySet:
        """Those that can be voted on."""
        return self.filter(state="open")

    def waiting_for(self, person: Person) -> ProposalQuerySet:
        """Open ones in which the person may vote and has not."""
        mine = self.open().filter(electors__contains=[{"person": person.pk}])
        conflicts = self.model._meta.get_field("conflicts").related_model._default_manager
        barred = conflicts.filter(person_id=person.pk, is_upheld=True).values("proposal")
        return mine.exclude(votes__elector_id=person.pk).exclude(pk__in=barred)

    def due(self, now: datetime) -> ProposalQuerySet:
        """Open ones whose time is over."""
        return self.open().filter(closes_at__lte=now)


class DecisionQuerySet(models.QuerySet["Decision"]):
    """Chainable selections of decisions."""

    def visible_to(self, person: Person) -> DecisionQuerySet:
        """Every member reads what their community decided."""
        return self.filter(community__in=Community.objects.visible_to(person))

    def in_force(self, now: datetime) -> DecisionQuerySet:
        """Those that allow something at that moment."""
        return self.filter(state="in_force", effective_from__lte=now, expires_at__gt=now)
