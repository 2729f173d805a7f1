"""What a lost bell, a lost worker or a lost Redis leaves behind in the playground."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from training.playground.models import Generation
from training.playground.services import end_generation
from training.runs.processes import ENDED, SILENT


@transaction.atomic
def end_stuck(*, now: datetime) -> int:
    """Let what nobody writes any more have failed, so that whoever asked may ask again; how many they were.

    A worker that has the words after all keeps them (`end_generation`): they are what was asked for.
    """
    rows = list(Generation.objects.stuck(now).select_for_update(skip_locked=True, of=("self",)))
    for row in rows:
        failure = SILENT if row.state == Generation.State.QUEUED else ENDED
        end_generation(generation=row, texts={}, failure=failure, now=now)
    return len(rows)
