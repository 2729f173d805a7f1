"""An expert settles what peers could not, and opens it again; a steward asks for it; both discuss it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from annotation.answers.gold import take_back_gold
from annotation.answers.models import Answer
from annotation.answers.notes import ANOTHER_ACCEPTED, REOPENED, REQUESTED
from annotation.answers.outcomes import GONE, origin_of, record_event, set_state, settle_task
from annotation.answers.services import checked, create_answer
from annotation.conflicts.models import Adjudication, Example, Remark, Ruling
from annotation.kinds.contract import Written
from annotation.projects.guidelines import add_version
from annotation.projects.models import Project, Task
from annotation.projects.services import wants_many
from annotation.standing.services import require_not_frozen
from annotation.text.clean import UnusableText, clean_text
from care.services import require_consent
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import require_role

MOST_SENT_BACK = 3
WAITING = (Answer.State.DISPUTED, Answer.State.RETURNED)
SETTLED = (Answer.State.VALIDATED, Answer.State.REJECTED)


class NotDisputed(Conflicting):
    """The answer does not wait for an expert (any more)."""


class SentBackEnough(Conflicting):
    """An author is asked so often and no more."""


class OpenedAlready(Conflicting):
    """The decision does not stand any more."""


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
    also: Sequence[Answer] = (),
) -> Adjudication:
    """Decide a conflict; always with a reason.

    The answer is accepted, several are (`also` names the others), it is accepted with a correction (which `also` may
    have gone into), sent back to its author with the reason, or turned down (with `also`). What cannot be right beside
    an accepted one is overruled. A correction becomes the expert's own answer, built on the words it corrects under
    all their receipts.

    Raises Invalid, NotDisputed, SentBackEnough, NotAllowed, ConsentMissing (a correction is a contribution too).
    """
    community = answer.task.project.community
    task = _begin(answer.task_id, community, expert)
    rows = {row.pk: row for row in Answer.objects.select_for_update(of=("self",)).filter(task=task)}
    before = {pk: row.state for pk, row in rows.items()}
    chosen = [rows[pk] for pk in dict.fromkeys([answer.pk, *(other.pk for other in also)]) if pk in rows]
    _check_chosen(rows.values(), chosen, expert, decision)
    reason = _checked(reason, "Give the reason: the author and the reviewers will read it.")
    correction = None
    if decision in {Adjudication.Decision.ACCEPT, Adjudication.Decision.BOTH}:
        _accept(task, rows.values(), chosen, expert, reason, now)
    elif decision == Adjudication.Decision.CORRECT:
        written = checked(task, corrected_text, corrected_payload)
        correction = _correct(chosen, task, expert, written, now)
        for row in chosen:
            set_state(answer=row, state=Answer.State.REJECTED, actor=expert, now=now, note=reason)
        _accept(task, rows.values(), [correction], expert, reason, now)
    else:
        gives_back = decision == Adjudication.Decision.SEND_BACK
        for row in chosen:
            state = Answer.State.RETURNED if gives_back else Answer.State.REJECTED
            set_state(answer=row, state=state, actor=expert, now=now, note=reason)
    settle_task(task, now=now)
    made = Adjudication.objects.create(
        answer=chosen[0],
        version=chosen[0].version,
        decision=decision,
        reason=reason,
        correction=correction,
        expert=expert,
        decided_at=now,
    )
    changed = [row for row in rows.values() if row.state != before[row.pk]]
    Ruling.objects.bulk_create(
        [Ruling(adjudication=made, answer=row, before=before[row.pk], after=row.state) for row in changed]
    )
    _enter(
        "answer.adjudicated", f"answer:{chosen[0].pk}", expert, community, now, decision=decision, answers=len(changed)
    )
    return made


def _enter(action: str, subject: str, actor: Person, community: Community, now: datetime, **details: str | int) -> None:
    """Into the community's ledger, as the last thing: its chain stays locked from here on."""
    append_entry(
        action=action, subject=subject, community=community.slug, actor=str(actor.pk), now=now, details=details
    )


def _begin(task: int, community: Community, expert: Person) -> Task:
    """The locked task, for an expert who may decide on it."""
    require_role(expert, community, Role.EXPERT)
    require_not_frozen(expert, community)
    locked: Task = (
        Task.objects.select_for_update(of=("self",)).select_related("project__community", "item").get(pk=task)
    )
    return locked


def _check_chosen(rows: Iterable[Answer], chosen: Sequence[Answer], expert: Person, decision: str) -> None:
    rows = list(rows)
    _require_not_own(rows, expert)
    is_open = any(row.state in WAITING for row in rows)
    if not is_open or not chosen or any(row.state not in {*WAITING, Answer.State.SUBMITTED} for row in chosen):
        raise NotDisputed("Somebody has decided this one already.")
    if decision not in Adjudication.Decision.values:
        raise Invalid("Choose a decision.", field="decision")
    if len(chosen) > 1 and decision in {Adjudication.Decision.ACCEPT, Adjudication.Decision.SEND_BACK}:
        raise Invalid("Choose one answer for this, or say that several are right.", field="answers")
    if decision == Adjudication.Decision.BOTH and len(chosen) < 2:
        raise Invalid("Choose all the answers that are right.", field="answers")
    if decision == Adjudication.Decision.SEND_BACK:
        sent = chosen[0].adjudications.filter(decision=decision).count()
        if chosen[0].state == Answer.State.RETURNED:
            raise Conflicting("It is with its author already.")
        if sent >= MOST_SENT_BACK:
            raise SentBackEnough(
                "It was sent back %(number)s times, which is enough. Decide it, or discuss it.", number=sent
            )


def _require_not_own(rows: Iterable[Answer], expert: Person) -> None:
    if any(row.author_id == expert.pk and row.state not in GONE for row in rows):
        raise NotAllowed("Nobody decides on their own words. Another expert will.")


def _checked(text: str, refusal: str, field: str = "reason") -> str:
    try:
        return clean_text(text, maximum=1000)
    except UnusableText as error:
        raise Invalid(refusal, field=field) from error


def _accept(
    task: Task, rows: Iterable[Answer], accepted: list[Answer], expert: Person, reason: str, now: datetime
) -> None:
    """Overrule what cannot be right beside these, and then accept them."""
    for row in _overruled(task, rows, accepted):
        set_state(answer=row, state=Answer.State.REJECTED, actor=None, now=now, note=ANOTHER_ACCEPTED)
    if len(accepted) > 1:
        # Said to be right side by side, whatever the project asks for.
        Answer.objects.filter(pk__in=[row.pk for row in accepted]).update(is_one_of_many=True)
    for row in accepted:
        set_state(answer=row, state=Answer.State.VALIDATED, actor=expert, now=now, note=reason)


def _overruled(task: Task, rows: Iterable[Answer], accepted: list[Answer]) -> list[Answer]:
    """Every other answer where a task wants one alone or where one is right; else corrections of the accepted ones.

    Those that say the same as an accepted one stay where answers are votes.
    """
    kind = task.project.task_kind
    has_one_right = kind.has_one_right or not wants_many(task)
    keys = {kind.key_of(Written(row.text, row.payload)) for row in accepted}
    origins = {origin_of(row) for row in accepted}
    overruled = []
    for row in rows:
        if row in accepted or row.state in GONE:
            continue
        agrees = kind.has_one_right and row.is_one_of_many and kind.key_of(Written(row.text, row.payload)) in keys
        if agrees and row.state in WAITING:
            accepted.append(row)
        elif (has_one_right and not agrees) or origin_of(row) in origins:
            overruled.append(row)
    return overruled


def _correct(chosen: Sequence[Answer], task: Task, expert: Person, written: Written, now: datetime) -> Answer:
    """The expert's own answer, built on the first of the chosen ones and on the receipts of them all."""
    receipt = require_consent(expert, task.project.community)
    if any((written.text, dict(written.payload)) == (row.text, row.payload) for row in chosen):
        raise Invalid(
            "The correction is the same as the answer. Choose “accept as it is” instead.",
            field="text",
        )
    made = create_answer(task=task, author=expert, receipt=receipt, written=written, fixes=chosen[0], now=now)
    for row in chosen[1:]:
        made.built_on.add(row.receipt, *row.built_on.all())
    return made


@transaction.atomic
def reopen(*, adjudication: Adjudication, expert: Person, reason: str, now: datetime) -> Adjudication:
    """Undo a decision: every answer goes back to where it was, as far as nobody has moved it since, and the one that
    was decided waits for an expert. It is gold no more.

    Raises Invalid, OpenedAlready, Conflicting (a later decision builds on it), NotAllowed.
    """
    task = _begin(adjudication.answer.task_id, adjudication.answer.task.project.community, expert)
    current: Adjudication = Adjudication.objects.select_for_update(of=("self",)).get(pk=adjudication.pk)
    if current.reopened_at is not None:
        raise OpenedAlready("This decision was opened again before.")
    later = Adjudication.objects.standing().filter(answer__task=task, decided_at__gt=current.decided_at)
    if later.exists():
        raise Conflicting("A later decision builds on this one. Open that one first.")
    reason = _checked(reason, "Give the reason: whoever decided it, and the author, will read it.")
    rows = {row.pk: row for row in Answer.objects.select_for_update(of=("self",)).filter(task=task)}
    correction = rows.get(current.correction_id)
    _require_not_own([row for row in rows.values() if row is not correction], expert)
    if correction is not None and correction.state == Answer.State.VALIDATED:
        set_state(answer=correction, state=Answer.State.REJECTED, actor=expert, now=now, note=REOPENED)
    # Accepted ones first: they make room for what was accepted before.
    rulings = sorted(current.rulings.all(), key=lambda ruling: ruling.after != Answer.State.VALIDATED)
    states = {ruling.answer_id: (ruling.before, ruling.after) for ruling in rulings}
    for pk, (before, after) in states.items() or [(current.answer_id, ("", rows[current.answer_id].state))]:
        row = rows[pk]
        if row.state == after and row.state not in {Answer.State.WITHDRAWN, Answer.State.QUARANTINED}:
            back = Answer.State.DISPUTED if pk == current.answer_id else Answer.State(before)
            set_state(answer=row, state=back, actor=expert, now=now, note=REOPENED)
            row.is_one_of_many = wants_many(task)
            row.save(update_fields=["is_one_of_many"])
    take_back_gold(rows[pk] for pk in {*states, current.answer_id})
    current.reopened_by, current.reopened_at, current.reopen_reason = expert, now, reason
    current.save(update_fields=["reopened_by", "reopened_at", "reopen_reason"])
    settle_task(task, now=now)
    _enter("adjudication.reopened", f"adjudication:{current.pk}", expert, task.project.community, now)
    return current


@transaction.atomic
def ask_expert(*, answer: Answer, steward: Person, note: str, now: datetime) -> Answer:
    """A steward asks an expert about an answer, settled or not. Raises Invalid, Conflicting, NotAllowed, Frozen."""
    community = answer.task.project.community
    require_role(steward, community, Role.STEWARD)
    require_not_frozen(steward, community)
    task = Task.objects.select_for_update(of=("self",)).select_related("project__community").get(pk=answer.task_id)
    current: Answer = Answer.objects.select_for_update(of=("self",)).get(pk=answer.pk)
    if current.state not in {*SETTLED, Answer.State.SUBMITTED} or task.state == Task.State.TAKEN_OUT:
        raise Conflicting("This answer cannot be brought to an expert now.")
    note = _checked(note, "Say what you ask: the experts and the author will read it.", "note")
    record_event(answer=current, kind="requested", actor=steward, now=now, note=note)
    set_state(answer=current, state=Answer.State.DISPUTED, actor=None, now=now, note=REQUESTED)
    take_back_gold([current])
    settle_task(task, now=now)
    _enter("answer.asked_about", f"answer:{current.pk}", steward, community, now)
    return current


@transaction.atomic
def discuss(*, task: Task, person: Person, text: str, now: datetime) -> Remark:
    """Say something about a conflict to the other experts and the stewards. Raises Invalid, NotAllowed, Frozen."""
    require_role(person, task.project.community, Role.EXPERT, Role.STEWARD)
    require_not_frozen(person, task.project.community)
    text = _checked(text, "Write what you want to discuss.", "reason")
    return Remark.objects.create(task=task, author=person, text=text, said_at=now)


@transaction.atomic
def make_example(*, adjudication: Adjudication, expert: Person, now: datetime) -> Example:
    """Show a decision in the guidelines, as a new version of them. Doing it twice changes nothing.

    Raises OpenedAlready, Conflicting (it settled nothing), NotAllowed, Frozen.
    """
    project = adjudication.answer.task.project
    require_role(expert, project.community, Role.EXPERT)
    require_not_frozen(expert, project.community)
    locked = Project.objects.select_for_update(of=("self",)).select_related("community").get(pk=project.pk)
    known: Example | None = Example.objects.filter(adjudication=adjudication).first()
    if known is not None:
        return known
    if adjudication.reopened_at is not None:
        raise OpenedAlready("This decision was opened again before.")
    if adjudication.decision in {Adjudication.Decision.SEND_BACK, Adjudication.Decision.REJECT}:
        raise Conflicting("Only an accepted answer can be an example.")
    version = add_version(project=locked, text=locked.guidelines, written_by=expert, now=now)
    return Example.objects.create(adjudication=adjudication, guideline=version, added_by=expert)
