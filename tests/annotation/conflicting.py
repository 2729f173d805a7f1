"""Three people's labels on one made-up sentence that do not agree."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from annotation.answers.models import Answer
from annotation.answers.services import submit_answer
from annotation.projects.models import Assignment, Project, Task
from annotation.projects.services import lease_task
from people.models import Person
from tests.conftest import NOW

THREE = {"stop": "matching", "answers": 2, "at_most": 3}
# "frase 1": the whole, its first word, and the first word as something else.
MARKS = ((0, 7, "LOC"), (0, 5, "LOC"), (0, 5, "PER"))


def spans(*marks: tuple[int, int, str]) -> dict[str, Any]:
    """A payload with these marks."""
    return {"spans": [{"start": start, "end": end, "label": label, "suggested_by": ""} for start, end, label in marks]}


def mark(project: Project, person: Person, *marks: tuple[int, int, str], minute: int = 0) -> Answer:
    """The person's labels on the next task of the project."""
    lease, now = lease_task(project=project, person=person, now=NOW), NOW + timedelta(minutes=minute)
    return submit_answer(assignment=lease, author=person, client_id=uuid4(), now=now, payload=spans(*marks))


def contest(project: Project, people: list[Person], task: Task | None = None) -> list[Answer]:
    """Each marks the same sentence in another way: the next one of the project, or this one."""
    order = enumerate(zip(people, MARKS, strict=False))
    for person in people if task else []:
        Assignment.objects.create(
            task=task, person=person, leased_at=NOW, expires_at=NOW + timedelta(minutes=10), state="leased"
        )
    rows = [mark(project, person, marks, minute=minute) for minute, (person, marks) in order]
    assert len({row.task_id for row in rows}) == 1
    for row in rows:
        row.refresh_from_db()
    return rows
