"""A corpus that was judged: twelve validated answers, and in each document two that two peers turned down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from annotation.answers.models import Answer
from annotation.projects.models import Project
from people.models import Person
from tests.conftest import NOW
from tests.stored import store_answer

WORST = "mala"


def turn_down(
    project: Project, speakers: list[Person], verdict: Callable[..., Any], *, times: int = 2, reason: str = "spelling"
) -> list[Answer]:
    """Worse answers by the author of each document to its first sentences, turned down by the two others."""
    made = []
    for source, author in zip(project.community.sources.order_by("pk"), speakers, strict=True):
        for task in project.tasks.filter(item__source=source).order_by("item__position")[:times]:
            answer = store_answer(task, author, text=f"{WORST} {task.pk} ñäʼ", now=NOW)
            for peer in speakers:
                if peer != author:
                    verdict(answer, peer, "reject", reason=reason)
            answer.refresh_from_db()
            assert answer.state == Answer.State.REJECTED
            made.append(answer)
    return made
