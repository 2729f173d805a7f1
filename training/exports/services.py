"""Letting an adapter out of the house: what must hold, asking for a file, and handing it out.

Copies cannot be called back. So everything is asked again at each step: the adapter is in use and not held back; every
sentence that it learnt from may be published in a model by its author's consent and the community's labels; and the
community has decided that this adapter may go out, which is another decision than that it may be used.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Value
from django.utils.translation import gettext, gettext_noop

from care.deciding import DecisionNeeded, require_decision
from care.models import Decision, Matter, Purpose, Restriction
from ledger.services import append_entry
from people.limits import count_act
from people.models import Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import require_role
from training.exports.models import Export
from training.recipes.configuration import BY_RANKS, WHOLE_MODELS
from training.releases.models import ReleaseItem
from training.runs.approval import require_in_use
from training.runs.beside import lock_behind, releases_behind
from training.runs.models import Adapter

HOURLY = 30
NOT_SMALLER = ("reward", *WHOLE_MODELS)
# Translated where it is shown.
NO_LONGER = gettext_noop("This adapter may no longer be used.")


class NotHandedOut(NotAllowed):
    """The adapter stays in the house: it is not in use, is held back, or words in it may not be published so."""


class NotMade(Conflicting):
    """There is no such file yet, or not any more."""


def require_going_out(*, adapter: Adapter, person: Person | None, now: datetime) -> Decision:
    """The decision under which the adapter may be handed out, when everything stands; `person` None is a worker.

    Where one steward decides alone, a steward's asking is the decision. Raises NotAllowed, NotHandedOut, NotInUse,
    DecisionNeeded, IsSuspended.
    """
    if person is not None:
        require_role(person, adapter.community, Role.RESEARCHER, Role.STEWARD)
    if adapter.contains_withdrawn or adapter.deleted_at is not None:
        raise NotHandedOut("This adapter learnt from words that were withdrawn.")
    if adapter.is_whole_model:
        raise NotHandedOut("This is a whole model, made to be compared with. Only adapters are used.")
    if not adapter.is_usable:
        raise NotHandedOut("A steward has not approved this adapter, so it is not used here.")
    require_in_use(adapter=adapter)
    held = Restriction.objects.blocking(Purpose.RELEASE_ADAPTER).filter(community=adapter.community)
    if held.on(adapter=Value(adapter.pk)).exists():
        raise NotHandedOut("This adapter is held back now, until the community decides.")
    behind = ReleaseItem.objects.filter(release__in=releases_behind(adapter.run))
    if behind.not_usable_for(Purpose.RELEASE_ADAPTER).exists():
        raise NotHandedOut("Not everybody whose words it learnt from allows that models trained on them are published.")
    about: dict[str, Any] = {
        "community": adapter.community,
        "matter": Matter.ADAPTER,
        "subject": subject_of_export(adapter),
    }
    decision: Decision | None = None
    # What is to be decided is told by its own name: the matter is called after using an adapter here.
    with suppress(DecisionNeeded):
        decision = require_decision(
            **about,
            actor=person,
            now=now,
            purposes=[Purpose.RELEASE_ADAPTER],
            configured_by=adapter.run.started_by,
        )
    if decision is None:
        raise DecisionNeeded(
            "This needs a decision of the community first: %(what)s.",
            what=gettext("Letting the adapter of run %(number)s out, as files") % {"number": adapter.run.number},
            **{**about, "community": adapter.community.slug},
        )
    return decision


def ranks_of(adapter: Adapter) -> list[int]:
    """The ranks that a file of the adapter may have, its own last: those that were measured where every smaller one is
    an adapter, too; else a quarter and half of it, as the nearest adapters of these ranks. None of what is more, or
    other, than one LoRA: a reward model with its last layer, the mean of groups, a whole model."""
    if adapter.run.method in BY_RANKS:
        return adapter.ranks
    recipe = adapter.run.settings.get("recipe", {})
    if adapter.run.method in NOT_SMALLER or adapter.goes_on_for_id or recipe.get("shards", 0) > 1:
        return []
    rank = int(recipe.get("rank", 0))
    smaller = sorted({part for part in (rank // 4, rank // 2) if part})
    return [*smaller, rank] if smaller else []


def subject_of_export(adapter: Adapter) -> str:
    """How a decision names letting the adapter out; letting it be used here is named adapter:id."""
    return f"publish:{adapter.pk}"


@transaction.atomic
def ask_for_export(*, adapter: Adapter, form: str, asked_by: Person, now: datetime, rank: int | None = None) -> Export:
    """Have a file of the adapter made; one that waits, is being made or is there already is returned as it is.

    The caller rings `training.exports.jobs.ring` after commit. Raises Invalid, and what `require_going_out` does.
    """
    current = locked(adapter)
    if form not in Export.Form.values:
        raise Invalid("Choose one.", field="form")
    if rank is not None and rank not in (ranks := ranks_of(current)):
        if not ranks:
            raise Invalid("This adapter can be had at its own rank only.", field="rank")
        known = ", ".join(str(one) for one in ranks)
        raise Invalid("Choose one of these ranks: %(known)s.", field="rank", known=known)
    decision = require_going_out(adapter=current, person=asked_by, now=now)
    export, is_new = Export.objects.get_or_create(
        adapter=current, form=form, rank=rank, defaults={"asked_by": asked_by, "asked_at": now}
    )
    if not is_new and (export.is_live or export.file.is_file()):
        return export
    export.state, export.failure, export.asked_by, export.asked_at = Export.State.QUEUED, "", asked_by, now
    export.save(update_fields=["state", "failure", "asked_by", "asked_at"])
    append_entry(
        action="adapter.export_asked",
        subject=f"adapter:{current.pk}",
        community=current.community.slug,
        actor=str(asked_by.pk),
        now=now,
        details={"form": form, "decision": decision.pk, **({"rank": rank} if rank else {})},
    )
    return export


def locked(adapter: Adapter) -> Adapter:
    """The adapter as it is now. The releases behind it are locked first, as a withdrawal does."""
    lock_behind(adapter.run)
    rows = Adapter.objects.select_for_update(of=("self",), no_key=True)
    current: Adapter = rows.select_related("run__release__project", "run__started_by", "community").get(pk=adapter.pk)
    return current


@transaction.atomic
def claim_export(*, export_id: int, owner: str, lease_until: datetime, now: datetime) -> Export | None:
    """Take a waiting export for one worker; None when another has it, or the adapter may not go out any more."""
    waiting = Export.objects.select_for_update(skip_locked=True, of=("self",)).waiting(now)
    export: Export | None = (
        waiting.select_related("adapter__run__release", "adapter__community", "asked_by").filter(pk=export_id).first()
    )
    if export is None:
        return None
    try:
        require_going_out(adapter=export.adapter, person=None, now=now)
    except NotAllowed:
        _end(export, Export.State.FAILED, failure=NO_LONGER)
        return None
    export.state, export.lease_owner, export.lease_expires_at = Export.State.RUNNING, owner, lease_until
    export.save(update_fields=["state", "lease_owner", "lease_expires_at"])
    return export


def renew_lease(*, export: Export, lease_until: datetime) -> bool:
    """Whether the worker still holds the export."""
    return bool(_held(export).update(lease_expires_at=lease_until))


@transaction.atomic
def finish_export(*, export: Export, made: Path, facts: dict[str, Any], sha256: str, now: datetime) -> bool:
    """Put the file that the worker made in its place; whether it stays. It does not when words were withdrawn, or the
    decision ended, while it was made."""
    adapter = locked(export.adapter)
    try:
        require_going_out(adapter=adapter, person=None, now=now)
    except NotAllowed:
        _end(export, Export.State.FAILED, failure=NO_LONGER)
        return False
    size = made.stat().st_size
    done = _held(export).update(
        **{"state": Export.State.FINISHED, "failure": "", "lease_owner": "", "lease_expires_at": None},
        **{"made_at": now, "sha256": sha256, "bytes": size, "facts": facts},
    )
    if done:
        made.replace(export.file)
    return bool(done)


def give_up_export(*, export: Export, state: str, failure: str = "") -> None:
    """End an export that this worker holds without a file; QUEUED gives it back."""
    _end(export, state, failure=failure)


def _end(export: Export, state: str, *, failure: str = "") -> None:
    Export.objects.filter(pk=export.pk, lease_owner=export.lease_owner).update(
        state=state, failure=failure[:1000], lease_owner="", lease_expires_at=None
    )


def _held(export: Export) -> Any:
    return Export.objects.filter(pk=export.pk, lease_owner=export.lease_owner, state=Export.State.RUNNING)


@transaction.atomic
def download_export(*, export: Export, person: Person, now: datetime, to: str = "") -> Path:
    """The file, for whoever may have it now; the record says who took it, and `to` where else it goes.

    Raises NotMade, TooMany, and what `require_going_out` does.
    """
    count_act(person, "download", most=HOURLY, now=now)
    # Until it is entered, nothing that it learnt from can be withdrawn unseen: a withdrawal waits for this lock.
    adapter = locked(export.adapter)
    decision = require_going_out(adapter=adapter, person=person, now=now)
    current = Export.objects.select_related("adapter__run").get(pk=export.pk)
    if current.state != Export.State.FINISHED or not current.file.is_file():
        raise NotMade("This file is not there. Have it made again.")
    append_entry(
        action="adapter.exported",
        subject=f"adapter:{adapter.pk}",
        community=adapter.community.slug,
        actor=str(person.pk),
        now=now,
        details={
            **{"form": current.form, "sha256": current.sha256, "bytes": current.bytes, "decision": decision.pk},
            **({"rank": current.rank} if current.rank else {}),
        },
        private={"to": to} if to else None,
    )
    found: Path = current.file
    return found


def forget_exports(adapter: Adapter) -> None:
    """What was made to be taken out goes with the adapter; the files lie in its run's folder, which is deleted."""
    Export.objects.filter(adapter=adapter).delete()
