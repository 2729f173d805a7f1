"""Training jobs. A message is only a bell: the run's row says what is to be done."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from training.runs import supervisor
from training.runs.models import Run, Schedule
from training.runs.schedule import check_schedule

log = logging.getLogger(__name__)


@shared_task
def execute_run_job(*, run_id: int, **kwargs: Any) -> None:
    """Train one run; ringing twice is harmless, since the second finds nothing waiting."""
    log.info("run %s: %s", run_id, supervisor.execute(run_id))


def ring(run: Run) -> None:
    """Wake a training worker for a run, once the transaction that queued it is committed."""
    execute_run_job.delay_on_commit(run_id=run.pk)


@shared_task
def recover_runs_job(**kwargs: Any) -> int:
    """Ring again for runs whose bell or worker was lost (every half minute)."""
    waiting = list(Run.objects.waiting(timezone.now()).values_list("pk", flat=True))
    for run_id in waiting:
        execute_run_job.delay(run_id=run_id)
    return len(waiting)


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
