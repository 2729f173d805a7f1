"""What the community must have decided before something trains, and before an adapter answers anybody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from annotation.projects.models import Project
from care.deciding import DecisionNeeded, decision_in_force, require_decision
from care.effects import is_alone
from care.elections import rules_of
from care.models import Decision, Matter
from people.models import Community, Person
from people.refusals import NotAllowed
from training.releases.models import Release
from training.runs.models import Adapter, Run

MONTH = timedelta(days=30)


class LimitReached(NotAllowed):
    """The standing approval allows no more training this month."""


class NotInUse(NotAllowed):
    """The decision on the adapter does not hold any more."""


def require_run_decision(
    *, release: Release, started_by: Person | None, now: datetime, runs: int = 1
) -> Decision | None:
    """The decision under which so many runs may train on the release: on this release, on its schedule, or a standing
    approval within whose limits all of them stay. Raises DecisionNeeded, LimitReached, IsSuspended.
    """
    community = release.community
    if started_by is None:
        return require_schedule_decision(project=release.project, now=now)
    standing = decision_in_force(
        community=community, matter=Matter.STANDING, subject=f"community:{community.pk}", now=now
    )
    try:
        return require_decision(
            community=community,
            matter=Matter.RUN,
            subject=f"release:{release.pk}",
            actor=None if is_alone(rules_of(community, Matter.RUN)) else started_by,
            now=now,
            configured_by=started_by,
        )
    except DecisionNeeded:
        if standing is None:
            raise
    _stay_within(community, standing.conditions, now, runs)
    return standing


def used_up(community: Community, now: datetime) -> tuple[int, float]:
    """How many runs the community began in the last thirty days, and the hours that they trained."""
    recent = list(Run.objects.filter(community=community, created_at__gt=now - MONTH))
    seconds = sum(((run.ended_at or now) - run.started_at).total_seconds() for run in recent if run.started_at)
    return len(recent), seconds / 3600


def _stay_within(community: Community, limits: dict[str, Any], now: datetime, runs: int) -> None:
    """Raise LimitReached when so many more are beyond what the last thirty days left of the runs, or of the hours."""
    begun, hours = used_up(community, now)
    if begun + runs > int(limits.get("runs", 0)) or hours >= float(limits.get("hours", 0)):
        raise LimitReached("The standing approval allows no more training now; its limits are for thirty days.")


def require_schedule_decision(*, project: Project, now: datetime) -> Decision | None:
    """The decision under which a project trains without anybody asking. Raises DecisionNeeded, IsSuspended."""
    return require_decision(
        community=project.community,
        matter=Matter.SCHEDULE,
        subject=f"project:{project.pk}",
        actor=None,
        now=now,
    )


def require_in_use(*, adapter: Adapter) -> None:
    """Refuse an adapter that is held back, or whose decision was suspended, taken back, or has run out.

    Raises NotInUse.
    """
    if not Adapter.objects.filter(pk=adapter.pk).decided_on().exists():
        raise NotInUse("The community’s decision on this adapter does not hold now.")
    if not Adapter.objects.filter(pk=adapter.pk).not_held().exists():
        raise NotInUse("This adapter is held back now, until the community decides.")
