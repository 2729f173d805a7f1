"""An expert settles what peers could not."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from annotation.answers.models import Answer
from annotation.answers.services import clean_answer, create_answer, refresh_task, set_state, validate_answer
from annotation.conflicts.models import Adjudication
from annotation.projects.models import Task
from annotation.text.clean import UnusableText, clean_text
from care.services import require_consent
from people.models import Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import require_role


class NotDisputed(Conflicting):
    """The answer does not wait for an expert (any more)."""


@transaction.atomic
def adjudicate(
    *, answer: Answer, expert: Person, decision: str, reason: str, now: datetime, corrected_text: str = ""
) -> Adjudication:
    """Decide a disputed answer: accept it, accept it with a correction, or turn it down; always with a reason.

    A correction becomes the expert's own answer, built on the author's words under both receipts.

    Raises Invalid, NotDisputed, NotAllowed, ConsentMissing (a correction is a contribution too).
    """
    require_role(expert, answer.task.project.community, Role.EXPERT)
    task = Task.objects.select_for_update().get(pk=answer.task_id)
    current = Answer.objects.select_for_update().get(pk=answer.pk)
    if current.author_id == expert.pk:
        raise NotAllowed("Nobody decides on their own words. Another expert will.")
    if current.state != Answer.State.DISPUTED:
        raise NotDisputed("Somebody has decided this one already.")
    if decision not in Adjudication.Decision.values:
        raise Invalid("Choose a decision.", field="decision")
    try:
        reason = clean_text(reason, maximum=1000)
    except UnusableText as error:
        raise Invalid("Give the reason: the author and the reviewers will read it.", field="reason") from error
    correction = None
    if decision == Adjudication.Decision.ACCEPT:
        validate_answer(answer=current, actor=expert, now=now, note=reason)
    else:
        set_state(answer=current, state=Answer.State.REJECTED, actor=expert, now=now, note=reason)
    if decision == Adjudication.Decision.CORRECT:
        correction = _correct(current, task, expert, corrected_text, reason, now)
    refresh_task(task)
    return Adjudication.objects.create(
        answer=current,
        version=current.version,
        decision=decision,
        reason=reason,
        correction=correction,
        expert=expert,
        decided_at=now,
    )


def _correct(answer: Answer, task: Task, expert: Person, corrected_text: str, reason: str, now: datetime) -> Answer:
    community = task.project.community
    text = clean_answer(corrected_text, community)
    if text == answer.text:
        raise Invalid(
            "The correction is the same as the answer. Choose “accept as it is” instead.",
            field="corrected_text",
        )
    correction = create_answer(
        task=task, author=expert, receipt=require_consent(expert, community), text=text, fixes=answer, now=now
    )
    validate_answer(answer=correction, actor=expert, now=now, note=reason)
    return correction
