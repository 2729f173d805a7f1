"""Runs whose process dies or lacks memory are tried again, not for ever; a worker that lost its run says nothing."""

import subprocess
import sys

import pytest

from tests.frontend.made import make_release, make_run, report
from tests.runs.test_grids import MINUTE
from training.runs import supervisor
from training.runs.models import Adapter, Run
from training.runs.progress import loss_curve
from training.runs.retrying import TOO_LITTLE
from training.runs.services import (
    MOST_CRASHES,
    LeaseLost,
    claim_run,
    end_run,
    finish_run,
    folder_of,
    give_back_run,
    resume_run,
)


@pytest.fixture
def run(validated_corpus, esi):
    return make_run(make_release(validated_corpus[0].task.project, esi), esi)


@pytest.fixture
def ends(monkeypatch):
    """Makes recipes end in this way instead of training."""

    def begins(how):
        def start(run, folder):
            (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
            return subprocess.Popen([sys.executable, "-c", how])

        monkeypatch.setattr(supervisor, "_start", start)
        monkeypatch.setattr(supervisor, "POLL_SECONDS", 0.05)

    return begins


def test_out_of_memory_it_begins_anew_with_half_as_many_tokens_at_once_until_they_are_too_few(run, ends):
    ends("raise SystemExit(71)")
    seen = []
    for _ in range(4):
        outcome = supervisor.execute(run.pk)
        run.refresh_from_db()
        seen.append((outcome, run.state, run.settings["recipe"]["tokens_at_once"]))
        assert (folder_of(run) / "checkpoints").exists() == (outcome == "failed")
    assert seen == [
        ("tried again", "queued", 384),
        ("tried again", "queued", 192),
        ("tried again", "queued", 96),
        ("failed", "failed", 96),
    ]
    assert run.failure == TOO_LITTLE
    notes = run.events.filter(kind="begun anew with less at once").values_list("note", flat=True)
    assert list(notes) == ["768 → 384", "384 → 192", "192 → 96"]
    assert supervisor.configuration_of(run, "base", "0" * 64)["recipe"]["tokens_at_once"] == 96


def test_a_killed_process_goes_on_from_its_checkpoint_as_often_as_it_may_with_the_same_settings(run, ends, esi, now):
    ends("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    outcomes = [supervisor.execute(run.pk) for _ in range(MOST_CRASHES + 1)]
    run.refresh_from_db()
    assert outcomes == ["tried again"] * MOST_CRASHES + ["failed"]
    assert "SIGKILL" in run.failure
    assert run.settings["recipe"]["tokens_at_once"] == 768
    assert (folder_of(run) / "checkpoints").exists()
    assert resume_run(run=run, resumed_by=esi, now=now).crashes == 0


def test_a_recipe_that_refuses_is_not_tried_again(run, ends):
    ends("raise SystemExit(1)")
    assert supervisor.execute(run.pk) == "failed"


def test_what_brings_down_every_worker_is_given_up(run, now):
    for number in range(MOST_CRASHES + 1):
        at = now + 2 * number * MINUTE
        assert claim_run(run_id=run.pk, owner=f"worker {number}", lease_until=at + MINUTE, now=at)
    at = now + 20 * MINUTE
    assert claim_run(run_id=run.pk, owner="the next", lease_until=at + MINUTE, now=at) is None
    run.refresh_from_db()
    assert (run.state, run.failure) == (Run.State.FAILED, "its worker was gone")


def test_a_worker_that_lost_its_run_stores_nothing(run, now):
    first = claim_run(run_id=run.pk, owner="one", lease_until=now + MINUTE, now=now)
    later = now + 2 * MINUTE
    claim_run(run_id=run.pk, owner="two", lease_until=later + MINUTE, now=later)
    for act in (
        lambda: finish_run(run=first, report=report(), now=later),
        lambda: end_run(run=first, state=Run.State.FAILED, now=later),
        lambda: give_back_run(run=first, now=later),
    ):
        with pytest.raises(LeaseLost):
            act()
    run.refresh_from_db()
    assert (run.state, run.lease_owner) == (Run.State.RUNNING, "two")
    assert not Adapter.objects.exists()


def test_a_curve_that_began_anew_shows_nothing_of_before(tmp_path):
    path = tmp_path / "log.jsonl"
    steps = [*((step, 5.0) for step in range(1, 9)), *((step, 4.0) for step in range(1, 4))]
    path.write_text("".join(f'{{"event": "step", "step": {step}, "loss": {loss}}}\n' for step, loss in steps))
    assert loss_curve(path)["training"] == [(1, 4.0), (2, 4.0), (3, 4.0)]
