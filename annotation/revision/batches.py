"""Changing many labels together: chosen, looked at, applied in one transaction, and undone as a whole.

Nothing is overwritten. An answer that is changed is turned down, and the expert's correction of it is accepted in its
place, under the receipts of both; undoing turns the correction down and accepts the answer again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_noop

from annotation.answers.models import Answer
from annotation.answers.outcomes import set_state, settle_task, validate_answer
from annotation.answers.services import checked, create_answer
from annotation.consistency.rows import Mark
from annotation.kinds.contract import Written
from annotation.projects.models import Project, Task
from annotation.projects.services import rule_of
from annotation.revision.models import Batch, BatchChange, Inconsistency
from annotation.revision.services import CLASSES, MARKS, looked_over
from annotation.standing.services import require_not_frozen
from annotation.text.clean import UnusableText, clean_text
from care.services import require_consent
from ledger.services import append_entry
from people.models import Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import require_role

MOST = 500
UNDONE = gettext_noop("The change of many labels, which this was part of, was undone.")


class ChangedSince(Conflicting):
    """An answer is no longer what the expert saw in the preview."""


@dataclass(frozen=True)
class Chosen:
    """A place that is to change: in which version of which answer, and on which words."""

    answer: UUID
    version: int
    start: int
    end: int


@dataclass(frozen=True)
class Change:
    """An answer as it is, and as it would be."""

    answer: Answer
    written: Written

    @property
    def is_none(self) -> bool:
        """Whether it says that already."""
        return (self.answer.text, self.answer.payload) == (self.written.text, dict(self.written.payload))


def plan(
    *, project: Project, expert: Person, label: str, chosen: Collection[Chosen], answers: Mapping[UUID, Answer]
) -> list[Change]:
    """What would change when the chosen places get a label ("" for none), or the chosen words.

    `answers` are those that may be changed. Raises Invalid, ChangedSince, NotAllowed.
    """
    if not chosen:
        raise Invalid("Choose at least one place.", field="places")
    if len(chosen) > MOST:
        raise Invalid("Choose at most %(most)s places at a time.", field="places", most=MOST)
    manner = looked_over(project)
    places: dict[UUID, list[Chosen]] = {}
    for one in chosen:
        places.setdefault(one.answer, []).append(one)
    changes = []
    for pk, spots in places.items():
        answer = answers.get(pk)
        if answer is None or answer.state != Answer.State.VALIDATED or answer.version != spots[0].version:
            raise ChangedSince("Something changed meanwhile. Look at the places again.")
        if answer.author_id == expert.pk:
            raise NotAllowed("Nobody decides on their own words. Another expert will.")
        change = Change(answer, _written(answer, manner, label, spots))
        if not change.is_none:
            changes.append(change)
    if not changes:
        raise Invalid("All chosen places say this already.", field="label")
    return changes


def _written(answer: Answer, manner: str, label: str, spots: Collection[Chosen]) -> Written:
    """The answer with the label on the chosen places, by the rules of its kind."""
    if manner == CLASSES:
        return checked(answer.task, "", {"labels": [label]})
    if manner != MARKS:
        return checked(answer.task, label, None)
    spans: list[dict[str, Any]] = list(answer.payload.get("spans", []))
    for spot in spots:
        same = Mark(spot.start, spot.end, label)
        if any((span["start"], span["end"], span["label"]) == same for span in spans):
            continue
        spans = [span for span in spans if span["end"] <= spot.start or spot.end <= span["start"]]
        if label:
            spans.append({"start": spot.start, "end": spot.end, "label": label})
    return checked(answer.task, "", {"spans": spans})


@transaction.atomic
def apply_batch(
    *,
    group: Inconsistency,
    expert: Person,
    label: str,
    chosen: Collection[Chosen],
    reason: str,
    now: datetime,
) -> Batch:
    """Give the chosen places one label, all or none of them; what nobody chose stays as it is.

    Where answers of a task must agree, one correction stands for all of that task that are chosen.

    Raises Invalid, ChangedSince, NotAllowed, ConsentMissing (a correction is a contribution too).
    """
    project = group.project
    require_role(expert, project.community, Role.EXPERT)
    require_not_frozen(expert, project.community)
    receipt = require_consent(expert, project.community)
    try:
        reason = clean_text(reason, maximum=1000)
    except UnusableText as error:
        raise Invalid("Give the reason: the authors will read it.", field="reason") from error
    tasks, answers = _locked(project, {one.answer for one in chosen})
    changes = plan(project=project, expert=expert, label=label, chosen=chosen, answers=answers)
    shown = label if looked_over(project) in (MARKS, CLASSES) else ""
    batch = Batch.objects.create(
        project=project, expert=expert, surface=group.surface, label=shown, reason=reason, made_at=now
    )
    must_agree = rule_of(project).answers.stop == "matching"
    made: dict[int, Answer] = {}
    for change in changes:
        task = tasks[change.answer.task_id]
        set_state(answer=change.answer, state=Answer.State.REJECTED, actor=expert, now=now, note=reason)
        correction = made.get(task.pk) if must_agree else None
        if correction is None:
            correction = create_answer(
                task=task, author=expert, receipt=receipt, written=change.written, fixes=change.answer, now=now
            )
            validate_answer(answer=correction, actor=expert, now=now, note=reason)
            made[task.pk] = correction
        BatchChange.objects.create(batch=batch, answer=change.answer, correction=correction)
    _settle(tasks, now)
    _record(batch, expert, "labels.changed_together", len(changes), now)
    return batch


@transaction.atomic
def undo_batch(*, batch: Batch, expert: Person, now: datetime) -> int:
    """Let every answer of a batch stand again as before; returns how many do.

    What was changed, decided or withdrawn since stays as it is now. Undoing twice changes nothing. Raises NotAllowed.
    """
    require_role(expert, batch.project.community, Role.EXPERT)
    require_not_frozen(expert, batch.project.community)
    current = Batch.objects.select_for_update().get(pk=batch.pk)
    if current.undone_at is not None:
        return 0
    changes = list(current.changes.all())
    wanted = {pk for change in changes for pk in (change.answer_id, change.correction_id)}
    tasks, answers = _locked(batch.project, wanted)
    standing = {pk for pk, answer in answers.items() if answer.state == Answer.State.VALIDATED}
    turned_down: set[UUID] = set()
    undone = []
    for change in changes:
        answer, correction = answers[change.answer_id], answers[change.correction_id]
        if answer.state != Answer.State.REJECTED or correction.pk not in standing:
            continue
        if correction.pk not in turned_down:
            set_state(answer=correction, state=Answer.State.REJECTED, actor=expert, now=now, note=UNDONE)
            turned_down.add(correction.pk)
        set_state(answer=answer, state=Answer.State.VALIDATED, actor=expert, now=now, note=UNDONE)
        undone.append(change.pk)
    current.changes.filter(pk__in=undone).update(is_undone=True)
    current.undone_at, current.undone_by = now, expert
    current.save(update_fields=["undone_at", "undone_by"])
    _settle(tasks, now)
    _record(current, expert, "labels.change_undone", len(undone), now)
    return len(undone)


def _locked(project: Project, wanted: Collection[UUID]) -> tuple[dict[int, Task], dict[UUID, Answer]]:
    """The tasks and answers, locked in one order so that two batches never wait for each other."""
    numbers = set(Answer.objects.filter(pk__in=wanted, task__project=project).values_list("task", flat=True))
    rows = Task.objects.select_for_update(of=("self",)).select_related("project", "item").filter(pk__in=numbers)
    tasks = {task.pk: task for task in rows.order_by("pk")}
    answers: dict[UUID, Answer] = {}
    for answer in Answer.objects.select_for_update().filter(pk__in=wanted, task__in=tasks).order_by("pk"):
        answer.task = tasks[answer.task_id]
        answers[answer.pk] = answer
    return tasks, answers


def _settle(tasks: Mapping[int, Task], now: datetime) -> None:
    for task in tasks.values():
        settle_task(task, now=now)


def _record(batch: Batch, expert: Person, action: str, many: int, now: datetime) -> None:
    append_entry(
        action=action,
        subject=f"batch:{batch.pk}",
        community=batch.project.community.slug,
        actor=str(expert.pk),
        now=now,
        details={"answers": many},
    )
