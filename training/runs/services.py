"""Starting, stopping and finishing runs, and deciding on the adapters they make."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from care.deciding import give_up, require_decision
from care.models import Matter
from ledger.checkpoints import checkpoint_after_commit
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid
from people.services import require_role
from training.recipes.configuration import METHODS
from training.releases.models import Release
from training.runs.approval import require_run_decision
from training.runs.artefacts import adapter_folder, discard_checkpoints, discard_learnt, folder_of
from training.runs.beside import (
    WITHDRAWN,
    lock_behind,
    lost_its_base,
    not_usable_behind,
    require_additions,
    require_still_there,
    require_usable_behind,
    runs_on,
    why_withdrawn,
)
from training.runs.certificates import certificate_of, said_openly
from training.runs.energy import foretell_run
from training.runs.models import Adapter, AdapterEvent, Addition, Run, RunEvent
from training.runs.promotion import require_gate
from training.runs.starting import (
    Leaks,
    ReleaseIsTainted,
    checked_settings,
    next_number,
    require_room,
    require_trainable,
    require_votes,
    store_run,
)
from training.runs.states import ADAPTER, RUN, ImpossibleStep, after
from training.runs.vocabularies import base_for

# How often a run is tried again after it, or its worker, was killed; then a person looks.
MOST_CRASHES = 3
LIVE = (Run.State.QUEUED, Run.State.RUNNING, Run.State.CANCELLING)


class RunIsOver(Conflicting):
    """The act does not fit the run's present state."""


class LeaseLost(Conflicting):
    """Another worker has the run, so what this one has to say of it does not count any more."""


class NotDecidable(Conflicting):
    """The adapter cannot be decided on: it was decided already, or its words were withdrawn."""


@transaction.atomic
def queue_run(
    *,
    release: Release,
    started_by: Person | None,
    now: datetime,
    method: str | None = None,
    given: dict[str, Any] | None = None,
    base_model: str = "",
    additions: Collection[Addition] = (),
) -> Run:
    """Queue a run of a recipe on a release; the caller rings the bell (`training.runs.jobs.ring`) after commit.

    `started_by` None means the community's schedule. `given` are settings of the recipe (method, rank, epochs,
    ...); a `method` beside them goes before theirs; `additions` are what it learns from beside the release. Without a
    `base_model` it learns on the one with more tokens that is among these, or on the usual one.
    Raises ReleaseIsTainted, Invalid, NotAllowed, Conflicting when the release is being trained on already.
    """
    community = Community.objects.select_for_update().get(pk=release.community_id)
    if started_by is not None:
        require_role(started_by, community, Role.RESEARCHER)
    if method is not None and method not in METHODS:
        raise Invalid("Choose a method: %(known)s.", field="method", known=", ".join(METHODS))
    require_trainable(release)
    if Run.objects.filter(release=release).alone().live().exists():
        raise Conflicting("A run on this release is going on already.")
    require_room(community, now=now)
    require_run_decision(release=release, started_by=started_by, now=now)
    chosen = checked_settings(given or {}, method=method)
    require_votes(release, chosen["recipe"]["method"])
    require_additions(release, chosen["recipe"]["method"], additions)
    base_model = base_for(base_model, additions)
    foretold = foretell_run(release=release, chosen=chosen, base_model=base_model)
    run = store_run(
        release=release,
        number=next_number(community),
        chosen=chosen,
        by=started_by,
        now=now,
        base_model=base_model,
        foretold=foretold.facts() if foretold else {},
    )
    run.additions.set(additions)
    append_entry(
        action="run.queued",
        subject=f"run:{run.pk}",
        community=community.slug,
        actor=str(started_by.pk) if started_by else "",
        now=now,
        details={"release": release.sha256, "method": run.method},
    )
    return run


@transaction.atomic
def cancel_run(*, run: Run, cancelled_by: Person, now: datetime) -> Run:
    """Stop a run after its present step; what it learnt so far stays in a checkpoint. Raises RunIsOver."""
    current: Run = Run.objects.select_for_update().get(pk=run.pk)
    require_role(cancelled_by, current.community, Role.RESEARCHER, Role.STEWARD)
    if not current.is_live:
        raise RunIsOver("This run is over: %(state)s.", state=current.get_state_display())
    ask_to_stop(current, cancelled_by, now)
    _enter(current, current.state, cancelled_by, now)
    return current


def ask_to_stop(run: Run, asked_by: Person, now: datetime) -> None:
    """A run that waits is over at once, one that runs stops after its present step; the caller has its row locked."""
    run.state = after(RUN, run.state, "stop")
    run.ended_at = None if run.is_live else now
    run.save(update_fields=["state", "ended_at"])
    _record(run, "cancel asked", asked_by, now)


@transaction.atomic
def resume_run(*, run: Run, resumed_by: Person, now: datetime) -> Run:
    """Queue a cancelled or failed run again; it goes on from its last checkpoint.

    Raises RunIsOver, ReleaseIsTainted.
    """
    current: Run = Run.objects.select_for_update().get(pk=run.pk)
    require_role(resumed_by, current.community, Role.RESEARCHER)
    if not current.can_resume:
        raise RunIsOver(
            "Only a cancelled or failed run can go on; this one is %(state)s.", state=current.get_state_display()
        )
    if current.release.contains_withdrawn:
        raise ReleaseIsTainted("Its release holds words that were withdrawn. Freeze a new one.")
    require_still_there(current)
    require_usable_behind(current)
    if current.grid is None and Run.objects.filter(release=current.release).alone().live().exists():
        raise Conflicting("Another run on this release is going on.")
    require_room(current.community, now=now)
    require_run_decision(release=current.release, started_by=resumed_by, now=now)
    current.state = after(RUN, current.state, "resume")
    current.failure, current.ended_at, current.crashes = "", None, 0
    current.save(update_fields=["state", "failure", "ended_at", "crashes"])
    _record(current, "resumed", resumed_by, now)
    _enter(current, "resumed", resumed_by, now)
    return current


@transaction.atomic
def claim_run(*, run_id: int, owner: str, lease_until: datetime, now: datetime) -> Run | None:
    """Take a waiting run for one worker; None when another has it, or nothing waits.

    The row lock and the lease make sure that two bells, or two workers, never train the same run twice at once.
    """
    run: Run | None = Run.objects.select_for_update(skip_locked=True).waiting(now).filter(pk=run_id).first()
    if run is None:
        return None
    if why := why_withdrawn(run):
        end_run(run=run, state=Run.State.CANCELLED, now=now, failure=why)
        # What an earlier worker learnt from the words; whoever had it is gone.
        transaction.on_commit(partial(discard_learnt, run))
        return None
    if run.state == Run.State.CANCELLING:
        end_run(run=run, state=Run.State.CANCELLED, now=now, failure=gettext_noop("its worker was gone"))
        return None
    if not_usable_behind(run):
        _end(run, Run.State.FAILED, now, gettext_noop("Some of its sentences may not be used for this any more."))
        return None
    if run.state == Run.State.RUNNING:
        # Its worker was lost. What brings down every worker that takes it must not go on doing so.
        run.crashes += 1
        if run.crashes > MOST_CRASHES:
            end_run(run=run, state=Run.State.FAILED, now=now, failure=gettext_noop("its worker was gone"))
            return None
    run.state, run.lease_owner, run.lease_expires_at = after(RUN, run.state, "take"), owner, lease_until
    run.attempts += 1
    run.started_at = run.started_at or now
    run.save(update_fields=["state", "lease_owner", "lease_expires_at", "attempts", "started_at", "crashes"])
    _record(run, "started" if run.attempts == 1 else "continued", None, now, note=owner)
    return run


def stop_runs_on(releases: Collection[Release], *, now: datetime) -> int:
    """Stop every run on these releases after its present step, because words in them were withdrawn; how many.

    The run's own history says so; the record has it with the withdrawal. The caller is one transaction.
    """
    runs = Run.objects.select_for_update().filter(pk__in=runs_on(releases))
    stopping = list(runs.filter(state__in=[Run.State.QUEUED, Run.State.RUNNING]).order_by("pk"))
    for run in stopping:
        why = why_withdrawn(run)
        run.state = after(RUN, run.state, "stop")
        if not run.is_live:
            run.failure, run.ended_at = why, now
        run.save(update_fields=["state", "failure", "ended_at"])
        _record(run, "cancel asked" if run.is_live else run.state, None, now, note=why)
    return len(stopping)


def renew_lease(*, run: Run, lease_until: datetime, progress: dict[str, Any]) -> str | None:
    """Prolong the lease and show the progress. Returns the run's state; None when the lease was lost."""
    renewed = Run.objects.filter(pk=run.pk, lease_owner=run.lease_owner, state__in=LIVE).update(
        lease_expires_at=lease_until, progress=progress
    )
    if not renewed:
        return None
    return Run.objects.values_list("state", flat=True).get(pk=run.pk)


@transaction.atomic
def finish_run(*, run: Run, report: dict[str, Any], now: datetime) -> Adapter | None:
    """Store what a finished run made; the adapter stays a candidate. None, and the run is cancelled, when words that it
    learnt from were withdrawn meanwhile. Raises LeaseLost, and nothing is stored, when another worker has the run."""
    lock_behind(run)
    release = Release.objects.get(pk=run.release_id)
    _require_lease(run)
    if why := why_withdrawn(run):
        end_run(run=run, state=Run.State.CANCELLED, now=now, failure=why)
        return None
    evaluation = report["evaluation"]
    certificate = certificate_of(release=release, report=report, now=now)
    adapter = Adapter.objects.create(
        run=run,
        community=run.community,
        sha256=report["adapter_sha256"],
        report={**report, "certificate": certificate} if certificate else report,
        created_at=now,
        base_bpb=evaluation["base_bpb"],
        adapter_bpb=evaluation["adapter_bpb"],
        base_chrf=evaluation["base_chrf"],
        adapter_chrf=evaluation["adapter_chrf"],
    )
    _end(run, Run.State.FINISHED, now, "")
    append_entry(
        action="adapter.made",
        subject=f"adapter:{adapter.pk}",
        community=run.community.slug,
        now=now,
        details={"sha256": adapter.sha256, "run": run.pk, "release": release.sha256, **said_openly(certificate)},
    )
    return adapter


@transaction.atomic
def end_run(*, run: Run, state: Run.State, now: datetime, failure: str = "") -> None:
    """End a run without an adapter: cancelled, or failed with a message for people. Raises LeaseLost."""
    _require_lease(run)
    _end(run, state, now, failure)
    _enter(run, state, None, now)


@transaction.atomic
def give_back_run(*, run: Run, now: datetime, kind: str = "given back", note: str = "", **changed: Any) -> None:
    """Queue a run again: its worker is going down, or it is worth another try (`kind`). It goes on from its checkpoint,
    if it has one. Raises LeaseLost; ImpossibleStep for one that is being stopped."""
    state = after(RUN, _require_lease(run), "give back")
    Run.objects.filter(pk=run.pk).update(state=state, lease_owner="", lease_expires_at=None, **changed)
    _record(run, kind, None, now, note=note)


@transaction.atomic
def decide_adapter(*, adapter: Adapter, approve: bool, decided_by: Person, note: str, now: datetime) -> Adapter:
    """A steward approves an adapter for use, which has to pass the gate, or refuses it, or takes an approval back.

    Raises NotDecidable, GateClosed, NotAllowed; Invalid when something is refused without a word why.
    """
    current: Adapter = Adapter.objects.select_for_update().get(pk=adapter.pk)
    require_role(decided_by, current.community, Role.STEWARD)
    note = note.strip()[:1000]
    if approve and current.contains_withdrawn:
        raise NotDecidable("It learnt from words that were withdrawn since, so it cannot be approved.")
    if approve and current.is_whole_model:
        raise NotDecidable("This is a whole model, made to be compared with. Only adapters are used.")
    if approve and lost_its_base(current.run):
        raise NotDecidable("The base model that it learnt on was deleted, so it cannot be read any more.")
    if approve and not_usable_behind(current.run):
        raise NotDecidable("Some of the words it learnt from may not be used for this any more.")
    if not approve and not note:
        raise Invalid("Give the reason.", field="note")
    try:
        wanted = after(ADAPTER, current.state, "approve" if approve else "refuse")
    except ImpossibleStep as error:
        raise NotDecidable("This adapter is %(state)s already.", state=current.get_state_display()) from error
    if approve:
        require_gate(current, steward=decided_by)
    _decide_with_community(current, approve, decided_by, note, now)
    current.state = wanted
    current.save(update_fields=["state"])
    AdapterEvent.objects.create(adapter=current, kind=wanted, actor=decided_by, note=note, at=now)
    append_entry(
        action=f"adapter.{wanted}",
        subject=f"adapter:{current.pk}",
        community=current.community.slug,
        actor=str(decided_by.pk),
        now=now,
        private={"note": note} if note else None,
    )
    checkpoint_after_commit(community=current.community.slug, now=now)
    return current


def _decide_with_community(adapter: Adapter, approve: bool, steward: Person, note: str, now: datetime) -> None:
    """Allowing needs the community's decision; stopping takes one steward, and ends the decision."""
    about: dict[str, Any] = {
        "community": adapter.community,
        "matter": Matter.ADAPTER,
        "subject": f"adapter:{adapter.pk}",
    }
    if not approve:
        give_up(**about, given_up_by=steward, now=now)
        return
    require_decision(
        **about,
        actor=steward,
        now=now,
        text=note,
        purposes=[adapter.run.release.purpose],
        configured_by=adapter.run.started_by,
    )


def _require_lease(run: Run) -> str:
    """Raise LeaseLost unless the run is still held as it was when it was claimed; its state. The row stays locked."""
    held, state = Run.objects.select_for_update().values_list("lease_owner", "state").get(pk=run.pk)
    if held != run.lease_owner:
        raise LeaseLost("Another worker took this run over.")
    return str(state)


def _end(run: Run, state: Run.State, now: datetime, failure: str) -> None:
    # Whoever finishes it holds the lease; that is all there is to ask.
    run.state = state if state == Run.State.FINISHED else after(RUN, run.state, state.value)
    run.failure, run.ended_at = failure[:2000], now
    run.lease_owner, run.lease_expires_at = "", None
    run.save(update_fields=["state", "failure", "ended_at", "lease_owner", "lease_expires_at"])
    _record(run, state.value, None, now, note=failure)


def _enter(run: Run, what: str, actor: Person | None, now: datetime) -> None:
    """Into the community's ledger, as the last thing: its chain stays locked from here on."""
    append_entry(
        action=f"run.{what!s}",
        subject=f"run:{run.pk}",
        community=run.community.slug,
        actor=str(actor.pk) if actor else "",
        now=now,
    )


def _record(run: Run, kind: str, actor: Person | None, now: datetime, *, note: str = "") -> None:
    RunEvent.objects.create(run=run, kind=kind, actor=actor, note=note[:2000], at=now)


__all__ = [
    "WITHDRAWN",
    "Leaks",
    "LeaseLost",
    "NotDecidable",
    "ReleaseIsTainted",
    "RunIsOver",
    "adapter_folder",
    "ask_to_stop",
    "cancel_run",
    "checked_settings",
    "claim_run",
    "decide_adapter",
    "discard_checkpoints",
    "discard_learnt",
    "end_run",
    "finish_run",
    "folder_of",
    "give_back_run",
    "queue_run",
    "renew_lease",
    "resume_run",
    "stop_runs_on",
]
