"""Which task comes next for a person."""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db.models import CharField, Count, F, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import MD5, Cast, Concat

from annotation.projects.models import Assignment, Project, Task
from annotation.projects.querysets import TaskQuerySet
from people.models import Person


def next_task(project: Project, person: Person, now: datetime) -> Task | None:
    """The next task for the person, its row locked: those that others have begun to answer first."""
    free = Task.objects.wanting(now).unseen_by(person).suiting(person).filter(project=project)
    free = free.shown_in(project.community)
    own = Assignment.objects.filter(task__project=project, person=person)
    if (
        project.control_share is not None
        and (task := _next_urgent(free, project, f"{person.pk}:{own.count()}", now)) is not None
    ):
        return task
    last = own.order_by("-leased_at").values_list("task__item__source_id", flat=True).first()
    # Counting what is left in every document takes long, so it waits until the present one is done.
    if last is not None and (task := _next_in(free, last, now)) is not None:
        return task
    left = dict(free.order_by().values_list("item__source_id").annotate(Count("pk")))
    others = dict(
        Assignment.objects.filter(task__project=project)
        .exclude(person=person)
        .order_by()
        .values_list("task__item__source_id")
        .annotate(Count("person", distinct=True))
    )
    for source in sorted(left, key=lambda source: (others.get(source, 0), -left[source], source)):
        task = _next_in(free, source, now)
        if task is not None:
            return task
    # What is left is locked by others at this moment, who may leave it free: that is worth waiting for.
    return _lock_first(free, now, F("item__position").asc(), waits=True) if free.exists() else None


def _next_urgent(free: TaskQuerySet, project: Project, draw: str, now: datetime) -> Task | None:
    """The most urgent task; or, by the project's control share, one of the urgent ones by chance.

    Both come from the same tasks, so that what is answered of the one sort can be compared with the other.
    """
    seed = hashlib.sha256(f"{project.pk}:{draw}".encode()).hexdigest()
    by_chance = int(seed[:8], 16) / 0x1_0000_0000 < (project.control_share or 0)
    drawn = MD5(Concat(Cast("pk", CharField()), Value(seed)))
    urgent = free.filter(urgency__isnull=False)
    task = _lock_first(urgent, now, drawn.asc() if by_chance else F("urgency").desc())
    if task is not None and not task.answered:
        task.arm = Task.Arm.CHANCE if by_chance else Task.Arm.URGENT
        task.save(update_fields=["arm"])
    return task


def _next_in(free: TaskQuerySet, source: int, now: datetime) -> Task | None:
    return _lock_first(free.filter(item__source_id=source), now, F("item__position").asc())


def _lock_first(tasks: TaskQuerySet, now: datetime, order: OrderBy, *, waits: bool = False) -> Task | None:
    """The first task that is not locked and, looked at again under its lock, still wants an answer.

    With `waits`, one that is locked is waited for.
    """
    full: list[int] = []
    while True:
        task: Task | None = (
            tasks.exclude(pk__in=full)
            .order_by("-answered", order, "pk")
            .select_for_update(of=("self",), skip_locked=not waits)
            .first()
        )
        if task is None or not task.is_taken(now):
            return task
        # Somebody leased it between the statement's look and its lock.
        full.append(task.pk)
