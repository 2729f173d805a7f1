"""Answers and verdicts that are stored at once, for tests that begin where many have worked already.

Giving each through the services, which are tested where they live, would take most of the time of all tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction

from annotation.answers.models import Answer, Review
from annotation.answers.outcomes import settle_task
from annotation.answers.reviews import settle_answer
from annotation.answers.services import checked, create_answer
from annotation.projects.models import Assignment, Task
from care.services import require_consent
from people.models import Person

AXES = {"right_language": True, "acceptable": True, "appropriate": True}


def store_answer(
    task: Task, author: Person, *, now: datetime, text: str = "", payload: Mapping[str, Any] | None = None
) -> Answer:
    """An answer to a task, as if its author had been given the task and had submitted it now."""
    assignment = Assignment.objects.create(
        task=task,
        person=author,
        leased_at=now,
        expires_at=now + task.project.lease_length,
        state=Assignment.State.ANSWERED,
        closed_at=now,
    )
    return create_answer(
        task=task,
        assignment=assignment,
        author=author,
        receipt=require_consent(author, task.project.community),
        written=checked(task, text, payload),
        now=now,
    )


def store_approvals(answers: Sequence[Answer], reviewers: Sequence[Person], *, now: datetime) -> None:
    """An approval of each answer by each reviewer but its author; the answers and their tasks settle by the rule."""
    Review.objects.bulk_create(
        Review(
            answer=answer,
            author_id_of_answer=answer.author_id,
            reviewer=reviewer,
            version=answer.version,
            verdict=Review.Verdict.APPROVE,
            client_id=uuid4(),
            created_at=now,
            **AXES,
        )
        for answer in answers
        for reviewer in reviewers
        if reviewer.pk != answer.author_id
    )
    with transaction.atomic():
        for answer in answers:
            settle_answer(answer=answer, task=answer.task, now=now)
            settle_task(answer.task, now=now)
