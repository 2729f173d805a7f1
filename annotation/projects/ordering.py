"""In which order a project hands its tasks out: document by document, or what a model is least sure of first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from annotation.projects.models import Project, Task
from ledger.services import append_entry
from people.models import Person, Role
from people.refusals import Invalid
from people.services import require_role

CONTROL_SHARE = 0.2


@transaction.atomic
def hand_out_first(
    *, project: Project, urgency: Mapping[int, float], control_share: float, changed_by: Person, now: datetime
) -> int:
    """Hand these open tasks out before all others, the most urgent first; `control_share` of them by chance instead,
    so that the order's worth can be measured. What was urgent before is so no more. Returns how many are urgent now.

    `urgency` maps tasks' ids to any number: the larger, the sooner. Raises Invalid, NotAllowed.
    """
    require_role(changed_by, project.community, Role.RESEARCHER, Role.STEWARD)
    if not 0 <= control_share <= 1:
        raise Invalid("The share that is drawn by chance lies between 0 and 1.", field="control_share")
    tasks = list(Task.objects.filter(project=project, pk__in=urgency, state=Task.State.OPEN))
    if not tasks:
        raise Invalid("None of these tasks is open any more.", field="chosen")
    _forget_urgency(project)
    for task in tasks:
        task.urgency = urgency[task.pk]
    Task.objects.bulk_update(tasks, ["urgency"], batch_size=1000)
    project.control_share = control_share
    project.save(update_fields=["control_share"])
    _record(project, changed_by, now, {"tasks": len(tasks), "control_percent": round(100 * control_share)})
    return len(tasks)


@transaction.atomic
def hand_out_by_document(*, project: Project, changed_by: Person, now: datetime) -> None:
    """Go back to the order of the documents; what was handed out so far stays countable. Raises NotAllowed."""
    require_role(changed_by, project.community, Role.RESEARCHER, Role.STEWARD)
    _forget_urgency(project)
    project.control_share = None
    project.save(update_fields=["control_share"])
    _record(project, changed_by, now, {})


def _forget_urgency(project: Project) -> None:
    Task.objects.filter(project=project, urgency__isnull=False).update(urgency=None)


def _record(project: Project, actor: Person, now: datetime, details: dict[str, int]) -> None:
    append_entry(
        action="project.ordered",
        subject=f"project:{project.pk}",
        community=project.community.slug,
        actor=str(actor.pk),
        now=now,
        details=details,
    )
