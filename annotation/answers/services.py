"""Answering: submit, edit until reviewed, withdraw."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext_noop

from annotation.answers.findings import UNSEEN, Look, bands_of, warnings_for
from annotation.answers.judging import take_out_quotations
from annotation.answers.models import Answer, Suggestion
from annotation.answers.notes import APPEALED, KEPT, SENT_AGAIN
from annotation.answers.outcomes import record_event, set_state, settle_task
from annotation.answers.suggestions import asked_with_suggestions, begun_with
from annotation.kinds.contract import UnusableAnswer, Written
from annotation.projects.models import Assignment, Task
from annotation.projects.services import LeaseExpired, wants_many
from annotation.standing.services import require_not_frozen
from care.models import Receipt
from care.services import ConsentMissing, PolicyChanged, is_as_it_was, require_consent
from people.limits import count_act
from people.models import Person
from people.refusals import Conflicting, Invalid, NotAllowed

# One every six seconds for a whole hour: more than anybody writes or reads with care.
MOST_PER_HOUR = 600


class ClientIdReused(Conflicting):
    """The same client id came with something else: what was sent first was kept."""


class AnswerChanged(Conflicting):
    """The answer is no longer in the state or version that was on the page."""


def checked(task: Task, text: str, payload: Mapping[str, Any] | None) -> Written:
    """The answer as it will be stored, by the rules of its kind. Raises Invalid with a message for the person."""
    try:
        return task.project.task_kind.check(text, payload or {}, asked_with_suggestions(task))
    except UnusableAnswer as error:
        raise Invalid(error.message, field=error.field, **error.values) from error


def sha256_of_body(written: Written) -> str:
    """SHA-256 of a checked answer: its text, and its payload when it has one."""
    body = written.text
    if written.payload:
        body = json.dumps([written.text, written.payload], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(body.encode()).hexdigest()


@transaction.atomic
def submit_answer(
    *,
    assignment: Assignment,
    author: Person,
    client_id: UUID,
    now: datetime,
    text: str = "",
    payload: Mapping[str, Any] | None = None,
    look: Look = UNSEEN,
    suggestion: int | None = None,
) -> Answer:
    """Store an answer under the author's current consent receipt.

    Sending the same client id again returns the stored answer, so a lost reply on a bad network costs nothing.
    An answer that comes after its lease ran out is still taken while nobody else has the task. What the project's
    checks notice needs its author's `look`.

    Raises Invalid, NeedsALook, ClientIdReused, LeaseExpired, Conflicting, ConsentMissing, PolicyChanged, NotAllowed,
    TooMany.
    """
    if assignment.person_id != author.pk:
        raise NotAllowed("This task was given to somebody else.")
    # The lock makes sending twice at the same moment safe: the second waits and finds the first one's answer.
    Person.objects.select_for_update().get(pk=author.pk)
    known: Answer | None = Answer.objects.filter(author=author, client_id=client_id).first()
    if known is not None and known.task_id != assignment.task_id:
        raise ClientIdReused("An answer with this id was stored before, for another sentence. It was kept.")
    written = checked(assignment.task, text, payload)
    if known is not None:
        if known.body_sha256 != sha256_of_body(written):
            raise ClientIdReused("An answer with this id was stored before, with another text. It was kept.")
        return known
    require_not_frozen(author, assignment.task.project.community)
    count_act(author, "answer", most=MOST_PER_HOUR, now=now)
    task = Task.objects.select_for_update(of=("self",)).select_related("project", "item").get(pk=assignment.task_id)
    current = Assignment.objects.get(pk=assignment.pk)
    is_offline = current.packet is not None or look.later
    receipt, is_kept_apart = _receipt_for(author, task, current.leased_at, is_offline=is_offline)
    if not is_kept_apart:
        _check_lease(current, task, now)
    warnings = warnings_for(task=task, author=author, written=written, look=look, now=now)
    Assignment.objects.filter(pk=current.pk).update(state=Assignment.State.ANSWERED, closed_at=now)
    answer = create_answer(
        task=task,
        assignment=current,
        author=author,
        receipt=receipt,
        written=written,
        warnings=warnings,
        client_id=client_id,
        suggestion=begun_with(task, suggestion),
        now=now,
    )
    if is_kept_apart:
        note = gettext_noop("Written offline; when it arrived, its author's consent had ended.")
        set_state(answer=answer, state=Answer.State.QUARANTINED, actor=None, now=now, note=note)
    settle_task(task, now=now)
    return answer


def _receipt_for(author: Person, task: Task, fetched_at: datetime, *, is_offline: bool) -> tuple[Receipt, bool]:
    """The receipt an answer is given under, and whether it must be kept apart.

    Words written offline, for a task fetched under a consent of which anything has ended since, are neither accepted
    nor lost: also when their author has agreed anew meanwhile, since nobody knows what was written before.
    """
    community = task.project.community
    theirs = Receipt.objects.filter(person=author, community=community).order_by("-given_at")
    try:
        receipt = require_consent(author, community)
        if not is_offline or is_as_it_was(receipt, fetched_at):
            return receipt, False
    except (ConsentMissing, PolicyChanged):
        if not is_offline or not theirs:
            raise
    return theirs.filter(given_at__lte=fetched_at).first() or theirs[0], True


def _check_lease(assignment: Assignment, task: Task, now: datetime) -> None:
    if assignment.state == Assignment.State.ANSWERED:
        raise Conflicting("You have already answered this sentence. You can edit it under “My words”.")
    if assignment.state == Assignment.State.SKIPPED:
        raise Conflicting("You skipped this sentence. Undo the skip to answer it.")
    if task.state == Task.State.TAKEN_OUT:
        raise Conflicting("The words that this asks about were taken back by their author.")
    late = assignment.state == Assignment.State.EXPIRED or assignment.expires_at <= now
    if late and task.is_taken(now, besides=assignment.person_id):
        raise LeaseExpired(
            "The time for this sentence ran out and somebody else has it now. Your text is still "
            "in the form: copy it if you want to keep it."
        )


def create_answer(
    *,
    task: Task,
    author: Person,
    receipt: Receipt,
    written: Written,
    now: datetime,
    client_id: UUID | None = None,
    assignment: Assignment | None = None,
    suggestion: Suggestion | None = None,
    fixes: Answer | None = None,
    warnings: list[dict[str, Any]] | None = None,
) -> Answer:
    """Write an answer row with its first event; a correction inherits the receipts of what it corrects."""
    answer = Answer.objects.create(
        task=task,
        assignment=assignment,
        author=author,
        receipt=receipt,
        text=written.text,
        payload=dict(written.payload),
        warnings=warnings or [],
        bands=bands_of(written.text),
        is_one_of_many=wants_many(task),
        fixes=fixes,
        suggestion=suggestion,
        client_id=client_id or uuid4(),
        body_sha256=sha256_of_body(written),
        created_at=now,
        changed_at=now,
    )
    if fixes is not None:
        answer.built_on.set([fixes.receipt, *fixes.built_on.all()])
    for quoted in Answer.objects.filter(quotations__item=task.item_id).select_related("receipt"):
        # Choosing between words uses them, so those who wrote them must allow it too.
        answer.built_on.add(quoted.receipt, *quoted.built_on.all())
    record_event(answer=answer, kind="corrected" if fixes else "submitted", actor=author, now=now, written=written)
    return answer


@transaction.atomic
def edit_answer(
    *,
    answer: Answer,
    author: Person,
    version: int,
    now: datetime,
    text: str = "",
    payload: Mapping[str, Any] | None = None,
    look: Look = UNSEEN,
) -> Answer:
    """Replace the author's own answer until somebody has reviewed it, or when an expert has sent it back.

    One that was sent back goes through review anew; sent with the same words, it goes to an expert again.

    Raises Invalid, NeedsALook, AnswerChanged, NotAllowed.
    """
    current: Answer = Answer.objects.select_for_update().get(pk=answer.pk)
    if current.author_id != author.pk:
        raise NotAllowed("Only its author edits an answer.")
    require_not_frozen(author, current.task.project.community)
    written = checked(current.task, text, payload)
    if (written.text, dict(written.payload)) == (current.text, current.payload):
        if current.state == Answer.State.RETURNED:
            set_state(answer=current, state=Answer.State.DISPUTED, actor=None, now=now, note=KEPT)
            settle_task(_locked_task(current), now=now)
        # Also when the reply to the first try was lost.
        return current
    is_returned = current.state == Answer.State.RETURNED
    is_read = current.reviews.filter(version=current.version).exists()
    if not is_returned and (current.state != Answer.State.SUBMITTED or is_read):
        raise AnswerChanged("Somebody has reviewed this answer, so it stays as it is. You can still withdraw it.")
    if current.version != version:
        raise AnswerChanged("This answer was edited elsewhere. Reload to see the newest text.")
    current.warnings = warnings_for(task=current.task, author=author, written=written, look=look, now=now)
    current.text, current.payload, current.bands = written.text, dict(written.payload), bands_of(written.text)
    current.version, current.changed_at = version + 1, now
    current.save(update_fields=["text", "payload", "warnings", "bands", "version", "changed_at"])
    record_event(answer=current, kind="edited", actor=author, now=now, written=written)
    if is_returned:
        set_state(answer=current, state=Answer.State.SUBMITTED, actor=None, now=now, note=SENT_AGAIN)
    settle_task(_locked_task(current), now=now)
    return current


@transaction.atomic
def appeal(*, answer: Answer, author: Person, note: str, now: datetime) -> Answer:
    """The author of a rejected answer asks an expert, once. Raises Conflicting, NotAllowed, Invalid."""
    current: Answer = Answer.objects.select_for_update().get(pk=answer.pk)
    if current.author_id != author.pk:
        raise NotAllowed("Only its author appeals for an answer.")
    if current.state != Answer.State.REJECTED:
        raise Conflicting("Only an answer that was not accepted can be appealed for.")
    if current.events.filter(kind="appealed").exists() or current.rulings.exists() or current.adjudications.exists():
        raise Conflicting("An expert has been asked about this answer before.")
    if len(note) > 1000:
        raise Invalid("Keep it to %(most)s characters.", field="note", most=1000)
    record_event(answer=current, kind="appealed", actor=author, now=now, note=note.strip())
    set_state(
        answer=current,
        state=Answer.State.DISPUTED,
        actor=None,
        now=now,
        note=APPEALED,
    )
    settle_task(_locked_task(current), now=now)
    return current


@transaction.atomic
def release_quarantined(*, author: Person, receipt: Receipt, now: datetime) -> int:
    """After a new consent, answers that were kept apart enter review under it; returns how many.

    One whose task has enough answers by now stays where it is, for its author to read.
    """
    released = 0
    kept = Answer.objects.filter(
        author=author, state=Answer.State.QUARANTINED, task__project__community=receipt.community_id
    )
    for answer in kept.order_by("created_at"):
        task = _locked_task(answer)
        if task.is_taken(now, besides=author.pk):
            continue
        answer.receipt = receipt
        answer.save(update_fields=["receipt"])
        set_state(
            answer=answer, state=Answer.State.SUBMITTED, actor=author, now=now, note=gettext_noop("Agreed to anew.")
        )
        settle_task(task, now=now)
        released += 1
    return released


@transaction.atomic
def withdraw_answer(*, answer: Answer, author: Person, now: datetime) -> list[Answer]:
    """Take an answer back at any time, together with the corrections that were built on its words, and with what
    others said of it in comparisons and ratings.

    Returns the answers that were withdrawn now; releases and adapters are marked by
    `training.runs.withdrawals.withdraw_answer`, which calls this. Withdrawing twice changes nothing.
    """
    if answer.author_id != author.pk:
        raise NotAllowed("Only its author withdraws an answer.")
    withdrawn: list[Answer] = []
    waiting = [answer.pk]
    while waiting:
        current = Answer.objects.select_for_update().get(pk=waiting.pop())
        waiting.extend(current.fixed_by.values_list("pk", flat=True))
        # What an expert put together from several answers is built on the receipts of them all.
        merged = Answer.objects.filter(from_adjudication__rulings__answer=current, built_on=current.receipt_id)
        waiting.extend(merged.values_list("pk", flat=True))
        if current.state == Answer.State.WITHDRAWN:
            continue
        set_state(answer=current, state=Answer.State.WITHDRAWN, actor=author, now=now)
        withdrawn.append(current)
        waiting.extend(judged.pk for judged in take_out_quotations([current], now=now))
    settle_task(_locked_task(answer), now=now)
    return withdrawn


def _locked_task(answer: Answer) -> Task:
    task: Task = Task.objects.select_for_update(of=("self",)).select_related("project").get(pk=answer.task_id)
    return task
