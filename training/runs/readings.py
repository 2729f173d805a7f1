"""What workers find of an adapter beside its report, such as how it leans between groups of people: asking for it, and
the lease of the worker that looks. What kind of thing it is, its own module says (`bias`, `intruders`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from people.models import Person, Role
from people.refusals import Invalid
from people.services import require_role
from training.runs.models import Adapter, AdapterReading


@transaction.atomic
def ask_for_reading(*, adapter: Adapter, kind: str, asked_by: Person, now: datetime) -> AdapterReading:
    """Have an adapter read; a reading of the kind that waits or goes on already is returned as it is.

    What was found before stays until there is something new. The caller rings `training.runs.jobs.ring_reading` after
    commit. Raises Invalid, NotAllowed.
    """
    require_role(asked_by, adapter.community, Role.RESEARCHER, Role.STEWARD)
    current: Adapter = Adapter.objects.select_for_update(of=("self",)).select_related("run").get(pk=adapter.pk)
    if current.is_whole_model:
        raise Invalid("This is a whole model, made to be compared with. Only adapters are used.")
    if current.contains_withdrawn or current.deleted_at is not None:
        raise Invalid("This adapter learnt from words that were withdrawn.")
    reading: AdapterReading | None = AdapterReading.objects.filter(adapter=current, kind=kind).first()
    if reading is not None and reading.is_live:
        return reading
    asked = {"state": AdapterReading.State.QUEUED, "failure": "", "asked_by": asked_by, "asked_at": now}
    return AdapterReading.objects.update_or_create(adapter=current, kind=kind, defaults=asked)[0]


@transaction.atomic
def claim_reading(*, reading_id: int, owner: str, lease_until: datetime, now: datetime) -> AdapterReading | None:
    """Take a waiting reading for one worker; None when another has it, or nothing waits."""
    waiting = AdapterReading.objects.select_for_update(skip_locked=True, of=("self",)).waiting(now)
    reading: AdapterReading | None = waiting.filter(pk=reading_id).first()
    if reading is not None:
        reading.state, reading.lease_owner, reading.lease_expires_at = AdapterReading.State.RUNNING, owner, lease_until
        reading.save(update_fields=["state", "lease_owner", "lease_expires_at"])
    return reading


def renew_lease(*, reading: AdapterReading, lease_until: datetime) -> bool:
    """Whether the worker still holds the reading."""
    return bool(_held(reading).update(lease_expires_at=lease_until))


def keep_finding(*, reading: AdapterReading, found: Any, now: datetime, pairs_sha256: str = "") -> None:
    """What the worker that holds the reading found; of a reading that is gone, nothing is kept."""
    _held(reading).update(
        **{"state": AdapterReading.State.FINISHED, "lease_owner": "", "lease_expires_at": None},
        **{"found": found, "pairs_sha256": pairs_sha256, "measured_at": now},
    )


def give_up_reading(*, reading: AdapterReading, state: str, failure: str = "") -> None:
    """End a reading that this worker holds without a result; QUEUED gives it back."""
    _held(reading).update(state=state, failure=failure[:1000], lease_owner="", lease_expires_at=None)


def _held(reading: AdapterReading) -> Any:
    held = {"lease_owner": reading.lease_owner, "state": AdapterReading.State.RUNNING}
    return AdapterReading.objects.filter(pk=reading.pk, **held)
