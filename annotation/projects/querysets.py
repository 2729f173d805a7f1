"""Named sets of projects, tasks and assignments."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import models

from people.models import Community

if TYPE_CHECKING:
    from people.models import Person


class ProjectQuerySet(models.QuerySet["Project"]):
    """Chainable selections of projects."""

    def visible_to(self, person: Person) -> ProjectQuerySet:
        """Projects of the communities in which the person holds a role."""
        return self.filter(community__in=Community.objects.visible_to(person))

    def open(self) -> ProjectQuerySet:
        """Projects that take answers."""
        return self.filter(state="open")

    def with_progress(self) -> ProjectQuerySet:
        """Adds the numbers of tasks by state: `tasks_total`, `tasks_open`, `tasks_in_review`, `tasks_disputed`,
        `tasks_done`."""

        def count(state: str) -> models.Count:
            return models.Count("tasks", filter=models.Q(tasks__state=state))

        return self.annotate(
            tasks_total=models.Count("tasks"),
            tasks_open=count("open"),
            tasks_in_review=count("answered"),
            tasks_disputed=count("disputed"),
            tasks_done=count("done"),
        )


class TaskQuerySet(models.QuerySet["Task"]):
    """Chainable selections of tasks."""

    def visible_to(self, person: Person) -> TaskQuerySet:
        """Tasks of the communities in which the person holds a role."""
        return self.filter(project__community__in=Community.objects.visible_to(person))

    def unseen_by(self, person: Person) -> TaskQuerySet:
        """Tasks that the person has neither answered nor skipped, nor holds now."""
        seen = person.assignments.exclude(state="expired").filter(task_id=models.OuterRef("pk"))
        return self.exclude(models.Exists(seen))

    def wanting(self, now: datetime) -> TaskQuerySet:
        """Tasks whose answers and live leases are fewer than they want."""
        leases = models.Count(
            "assignments", filter=models.Q(assignments__state="leased", assignments__expires_at__gt=now)
        )
        # A subquery, so that rows can still be locked (PostgreSQL locks no grouped rows).
        open_ones = self.model._default_manager.filter(state="open").annotate(leases=leases)
        return self.filter(pk__in=open_ones.filter(answered__lt=models.F("wanted") - models.F("leases")).values("pk"))


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    """Chainable selections of assignments."""

    def visible_to(self, person: Person) -> AssignmentQuerySet:
        """A lease concerns its holder only."""
        return self.filter(person_id=person.pk)

    def live(self, now: datetime) -> AssignmentQuerySet:
        """Leases that have not run out."""
        return self.filter(state="leased", expires_at__gt=now)

    def taken_along(self, now: datetime) -> AssignmentQuerySet:
        """Live leases of packets, which are done without a connection."""
        return self.live(now).filter(packet__isnull=False)

    def overdue(self, now: datetime) -> AssignmentQuerySet:
        """Leases whose time ran out and that nobody has closed yet."""
        return self.filter(state="leased", expires_at__lte=now)
