"""Training without anybody asking, as far as the community allows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from annotation.projects.models import Project
from annotation.worded import Worded
from care.deciding import give_up, require_decision
from care.models import Matter, Purpose
from ledger.services import append_entry
from people.models import Person, Role
from people.refusals import Invalid, Refusal
from people.services import require_role
from training.releases.services import freeze_release, selected_answers
from training.runs.approval import require_schedule_decision
from training.runs.models import Run, Schedule
from training.runs.services import LIVE, queue_run

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
) -> Schedule:
    """A steward allows or forbids scheduled runs and sets how much must be new and how often at most."""
    require_role(changed_by, project.community, Role.STEWARD)
    if not 1 <= minimum_new_items <= 1_000_000:
        raise Invalid("At least one new sentence is needed.", field="minimum_new_items")
    if not 1 <= cadence_hours <= 24 * 366:
        raise Invalid("The time between two runs is from one hour to a year.", field="cadence_hours")
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
            "changed_by": changed_by,
        },
    )
    append_entry(
        action="schedule.set",
        subject=f"project:{project.pk}",
        community=project.community.slug,
        actor=str(changed_by.pk),
        now=now,
        details={"allowed": is_allowed, "items": minimum_new_items, "hours": cadence_hours},
    )
    return schedule


def count_new_items(project: Project) -> int:
    """Usable validated answers that the release of the project's last run did not hold."""
    usable = selected_answers(project, PURPOSE)
    last = Run.objects.filter(release__project=project).order_by("-created_at").first()
    return usable.exclude(release_items__release=last.release_id).count() if last else usable.count()


@transaction.atomic
def check_schedule(*, schedule_id: int, now: datetime) -> Run | None:
    """Start a run if the community allows it, it is time, and enough is new; else note why not."""
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
    schedule.save(update_fields=["last_checked_at", "last_outcome", "outcome"])
    return run


def _check(schedule: Schedule, now: datetime) -> tuple[Run | None, Worded]:
    # What goes on after a withdrawal trained nothing, so nothing waits for it.
    runs = Run.objects.filter(release__project=schedule.project).exclude(trigger=Run.Trigger.WITHDRAWAL)
    if runs.filter(state__in=LIVE).exists():
        return None, Worded("A run is going on.")
    last = runs.order_by("-created_at").select_related("release").first()
    if last is not None and last.created_at + schedule.cadence > now:
        when = f"{last.created_at + schedule.cadence:%Y-%m-%d %H:%M}"
        return None, Worded("The next run may start on %(when)s UTC.", when=when)
    fresh = count_new_items(schedule.project)
    if fresh < schedule.minimum_new_items:
        return None, Worded(
            "%(found)s of %(wanted)s new sentences are there.", found=fresh, wanted=schedule.minimum_new_items
        )
    try:
        require_schedule_decision(project=schedule.project, now=now)
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
            return None, Worded(
                "Release %(number)s is unchanged, so there is nothing to learn.", number=str(release.number)
            )
        run = queue_run(release=release, started_by=None, now=now, given=last.settings if last else None)
    except Refusal as refusal:
        return None, Worded(refusal.message, **refusal.values)
    return run, Worded("Started run %(run)s on release %(release)s.", run=str(run.number), release=str(release.number))
