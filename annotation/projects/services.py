"""Opening work and handing it out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef

from annotation.corpora.models import Item, Source
from annotation.projects.models import Assignment, Project, Task
from annotation.text.clean import UnusableText, clean_text
from care.services import require_consent
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed, TooLate
from people.services import require_role


class NothingToDo(Conflicting):
    """Every task of the project is done, leased, or was already seen by this person."""


class LeaseExpired(TooLate):
    """The time for the task ran out and somebody else may have it now."""


class ProjectIsClosed(Conflicting):
    """The project takes no work now."""


@transaction.atomic
def open_project(
    *, community: Community, created_by: Person, sources: Iterable[Source], now: datetime, **fields: Any
) -> Project:
    """Open a project and make one task for each item of the sources."""
    require_role(created_by, community, Role.STEWARD)
    sources = list(sources)
    if not sources:
        raise Invalid("Choose at least one document to work on.", field="sources")
    if any(source.community_id != community.pk for source in sources):
        raise NotAllowed("A document of another community cannot be worked on here.")
    project = Project(community=community, created_by=created_by, created_at=now, **fields)
    project.full_clean()
    project.save()
    add_tasks(project=project, sources=sources)
    append_entry(
        action="project.opened",
        subject=f"project:{project.pk}",
        community=community.slug,
        actor=str(created_by.pk),
        now=now,
        details={"title": project.title},
    )
    return project


def add_tasks(*, project: Project, sources: Iterable[Source]) -> int:
    """Make tasks for the items of the sources that have none in the project; returns how many were made."""
    items = Item.objects.filter(source__in=sources).exclude(tasks__project=project)
    made = Task.objects.bulk_create(
        [Task(project=project, item=item) for item in items], batch_size=1000, ignore_conflicts=True
    )
    return len(made)


@transaction.atomic
def set_project_state(*, project: Project, state: str, changed_by: Person, now: datetime) -> None:
    """Open or close a project. Closing keeps everything; it only stops handing out work."""
    require_role(changed_by, project.community, Role.STEWARD)
    Project.objects.filter(pk=project.pk).update(state=state)
    append_entry(
        action=f"project.{state}",
        subject=f"project:{project.pk}",
        community=project.community.slug,
        actor=str(changed_by.pk),
        now=now,
    )


@transaction.atomic
def lease_task(*, project: Project, person: Person, now: datetime) -> Assignment:
    """The person's live lease in the project, or a new one.

    Asking again returns the same task, so a reload loses nothing. New tasks come from the document the person
    works on already, else from the one that the fewest others work on (of these, the longest): a translator
    keeps the context, and documents keep few authors, which lets a release hold out whole documents and their
    authors for testing.

    Raises ConsentMissing, PolicyChanged, ProjectIsClosed, NotAllowed, NothingToDo.
    """
    require_role(person, project.community, Role.SPEAKER)
    require_consent(person, project.community)
    if project.state != Project.State.OPEN:
        raise ProjectIsClosed("This project is closed for now. Thank you for your work.")
    # Two taps at once must not lease two tasks: the second waits here and finds the first one's lease.
    Person.objects.select_for_update().get(pk=person.pk)
    Assignment.objects.overdue(now).filter(task__project=project).update(state=Assignment.State.EXPIRED, closed_at=now)
    own = Assignment.objects.filter(task__project=project, person=person)
    live: Assignment | None = own.live(now).select_related("task__item__source").first()
    if live is not None:
        return live
    task = _next_task(project, person)
    if task is None:
        raise NothingToDo("There is nothing left for you to translate here. You can review, or come back later.")
    return Assignment.objects.create(task=task, person=person, leased_at=now, expires_at=now + project.lease_length)


def _next_task(project: Project, person: Person) -> Task | None:
    leased = Assignment.objects.filter(task=OuterRef("pk"), state=Assignment.State.LEASED)
    seen = Assignment.objects.filter(task=OuterRef("pk"), person=person).exclude(state=Assignment.State.EXPIRED)
    free = Task.objects.filter(project=project, state=Task.State.OPEN).filter(~Exists(leased), ~Exists(seen))
    last = (
        Assignment.objects.filter(task__project=project, person=person)
        .order_by("-leased_at")
        .values_list("task__item__source_id", flat=True)
        .first()
    )
    left = dict(free.order_by().values_list("item__source_id").annotate(Count("pk")))
    others = dict(
        Assignment.objects.filter(task__project=project)
        .exclude(person=person)
        .order_by()
        .values_list("task__item__source_id")
        .annotate(Count("person", distinct=True))
    )
    for source in sorted(left, key=lambda source: (source != last, others.get(source, 0), -left[source], source)):
        task: Task | None = (
            free.filter(item__source_id=source)
            .order_by("item__position")
            .select_for_update(of=("self",), skip_locked=True)
            .first()
        )
        if task is not None:
            return task
    return None


@transaction.atomic
def skip_task(*, assignment: Assignment, reason: str, now: datetime, note: str = "") -> None:
    """Hand a task back with a reason; it does not come to this person again. Skipping twice changes nothing."""
    if reason not in Assignment.SkipReason.values:
        raise Invalid("Choose why you skip this sentence.", field="reason")
    try:
        note = clean_text(note, maximum=500) if note.strip() else ""
    except UnusableText as error:
        raise Invalid(str(error), field="note") from error
    current = Assignment.objects.select_for_update().get(pk=assignment.pk)
    if current.state == Assignment.State.SKIPPED:
        return
    if current.state == Assignment.State.ANSWERED:
        raise Conflicting("You have already answered this sentence.")
    Assignment.objects.filter(pk=current.pk).update(
        state=Assignment.State.SKIPPED, skip_reason=reason, skip_note=note, closed_at=now
    )


@transaction.atomic
def undo_skip(*, assignment: Assignment, now: datetime) -> Assignment:
    """Take a skipped task back while nobody else has it. Raises LeaseExpired when somebody does."""
    current: Assignment = Assignment.objects.select_for_update().select_related("task__project").get(pk=assignment.pk)
    task = Task.objects.select_for_update().get(pk=current.task_id)
    taken = task.assignments.filter(state=Assignment.State.LEASED).exclude(pk=current.pk).exists()
    if current.state != Assignment.State.SKIPPED or taken or task.state != Task.State.OPEN:
        raise LeaseExpired("Somebody else works on that sentence now.")
    others = Assignment.objects.filter(task__project=current.task.project, person=current.person)
    others.filter(state=Assignment.State.LEASED).update(state=Assignment.State.EXPIRED, closed_at=now)
    current.state, current.skip_reason, current.skip_note = Assignment.State.LEASED, "", ""
    current.leased_at, current.expires_at, current.closed_at = (
        now,
        now + current.task.project.lease_length,
        None,
    )
    current.save()
    return current


def expire_leases(*, now: datetime) -> int:
    """Close the leases that ran out, so that others get the tasks; returns how many."""
    return Assignment.objects.overdue(now).update(state=Assignment.State.EXPIRED, closed_at=now)
