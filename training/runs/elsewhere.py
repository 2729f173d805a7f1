"""A run that is made on another machine: what leaves for it, and taking back what was made of exactly this run.

What leaves is the data of its release, so what is asked for a download of that is asked for this. What comes back is
checked (`training.recipes.bundle`) and becomes an adapter by the same service as what a worker made. Nobody here saw
it being made: a report that is consistent and untrue cannot be told from a true one, so it says where it was made.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import tomli_w
from django.conf import settings
from django.db import transaction

from ledger.services import append_entry
from people.limits import count_act
from people.models import Person, Role
from people.refusals import Conflicting, Invalid
from people.services import require_role
from training.recipes.bundle import NotThisRun, check, pack_run
from training.recipes.configuration import WHOLE_MODELS, Configuration, ConfigurationError
from training.releases.archives import zip_folder
from training.releases.downloads import HOURLY, write_receipt
from training.releases.models import Release
from training.releases.services import folder_of as release_folder
from training.runs.approval import require_run_decision
from training.runs.artefacts import folder_of
from training.runs.base_models import find_base_model
from training.runs.beside import (
    lay_beside,
    lock_behind,
    releases_behind,
    require_still_there,
    require_usable_behind,
    why_withdrawn,
)
from training.runs.models import Adapter, Addition, Run, RunEvent
from training.runs.progress import LogReader, loss_curve
from training.runs.services import ask_to_stop, discard_checkpoints, finish_run
from training.runs.starting import ReleaseIsTainted
from training.runs.states import RUN, after
from training.runs.supervisor import configuration_of
from training.runs.unpacking import unpack

TAKEN, BACK = "taken elsewhere", "brought back"


class NotElsewhere(Conflicting):
    """The run cannot be made elsewhere, or not in its present state."""


class NotTaken(Invalid):
    """What came back is not what this run asked for, or cannot be read."""


def goes_elsewhere(run: Run) -> bool:
    """Whether the run is of a kind, and in a state, to be taken elsewhere: it waits, or ended without an adapter. A
    base with more tokens is on no other machine."""
    in_groups = run.settings.get("recipe", {}).get("shards", 0) > 1
    if in_groups or run.method in WHOLE_MODELS or run.additions.filter(kind=Addition.Kind.VOCABULARY).exists():
        return False
    return run.state == Run.State.QUEUED or run.can_resume


def comes_back(run: Run) -> bool:
    """Whether what another machine made of the run can be brought back."""
    return run.can_resume and goes_elsewhere(run) and run.events.filter(kind=TAKEN).exists()


@transaction.atomic
def take_elsewhere(*, run: Run, taken_by: Person, now: datetime) -> IO[bytes]:
    """The run as a zip for another machine; the record says who took it. It waits for no worker here any more.

    Raises NotAllowed, NotElsewhere, ReleaseIsTainted, DecisionNeeded, LimitReached, TooMany.
    """
    count_act(taken_by, "download", most=HOURLY, now=now)
    release, current = _locked(run, taken_by)
    if not goes_elsewhere(current):
        raise NotElsewhere(
            "This run cannot be made on another machine now: %(state)s.", state=current.get_state_display()
        )
    _require_usable(current)
    if current.can_resume:
        # As where it goes on here: a run that waits has its decision.
        require_run_decision(release=release, started_by=taken_by, now=now)
    with tempfile.TemporaryDirectory(prefix=".elsewhere-", dir=_place()) as place:
        target = Path(place) / "bundle"
        config = _configured(current, Path(place))
        pack_run(config, target)
        file = zip_folder(target, name=f"{current.community.slug}-run-{current.number}")
    # Of every release whose words are in it, so that its holder is told when any of them are taken back.
    receipts = [
        write_receipt(release=one, person=taken_by, file=file, run_number=current.number, now=now)
        for one in releases_behind(current)
    ]
    Run.objects.filter(pk=current.pk).update(base_sha256=config.base.sha256)
    if current.is_live:
        ask_to_stop(current, taken_by, now)
    RunEvent.objects.create(run=current, kind=TAKEN, actor=taken_by, at=now)
    append_entry(
        action="run.taken_elsewhere",
        subject=f"run:{current.pk}",
        community=current.community.slug,
        actor=str(taken_by.pk),
        now=now,
        details={"release": release.sha256, "bytes": receipts[0].bytes},
    )
    return file


def bring_back(*, run: Run, file: IO[bytes], brought_by: Person, now: datetime) -> Adapter:
    """Finish the run with the zip that another machine made of it, as if a worker had made it; the run stays as it was
    where anything of it does not hold.

    Raises NotAllowed, NotElsewhere, NotTaken, Invalid, ReleaseIsTainted.
    """
    # Asked first, so that no large file is read in vain; and once more in the end, in the transaction that finishes it.
    run = _require_coming_back(run, brought_by)
    with tempfile.TemporaryDirectory(prefix=".elsewhere-", dir=_place()) as place:
        bundle = Path(place) / "bundle"
        # Against the run's own settings and data, whatever was sent along.
        pack_run(_configured(run, Path(place)), bundle)
        unpack(file, bundle)
        try:
            report = check(bundle)
            loss_curve(bundle / "log.jsonl")
            progress = LogReader(bundle / "log.jsonl").progress()
        except NotThisRun as error:
            raise NotTaken(error.message, field="file", **error.values) from error
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise NotTaken("What came back cannot be read: %(why)s.", field="file", why=repr(error)[:200]) from error
        report["elsewhere"] = {"brought_back_on": now.date().isoformat()}
        return _finish(run, report, progress, bundle, brought_by, now)


@transaction.atomic
def _finish(
    run: Run, report: dict[str, Any], progress: dict[str, Any], bundle: Path, brought_by: Person, now: datetime
) -> Adapter:
    current = _require_coming_back(run, brought_by)
    after(RUN, current.state, "bring back")
    current.progress = progress
    current.save(update_fields=["progress"])
    adapter = finish_run(run=current, report=report, now=now)
    if adapter is None:
        raise ReleaseIsTainted("Its release holds words that were withdrawn. Freeze a new one.")
    RunEvent.objects.create(run=current, kind=BACK, actor=brought_by, at=now)
    append_entry(
        action="run.brought_back",
        subject=f"run:{current.pk}",
        community=current.community.slug,
        actor=str(brought_by.pk),
        now=now,
        details={"sha256": adapter.sha256},
    )
    # Last, so that nothing lies in the run's folder that the row does not know of.
    folder = folder_of(current)
    folder.mkdir(parents=True, exist_ok=True)
    _configured(current, folder)
    discard_checkpoints(current)
    shutil.rmtree(folder / "adapter", ignore_errors=True)
    for name in ("report.json", "log.jsonl", "README.md", "adapter"):
        shutil.move(bundle / name, folder / name)
    return adapter


def _locked(run: Run, person: Person) -> tuple[Release, Run]:
    """Release and run as they are now, for somebody who may train. The release is locked first, as a withdrawal does,
    so that neither misses the other."""
    lock_behind(run)
    release = Release.objects.select_related("community").get(pk=run.release_id)
    rows = Run.objects.select_for_update(of=("self",)).select_related("release__project", "community", "started_by")
    current: Run = rows.get(pk=run.pk)
    require_role(person, current.community, Role.RESEARCHER)
    return release, current


def _require_usable(run: Run) -> None:
    if why := why_withdrawn(run):
        raise ReleaseIsTainted(why)
    require_usable_behind(run)
    require_still_there(run)
    if not (release_folder(run.release) / "manifest.json").is_file():
        raise NotElsewhere("The files of this release are missing on this machine.")


@transaction.atomic
def _require_coming_back(run: Run, person: Person) -> Run:
    _, current = _locked(run, person)
    if not comes_back(current):
        raise NotElsewhere(
            "This run was not taken to another machine, or is over: %(state)s.", state=current.get_state_display()
        )
    _require_usable(current)
    return current


def _configured(run: Run, folder: Path) -> Configuration:
    """The run's configuration, written into the folder as a worker here would write it."""
    base = find_base_model(run.base_model)
    if base is None:
        raise NotElsewhere("No worker has prepared the base model here yet. Start a run here first.")
    if run.base_sha256 not in {"", base.sha256}:
        raise NotElsewhere("The base model here is not the one that the run began with.")
    try:
        lay_beside(run)
    except OSError as error:
        raise NotElsewhere("The files of this run are missing on this machine.") from error
    path = folder / "config.toml"
    path.write_text(tomli_w.dumps(configuration_of(run, str(base.folder), base.sha256)), encoding="utf-8")
    try:
        return Configuration.read(path, run.method)
    except ConfigurationError as error:
        raise NotElsewhere("The files of this run are missing on this machine.") from error


def _place() -> Path:
    place = Path(settings.RUNS_DIR)
    place.mkdir(parents=True, exist_ok=True)
    return place
