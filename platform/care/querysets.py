"""Named sets of what `care.models` holds."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Now

from care.eligibility import BEFORE_VALIDATION
from people.models import Community

if TYPE_CHECKING:
    from people.models import Person

# Written as in a database function, whose clock decides for every reader alike.
TODAY = models.Func(Now(), models.Value("MM-DD"), function="to_char", output_field=models.CharField())


class PolicyQuerySet(models.QuerySet["Policy"]):
    """Chainable selections of policies."""

    def allowing(self, purpose: str) -> PolicyQuerySet:
        """Policies in force that offer the purpose, by a decision that stands: the community's own key to it. When the
        time of the decision is over, members see and check on, and no new use begins.
        """
        standing = ["in_force", "expired"] if purpose in BEFORE_VALIDATION else ["in_force"]
        return self.filter(state="published", purposes__contains=[purpose], decision__state__in=standing)


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    """Chainable selections of consent receipts."""

    def visible_to(self, person: Person) -> ReceiptQuerySet:
        """A receipt is between one person and their community: only that person reads it."""
        return self.filter(person_id=person.pk)

    def current(self, person: Person, community: Community) -> ReceiptQuerySet:
        """The person's receipt that is in force in the community: at most one."""
        return self.filter(person_id=person.pk, community_id=community.pk, ended_at__isnull=True)


class RenderingQuerySet(models.QuerySet["Rendering"]):
    """Chainable selections of renderings of consent texts."""

    def waiting(self) -> RenderingQuerySet:
        """Those that nobody has checked, and nobody objects to as they are now."""
        objected = self.filter(objections__answered_at__isnull=True, objections__isnull=False)
        return self.filter(checked_by__isnull=True).exclude(pk__in=objected.values("pk"))


class GrantQuerySet(models.QuerySet["Grant"]):
    """Chainable selections of granted purposes."""

    def live(self) -> GrantQuerySet:
        """Grants that were not withdrawn, nor overtaken by wider terms without being renewed."""
        holds = models.Q(overtaken_at__isnull=True) | models.Q(renewed_at__isnull=False)
        return self.filter(holds, withdrawn_at__isnull=True)


class RestrictionQuerySet(models.QuerySet["Restriction"]):
    """Chainable selections of restrictions."""

    def live(self) -> RestrictionQuerySet:
        """Those that nobody has lifted."""
        return self.filter(lifted_at__isnull=True)

    def blocking(self, purpose: str) -> RestrictionQuerySet:
        """Live ones that keep from the purpose today: always, or because their season is over or has not begun."""
        begun, not_over = models.Q(season_from__lte=TODAY), models.Q(season_to__gte=TODAY)
        within = models.Q(season_from__lte=models.F("season_to")) & begun & not_over
        # Over the turn of the year.
        around = models.Q(season_from__gt=models.F("season_to")) & (begun | not_over)
        in_season = ~models.Q(season_from="") & (within | around)
        return self.live().filter(blocks__contains=[purpose]).exclude(in_season)

    def hidden_by_kind(self, community: Community) -> dict[str, list[str]]:
        """What no member of the community may see now: the keys of each kind. Few, so they are read at once."""
        found: dict[str, list[str]] = {}
        for kind, key in self.blocking("display_members").filter(community=community).values_list("kind", "key"):
            found.setdefault(kind, []).append(key)
        return found

    def hidden_people(self, community: Community) -> set[int]:
        """Whose words no member of the community may see now, as of somebody who has died; nobody names them either."""
        return {int(key) for key in self.hidden_by_kind(community).get("person", ()) if key.isdecimal()}

    def on(self, **subjects: Combinable | str) -> RestrictionQuerySet:
        """Those on any of these subjects, by kind: `on(item=OuterRef("item_id"))` inside another query."""
        wanted = models.Q(pk__in=[])
        for kind, key in subjects.items():
            wanted |= models.Q(kind=kind, key=Cast(key, models.CharField()))
        return self.filter(wanted)


class HarmReportQuerySet(models.QuerySet["HarmReport"]):
    """Chainable selections of reports of harm."""

    def visible_to(self, person: Person) -> HarmReportQuerySet:
        """What somebody reports is for the stewards, and what became of it for whoever reported it."""
        return self.filter(
            models.Q(reporter_id=person.pk) | models.Q(community__in=Community.objects.where(person, "steward"))
        )

    def by(self, person: Person) -> HarmReportQuerySet:
        """What the person reported."""
        return self.filter(reporter_id=person.pk)

    def unread(self) -> HarmReportQuerySet:
        """Those that no steward has sorted yet."""
        return self.filter(state="received")

    def open(self) -> HarmReportQuerySet:
        """Those that are not closed."""
        return self.exclude(state="closed")

    def overdue(self, now: datetime) -> HarmReportQuerySet:
        """Unread ones whose time is over and of which nobody was told yet."""
        return self.unread().filter(triage_due_at__lte=now, late_since__isnull=True)


class StewardNoticeQuerySet(models.QuerySet["StewardNotice"]):
    """Chainable selections of notices."""

    def unread(self) -> StewardNoticeQuerySet:
        """Those that no steward has read."""
        return self.filter(read_at__isnull=True)


class BrokenGlassQuerySet(models.QuerySet["BrokenGlass"]):
    """Chainable selections of broken glass."""

    def live(self, now: datetime) -> BrokenGlassQuerySet:
        """What lets somebody read at that moment: begun, not over, and not ended."""
        return self.filter(broken_at__lte=now, ends_at__gt=now, ended_at__isnull=True)


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


class AgreementQuerySet(models.QuerySet["Agreement"]):
    """Chainable selections of access agreements."""

    def held_by(self, person: Person) -> AgreementQuerySet:
        """Those that the person asked for, or is named in."""
        named = self.model.users.through.objects.filter(agreement=models.OuterRef("pk"), person_id=person.pk)
        return self.filter(models.Q(applicant_id=person.pk) | models.Exists(named))

    def sent_to(self, community: Community) -> AgreementQuerySet:
        """What the community's stewards read: until it is sent, a request is its applicant's own."""
        return self.filter(community=community, submitted_at__isnull=False)

    def unanswered(self, now: datetime) -> AgreementQuerySet:
        """Requests whose answer is overdue and of which nobody was told yet."""
        return self.filter(answer_due_at__lte=now, late_since__isnull=True)

    def in_force(self, now: datetime) -> AgreementQuerySet:
        """Those that open anything at that moment: signed, begun, not over, and the decision on them stands."""
        return self.filter(
            state="active",
            starts_on__lte=now.astimezone(UTC).date(),
            ends_at__gt=now,
            decision__state="in_force",
            decision__effective_from__lte=now,
            decision__expires_at__gt=now,
        )


class CommitmentQuerySet(models.QuerySet["Commitment"]):
    """Chainable selections of promised benefits."""

    def binding(self) -> CommitmentQuerySet:
        """Of agreements that have been in force, however they ended: a promise does not end with access."""
        return self.filter(agreement__activated_at__isnull=False)

    def missing(self) -> CommitmentQuerySet:
        """Binding ones that have not been delivered."""
        return self.binding().filter(state__in=["promised", "due", "overdue"])

    def late(self, today: date, *, days: int) -> CommitmentQuerySet:
        """Missing ones that are overdue for more than so many days."""
        return self.missing().filter(due_on__lt=today - timedelta(days=days))


class WithdrawalQuerySet(models.QuerySet["Withdrawal"]):
    """Chainable selections of withdrawals."""

    def visible_to(self, person: Person) -> WithdrawalQuerySet:
        """One's own, and those in communities of which the person is a steward."""
        stewarded = Community.objects.where(person, "steward")
        return self.filter(models.Q(person_id=person.pk) | models.Q(community__in=stewarded))

    def unfinished(self) -> WithdrawalQuerySet:
        """Those of which something is still to be done."""
        return self.filter(stages__done_at__isnull=True, stages__isnull=False).distinct()


class WithdrawalStageQuerySet(models.QuerySet["WithdrawalStage"]):
    """Chainable selections of stages."""

    def waiting(self, *names: str) -> WithdrawalStageQuerySet:
        """Those that are not done; of these names, where some are named."""
        waiting = self.filter(done_at__isnull=True)
        return waiting.filter(name__in=names) if names else waiting

    def late(self, now: datetime) -> WithdrawalStageQuerySet:
        """Those whose time is over."""
        return self.waiting().filter(due_at__lt=now)


class AccountErasureQuerySet(models.QuerySet["AccountErasure"]):
    """Chainable selections of accounts that are erased."""

    def unfinished(self) -> AccountErasureQuerySet:
        """Those with words that are still to be erased."""
        return self.filter(finished_at__isnull=True)
