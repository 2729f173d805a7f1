"""What becomes of an answer and of its task: the states, and what every change leaves in the history."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from uuid import UUID

from annotation.answers.models import Answer, AnswerEvent
from annotation.answers.notes import ANOTHER_ACCEPTED, CONTESTED, DIFFERENT
from annotation.kinds.contract import Written
from annotation.projects.models import Task
from annotation.projects.services import rule_of
from people.models import Person

# Answers that count no more: their task may ask for others.
GONE = (Answer.State.REJECTED, Answer.State.WITHDRAWN, Answer.State.QUARANTINED)


def set_state(*, answer: Answer, state: Answer.State, actor: Person | None, now: datetime, note: str = "") -> None:
    """Move an answer to a state and record it; the caller holds the row's lock."""
    answer.state, answer.settled_at = state, now
    answer.save(update_fields=["state", "settled_at"])
    record_event(answer=answer, kind=state.value, actor=actor, now=now, note=note)


def record_event(
    *,
    answer: Answer,
    kind: str,
    actor: Person | None,
    now: datetime,
    written: Written | None = None,
    note: str = "",
) -> None:
    """Add a line to the answer's history."""
    text, payload = (written.text, dict(written.payload)) if written else ("", {})
    AnswerEvent.objects.create(
        answer=answer, kind=kind, actor=actor, version=answer.version, text=text, payload=payload, note=note, at=now
    )


def settle_task(task: Task, *, now: datetime) -> None:
    """Set how many answers the task wants and its state, from its answers; the caller holds the task's lock.

    Answers of kinds that peers do not review settle here, by agreeing with one another. A rejected or withdrawn
    answer counts no more, so the source goes back to the pool.
    """
    if task.state == Task.State.TAKEN_OUT:
        return
    rule, kind = rule_of(task.project).answers, task.project.task_kind
    living = list(task.answers.exclude(state__in=GONE).order_by("created_at", "pk"))
    # A correction stands for what it corrects: together they are one independent answer.
    alive = list({origin_of(answer): answer for answer in living}.values())
    keys = [kind.key_of(Written(answer.text, answer.payload)) for answer in alive]
    task.answered, task.wanted = len(alive), rule.wanted(keys) + task.more
    if rule.stop == "matching" and any(answer.state == Answer.State.VALIDATED for answer in alive):
        # Agreed on before, or decided by an expert.
        task.wanted = task.answered
    if not kind.is_reviewed and task.answered >= task.wanted:
        _settle_by_agreement(alive, keys, rule.agreed(keys), now)
    elif kind.has_one_right and task.answered >= task.wanted and is_contested(keys):
        _dispute(alive, now)
    states = {answer.state for answer in living}
    if task.answered < task.wanted:
        task.state = Task.State.OPEN
    elif Answer.State.DISPUTED in states:
        task.state = Task.State.DISPUTED
    else:
        waits = {Answer.State.SUBMITTED, Answer.State.RETURNED} & states
        task.state = Task.State.ANSWERED if waits else Task.State.DONE
    task.save(update_fields=["state", "wanted", "answered"])


def _settle_by_agreement(alive: list[Answer], keys: list[str], agreed: set[str] | None, now: datetime) -> None:
    """Validate the answers whose key is agreed on and turn the others down; without agreement an expert decides."""
    for answer, key in zip(alive, keys, strict=True):
        wanted = (
            Answer.State.DISPUTED
            if agreed is None
            else Answer.State.VALIDATED
            if key in agreed
            else Answer.State.REJECTED
        )
        if answer.state == Answer.State.SUBMITTED or (answer.state == Answer.State.DISPUTED and agreed is not None):
            note = "" if wanted == Answer.State.VALIDATED else DIFFERENT
            set_state(answer=answer, state=wanted, actor=None, now=now, note=note)


def is_contested(keys: list[str]) -> bool:
    """Whether several complete answers with one right one among them have no majority: no key that more than half of
    them share. The share of the commonest key is how far they can be trusted together."""
    return len(keys) > 1 and 2 * max(Counter(keys).values()) <= len(keys)


def _dispute(alive: list[Answer], now: datetime) -> None:
    """Hand answers without a majority to an expert, unless one of them is settled or with its author."""
    settled = (Answer.State.VALIDATED, Answer.State.RETURNED)
    if any(answer.state in settled for answer in alive):
        return
    for answer in alive:
        if answer.state == Answer.State.SUBMITTED:
            set_state(answer=answer, state=Answer.State.DISPUTED, actor=None, now=now, note=CONTESTED)


def validate_answer(*, answer: Answer, actor: Person | None, now: datetime, note: str = "") -> None:
    """Accept one answer, and turn down what cannot be right beside it.

    That is every other one where a task wants one alone; corrections of each other; and those that say something
    else where equal answers are wanted.
    """
    rivals = (
        Answer.objects.select_for_update()
        .filter(task=answer.task, state__in=[Answer.State.SUBMITTED, Answer.State.DISPUTED])
        .exclude(pk=answer.pk)
    )
    key_of = answer.task.project.task_kind.key_of
    mine = key_of(Written(answer.text, answer.payload))
    matching = rule_of(answer.task.project).answers.stop == "matching"
    for rival in rivals:
        differs = matching and key_of(Written(rival.text, rival.payload)) != mine
        if not answer.is_one_of_many or differs or origin_of(rival) == origin_of(answer):
            set_state(answer=rival, state=Answer.State.REJECTED, actor=None, now=now, note=ANOTHER_ACCEPTED)
    set_state(answer=answer, state=Answer.State.VALIDATED, actor=actor, now=now, note=note)


def origin_of(answer: Answer) -> UUID:
    """The answer at the beginning of a chain of corrections."""
    while answer.fixes is not None:
        answer = answer.fixes
    return answer.pk
