"""Releases, runs and adapters for the desks' tests, made through the services."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from annotation.projects.models import Project
from care.models import Purpose
from people.models import Person
from tests.conftest import NOW
from training.releases.models import Release
from training.releases.services import freeze_release
from training.runs.models import Adapter, Run
from training.runs.services import decide_adapter, finish_run, queue_run


def make_release(project: Project, person: Person) -> Release:
    """The present state of the project, frozen."""
    release, _ = freeze_release(project=project, purpose=Purpose.TRAIN_NONCOMMERCIAL, created_by=person, now=NOW)
    return release


def report(*, better: bool = True, sample: Any = None) -> dict[str, Any]:
    """A report as a recipe writes it."""
    return {
        "version": 1,
        "adapter_sha256": "a" * 64,
        "seconds": 12.0,
        "tokens": 3400,
        "tokens_per_second": 283.0,
        "peak_memory_mb": 900,
        "energy": {"wh": 0.2, "watts": 65.0, "source": "stated", "grams_co2": None},
        "environment": {"python": "3.11", "device": "cpu"},
        "evaluation": {
            "items": 4,
            "generated_items": 4,
            "base_bpb": 2.0,
            "adapter_bpb": 1.5 if better else 2.5,
            "base_chrf": 5.0,
            "adapter_chrf": 21.5,
            "bpb_difference_ci95": [-0.6, -0.4],
            "samples": [
                {
                    "id": str(sample or uuid4()),
                    "source": "una frase",
                    "reference": "el texto humano",
                    "base": "base writes",
                    "adapter": "adapter writes",
                    "base_chrf": 4.0,
                    "adapter_chrf": 30.0,
                }
            ],
        },
    }


def make_run(release: Release, researcher: Person) -> Run:
    """A queued run."""
    return queue_run(release=release, started_by=researcher, now=NOW)


def make_adapter(run: Run, *, better: bool = True, sample: Any = None, approved_by: Person | None = None) -> Adapter:
    """What the run made: a candidate, or approved when a steward is given."""
    adapter = finish_run(run=run, report=report(better=better, sample=sample), now=NOW)
    if approved_by is None:
        return adapter
    return decide_adapter(adapter=adapter, approve=True, decided_by=approved_by, note="Good.", now=NOW)
