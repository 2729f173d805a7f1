"""An expert settles what peers could not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from annotation.answers.models import Answer
from annotation.answers.services import checked, create_answer, set_state, settle_task, validate_answer
from annotation.conflicts.models import Adjudication
from annotation.kinds.contract import Written
from annotation.projects.models import Task
from annotation.standing.services import require_not_frozen
from annotation.text.clean import UnusableText, clean_text
from care.services import require_consent
from people.models import Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import require_role


class NotDisputed(Conflicting):
    """The answer does not wait for an expert (any more)."""


@transaction.atomic
def adjudicate(
    *,
    answer: Answer,
    expert: Person,
    decision: str,
    reason: str,
    now: datetime,
    corrected_text: str = "",
    corrected_payload: Mapping[str, Any] | None = None,
) -> Adjudication:
    """Decide a disputed answer: accept it, accept it with a correction, or turn it down; always with a reason.

    A correction becomes the expert's own answer, built on the author's words under both receipts.

    Raises Invalid, NotDisputed, NotAllowed, ConsentMissing (a correction is a contribution too).
    """
    require_role(expert, answer.task.project.community, Role.EXPERT)
    require_not_frozen(expert, answer.task.project.community)
    task = Task.objects.select_for_update(of=("self",)).select_related("project", "item").get(pk=answer.task_id)
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
        written = checked(task, corrected_text, corrected_payload)
        correction = _correct(current, task, expert, written, reason, now)
    settle_task(task, now=now)
    return Adjudication.objects.create(
        answer=current,
        version=current.version,
        decision=decision,
        reason=reason,
        correction=correction,
        expert=expert,
        decided_at=now,
    )


def _correct(answer: Answer, task: Task, expert: Person, written: Written, reason: str, now: datetime) -> Answer:
    receipt = require_consent(expert, task.project.community)
    if (written.text, dict(written.payload)) == (answer.text, answer.payload):
        raise Invalid(
            "The correction is the same as the answer. Choose “accept as it is” instead.",
            field="text",
        )
    correction = create_answer(task=task, author=expert, receipt=receipt, written=written, fixes=answer, now=now)
    validate_answer(answer=correction, actor=expert, now=now, note=reason)
    return correction
