"""Named sets of releases, and of notices on downloads."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models

from care.models import Agreement, Purpose, Restriction
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

    def covered_by(self, agreement: Agreement) -> ReleaseQuerySet:
        """Releases that the agreement names, for purposes that it allows; and later ones of the same projects for the
        same purpose, where it says so.
        """
        ours = self.filter(community=agreement.community_id, purpose__in=agreement.purposes)
        named = models.Q(number__in=agreement.releases)
        if not agreement.covers_later:
            return ours.filter(named)
        earlier = self.model._default_manager.filter(
            community=agreement.community_id,
            number__in=agreement.releases,
            number__lt=models.OuterRef("number"),
            project=models.OuterRef("project"),
            purpose=models.OuterRef("purpose"),
        )
        return ours.filter(named | models.Exists(earlier))


class NoticeQuerySet(models.QuerySet["DownloadNotice"]):
    """Chainable selections of notices to delete or replace a download."""

    def open_ones(self) -> NoticeQuerySet:
        """Those that nobody has followed: not answered, or refused."""
        return self.filter(answer__in=["", "refused"])

    def overdue(self, now: datetime) -> NoticeQuerySet:
        """Not followed, and the seven days are over."""
        return self.open_ones().filter(due_at__lt=now)
