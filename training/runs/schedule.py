"""Training without anybody asking, as far as the community allows it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import StringAgg
from django.db import transaction
from django.db.models import TextField, Value
from django.db.models.functions import Cast, Concat

from annotation.answers.models import Answer
from annotation.projects.models import Project
from annotation.worded import Worded
from care.deciding import give_up, require_decision
from care.models import Matter, Purpose
from ledger.services import append_entry
from people.models import Person, Role
from people.refusals import Invalid, Refusal, said
from people.services import require_role
from training.releases.services import freeze_release, selected_answers
from training.runs.approval import require_schedule_decision
from training.runs.models import Addition, Run, Schedule
from training.runs.services import queue_run
from training.runs.vocabularies import base_again

PURPOSE = Purpose.TRAIN_NONCOMMERCIAL


@transaction.atomic
def set_schedule(
    *,
    project: Project,
    is_allowed: bool,
    minimum_new_items: int,
    cadence_hours: int,
    changed_by: Person,
    now: datetime,
    withdrawn_percent: int = 0,
) -> Schedule:
    """A steward allows or forbids scheduled runs and sets how much must be new, or taken back, and how often."""
    require_role(changed_by, project.community, Role.STEWARD)
    if not 1 <= minimum_new_items <= 1_000_000:
        raise Invalid("At least one new sentence is needed.", field="minimum_new_items")
    if not 1 <= cadence_hours <= 24 * 366:
        raise Invalid("The time between two runs is from one hour to a year.", field="cadence_hours")
    if not 0 <= withdrawn_percent <= 100:
        raise Invalid("A share is from 0 to 100 percent.", field="withdrawn_percent")
    about: dict[str, Any] = {
        "community": project.community,
        "matter": Matter.SCHEDULE,
        "subject": f"project:{project.pk}",
    }
    if is_allowed:
        require_decision(**about, actor=changed_by, now=now)
    else:
        give_up(**about, given_up_by=changed_by, now=now)
    schedule, _ = Schedule.objects.update_or_create(
        project=project,
        defaults={
            "is_allowed": is_allowed,
            "minimum_new_items": minimum_new_items,
            "cadence_hours": cadence_hours,
            "withdrawn_percent": withdrawn_percent,
            "changed_by": changed_by,
        },
    )
    append_entry(
        action="schedule.set",
        subject=f"project:{project.pk}",
        community=project.community.slug,
        actor=str(changed_by.pk),
        now=now,
        details={
            "allowed": is_allowed,
            "items": minimum_new_items,
            "hours": cadence_hours,
            **({"withdrawn": withdrawn_percent} if withdrawn_percent else {}),
        },
    )
    return schedule


@dataclass(frozen=True)
class Outlook:
    """What would happen if a schedule were looked at now."""

    outcome: Worded
    """Why a run starts, or why none does."""
    starts: bool
    last: Run | None
    """The project's last run that was not one of a grid."""
    new: int
    """Usable answers that its release did not hold."""
    withdrawn: int
    """Sentences of its release that were taken back since."""
    held: int
    """How many sentences its release held."""

    @property
    def told(self) -> str:
        """The outcome in the language of the reader."""
        return said(self.outcome.message, self.outcome.values)


def count_new_items(project: Project) -> int:
    """Usable validated answers that the release of the project's last run did not hold."""
    usable, last = selected_answers(project, PURPOSE), _last_run(project)
    return usable.exclude(release_items__release=last.release_id).count() if last else usable.count()


def look(schedule: Schedule, *, now: datetime) -> Outlook:
    """Look at a schedule without starting or storing anything: the dry run.

    Whether a release would come out as the one before is known from what was usable when that was last found out;
    where it never was, it says that one would be frozen.
    """
    project = schedule.project
    last = _last_run(project)
    items = last.release.items.all() if last else None
    withdrawn, held = (items.filter(withdrawn_at__isnull=False).count(), items.count()) if items is not None else (0, 0)
    new = count_new_items(project)
    why_not = _why_not(schedule, last, new=new, withdrawn=withdrawn, held=held, now=now)
    return Outlook(
        outcome=why_not or Worded("A run would start now."),
        starts=why_not is None,
        last=last,
        new=new,
        withdrawn=withdrawn,
        held=held,
    )


def _last_run(project: Project) -> Run | None:
    # What goes on after a withdrawal trained nothing, so nothing waits for it.
    runs = Run.objects.filter(release__project=project).alone().exclude(trigger=Run.Trigger.WITHDRAWAL)
    last: Run | None = runs.order_by("-created_at").select_related("release").first()
    return last


def _why_not(
    schedule: Schedule, last: Run | None, *, new: int, withdrawn: int, held: int, now: datetime
) -> Worded | None:
    """The first reason for which nothing starts; None where nothing speaks against it."""
    if (not_yet := _not_yet(schedule, last, now)) is not None:
        return not_yet
    is_worn = bool(schedule.withdrawn_percent and held and 100 * withdrawn >= schedule.withdrawn_percent * held)
    if new < schedule.minimum_new_items and not is_worn:
        return Worded("%(found)s of %(wanted)s new sentences are there.", found=new, wanted=schedule.minimum_new_items)
    try:
        require_schedule_decision(project=schedule.project, now=now)
    except Refusal as refusal:
        return Worded(refusal.message, **refusal.values)
    if last is not None and schedule.seen_sha256 and schedule.seen_sha256 == sha256_of_usable(schedule.project, last):
        return _unchanged(last)
    return None


def _not_yet(schedule: Schedule, last: Run | None, now: datetime) -> Worded | None:
    """Why it need not be asked what is new."""
    if not schedule.is_allowed:
        return Worded("Scheduled training is not allowed here.")
    if Run.objects.filter(release__project=schedule.project).alone().live().exists():
        return Worded("A run is going on.")
    if last is not None and last.created_at + schedule.cadence > now:
        when = f"{last.created_at + schedule.cadence:%Y-%m-%d %H:%M}"
        return Worded("The next run may start on %(when)s UTC.", when=when)
    return None


def _unchanged(last: Run) -> Worded:
    return Worded("Release %(number)s is unchanged, so there is nothing to learn.", number=str(last.release.number))


def sha256_of_usable(project: Project, last: Run) -> str:
    """A hash of what a release could hold now, beside the last one: while it stays the same, so does the manifest."""
    named = Concat(Cast("pk", TextField()), Value(":"), Cast("version", TextField()), output_field=TextField())
    measured = Answer.objects.filter(task__project=project).eligible_for(Purpose.EVALUATE_MODELS)
    digest = hashlib.sha256(last.release.sha256.encode())
    for answers in (selected_answers(project, PURPOSE), measured):
        # Put together by the database: a hundred thousand rows one by one would take seconds.
        digest.update(
            answers.aggregate(names=StringAgg(named, ",", order_by="pk", default=Value("", TextField())))[
                "names"
            ].encode()
        )
        digest.update(b"\n")
    return digest.hexdigest()


@transaction.atomic
def check_schedule(*, schedule_id: int, now: datetime) -> Run | None:
    """Start a run if the community allows it, it is time, and enough is new or was taken back; else note why not."""
    schedule = (
        Schedule.objects.select_for_update(skip_locked=True, of=("self",))
        .select_related("project__community")
        .filter(pk=schedule_id, is_allowed=True)
        .first()
    )
    if schedule is None:
        return None
    run, outcome = _check(schedule, now)
    schedule.last_checked_at, schedule.last_outcome = now, str(outcome)[:300]
    schedule.outcome = {"template": outcome.message, "values": outcome.values}
    schedule.save(update_fields=["last_checked_at", "last_outcome", "outcome", "seen_sha256"])
    return run


def _check(schedule: Schedule, now: datetime) -> tuple[Run | None, Worded]:
    found = look(schedule, now=now)
    if not found.starts:
        return None, found.outcome
    last = found.last
    try:
        release, _ = freeze_release(
            project=schedule.project,
            purpose=PURPOSE,
            created_by=None,
            now=now,
            note="made by the schedule",
            # As the one before, whose settings the run takes.
            has_judgements=last is not None and last.release.has_judgements,
        )
        if last is not None and release.sha256 == last.release.sha256:
            # Until something changes, the next looks need not draft a whole release to find that out.
            schedule.seen_sha256 = sha256_of_usable(schedule.project, last)
            return None, _unchanged(last)
        run = queue_run(
            release=release,
            started_by=None,
            now=now,
            given=last.settings if last else None,
            additions=Addition.objects.there().filter(runs=last) if last else (),
            base_model=base_again(last) if last else "",
        )
    except Refusal as refusal:
        return None, Worded(refusal.message, **refusal.values)
    return run, Worded("Started run %(run)s on release %(release)s.", run=str(run.number), release=str(release.number))
