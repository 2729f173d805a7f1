"""Asking for a reading, keeping what it found, and sending what is hard back to people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import CharField, Value
from django.db.models.functions import MD5, Cast, Concat

from annotation.answers.models import Answer
from annotation.answers.notes import HARD
from annotation.kinds.contract import Written
from annotation.projects.models import Project, Task
from annotation.projects.ordering import hand_out_first
from annotation.revision.again import ask_experts, ask_for_more
from care.models import Purpose
from people.models import Person, Role
from people.refusals import Conflicting, Invalid
from people.services import require_role
from training.mining.models import Probe, Reading
from training.playground.suggesting import lesson_of, project_of
from training.releases.models import ReleaseItem
from training.runs.models import Adapter

SMALLEST, LARGEST, USUAL = 5, 1000, 100
MEASURES = ("loss", "entropy", "disagreement")
# The ways back to people, and what each is for.
FIRST, EXPERTS, MORE = "first", "experts", "more"


class ProbeIsOver(Conflicting):
    """The act does not fit the probe's present state."""


@transaction.atomic
def ask_for_probe(
    *,
    adapter: Adapter,
    of: str,
    asked_by: Person,
    now: datetime,
    rival: Adapter | None = None,
    beside_base: bool = False,
    size: int = USUAL,
) -> Probe:
    """Plan a reading of sentences of the project that the adapter learnt from, drawn by chance from all there are.

    `beside_base` lets the base model read along where no `rival` does. The caller rings `training.mining.jobs.ring`
    after commit. Raises Invalid, NotAllowed.
    """
    require_role(asked_by, adapter.community, Role.RESEARCHER)
    _check(adapter, rival, of, size, beside_base=beside_base)
    project = project_of(adapter)
    probe = Probe.objects.create(
        community=adapter.community,
        project=project,
        adapter=adapter,
        rival=rival,
        beside_base=beside_base,
        of=of,
        asked_by=asked_by,
        asked_at=now,
    )
    plan = _plan(probe, asked_by, size)
    if not plan:
        raise Invalid("There is nothing of that sort to read in this project now.", field="of")
    Reading.objects.bulk_create(plan, batch_size=1000)
    return probe


def _check(adapter: Adapter, rival: Adapter | None, of: str, size: int, *, beside_base: bool) -> None:
    lesson_of(adapter)
    if of not in Probe.Of.values:
        raise Invalid("Choose what to read.", field="of")
    if not SMALLEST <= size <= LARGEST:
        raise Invalid("Read %(least)s to %(most)s sentences.", field="size", least=SMALLEST, most=LARGEST)
    for one in (adapter, rival):
        if one is not None and one.is_whole_model:
            raise Invalid("This is a whole model, made to be compared with. Only adapters are used.", field="adapter")
        if one is not None and one.contains_withdrawn:
            raise Invalid("This adapter learnt from words that were withdrawn.", field="adapter")
    if rival is not None and beside_base:
        raise Invalid("Choose a second adapter or the base model, not both.", field="rival")
    if rival is None:
        if of == Probe.Of.HELD_OUT and not beside_base:
            raise Invalid("Choose a second adapter to compare with.", field="rival")
        return
    if rival.pk == adapter.pk:
        raise Invalid("Choose two different adapters.", field="rival")
    if project_of(rival) != project_of(adapter) or rival.run.base_model != adapter.run.base_model:
        raise Invalid("Two adapters are compared on one project and one base model.", field="rival")


def _plan(probe: Probe, person: Person, size: int) -> list[Reading]:
    """Empty readings of tasks, or of the answers that may be used as the adapters' releases were."""
    drawn = MD5(Concat(Cast("pk", CharField()), Value(str(probe.pk))))
    if probe.of == Probe.Of.TASKS:
        tasks = Task.objects.filter(project=probe.project, state=Task.State.OPEN, answered=0).order_by(drawn)
        return [Reading(probe=probe, task=task) for task in tasks[:size]]
    answers = (
        Answer.objects.filter(task__project=probe.project).eligible_for(Purpose.EVALUATE_MODELS).visible_to(person)
    )
    for adapter in filter(None, (probe.adapter, probe.rival)):
        answers = answers.usable_for(adapter.run.release.purpose)
        if probe.of == Probe.Of.HELD_OUT:
            learnt = ReleaseItem.objects.filter(release=adapter.run.release).exclude(split="test")
            answers = answers.exclude(pk__in=learnt.values("answer"))
    return [
        Reading(probe=probe, task_id=answer.task_id, answer=answer, version=answer.version)
        for answer in answers.order_by(drawn)[:size]
    ]


def row_of(reading: Reading) -> dict[str, Any]:
    """The reading as `training.recipes.probe` is asked for it."""
    lesson, asked = lesson_of(reading.probe.adapter), reading.task.asked
    answer = reading.answer
    completion = lesson.completion(asked, Written(answer.text, answer.payload)) if answer else ""
    return {
        "id": str(reading.pk),
        "system": lesson.system,
        "request": lesson.request(asked),
        "completion": completion,
    }


def keep_reading(*, probe: Probe, found: dict[str, Any]) -> None:
    """Fill one reading with what the process found; one that was too long stays without measures."""
    mine, other = found.get("adapter") or {}, found.get("rival") or {}
    Reading.objects.filter(probe=probe, pk=found["id"]).update(
        is_read=True,
        loss=mine.get("loss"),
        entropy=mine.get("entropy"),
        text=mine.get("text", ""),
        rival_loss=other.get("loss"),
        rival_entropy=other.get("entropy"),
        rival_text=other.get("text", ""),
        disagreement=found.get("disagreement"),
    )


@transaction.atomic
def claim_probe(*, probe_id: int, owner: str, lease_until: datetime, now: datetime) -> Probe | None:
    """Take a waiting probe for one worker; None when another has it, or nothing waits.

    Answers that may no longer be used are read no more.
    """
    probe: Probe | None = Probe.objects.select_for_update(skip_locked=True).waiting(now).filter(pk=probe_id).first()
    if probe is None:
        return None
    usable = Answer.objects.eligible_for(Purpose.EVALUATE_MODELS).usable_for(probe.adapter.run.release.purpose)
    probe.readings.filter(answer__isnull=False, is_read=False).exclude(answer__in=usable).delete()
    probe.state, probe.lease_owner, probe.lease_expires_at = Probe.State.RUNNING, owner, lease_until
    probe.save(update_fields=["state", "lease_owner", "lease_expires_at"])
    return probe


def renew_lease(*, probe: Probe, lease_until: datetime) -> bool:
    """Whether the worker still holds the probe, and nobody has stopped it."""
    held = Probe.objects.filter(pk=probe.pk, lease_owner=probe.lease_owner, state=Probe.State.RUNNING)
    return bool(held.update(lease_expires_at=lease_until))


def end_probe(*, probe: Probe, state: str, now: datetime, failure: str = "") -> None:
    """End a probe that this worker holds; QUEUED gives it back."""
    over = state != Probe.State.QUEUED
    Probe.objects.filter(pk=probe.pk, lease_owner=probe.lease_owner, state=Probe.State.RUNNING).update(
        state=state, failure=failure[:1000], ended_at=now if over else None, lease_owner="", lease_expires_at=None
    )


@transaction.atomic
def cancel_probe(*, probe: Probe, cancelled_by: Person, now: datetime) -> None:
    """Stop reading; what was read is kept. Raises ProbeIsOver, NotAllowed."""
    require_role(cancelled_by, probe.community, Role.RESEARCHER, Role.STEWARD)
    current = Probe.objects.select_for_update().get(pk=probe.pk)
    if not current.is_live:
        raise ProbeIsOver("This reading is over.")
    Probe.objects.filter(pk=probe.pk).update(state=Probe.State.CANCELLED, ended_at=now, lease_owner="")


@transaction.atomic
def send_back(
    *,
    probe: Probe,
    readings: Iterable[Reading],
    way: str,
    measure: str,
    sent_by: Person,
    now: datetime,
    control_share: float = 0.0,
) -> int:
    """Send what is hard back to people; returns how many tasks or answers went.

    `first`: open tasks are handed out before all others, the largest `measure` first. `experts`: validated answers go
    to the experts' queue. `more`: speakers are asked for one answer more. Raises Invalid, NotAllowed.
    """
    require_role(sent_by, probe.community, Role.RESEARCHER)
    chosen = [reading for reading in readings if reading.probe_id == probe.pk]
    if not chosen:
        raise Invalid("Choose at least one sentence.", field="chosen")
    if way not in ways_back(probe):
        raise Invalid("Choose what is to be done with them.", field="way")
    if way == EXPERTS:
        versions = {reading.answer_id: reading.version or 0 for reading in chosen if reading.answer_id}
        return ask_experts(versions=versions, asked_by=sent_by, note=HARD, now=now)
    if way == MORE:
        return ask_for_more(tasks={reading.task_id for reading in chosen}, asked_by=sent_by, now=now)
    if measure not in MEASURES:
        raise Invalid("Choose by what they are ordered.", field="measure")
    urgency = {reading.task_id: float(getattr(reading, measure) or 0.0) for reading in chosen}
    return hand_out_first(
        project=probe.project, urgency=urgency, control_share=control_share, changed_by=sent_by, now=now
    )


def ways_back(probe: Probe) -> tuple[str, ...]:
    """What can be done with what the probe read."""
    if probe.of == Probe.Of.TASKS:
        return (FIRST,)
    return (EXPERTS, MORE) if probe.project.task_kind.is_text else (EXPERTS,)


def measures_of(probe: Probe) -> tuple[str, ...]:
    """By what its readings can be ordered."""
    loss = () if probe.of == Probe.Of.TASKS else ("loss",)
    return (*loss, "entropy", *(("disagreement",) if probe.has_rival else ()))


def comparable(person: Person, project: Project) -> list[Adapter]:
    """The project's adapters that can read for the person, the newest first."""
    adapters = Adapter.objects.visible_to(person).filter(run__release__project=project, withdrawn_since__isnull=True)
    return list(adapters.select_related("run__release__project").order_by("-created_at"))
