"""Named sets of probes, readings and trials."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models

from annotation.answers.models import Answer
from people.models import Community
from training.runs.models import Adapter

if TYPE_CHECKING:
    from people.models import Person


class ProbeQuerySet(models.QuerySet["Probe"]):
    """Chainable selections of probes."""

    def visible_to(self, person: Person) -> ProbeQuerySet:
        """Probes of the communities in which the person is a researcher or a steward."""
        return self.filter(community__in=Community.objects.where(person, "researcher", "steward"))

    def waiting(self, now: datetime) -> ProbeQuerySet:
        """Probes that a worker may take: queued, or left by a worker whose lease ran out."""
        return self.filter(models.Q(state="queued") | models.Q(state="running", lease_expires_at__lte=now))

    def with_progress(self) -> ProbeQuerySet:
        """Adds `planned` and `read`: how many readings it has, and how many of them are filled."""
        return self.annotate(
            planned=models.Count("readings"), read=models.Count("readings", filter=models.Q(readings__is_read=True))
        )


class ReadingQuerySet(models.QuerySet["Reading"]):
    """Chainable selections of readings."""

    def readable_by(self, person: Person) -> ReadingQuerySet:
        """Those whose answer, if they are of one, the person may still read."""
        return self.filter(models.Q(answer__isnull=True) | models.Q(answer__in=Answer.objects.visible_to(person)))

    def hardest(self, measure: str) -> ReadingQuerySet:
        """Those that have the measure (loss, entropy, disagreement), the largest first."""
        return self.filter(**{f"{measure}__isnull": False}).order_by(f"-{measure}", "pk")


class TrialQuerySet(models.QuerySet["Trial"]):
    """Chainable selections of trials."""

    def visible_to(self, person: Person) -> TrialQuerySet:
        """Trials of the communities in which the person holds a role: it is their votes that are counted."""
        return self.filter(community__in=Community.objects.visible_to(person))


class TrialPairQuerySet(models.QuerySet["TrialPair"]):
    """Chainable selections of pairs."""

    def of_adapters(self, keys: Iterable[int]) -> TrialPairQuerySet:
        """Those with a text that one of the adapters wrote."""
        some = list(keys)
        return self.filter(models.Q(first__in=some) | models.Q(second__in=some))

    def not_to_be_shown(self) -> TrialPairQuerySet:
        """Those with a text of an adapter that learnt from words which were withdrawn, or that is held."""
        shown = Adapter.objects.filter(withdrawn_since__isnull=True).not_held().values("pk")
        gone = models.Q(first__isnull=False) & ~models.Q(first__in=shown)
        return self.filter(gone | (models.Q(second__isnull=False) & ~models.Q(second__in=shown)))
