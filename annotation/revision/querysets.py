"""Named sets of what scans found and batches changed: for experts of the community alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from people.models import Community

if TYPE_CHECKING:
    from annotation.revision.models import Batch, Inconsistency, Suspicion  # noqa: F401 - the types of the rows
    from people.models import Person


class InconsistencyQuerySet(models.QuerySet["Inconsistency"]):
    """Chainable selections of inconsistencies."""

    def visible_to(self, person: Person) -> InconsistencyQuerySet:
        """Those of communities in which the person is an expert."""
        return self.filter(project__community__in=Community.objects.where(person, "expert"))


class SuspicionQuerySet(models.QuerySet["Suspicion"]):
    """Chainable selections of suspicions."""

    def visible_to(self, person: Person) -> SuspicionQuerySet:
        """Those of communities in which the person is an expert."""
        return self.filter(project__community__in=Community.objects.where(person, "expert"))

    def standing(self) -> SuspicionQuerySet:
        """Those whose answer is still validated in the version that was looked at."""
        return self.filter(answer__state="validated", answer__version=models.F("version"))


class BatchQuerySet(models.QuerySet["Batch"]):
    """Chainable selections of batches."""

    def visible_to(self, person: Person) -> BatchQuerySet:
        """Those of communities in which the person is an expert."""
        return self.filter(project__community__in=Community.objects.where(person, "expert"))
