"""Answering: submit, edit until reviewed, withdraw."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from django.db import transaction

from annotation.answers.models import Answer, AnswerEvent
from annotation.projects.models import Assignment, Task
from annotation.projects.services import LeaseExpired
from annotation.text.clean import UnusableText, clean_text, sha256_of
from annotation.text.scripts import is_in_script
from care.models import Receipt
from care.services import require_consent
from people.models import Community, Person
from people.refusals import Conflicting, Invalid, NotAllowed


class ClientIdReused(Conflicting):
    """The same client id came with another text: the first one was kept."""


class AnswerChanged(Conflicting):
    """The answer is no longer in the state or version that was on the page."""


def clean_answer(raw: str, community: Community) -> str:
    """The text as it will be stored. Raises Invalid with a message for the person."""
    try:
        text = clean_text(raw)
    except UnusableText as error:
        raise Invalid(str(error), field="text") from error
    if not is_in_script(text, community.script):
        raise Invalid(
            f"Most letters are not in the script of {community.language_name} ({community.script}). "
            "Please check your keyboard.",
            field="text",
        )
    return text


@transaction.atomic
def submit_answer(*, assignment: Assignment, author: Person, text: str, client_id: UUID, now: datetime) -> Answer:
    """Store an answer under the author's current consent receipt.

    Sending the same client id again returns the stored answer, so a lost reply on a bad network costs nothing.
    An answer that comes after its lease ran out is still taken while nobody else has the task.

    Raises Invalid, ClientIdReused, LeaseExpired, Conflicting, ConsentMissing, PolicyChanged, NotAllowed.
    """
    if assignment.person_id != author.pk:
        raise NotAllowed("This task was given to somebody else.")
    community = assignment.task.project.community
    # The lock makes sending twice at the same moment safe: the second waits and finds the first one's answer.
    Person.objects.select_for_update().get(pk=author.pk)
    known: Answer | None = Answer.objects.filter(author=author, client_id=client_id).first()
    cleaned = clean_answer(text, community)
    if known is not None:
        if known.first_text_sha256 != sha256_of(cleaned):
            raise ClientIdReused("An answer with this id was stored before, with another text. It was kept.")
        return known
    receipt = require_consent(author, community)
    task = Task.objects.select_for_update().get(pk=assignment.task_id)
    current = Assignment.objects.get(pk=assignment.pk)
    _check_lease(current, task, now)
    Assignment.objects.filter(pk=current.pk).update(state=Assignment.State.ANSWERED, closed_at=now)
    answer = create_answer(
        task=task,
        assignment=current,
        author=author,
        receipt=receipt,
        text=cleaned,
        client_id=client_id,
        now=now,
    )
    refresh_task(task)
    return answer


def _check_lease(assignment: Assignment, task: Task, now: datetime) -> None:
    if assignment.state == Assignment.State.ANSWERED:
        raise Conflicting("You have already answered this sentence. You can edit it under “My words”.")
    if assignment.state == Assignment.State.SKIPPED:
        raise Conflicting("You skipped this sentence. Undo the skip to answer it.")
    others = task.assignments.filter(state=Assignment.State.LEASED, expires_at__gt=now).exclude(
        person=assignment.person
    )
    late = assignment.state == Assignment.State.EXPIRED or assignment.expires_at <= now
    if late and (others.exists() or task.state != Task.State.OPEN):
        raise LeaseExpired(
            "The time for this sentence ran out and somebody else has it now. Your text is still "
            "in the form: copy it if you want to keep it."
        )


def create_answer(
    *,
    task: Task,
    author: Person,
    receipt: Receipt,
    text: str,
    now: datetime,
    client_id: UUID | None = None,
    assignment: Assignment | None = None,
    fixes: Answer | None = None,
) -> Answer:
    """Write an answer row with its first event; a correction inherits the receipts of what it corrects."""
    answer = Answer.objects.create(
        task=task,
        assignment=assignment,
        author=author,
        receipt=receipt,
        text=text,
        fixes=fixes,
        client_id=client_id or uuid4(),
        first_text_sha256=sha256_of(text),
        created_at=now,
        changed_at=now,
    )
    if fixes is not None:
        answer.built_on.set([fixes.receipt, *fixes.built_on.all()])
    record_event(answer=answer, kind="corrected" if fixes else "submitted", actor=author, now=now, text=text)
    return answer


@transaction.atomic
def edit_answer(*, answer: Answer, author: Person, text: str, version: int, now: datetime) -> Answer:
    """Replace the author's own text until somebody has reviewed it. Raises Invalid, AnswerChanged, NotAllowed."""
    current: Answer = Answer.objects.select_for_update().get(pk=answer.pk)
    if current.author_id != author.pk:
        raise NotAllowed("Only its author edits an answer.")
    if current.state != Answer.State.SUBMITTED or current.reviews.filter(version=current.version).exists():
        raise AnswerChanged("Somebody has reviewed this answer, so it stays as it is. You can still withdraw it.")
    if current.version != version:
        raise AnswerChanged("This answer was edited elsewhere. Reload to see the newest text.")
    cleaned = clean_answer(text, current.task.project.community)
    if cleaned == current.text:
        return current
    current.text, current.version, current.changed_at = cleaned, version + 1, now
    current.save(update_fields=["text", "version", "changed_at"])
    record_event(answer=current, kind="edited", actor=author, now=now, text=cleaned)
    return current


@transaction.atomic
def withdraw_answer(*, answer: Answer, author: Person, now: datetime) -> list[Answer]:
    """Take an answer back at any time, together with the corrections that were built on its words.

    Returns the answers that were withdrawn now; releases and adapters are marked by
    `training.releases.services.withdraw_answer`, which calls this. Withdrawing twice changes nothing.
    """
    if answer.author_id != author.pk:
        raise NotAllowed("Only its author withdraws an answer.")
    withdrawn: list[Answer] = []
    waiting = [answer.pk]
    while waiting:
        current = Answer.objects.select_for_update().get(pk=waiting.pop())
        waiting.extend(current.fixed_by.values_list("pk", flat=True))
        if current.state == Answer.State.WITHDRAWN:
            continue
        set_state(answer=current, state=Answer.State.WITHDRAWN, actor=author, now=now)
        withdrawn.append(current)
    refresh_task(Task.objects.select_for_update().get(pk=answer.task_id))
    return withdrawn


def set_state(*, answer: Answer, state: Answer.State, actor: Person | None, now: datetime, note: str = "") -> None:
    """Move an answer to a state and record it; the caller holds the row's lock."""
    answer.state, answer.settled_at = state, now
    answer.save(update_fields=["state", "settled_at"])
    record_event(answer=answer, kind=state.value, actor=actor, now=now, note=note)


def record_event(
    *, answer: Answer, kind: str, actor: Person | None, now: datetime, text: str = "", note: str = ""
) -> None:
    """Add a line to the answer's history."""
    AnswerEvent.objects.create(
        answer=answer, kind=kind, actor=actor, version=answer.version, text=text, note=note, at=now
    )


def refresh_task(task: Task) -> None:
    """Set the task's state from its answers: one validated ends it, none alive opens it again."""
    states = set(task.answers.values_list("state", flat=True))
    order = (
        (Answer.State.VALIDATED, Task.State.DONE),
        (Answer.State.DISPUTED, Task.State.DISPUTED),
        (Answer.State.SUBMITTED, Task.State.ANSWERED),
    )
    task.state = next((task_state for state, task_state in order if state.value in states), Task.State.OPEN)
    task.save(update_fields=["state"])


def validate_answer(*, answer: Answer, actor: Person | None, now: datetime, note: str = "") -> None:
    """Accept one wording of a task; the other wordings that still waited are turned down."""
    rivals = (
        Answer.objects.select_for_update()
        .filter(task=answer.task, state__in=[Answer.State.SUBMITTED, Answer.State.DISPUTED])
        .exclude(pk=answer.pk)
    )
    for rival in rivals:
        set_state(
            answer=rival,
            state=Answer.State.REJECTED,
            actor=None,
            now=now,
            note="Another wording was accepted.",
        )
    set_state(answer=answer, state=Answer.State.VALIDATED, actor=actor, now=now, note=note)
