"""Keeping one run's recipe process: start it, follow its log, renew the lease, stop it when asked.

The recipe is a separate program (`python -m training.recipes.<method> config.toml`), so this process never loads
torch, and a recipe that dies takes nothing with it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import tomli_w
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from training.releases.services import folder_of as release_folder
from training.releases.services import labels_on
from training.runs import services
from training.runs.artefacts import earlier_shards
from training.runs.base_models import find_base_model
from training.runs.beside import files_beside, lay_beside, told_beside, why_withdrawn
from training.runs.energy import stated_energy
from training.runs.models import Run
from training.runs.processes import recipe_environment
from training.runs.progress import LogReader, failure_message
from training.runs.retrying import after_crash, after_too_little_memory

LEASE = timedelta(seconds=60)
POLL_SECONDS = 1.0
STOPPED = 75  # EX_TEMPFAIL: the recipe stopped after a checkpoint because it was asked to
OUT_OF_MEMORY = 71  # EX_OSERR: the recipe says that it had too little memory
GRACE_SECONDS = 120.0

# Set when the worker is told to go down; the run is then given back, not cancelled.
worker_is_leaving = threading.Event()


class BaseModelMissing(RuntimeError):
    """The base model could not be prepared."""


def execute(run_id: int) -> str:
    """Train one run to its end, or as far as this worker may. Returns what became of it, for the worker's log."""
    now = timezone.now()
    owner = f"{socket.gethostname()}:{os.getpid()}:{time.monotonic_ns()}"
    run = services.claim_run(run_id=run_id, owner=owner, lease_until=now + LEASE, now=now)
    if run is None:
        return "not waiting"
    folder = services.folder_of(run)
    try:
        _end_leftover(folder)
        process = _start(run, folder)
    except (BaseModelMissing, OSError) as error:
        services.end_run(run=run, state=Run.State.FAILED, now=timezone.now(), failure=str(error))
        return "failed to start"
    asked = _follow(run, folder, process)
    try:
        return _conclude(run, folder, process.returncode, asked)
    except services.LeaseLost:
        return "lease lost"


def _start(run: Run, folder: Path) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    base = find_base_model(run.base_model) or _prepare_base_model(run, folder)
    if run.base_sha256 not in {"", base.sha256}:
        raise BaseModelMissing(gettext_noop("The base model on this worker is not the one the run began with."))
    Run.objects.filter(pk=run.pk).update(base_sha256=base.sha256)
    lay_beside(run)
    config = configuration_of(run, str(base.folder), base.sha256)
    (folder / "config.toml").write_text(tomli_w.dumps(config), encoding="utf-8")
    with (folder / "output.txt").open("ab") as output:
        process = subprocess.Popen(
            command_of(run, folder),
            cwd=settings.BASE_DIR,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=recipe_environment(),
            start_new_session=True,
        )
    started = psutil.Process(process.pid).create_time()
    (folder / "process.json").write_text(json.dumps({"pid": process.pid, "started": started}))
    return process


def command_of(run: Run, folder: Path) -> list[str]:
    """What trains the run: its recipe as a process, or as several where this worker's `TRAINING_LAUNCH` says so."""
    launch = settings.TRAINING_LAUNCH
    launcher = ["accelerate.commands.launch", *launch, "-m"] if launch else []
    return [sys.executable, "-m", *launcher, f"training.recipes.{run.method}", str(folder / "config.toml")]


def _prepare_base_model(run: Run, folder: Path) -> Any:
    """Turn the packaged weights into safetensors once; half a minute on a laptop."""
    services.renew_lease(
        run=run,
        lease_until=timezone.now() + timedelta(minutes=15),
        progress={"phase": "preparing the base model"},
    )
    with (folder / "output.txt").open("ab") as output:
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "training.recipes.base_model",
                "--models",
                str(settings.MODELS_DIR),
                "--name",
                run.base_model,
            ],
            cwd=settings.BASE_DIR,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=recipe_environment(),
            timeout=900,
            check=False,
        )
    base = find_base_model(run.base_model)
    if done.returncode or base is None:
        raise BaseModelMissing(f"The base model {run.base_model} could not be prepared; see output.txt of the run.")
    return base


def configuration_of(run: Run, base: str, base_sha256: str) -> dict[str, Any]:
    """The run's config.toml as a mapping; `training.recipes.configuration` says what each key means."""
    data = release_folder(run.release) / "data"
    project, judged, earlier = run.release.project, run.release.has_judgements, earlier_shards(run)
    return {
        "base": {"path": base, "sha256": base_sha256},
        "data": {
            **{split: str(data / f"{split}.jsonl") for split in ("train", "validation", "test")},
            **(
                {f"judged_{split}": str(data / f"{split}.judged.jsonl") for split in ("train", "test")}
                if judged
                else {}
            ),
            **({"earlier_shards": str(earlier)} if earlier else {}),
            **{kind: str(path) for kind, path in files_beside(run).items()},
        },
        "release": {
            "sha256": run.release.sha256,
            "labels": "\n".join(labels_on(run.release)),
            "beside": told_beside(run),
        },
        "language": {
            "source_name": project.source_language_name,
            "source_tag": project.source_language_tag,
            "target_name": project.target_language_name,
            "target_tag": project.target_language_tag,
        },
        "energy": stated_energy(),
        **run.settings,
    }


def _follow(run: Run, folder: Path, process: subprocess.Popen[bytes]) -> str:
    """Watch the process until it ends. Returns why it was stopped: cancel, leave, lost, or nothing."""
    log = LogReader(folder / "log.jsonl")
    asked, deadline = "", 0.0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=POLL_SECONDS)
        state = services.renew_lease(run=run, lease_until=timezone.now() + LEASE, progress=log.progress())
        if process.returncode is not None:
            return asked
        reason = (
            "lost"
            if state is None
            else "cancel"
            if state == Run.State.CANCELLING
            else "leave"
            if worker_is_leaving.is_set()
            else ""
        )
        if reason and not asked:
            asked, deadline = reason, time.monotonic() + GRACE_SECONDS
            process.send_signal(signal.SIGTERM)
        elif asked and time.monotonic() > deadline:
            _kill(psutil.Process(process.pid))


def _kill(process: psutil.Process) -> None:
    """End a process and those that it began: a launcher's would train on without it."""
    for one in (*process.children(recursive=True), process):
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()


def _conclude(run: Run, folder: Path, code: int, asked: str) -> str:
    now = timezone.now()
    if asked == "lost":
        return "lease lost"
    (folder / "process.json").unlink(missing_ok=True)
    if code == 0:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        if services.finish_run(run=run, report=report, now=now) is None:
            services.discard_learnt(run)
            return "cancelled"
        services.discard_checkpoints(run)
        return "finished"
    # It may have been asked for after the process ended or was told to for another reason.
    if asked == "cancel" or Run.objects.filter(pk=run.pk, state=Run.State.CANCELLING).exists():
        return _cancel(run, now)
    if asked == "leave" or code == STOPPED:
        services.give_back_run(run=run, now=now)
        return "given back"
    return "tried again" if _is_tried_again(run, folder, code, now) else "failed"


def _is_tried_again(run: Run, folder: Path, code: int, now: datetime) -> bool:
    """Whether a run that came to no end waits again; else it has failed."""
    if code == OUT_OF_MEMORY:
        return after_too_little_memory(run=run, now=now)
    message = failure_message(folder, code)
    # Whoever was killed says nothing: it may have been for memory, a restart, or by hand.
    if code < 0:
        return after_crash(run=run, why=message, now=now)
    services.end_run(run=run, state=Run.State.FAILED, now=now, failure=message)
    return False


def _cancel(run: Run, now: datetime) -> str:
    """It stopped as asked; where words were withdrawn, what it learnt from them goes as well."""
    withdrawn = why_withdrawn(run)
    services.end_run(run=run, state=Run.State.CANCELLED, now=now, failure=withdrawn)
    if withdrawn:
        services.discard_learnt(run)
    return "cancelled"


def _end_leftover(folder: Path) -> None:
    """End a recipe process that outlived its worker on this machine, so that two never write one folder."""
    try:
        facts = json.loads((folder / "process.json").read_text())
        process = psutil.Process(facts["pid"])
        if abs(process.create_time() - facts["started"]) < 1.0:
            _kill(process)
            process.wait(timeout=10)
    except (OSError, ValueError, KeyError, psutil.Error):
        return
