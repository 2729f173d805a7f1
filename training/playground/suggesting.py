"""Letting an approved adapter propose answers to open tasks of the project that it learnt from."""

from __future__ import annotations

from datetime import datetime

from annotation.answers.models import Suggestion
from annotation.answers.suggestions import add_suggestions
from annotation.kinds.contract import Lesson
from annotation.projects.models import Project, Task
from people.models import Person, Role
from people.refusals import Invalid
from people.services import require_role
from training.playground.services import NotServed
from training.runs.approval import require_in_use
from training.runs.models import Adapter

AT_ONCE = 20


def maker_of(adapter: Adapter) -> str:
    """How a suggestion names the adapter that made it."""
    return f"{adapter.run.release.project.title[:60]}, run {adapter.run.number}"


def project_of(adapter: Adapter) -> Project:
    """The project whose tasks it can propose answers to."""
    project: Project = adapter.run.release.project
    return project


def lesson_of(adapter: Adapter) -> Lesson:
    """How it is asked and how its answers are read. Raises Invalid for a kind that teaches no answers."""
    lesson: Lesson | None = project_of(adapter).task_kind.lesson
    if lesson is None:
        raise Invalid("No model is trained on answers of this kind.")
    return lesson


def require_suggesting(*, adapter: Adapter, asked_by: Person) -> None:
    """Raise NotAllowed, NotServed or Invalid unless the person may let the adapter propose answers."""
    require_role(asked_by, adapter.community, Role.RESEARCHER, Role.STEWARD)
    if not adapter.is_usable:
        raise NotServed("A steward has not approved this adapter, so it is not used here.")
    require_in_use(adapter=adapter)
    lesson_of(adapter)


def tasks_to_suggest(adapter: Adapter, *, at_most: int = AT_ONCE) -> list[Task]:
    """The next open tasks for which the adapter has proposed nothing yet."""
    made = Suggestion.objects.filter(made_by=maker_of(adapter)).values("task")
    open_tasks = Task.objects.filter(project=project_of(adapter), state=Task.State.OPEN).exclude(pk__in=made)
    return list(open_tasks.select_related("item", "project").order_by("item__source", "item__position")[:at_most])


def keep_suggestion(*, adapter: Adapter, task: Task, said: str, asked_by: Person, now: datetime) -> bool:
    """Keep one; whether it could be kept: what a model says is checked as what a person sends."""
    text, payload = lesson_of(adapter).read(task.asked, said)
    # Somebody who says that there is nothing to mark proposes nothing.
    if not text and not any(payload.values()):
        return False
    kept, _problems = add_suggestions(
        project=project_of(adapter),
        rows=[{"task": task.pk, "text": text, "payload": payload}],
        made_by=maker_of(adapter),
        adapter=adapter.pk,
        added_by=asked_by,
        now=now,
    )
    return bool(kept)
