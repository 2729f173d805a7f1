"""Releases, runs and adapters for the desks' tests, made through the services."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import uuid4

from annotation.projects.models import Project
from care.models import Purpose
from people.models import Community, Person
from tests.conftest import NOW
from training.releases.models import Release
from training.releases.services import freeze_release
from training.runs.artefacts import FILE, adapter_folder
from training.runs.gate import Bounds
from training.runs.models import Adapter, Run
from training.runs.promotion import recommend_adapter, set_bounds
from training.runs.services import decide_adapter, finish_run, queue_run


def make_release(project: Project, person: Person) -> Release:
    """The present state of the project, frozen."""
    release, _ = freeze_release(project=project, purpose=Purpose.TRAIN_NONCOMMERCIAL, created_by=person, now=NOW)
    return release


FORGETTING = {
    "language": "en",
    "sentences": 26,
    "base_bpb": 1.0,
    "adapter_bpb": 1.01,
    "difference": 0.01,
    "difference_ci95": [0.005, 0.015],
    "nats_per_token": 0.03,
}


GRID = {"region": "NZL", "grams_per_kwh": 112.758, "source": "A table", "year": 2023}
ENERGY = {
    "wh": 0.2,
    "wh_low": 0.1,
    "wh_high": 0.3,
    "watts": 60.0,
    "source": "estimated from processor time and the stated power",
    "pue": 1.0,
    "grams_co2": 0.023,
    "grams_co2_low": 0.011,
    "grams_co2_high": 0.034,
    "grid": GRID,
}


MEMORISATION = {
    "rows": 24,
    "held_out_rows": 20,
    "alternatives": 7,
    "bits": 2.1,
    "control_bits": 1.6,
    "over_control": 0.5,
    "over_control_ci95": [-0.3, 1.3],
    "recited": 0.125,
    "recited_held_out": 0.0,
}


def part(name: str, *, low: float = -0.6, high: float = -0.4, sentences: int = 40, says: str = "better") -> Any:
    """Some held-out sentences, as a report has them."""
    bits = {"base_bpb": 2.0, "adapter_bpb": 2.0 + (low + high) / 2, "difference_ci95": [low, high]}
    return {"name": name, "sentences": sentences, **bits, "says": says}


def report(*, better: bool = True, sample: Any = None) -> dict[str, Any]:
    """A report as a recipe writes it."""
    return {
        "version": 1,
        "adapter_sha256": "a" * 64,
        "seconds": 12.0,
        "tokens": 3400,
        "tokens_per_second": 283.0,
        "peak_memory_mb": 900,
        "energy": ENERGY,
        "environment": {"python": "3.11", "device": "cpu"},
        "evaluation": {
            "items": 40,
            "generated_items": 40,
            "base_bpb": 2.0,
            "adapter_bpb": 1.5 if better else 2.5,
            "base_chrf": 5.0,
            "adapter_chrf": 21.5,
            "bpb_difference_ci95": [-0.6, -0.4] if better else [0.4, 0.6],
            "few_shot": {
                "shots": 4,
                "bpb": 2.4,
                "chrf": 9.0,
                "difference_ci95": [-0.4, -0.2] if better else [0.6, 0.8],
            },
            "scores": [
                {
                    "name": "chrF++",
                    "sentences": 40,
                    "base": 5.0,
                    "adapter": 21.5,
                    "difference_ci95": [12.0, 19.0],
                    "p_bootstrap": 0.001,
                    "p_randomisation": 0.0001,
                    "higher_is_better": True,
                    "signature": "nrefs:1",
                }
            ],
            "forgetting": [FORGETTING],
            "memorisation": MEMORISATION,
            "robustness": {"variety": [part("")], "orthography": [part("")], "spelling": []},
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
    """What the run made, which its researcher recommends: a candidate, or approved when a steward is given."""
    adapter = finished(run, better=better, sample=sample)
    assert run.started_by is not None
    recommend_adapter(adapter=adapter, recommended_by=run.started_by, now=NOW)
    if approved_by is None:
        return adapter
    return decide_adapter(adapter=adapter, approve=True, decided_by=approved_by, note="Good.", now=NOW)


def finished(run: Run, *, better: bool = True, sample: Any = None) -> Adapter:
    """What the run made, with its file, before anybody said anything about it."""
    content, sha256 = matrices(run.pk)
    made = report(better=better, sample=sample) | {"adapter_sha256": sha256}
    adapter = finish_run(run=run, report=made, now=NOW)
    assert adapter is not None
    adapter_folder(adapter).mkdir(parents=True, exist_ok=True)
    (adapter_folder(adapter) / FILE).write_bytes(content)
    return adapter


def ask_little(community: Community, steward: Person) -> None:
    """The gate of a community whose models are too small for anything to be asked of them but to be better."""
    bounds = Bounds(least_sentences=2, least_gain=0, most_score_loss=10_000, most_forgetting=10_000)
    set_bounds(community=community, bounds=bounds, set_by=steward, now=NOW)


def matrices(number: int) -> tuple[bytes, str]:
    """A file of one matrix as safetensors writes it, and the hash by which a report would name it."""
    values = number.to_bytes(8, "little")
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    digest = hashlib.sha256(b"a" + b"\0" + b"(2,)" + values).hexdigest()
    return len(header).to_bytes(8, "little") + header + values, digest
