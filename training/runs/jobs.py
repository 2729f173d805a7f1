"""Training jobs. A message is only a bell: the run's row says what is to be done."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from training.runs import supervisor
from training.runs.additions import claim_rows, finish_rows, give_up_rows, renew_rows
from training.runs.artefacts import folder_of
from training.runs.bias_reader import read_pairs
from training.runs.intruders import read_intruders
from training.runs.making import place_for, sweep_places
from training.runs.models import Adapter, AdapterReading, Addition, Grid, Run, Schedule
from training.runs.processes import ProcessEnded, last_facts
from training.runs.readings import claim_reading, give_up_reading, keep_finding, renew_lease
from training.runs.rivals import compare_with_service
from training.runs.schedule import check_schedule

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
# How many waiting runs a worker looks at, and how many bells are rung again at once.
AT_ONCE, BELLS = 50, 4
# Writing and checking a row for each training sentence says nothing meanwhile.
SILENCE_SECONDS = 24 * 3600.0
READERS = {AdapterReading.Kind.BIAS: read_pairs, AdapterReading.Kind.INTRUDERS: read_intruders}


@shared_task
def execute_run_job(**kwargs: Any) -> None:
    """Train the run that is next; ringing twice is harmless, since the second finds nothing waiting.

    The bell was rung for a run, but it says only that one waits: which comes first is seen when a worker is free.
    """
    for run_id in next_runs(timezone.now()):
        outcome = supervisor.execute(run_id)
        log.info("run %s: %s", run_id, outcome)
        if outcome == "not waiting":
            continue
        # Of a grid's many adapters most are only looked at; a steward has one compared where it matters.
        made = Adapter.objects.filter(run=run_id, run__grid__isnull=True).values_list("pk", flat=True).first()
        if outcome == "finished" and made is not None:
            compare_adapter_job.delay(adapter_id=made)
        break


def next_runs(now: datetime) -> list[int]:
    """Which runs a free worker may take, the next one first: those that somebody started by themselves before a grid's,
    then whichever has waited longest; none of a community that has as many running as one may."""
    waiting = Run.objects.waiting(now).order_by("priority", "created_at", "pk")
    if settings.TRAINING_AT_ONCE:
        running = Run.objects.filter(state__in=["running", "cancelling"], lease_expires_at__gt=now)
        busy = running.values("community").annotate(number=Count("pk")).filter(number__gte=settings.TRAINING_AT_ONCE)
        waiting = waiting.exclude(community__in=busy.values("community"))
    return list(waiting.values_list("pk", flat=True)[:AT_ONCE])


@shared_task
def compare_adapter_job(*, adapter_id: int, **kwargs: Any) -> None:
    """Read an adapter beside the one in service; twice gives the same figures."""
    adapter = Adapter.objects.select_related("run__release__project", "community").get(pk=adapter_id)
    try:
        found = compare_with_service(adapter)
    except (ProcessEnded, OSError) as error:
        # The gate says that it was not compared, and a steward may have it done again.
        log.warning("adapter %s was not compared: %s", adapter_id, error)
        return
    log.info("adapter %s was compared on %s sentences", adapter_id, found.get("sentences", 0))


def ring_comparison(adapter: Adapter) -> None:
    """Wake a training worker to compare an adapter with the one in service."""
    compare_adapter_job.delay_on_commit(adapter_id=adapter.pk)


def ring(run: Run) -> None:
    """Wake a training worker for a run, once the transaction that queued it is committed."""
    execute_run_job.delay_on_commit(run_id=run.pk)


def ring_grid(grid: Grid) -> None:
    """Wake the training workers for a grid, a bell for each run."""
    for run in grid.runs.all():
        ring(run)


@shared_task
def recover_runs_job(**kwargs: Any) -> int:
    """Ring again for runs whose bell or worker was lost (every half minute). A few bells are enough: with a grid's runs
    waiting, many would pile up behind a worker that is busy for hours."""
    waiting = next_runs(timezone.now())[:BELLS]
    for run_id in waiting:
        execute_run_job.delay(run_id=run_id)
    return len(waiting)


@shared_task
def read_adapter_job(*, reading_id: int, **kwargs: Any) -> str:
    """Find what was asked about an adapter; ringing twice is harmless. Returns what became of it."""
    now, owner = timezone.now(), f"{socket.gethostname()}:{os.getpid()}:{time.monotonic_ns()}"
    reading = claim_reading(reading_id=reading_id, owner=owner, lease_until=now + LEASE, now=now)
    if reading is None:
        return "not waiting"

    def goes_on() -> bool:
        held = renew_lease(reading=reading, lease_until=timezone.now() + LEASE)
        return held and not supervisor.worker_is_leaving.is_set()

    try:
        found = READERS[reading.kind](reading, goes_on)
    except (ProcessEnded, OSError) as error:
        give_up_reading(reading=reading, state=AdapterReading.State.FAILED, failure=str(error))
        return "failed"
    if found is None:
        give_up_reading(reading=reading, state=AdapterReading.State.QUEUED)
        return "given back"
    keep_finding(reading=reading, now=timezone.now(), **found)
    return "finished"


@shared_task
def recover_readings_job(**kwargs: Any) -> int:
    """Ring again for readings whose bell or worker was lost (every minute)."""
    waiting = list(AdapterReading.objects.waiting(timezone.now()).values_list("pk", flat=True))
    for reading_id in waiting:
        read_adapter_job.delay(reading_id=reading_id)
    return len(waiting)


def ring_reading(reading: AdapterReading) -> None:
    """Wake a training worker for a reading, once the transaction that asked for it is committed."""
    read_adapter_job.delay_on_commit(reading_id=reading.pk)


@shared_task
def make_rows_job(*, addition_id: int, **kwargs: Any) -> str:
    """Have a finished run's adapter make rows, or a base made with more tokens; ringing twice is harmless. Returns what
    became of it."""
    now, owner = timezone.now(), f"{socket.gethostname()}:{os.getpid()}:{time.monotonic_ns()}"
    addition = claim_rows(addition_id=addition_id, owner=owner, lease_until=now + LEASE, now=now)
    if addition is None:
        return "not waiting"

    def goes_on() -> bool:
        held = renew_rows(addition=addition, lease_until=timezone.now() + LEASE)
        return held and not supervisor.worker_is_leaving.is_set()

    is_base = addition.kind == Addition.Kind.VOCABULARY
    place = place_for(addition)
    made = place / (addition.base_model if is_base else "rows.jsonl")
    try:
        told = last_facts(command_for(addition, made), goes_on, silence=SILENCE_SECONDS)
        if told is None:
            give_up_rows(addition=addition, state=Addition.State.QUEUED)
            return "given back"
        stays = finish_rows(addition=addition, made=made, dropped=told.get("dropped", {}), now=timezone.now())
    except (ProcessEnded, OSError) as error:
        give_up_rows(addition=addition, state=Addition.State.FAILED, failure=str(error))
        return "failed"
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return "finished" if stays else "not kept"


def command_for(addition: Addition, made: Path) -> list[str]:
    """The recipe that makes an addition, and where to."""
    config = str(folder_of(addition.made_by) / "config.toml")
    if addition.kind == Addition.Kind.VOCABULARY:
        return ["training.recipes.extend_vocabulary", config, str(made), "--tokens", str(addition.wanted)]
    return ["training.recipes.augment", addition.how, config, str(made)]


@shared_task
def recover_rows_job(**kwargs: Any) -> int:
    """Ring again for rows whose bell or worker was lost (every minute), and delete what lost workers left."""
    sweep_places()
    waiting = list(Addition.objects.waiting(timezone.now()).values_list("pk", flat=True))
    for addition_id in waiting:
        make_rows_job.delay(addition_id=addition_id)
    return len(waiting)


def ring_rows(addition: Addition) -> None:
    """Wake a training worker for rows, once the transaction that asked for them is committed."""
    make_rows_job.delay_on_commit(addition_id=addition.pk)


@shared_task
def start_scheduled_runs_job(**kwargs: Any) -> int:
    """Look at every schedule that a community allows (every minute)."""
    started = 0
    for schedule_id in Schedule.objects.filter(is_allowed=True).values_list("pk", flat=True):
        run = check_schedule(schedule_id=schedule_id, now=timezone.now())
        if run is not None:
            execute_run_job.delay(run_id=run.pk)
            started += 1
    return started


@worker_shutting_down.connect
def _leave(**kwargs: Any) -> None:
    """Celery's own hook: let the recipe write a checkpoint instead of waiting for its end."""
    supervisor.worker_is_leaving.set()
