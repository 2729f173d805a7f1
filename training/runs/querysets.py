"""Named sets of runs and adapters."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Cast, Concat

from care.models import Decision, Matter, Purpose, Restriction
from people.models import Community

if TYPE_CHECKING:
    from annotation.projects.models import Project
    from people.models import Person

# The kinds of `AdapterEvent` that put an adapter into service.
INTO_SERVICE = ("approved", "in service again", "went on without the words")
# The same as `care.withdrawing.STAGES` says of adapters.
ENDED_WITHIN = timedelta(days=30)


class RunQuerySet(models.QuerySet["Run"]):
    """Chainable selections of runs."""

    def visible_to(self, person: Person) -> RunQuerySet:
        """Runs of the communities in which the person is a researcher or a steward."""
        communities = Community.objects.where(person, "researcher", "steward")
        return self.filter(community__in=communities)

    def waiting(self, now: datetime) -> RunQuerySet:
        """Runs that a worker may take: queued, or left by a worker whose lease ran out."""
        abandoned = models.Q(state__in=["running", "cancelling"], lease_expires_at__lte=now)
        return self.filter(models.Q(state="queued") | abandoned)

    def live(self) -> RunQuerySet:
        """Runs that wait, run or are being stopped."""
        return self.filter(state__in=["queued", "running", "cancelling"])

    def alone(self) -> RunQuerySet:
        """Runs that somebody, or a schedule, started by themselves: no grid's."""
        return self.filter(grid__isnull=True)


class GridQuerySet(models.QuerySet["Grid"]):
    """Chainable selections of grids."""

    def visible_to(self, person: Person) -> GridQuerySet:
        """Grids of the communities in which the person is a researcher or a steward."""
        return self.filter(community__in=Community.objects.where(person, "researcher", "steward"))


class AdapterQuerySet(models.QuerySet["Adapter"]):
    """Chainable selections of adapters."""

    def visible_to(self, person: Person) -> AdapterQuerySet:
        """Adapters of the communities in which the person holds a role: whose words are in it is theirs to know."""
        return self.filter(community__in=Community.objects.visible_to(person))

    def undecided(self) -> AdapterQuerySet:
        """Candidates that wait for a steward; of a grid's only those that a researcher recommends."""
        candidates = self.filter(state="candidate")
        recommended = candidates.filter(events__kind="recommended").values("pk")
        return candidates.filter(models.Q(run__grid__isnull=True) | models.Q(pk__in=recommended))

    def usable(self) -> AdapterQuerySet:
        """Adapters that were approved, whose words were not withdrawn, whose decision holds, and that are not held."""
        return self.filter(state="approved", withdrawn_since__isnull=True).decided_on().not_held()

    def not_held(self) -> AdapterQuerySet:
        """All but those that a label or a hold keeps from answering: what keeps from training keeps from that too."""
        ours = Restriction.objects.blocking(Purpose.TRAIN_NONCOMMERCIAL).filter(community=models.OuterRef("community"))
        return self.filter(~models.Exists(ours.on(adapter=models.OuterRef("pk"))))

    def in_service(self, project: Project) -> AdapterQuerySet:
        """The project's usable adapters, the one that a steward approved last first: that one is in service, and the
        others are what one can go back to."""
        approved = models.Max("events__at", filter=models.Q(events__kind__in=INTO_SERVICE))
        return self.usable().filter(run__release__project=project).alias(since=approved).order_by("-since", "-pk")

    def tainted(self) -> AdapterQuerySet:
        """Adapters that learnt from words which were withdrawn since, and still are there."""
        return self.filter(withdrawn_since__isnull=False, deleted_at__isnull=True)

    def overdue(self, now: datetime) -> AdapterQuerySet:
        """Tainted ones that should have been deleted by now."""
        return self.tainted().filter(withdrawn_since__lte=now - ENDED_WITHIN)

    def decided_on(self) -> AdapterQuerySet:
        """All but those whose decision was suspended or taken back, or has run out. What went on in an adapter's place
        stands and falls with the decision on that one, and with one on itself."""
        return self._not_undone("pk")._not_undone("goes_on_for")

    def _not_undone(self, which: str) -> AdapterQuerySet:
        subject = Concat(models.Value("adapter:"), Cast(models.OuterRef(which), models.CharField()))
        decisions = Decision.objects.filter(
            community=models.OuterRef("community"), matter=Matter.ADAPTER, subject=subject
        )
        over = decisions.filter(state__in=["suspended", "revoked", "expired"])
        return self.filter(~models.Exists(over) | models.Exists(decisions.filter(state="in_force")))


class AdditionQuerySet(models.QuerySet["Addition"]):
    """Chainable selections of what runs learn from beside a release."""

    def visible_to(self, person: Person) -> AdditionQuerySet:
        """Those of the communities in which the person is a researcher or a steward."""
        return self.filter(community__in=Community.objects.where(person, "researcher", "steward"))

    def there(self) -> AdditionQuerySet:
        """Those that runs may learn from: made, not deleted, and not empty."""
        return self.filter(state="finished", deleted_at__isnull=True, rows__gt=0)

    def for_project(self, project: Project) -> AdditionQuerySet:
        """Those that a run on the project's releases can use: machines' rows are made of sentences of one project."""
        return self.filter(community=project.community_id).filter(
            ~models.Q(kind="synthetic") | models.Q(made_by__release__project=project)
        )

    def waiting(self, now: datetime) -> AdditionQuerySet:
        """Those that a worker may take: queued, or left by a worker whose lease ran out."""
        left = models.Q(state="queued") | models.Q(state="running", lease_expires_at__lte=now)
        return self.filter(left, deleted_at__isnull=True)


class AdapterReadingQuerySet(models.QuerySet["AdapterReading"]):
    """Chainable selections of readings."""

    def waiting(self, now: datetime) -> AdapterReadingQuerySet:
        """Those that a worker may take: queued, or left by a worker whose lease ran out."""
        return self.filter(models.Q(state="queued") | models.Q(state="running", lease_expires_at__lte=now))
