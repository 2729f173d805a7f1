"""Named sets of projects, tasks and assignments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models

from care.models import Restriction
from people.models import Community
from people.querysets import suits

if TYPE_CHECKING:
    from people.models import Person


def _ids(keys: Iterable[str]) -> list[int]:
    return [int(key) for key in keys if key.isdecimal()]


def _uuids(keys: Iterable[str]) -> list[UUID]:
    return [UUID(key) for key in keys if len(key) == 36]


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

    def hidden_in(self, community: Community) -> TaskQuerySet:
        """The community's tasks about something that is hidden from its members: the text itself, the document or the
        project that it belongs to, or an answer or somebody's words that it quotes."""
        keys = Restriction.objects.hidden_by_kind(community)
        ours = self.filter(project__community=community)
        if not keys:
            return self.none()
        if str(community.pk) in keys.get("community", ()):
            return ours
        quoted = self.model.item.field.related_model.quotations.rel.related_model.objects.filter(
            models.Q(answer__in=_uuids(keys.get("answer", ())))
            | models.Q(answer__author__in=_ids(keys.get("person", ())))
        )
        return ours.filter(
            models.Q(item__in=_ids(keys.get("item", ())))
            | models.Q(item__source__in=_ids(keys.get("source", ())))
            | models.Q(project__in=_ids(keys.get("project", ())))
            | models.Q(item__in=quoted.values("item"))
        )

    def shown_in(self, community: Community) -> TaskQuerySet:
        """All but the community's hidden ones."""
        hidden = self.model._default_manager.hidden_in(community)
        return self if hidden.query.is_empty() else self.exclude(pk__in=hidden.values("pk"))

    def unseen_by(self, person: Person) -> TaskQuerySet:
        """Tasks that the person has neither answered nor skipped, nor holds now, and that ask about others' words."""
        seen = person.assignments.exclude(state="expired").filter(task_id=models.OuterRef("pk"))
        own = self.model.not_for.through.objects.filter(person_id=person.pk, task_id=models.OuterRef("pk"))
        return self.exclude(models.Exists(seen)).exclude(models.Exists(own))

    def suiting(self, person: Person) -> TaskQuerySet:
        """Tasks in a variety and an orthography that the person uses."""
        return self.filter(suits(person, project="project__", variety_of_text="item__source__variety"))

    def wanting(self, now: datetime) -> TaskQuerySet:
        """Tasks whose answers and live leases are fewer than they want."""
        # From the few leases and not from the many tasks: a project may hold a hundred thousand.
        full = (
            self.model._default_manager.filter(assignments__state="leased", assignments__expires_at__gt=now)
            .annotate(leases=models.Count("assignments"))
            .filter(answered__gte=models.F("wanted") - models.F("leases"))
        )
        return self.filter(state="open", answered__lt=models.F("wanted")).exclude(pk__in=full.values("pk"))


class AssignmentQuerySet(models.QuerySet["Assignment"]):
    """Chainable selections of assignments."""

    def visible_to(self, person: Person) -> AssignmentQuerySet:
        """A lease concerns its holder only."""
        return self.filter(person_id=person.pk)

    def shown_in(self, community: Community) -> AssignmentQuerySet:
        """All but those of the community's hidden tasks."""
        tasks = self.model.task.field.related_model._default_manager.hidden_in(community)
        return self if tasks.query.is_empty() else self.exclude(task__in=tasks.values("pk"))

    def live(self, now: datetime) -> AssignmentQuerySet:
        """Leases that have not run out."""
        return self.filter(state="leased", expires_at__gt=now)

    def taken_along(self, now: datetime) -> AssignmentQuerySet:
        """Live leases of packets, which are done without a connection."""
        return self.live(now).filter(packet__isnull=False)

    def overdue(self, now: datetime) -> AssignmentQuerySet:
        """Leases whose time ran out and that nobody has closed yet."""
        return self.filter(state="leased", expires_at__lte=now)
