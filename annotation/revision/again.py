"""Asking people again about answers that are settled: experts to decide, or speakers for one answer more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from annotation.answers.models import Answer
from annotation.answers.outcomes import set_state, settle_task
from annotation.projects.models import Task
from annotation.standing.services import require_not_frozen
from ledger.services import append_entry
from people.models import Person, Role
from people.services import require_role

WHO_MAY = (Role.EXPERT, Role.RESEARCHER)
MOST_MORE = 5


@transaction.atomic
def ask_experts(*, versions: Mapping[UUID, int], asked_by: Person, note: str, now: datetime) -> int:
    """Put validated answers into the experts' queue, each once; returns how many went.

    `versions` maps an answer to the version that was looked at. What was edited, settled otherwise or decided by an
    expert since stays as it is. `note` is the reason, of `annotation.answers.notes`. Raises NotAllowed, Frozen.
    """
    sent = 0
    for task in _locked(Task.objects.filter(answers__in=versions), asked_by):
        for answer in Answer.objects.select_for_update().filter(task=task, pk__in=versions).order_by("pk"):
            is_same = (answer.state, answer.version) == (Answer.State.VALIDATED, versions[answer.pk])
            if not is_same or answer.adjudications.filter(version=answer.version).exists():
                continue
            set_state(answer=answer, state=Answer.State.DISPUTED, actor=asked_by, now=now, note=note)
            sent += 1
        settle_task(task, now=now)
    return sent


@transaction.atomic
def ask_for_more(*, tasks: Iterable[int], asked_by: Person, now: datetime) -> int:
    """Ask for one independent answer more to each of these settled tasks; returns how many are open again.

    Only answers that are words stand side by side: where one alone can be right, experts are asked instead.
    Raises NotAllowed, Frozen.
    """
    opened: list[Task] = []
    for task in _locked(Task.objects.filter(pk__in=list(tasks)), asked_by):
        if task.state != Task.State.DONE or not task.project.task_kind.is_text or task.more >= MOST_MORE:
            continue
        task.more += 1
        task.save(update_fields=["more"])
        # What is accepted already stands beside what comes.
        task.answers.update(is_one_of_many=True)
        settle_task(task, now=now)
        if task.state == Task.State.OPEN:
            opened.append(task)
    if opened:
        project = opened[0].project
        append_entry(
            action="tasks.opened_again",
            subject=f"project:{project.pk}",
            community=project.community.slug,
            actor=str(asked_by.pk),
            now=now,
            details={"tasks": len(opened)},
        )
    return len(opened)


def _locked(tasks: Iterable[Task], person: Person) -> Iterable[Task]:
    """Each task under its lock, in one order everywhere, if the person may ask again about it."""
    for pk in sorted({task.pk for task in tasks}):
        task = Task.objects.select_for_update(of=("self",)).select_related("project__community", "item").get(pk=pk)
        require_role(person, task.project.community, *WHO_MAY)
        require_not_frozen(person, task.project.community)
        yield task
