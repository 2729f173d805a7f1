"""Settling anew: what follows for answers when votes on them no longer count, or count again."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from annotation.aggregation.verdicts import Outcome
from annotation.answers.models import Answer
from annotation.answers.notes import ANOTHER_ACCEPTED
from annotation.answers.outcomes import record_event, set_state, settle_task
from annotation.answers.querysets import ReviewQuerySet
from annotation.answers.reviews import outcome_of, settle_answer
from annotation.projects.models import Task

VOTED = {
    Answer.State.VALIDATED: Outcome.VALIDATED,
    Answer.State.REJECTED: Outcome.REJECTED,
    Answer.State.DISPUTED: Outcome.EXPERT,
}
NOTE = "Votes on it were counted anew."


def settle_anew(*, reviews: ReviewQuerySet, now: datetime) -> int:
    """Settle again whatever these reviews were on; returns how many answers.

    What an expert has decided or confirmed, and what waits for one because somebody asked, stays as it is. Tasks are
    locked one after another in one order, so two such acts never wait for each other.
    """
    count = 0
    tasks = set(reviews.filter(is_gold=False).values_list("answer__task", flat=True))
    answers = set(reviews.filter(is_gold=False).values_list("answer", flat=True))
    for pk in sorted(tasks):
        task = Task.objects.select_for_update(of=("self",)).select_related("project", "item").get(pk=pk)
        count += _settle_task_anew(task, answers, now)
    return count


def _settle_task_anew(task: Task, touched: set[UUID], now: datetime) -> int:
    if not task.project.task_kind.is_reviewed:
        return 0
    rows = list(Answer.objects.select_for_update().filter(task=task).order_by("created_at", "pk"))
    spoken = set(Answer.objects.filter(task=task).gold().values_list("pk", flat=True))
    spoken |= set(task.answers.filter(events__kind__in=["appealed", "requested"]).values_list("pk", flat=True))
    spoken |= set(task.answers.filter(batch_changes__isnull=False).values_list("pk", flat=True))
    concerned = [row for row in rows if row.pk not in spoken and row.state in {*VOTED, Answer.State.SUBMITTED}]
    recounted = [row for row in concerned if row.pk in touched]
    for answer in recounted:
        record_event(answer=answer, kind="recounted", actor=None, now=now, note=NOTE)
        if answer.state in {Answer.State.VALIDATED, Answer.State.DISPUTED}:
            _reopen(answer, task, now)
    # Turned down by votes that no longer count, or to make room for a wording that is no longer accepted.
    has_room = not any(row.state == Answer.State.VALIDATED for row in rows)
    for answer in concerned:
        made_room = answer.events.filter(note=ANOTHER_ACCEPTED).exists()
        may_wait = has_room or (answer.is_one_of_many and not made_room)
        if answer.state == Answer.State.REJECTED and may_wait and (made_room or answer in recounted):
            _reopen(answer, task, now)
    for answer in concerned:
        answer.refresh_from_db()
        if answer.state == Answer.State.SUBMITTED:
            settle_answer(answer=answer, task=task, now=now)
    settle_task(task, now=now)
    return len(recounted)


def _reopen(answer: Answer, task: Task, now: datetime) -> None:
    """Let it wait again, unless the votes that count still come to the same."""
    if outcome_of(answer, task) is not VOTED[Answer.State(answer.state)]:
        set_state(answer=answer, state=Answer.State.SUBMITTED, actor=None, now=now, note=NOTE)
