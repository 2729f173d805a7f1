"""What all additions that a worker makes have in common: how they are asked for, and where they are made."""

from __future__ import annotations

import shutil
import tempfile
from datetime import datetime
from pathlib import Path

from django.conf import settings

from ledger.services import append_entry
from people.models import Person
from training.runs.models import Addition

MAKING = ".making-"


def ask_worker(addition: Addition, *, how: str, by: Person, now: datetime) -> Addition:
    """Store an addition that a worker is to make of its run, and enter how into the record. The caller is one
    transaction, checked everything, and rings `training.runs.jobs.ring_rows` afterwards."""
    assert addition.made_by is not None  # noqa: S101 - what is made is made of a run
    tag = addition.made_by.release.project.target_language_tag
    addition.languages = [tag] if tag else []
    addition.state, addition.added_by, addition.added_at = Addition.State.QUEUED, by, now
    addition.save()
    append_entry(
        action="addition.asked",
        subject=f"addition:{addition.pk}",
        community=addition.community.slug,
        actor=str(by.pk),
        now=now,
        details={"how": how, "run": addition.made_by.pk},
    )
    return addition


def place_for(addition: Addition) -> Path:
    """An empty folder where it is made, on the disk where it will stay."""
    root = Path(settings.MODELS_DIR if addition.kind == Addition.Kind.VOCABULARY else settings.RUNS_DIR)
    root.mkdir(parents=True, exist_ok=True)
    # Of a name that no worker had before: a recipe that outlived its own may still write.
    return Path(tempfile.mkdtemp(prefix=f"{MAKING}{addition.pk}-", dir=root))


def sweep_places() -> int:
    """Delete such folders of what no worker makes any more: they hold people's words. How many."""
    roots = (Path(settings.MODELS_DIR), Path(settings.RUNS_DIR))
    places = {
        place: place.name.removeprefix(MAKING).split("-")[0] for root in roots for place in root.glob(f"{MAKING}*")
    }
    running = Addition.objects.filter(state=Addition.State.RUNNING, deleted_at__isnull=True)
    made = {str(pk) for pk in running.values_list("pk", flat=True)} if places else set()
    over = [place for place, name in places.items() if name not in made]
    for place in over:
        shutil.rmtree(place, ignore_errors=True)
    return len(over)
