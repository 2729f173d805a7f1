"""Having an adapter's intruder dimensions looked for by a training worker, and what was found of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from people.models import Person
from people.refusals import Conflicting
from training.runs.artefacts import folder_of
from training.runs.beside import not_usable_behind
from training.runs.models import Adapter, AdapterReading
from training.runs.processes import ProcessEnded, last_facts
from training.runs.readings import ask_for_reading

KIND = AdapterReading.Kind.INTRUDERS
# Decomposing a model's weights and measuring four times takes minutes on a slow machine; nothing is said meanwhile.
SILENCE_SECONDS = 3600.0
# Translated where it is shown, like every failure.
NOT_USABLE = gettext_noop("Some of its sentences may not be used for this any more.")


@transaction.atomic
def ask_for_intruders(*, adapter: Adapter, asked_by: Person, now: datetime) -> AdapterReading:
    """Have them looked for (`training.runs.readings`). Raises Invalid, NotAllowed, Conflicting."""
    reading = ask_for_reading(adapter=adapter, kind=KIND, asked_by=asked_by, now=now)
    if not (folder_of(adapter.run) / "config.toml").is_file():
        raise Conflicting("The files of this run are missing on this machine.")
    if not_usable_behind(adapter.run):
        raise Conflicting("Words in this release may not be used now, so nothing is measured on them.")
    return reading


def read_intruders(reading: AdapterReading, goes_on: Callable[[], bool]) -> dict[str, Any] | None:
    """What is kept of a reading: count, curve and advice, as `training.recipes.intruders` says them; None once
    `goes_on` says that this worker is to stop. Raises ProcessEnded, OSError."""
    run = reading.adapter.run
    # What it costs is measured on the release's validation sentences.
    if reading.adapter.contains_withdrawn or not_usable_behind(run):
        raise ProcessEnded(NOT_USABLE)
    config = str(folder_of(run) / "config.toml")
    found = last_facts(["training.recipes.intruders", config], goes_on, silence=SILENCE_SECONDS)
    return None if found is None else {"found": found}


def intruders_of(adapter: Adapter) -> AdapterReading | None:
    """The newest reading, whether it waits, failed, or has a result."""
    found: AdapterReading | None = AdapterReading.objects.filter(adapter=adapter, kind=KIND).first()
    return found


def forget_intruders(adapter: Adapter) -> None:
    """What was found in an adapter goes with it."""
    AdapterReading.objects.filter(adapter=adapter, kind=KIND).delete()
