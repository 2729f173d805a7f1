"""Making an adapter's files, by a training worker. A message is only a bell: the row says what is to be done."""

from __future__ import annotations

import logging
import os
import socket
import time
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.utils import timezone

from training.exports.making import make
from training.exports.models import Export
from training.exports.services import claim_export, finish_export, give_up_export, renew_lease
from training.runs.processes import ProcessEnded
from training.runs.supervisor import worker_is_leaving

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)


@shared_task
def export_job(*, export_id: int, **kwargs: Any) -> str:
    """Make one file; ringing twice is harmless. Returns what became of it."""
    now, owner = timezone.now(), f"{socket.gethostname()}:{os.getpid()}:{time.monotonic_ns()}"
    export = claim_export(export_id=export_id, owner=owner, lease_until=now + LEASE, now=now)
    if export is None:
        return "not waiting"

    def goes_on() -> bool:
        return renew_lease(export=export, lease_until=timezone.now() + LEASE) and not worker_is_leaving.is_set()

    try:
        with make(export, goes_on, now=now) as made:
            if made is None:
                give_up_export(export=export, state=Export.State.QUEUED)
                return "given back"
            stays = finish_export(
                export=export, made=made.file, facts=made.facts, sha256=made.sha256, now=timezone.now()
            )
    except (ProcessEnded, OSError) as error:
        log.warning("export %s was not made: %s", export_id, error)
        give_up_export(export=export, state=Export.State.FAILED, failure=str(error))
        return "failed"
    return "finished" if stays else "not kept"


@shared_task
def recover_exports_job(**kwargs: Any) -> int:
    """Ring again for exports whose bell or worker was lost (every minute)."""
    waiting = list(Export.objects.waiting(timezone.now()).values_list("pk", flat=True))
    for export_id in waiting:
        export_job.delay(export_id=export_id)
    return len(waiting)


def ring(export: Export) -> None:
    """Wake a training worker for an export, once the transaction that asked for it is committed."""
    export_job.delay_on_commit(export_id=export.pk)
