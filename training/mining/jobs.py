"""Readings by a worker. A message is only a bell: the probe's row says what is to be done."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from care.models import Purpose
from care.purposes import reading_for
from training.mining.models import Probe
from training.mining.services import claim_probe, end_probe, keep_reading, renew_lease, row_of
from training.mining.trials import take_out_what_may_not_be_shown
from training.runs.base_models import find_base_model
from training.runs.processes import ENDED, ProcessEnded, json_lines, recipe_environment
from training.runs.services import adapter_folder
from training.runs.supervisor import worker_is_leaving

LEASE = timedelta(seconds=60)
# Loading a model of this size takes seconds; a batch that writes, perhaps a minute on a slow machine.
SILENCE_SECONDS = 600.0


@shared_task
def probe_job(*, probe_id: int, **kwargs: Any) -> str:
    """Read what a probe has not read yet; ringing twice is harmless. Returns what became of it."""
    now = timezone.now()
    owner = f"{socket.gethostname()}:{os.getpid()}:{time.monotonic_ns()}"
    probe = claim_probe(probe_id=probe_id, owner=owner, lease_until=now + LEASE, now=now)
    if probe is None:
        return "not waiting"
    state, failure = Probe.State.FAILED, ""
    try:
        state = _read(probe)
    except (ProcessEnded, OSError) as error:
        failure = str(error)
    end_probe(probe=probe, state=state, now=timezone.now(), failure=failure)
    return str(state)


@shared_task
def recover_probes_job(**kwargs: Any) -> int:
    """Ring again for probes whose bell or worker was lost, and ask no more about texts that may not be shown any more
    (every minute)."""
    take_out_what_may_not_be_shown(now=timezone.now())
    waiting = list(Probe.objects.waiting(timezone.now()).values_list("pk", flat=True))
    for probe_id in waiting:
        probe_job.delay(probe_id=probe_id)
    return len(waiting)


def ring(probe: Probe) -> None:
    """Wake a training worker for a probe, once the transaction that planned it is committed."""
    probe_job.delay_on_commit(probe_id=probe.pk)


def _read(probe: Probe) -> Probe.State:
    """Let the process read what is left. Raises ProcessEnded, OSError."""
    unread = probe.readings.filter(is_read=False).select_related("task__item", "task__project", "answer")
    with reading_for(Purpose.EVALUATE_MODELS):
        # An answer that may not be used is no row here; its reading would look like one of an open task.
        rows = [row_of(reading) for reading in unread if (reading.answer is None) == (reading.answer_id is None)]
    if not rows:
        return Probe.State.FINISHED
    folder = Path(settings.RUNS_DIR) / probe.community.slug / "probes"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{probe.pk}.jsonl"
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    process = _start(probe, file)
    try:
        return _follow(probe, process, len(rows))
    finally:
        process.kill()
        process.wait()
        # It held people's words.
        file.unlink(missing_ok=True)


def _start(probe: Probe, rows: Path) -> subprocess.Popen[bytes]:
    base = find_base_model(probe.adapter.run.base_model)
    if base is None:
        raise ProcessEnded(gettext_noop("The base model is not on this worker."))
    rival = ["--rival", str(adapter_folder(probe.rival))] if probe.rival else []
    beside_base = ["--beside-base"] if probe.beside_base else []
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "training.recipes.probe",
            str(rows),
            *("--base", str(base.folder), "--adapter", str(adapter_folder(probe.adapter))),
            *rival,
            *beside_base,
            *(["--write"] if probe.writes else []),
        ],
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=recipe_environment(),
    )


def _follow(probe: Probe, process: subprocess.Popen[bytes], wanted: int) -> Probe.State:
    """Keep each reading as it comes, until all have, or the probe is not this worker's any more."""
    kept = 0
    for found in json_lines(process, silence=SILENCE_SECONDS):
        if worker_is_leaving.is_set():
            return Probe.State.QUEUED
        if not renew_lease(probe=probe, lease_until=timezone.now() + LEASE):
            return Probe.State.CANCELLED
        if found is not None:
            keep_reading(probe=probe, found=found)
            kept += 1
    if kept < wanted:
        raise ProcessEnded(ENDED)
    return Probe.State.FINISHED
