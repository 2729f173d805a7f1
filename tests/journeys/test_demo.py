"""`script/demo --once`, small: the same command and services, the tiny base model, and few sentences."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.utils import timezone

from annotation.answers.models import Answer
from tests.recipes.conftest import place_base
from training.runs import supervisor
from training.runs.gate import Bounds
from training.runs.models import Adapter, Run
from wordhearth.demo import walk
from wordhearth.management.commands import demo

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

KEYS = {
    "community",
    "answers",
    "validated",
    "consent_receipts",
    "release",
    "release_items",
    "run",
    "adapter",
    "adapter_sha256",
    "base_bpb",
    "adapter_bpb",
    "base_chrf",
    "adapter_chrf",
    "seconds",
}
ANSWERS = (8, 7, 5, 5, 8, 7)
SETTINGS = {
    "recipe": {"rank": 4, "alpha": 8, "learning_rate": 0.01, "epochs": 1, "threads": 1},
    "evaluation": {"max_items": 4, "generate_items": 2, "max_new_tokens": 4, "samples": 2},
}
# Asks for nothing but to be better: the test split has four sentences, and the tiny model knows no English to forget.
BOUNDS = Bounds(least_sentences=2, least_gain=0, most_score_loss=10_000, most_forgetting=10_000, most_memorised=3200)


class SiteInThisProcess:
    """In place of the web server and the workers: trains what waits whenever the demo asks whether it still lives."""

    def poll(self) -> None:
        """It lives; and meanwhile it did a training worker's work."""
        for run_id in Run.objects.waiting(timezone.now()).values_list("pk", flat=True):
            supervisor.execute(run_id)


@pytest.fixture
def small(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few answers, few steps, the tiny model, and no processes of the site."""
    settings.VAR_DIR = tmp_path
    place_base(Path(settings.MODELS_DIR))
    monkeypatch.setattr(walk, "ANSWERS", ANSWERS)
    monkeypatch.setattr(walk, "SETTINGS", SETTINGS)
    monkeypatch.setattr(walk, "BOUNDS", BOUNDS)
    monkeypatch.setattr(demo, "_start_site", lambda port: SiteInThisProcess())
    monkeypatch.setattr(demo, "_stop_site", lambda site: None)


def demo_once() -> dict[str, Any]:
    """Run the demo; the facts on its last line."""
    output = io.StringIO()
    call_command("demo", once=True, stdout=output)
    facts: dict[str, Any] = json.loads(output.getvalue().splitlines()[-1])
    return facts


def rows() -> dict[str, int]:
    """How many rows every table of ours has."""
    ours = (config for config in apps.get_app_configs() if "site-packages" not in config.path)
    return {model._meta.label: model._default_manager.count() for config in ours for model in config.get_models()}


def test_the_demo_goes_from_answers_to_an_approved_adapter_and_a_second_call_finds_it_all(small: None) -> None:
    facts = demo_once()
    made = rows()
    again = demo_once()

    assert set(facts) == KEYS
    assert facts["answers"] == sum(ANSWERS)
    assert facts["validated"] == sum(ANSWERS) - Answer.objects.disputed().count()
    assert Answer.objects.disputed().count() == 1
    assert 0 < facts["release_items"] <= facts["validated"]
    assert facts["adapter_bpb"] < facts["base_bpb"]
    adapter = Adapter.objects.get(pk=facts["adapter"])
    assert adapter.is_usable
    assert (adapter.sha256, adapter.run.release.sha256) == (facts["adapter_sha256"], facts["release"])
    assert made["runs.Run"] == made["releases.Release"] == 1
    assert rows() == made
    assert {**again, "seconds": 0} == {**facts, "seconds": 0}

    # What a visitor trained meanwhile is not the demo's to decide on.
    Run.objects.create(
        **{name: getattr(adapter.run, name) for name in ("community", "release", "method", "base_model", "settings")},
        **{"number": 2, "state": "failed", "folder": "demo-otomi/0002", "created_at": timezone.now()},
    )
    assert demo_once()["run"] == facts["run"]
