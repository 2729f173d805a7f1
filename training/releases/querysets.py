"""Named sets of releases, of what they hold, and of notices on downloads."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models

from annotation.answers.models import Answer
from care.models import Agreement, Grant, Purpose, Receipt, Restriction
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


def receipts_for(purpose: str) -> models.QuerySet[Receipt]:
    """Receipts under which somebody's votes may be used for the purpose now: it is granted, and nothing keeps the
    person from it."""
    granted = Grant.objects.live().filter(receipt_id=models.OuterRef("pk"), purpose=purpose)
    against = Restriction.objects.blocking(purpose).filter(community=models.OuterRef("community_id"))
    kept_from = models.Exists(against.on(person=models.OuterRef("person_id")))
    return Receipt.objects.filter(models.Exists(granted)).exclude(kept_from)


class ReleaseItemQuerySet(models.QuerySet["ReleaseItem"]):
    """Chainable selections of what releases hold."""

    def touched_by(
        self, *, answers: models.QuerySet[Answer], receipts: models.QuerySet[Receipt] | None = None
    ) -> ReleaseItemQuerySet:
        """Rows of these answers, and those with votes that were given under one of the receipts."""
        if receipts is None:
            return self.filter(answer__in=answers)
        # Two searches by index. With `OR` the database reads all rows of all releases.
        theirs = self.model.objects.filter(answer__in=answers).values("pk")
        voted = self.model.voters.through.objects.filter(receipt__in=receipts).values("releaseitem_id")
        return self.filter(pk__in=theirs.union(voted))

    def not_usable_for(self, purpose: str, *, if_allowed: bool = False) -> ReleaseItemQuerySet:
        """Rows that may not be used for the purpose now: the answer may not, or it is not what it was frozen as, or a
        vote on it may not. `if_allowed`: nor could be if the community's policy allowed it."""
        usable = Answer.objects.eligible_for(purpose, counter_examples=True, if_allowed=if_allowed)
        turned = models.Q(is_good=True, answer__state="rejected") | models.Q(is_good=False, answer__state="validated")
        return self.filter(~models.Q(answer__in=usable) | turned | self._silenced(purpose))

    def lost_votes_alone(self, purpose: str) -> ReleaseItemQuerySet:
        """Rows whose answer may be used for the purpose now, and a vote on it may not."""
        usable = Answer.objects.eligible_for(purpose, counter_examples=True)
        return self.filter(self._silenced(purpose), answer__in=usable)

    def _silenced(self, purpose: str) -> models.Exists:
        return models.Exists(self._votes().exclude(receipt__in=receipts_for(purpose)))

    def _votes(self) -> models.QuerySet[Any]:
        return self.model.voters.through.objects.filter(releaseitem_id=models.OuterRef("pk"))


class NoticeQuerySet(models.QuerySet["DownloadNotice"]):
    """Chainable selections of notices to delete or replace a download."""

    def of_members(self, community: Community) -> NoticeQuerySet:
        """Those on what members of the community took home."""
        return self.filter(download__release__community=community, download__agreement__isnull=True)

    def open_ones(self) -> NoticeQuerySet:
        """Those that nobody has followed: not answered, or refused. Where nobody reaches the holder, nobody can."""
        return self.filter(answer__in=["", "refused"])

    def overdue(self, now: datetime) -> NoticeQuerySet:
        """Not followed, and the seven days are over."""
        return self.open_ones().filter(due_at__lt=now)
