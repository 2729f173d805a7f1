"""Answers that a machine proposes. A person begins with one or does not; nothing of it is kept unless they send it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction

from annotation.answers.models import Suggestion
from annotation.kinds.contract import Asked, UnusableAnswer, Written
from annotation.projects.models import Project, Task
from people.models import Person, Role
from people.refusals import Invalid
from people.services import require_role

MOST_AT_ONCE = 1000
MOST_LETTERS_OF_NAME = 80


def asked_with_suggestions(task: Task) -> Asked:
    """What the task asks, with what machines propose for it; load `item` and `project` with it."""
    made = [{"made_by": row.made_by, **row.payload} for row in task.suggestions.shown().exclude(payload={})]
    return replace(task.asked, suggestions=made) if made else task.asked


@transaction.atomic
def add_suggestions(
    *,
    project: Project,
    rows: Sequence[Mapping[str, Any]],
    made_by: str,
    added_by: Person,
    now: datetime,
    adapter: int | None = None,
) -> tuple[int, list[dict[str, Any]]]:
    """Propose answers to tasks of the project; a newer proposal of the same maker takes the place of its older one.

    `adapter` is its number when it is the community's own, so that a hold on it hides them. Each row is {"task", "text"
    or "payload"}. Returns how many were kept and, for each that was not, {"task", "message"}. Raises Invalid,
    NotAllowed.
    """
    require_role(added_by, project.community, Role.RESEARCHER, Role.STEWARD)
    made_by = " ".join(made_by.split())
    if not made_by or len(made_by) > MOST_LETTERS_OF_NAME:
        raise Invalid(
            "Name the model that made them, in at most %(most)s letters.", field="made_by", most=MOST_LETTERS_OF_NAME
        )
    if len(rows) > MOST_AT_ONCE:
        raise Invalid("At most %(most)s suggestions are taken at once.", field="rows", most=MOST_AT_ONCE)
    tasks = Task.objects.filter(project=project).select_related("project", "item")
    known = tasks.in_bulk([row["task"] for row in rows])
    kept, problems = 0, []
    for row in rows:
        task = known.get(row["task"])
        try:
            written = _checked(task, row)
        except UnusableAnswer as error:
            problems.append({"task": row["task"], "message": str(error)})
            continue
        Suggestion.objects.update_or_create(
            task=task,
            made_by=made_by,
            defaults={"text": written.text, "payload": dict(written.payload), "made_at": now, "adapter": adapter},
        )
        kept += 1
    return kept, problems


def _checked(task: Task | None, row: Mapping[str, Any]) -> Written:
    if task is None:
        raise UnusableAnswer("There is no such task in this project.")
    return task.project.task_kind.check(row.get("text") or "", row.get("payload") or {}, task.asked)


def begun_with(task: Task, pk: int | None) -> Suggestion | None:
    """The suggestion with that number, when it was made for this task. An answer that names another is not marked."""
    return Suggestion.objects.shown().filter(task=task, pk=pk).first() if pk else None
