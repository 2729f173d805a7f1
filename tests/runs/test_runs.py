"""Runs: one worker at a time, a real recipe process, cancel and resume, lost workers, schedules."""

import json
import shutil
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from care.models import Purpose
from people.refusals import Conflicting, Invalid, NotAllowed
from people.tenants import every_community
from tests.frontend.made import make_adapter
from tests.recipes.conftest import place_base
from training.mining.services import ask_for_probe
from training.releases.services import freeze_release
from training.runs import supervisor
from training.runs.models import Adapter, Run
from training.runs.progress import LogReader, loss_curve
from training.runs.schedule import check_schedule, set_schedule
from training.runs.services import (
    NotDecidable,
    ReleaseIsTainted,
    RunIsOver,
    cancel_run,
    claim_run,
    decide_adapter,
    finish_run,
    folder_of,
    give_back_run,
    queue_run,
    renew_lease,
    resume_run,
)
from training.runs.withdrawals import withdraw_answer, withdraw_consent

PURPOSE = Purpose.TRAIN_NONCOMMERCIAL
TINY = {
    "recipe": {"rank": 4, "alpha": 8, "learning_rate": 0.01, "epochs": 2, "checkpoint_every": 1, "threads": 1},
    "evaluation": {"max_items": 4, "generate_items": 2, "max_new_tokens": 4},
}
LONG = {"recipe": {**TINY["recipe"], "epochs": 40, "batch_size": 1}, "evaluation": TINY["evaluation"]}
MINUTE = timedelta(minutes=1)


def report(**evaluation):
    figures = {"base_bpb": 4.0, "adapter_bpb": 2.0, "base_chrf": 1.0, "adapter_chrf": 9.0, **evaluation}
    return {"adapter_sha256": "a" * 64, "evaluation": figures}


@pytest.fixture
def release(project, validated_corpus, esi, now):
    return freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now)[0]


@pytest.fixture
def base(settings):
    """The tiny model as the default base model."""
    return place_base(Path(settings.MODELS_DIR))


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_cancel_keeps_a_checkpoint_and_resume_goes_on_from_it_to_a_candidate(release, base, esi, now):
    run = queue_run(release=release, started_by=esi, now=now, given=LONG)

    @every_community()
    def cancel_when_it_learns():
        log = folder_of(run) / "log.jsonl"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (log.exists() and '"event": "step"' in log.read_text()):
            time.sleep(0.05)
        cancel_run(run=run, cancelled_by=esi, now=timezone.now())
        connection.close()

    helper = threading.Thread(target=cancel_when_it_learns)
    helper.start()
    outcome = supervisor.execute(run.pk)
    helper.join()
    assert outcome == "cancelled"
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED
    assert list((folder_of(run) / "checkpoints").glob("step-*.pt"))
    resume_run(run=run, resumed_by=esi, now=timezone.now())
    assert supervisor.execute(run.pk) == "finished"
    assert '"event": "resumed"' in (folder_of(run) / "log.jsonl").read_text()
    run.refresh_from_db()
    assert run.state == Run.State.FINISHED
    assert run.progress["step"] == run.progress["steps"]
    adapter = Adapter.objects.get(run=run)
    assert (adapter.state, len(adapter.sha256)) == ("candidate", 64)
    assert adapter.report["evaluation"]["items"] == release.counts["test"] == 4
    assert adapter.report["release"]["sha256"] == release.sha256
    assert loss_curve(folder_of(run) / "log.jsonl")["training"][0][0] == 1
    assert not (folder_of(run) / "checkpoints").exists()
    assert supervisor.execute(run.pk) == "not waiting"


def test_a_recipe_that_fails_says_why(release, base, esi, now):
    run = queue_run(release=release, started_by=esi, now=now, given=TINY)
    shutil.rmtree(base)
    base.mkdir()
    (base / "model.json").write_text(json.dumps({"sha256": "0" * 64}))
    Run.objects.filter(pk=run.pk).update(base_sha256="")
    assert supervisor.execute(run.pk) == "failed"
    run.refresh_from_db()
    assert run.state == Run.State.FAILED
    assert run.failure


def test_only_one_worker_takes_a_run_and_an_abandoned_one_is_taken_over(release, esi, now):
    run = queue_run(release=release, started_by=esi, now=now)
    first = claim_run(run_id=run.pk, owner="one", lease_until=now + MINUTE, now=now)
    assert first.state == Run.State.RUNNING
    assert claim_run(run_id=run.pk, owner="two", lease_until=now + MINUTE, now=now) is None
    later = now + 2 * MINUTE
    second = claim_run(run_id=run.pk, owner="two", lease_until=later + MINUTE, now=later)
    assert second.attempts == 2
    assert renew_lease(run=first, lease_until=later, progress={}) is None
    assert renew_lease(run=second, lease_until=later + MINUTE, progress={"step": 1}) == Run.State.RUNNING


def test_a_leaving_worker_gives_the_run_back(release, esi, now):
    run = queue_run(release=release, started_by=esi, now=now)
    claimed = claim_run(run_id=run.pk, owner="one", lease_until=now + MINUTE, now=now)
    give_back_run(run=claimed, now=now)
    assert Run.objects.waiting(now).get() == run


def test_one_run_per_release_at_a_time_and_wrong_settings_are_named(release, esi, ben, now):
    for wrong in ({"method": "magic"}, {"given": {"recipe": {"method": "magic"}}}):
        with pytest.raises(Invalid, match="Choose a method: qlora, lora"):
            queue_run(release=release, started_by=esi, now=now, **wrong)
    with pytest.raises(Invalid, match=r"recipe\.rank"):
        queue_run(release=release, started_by=esi, now=now, given={"recipe": {"rank": 0}})
    with pytest.raises(NotAllowed):
        queue_run(release=release, started_by=ben, now=now)
    run = queue_run(release=release, started_by=esi, now=now)
    with pytest.raises(Conflicting):
        queue_run(release=release, started_by=esi, now=now)
    assert cancel_run(run=run, cancelled_by=esi, now=now).state == Run.State.CANCELLED
    with pytest.raises(RunIsOver):
        cancel_run(run=run, cancelled_by=esi, now=now)


def test_a_tainted_release_trains_nothing(release, esi, ben, community, now):
    run = queue_run(release=release, started_by=esi, now=now)
    withdraw_consent(person=ben, community=community, purposes=[PURPOSE], now=now)
    assert claim_run(run_id=run.pk, owner="one", lease_until=now + MINUTE, now=now) is None
    run.refresh_from_db()
    assert (run.state, "withdrawn" in run.failure) == (Run.State.CANCELLED, True)
    with pytest.raises(ReleaseIsTainted):
        resume_run(run=run, resumed_by=esi, now=now)
    with pytest.raises(ReleaseIsTainted):
        queue_run(release=release, started_by=esi, now=now)


def test_stewards_approve_with_eyes_open(release, esi, aroha, ben, community, now):
    run = queue_run(release=release, started_by=esi, now=now)
    adapter = make_adapter(run)
    decide = {"adapter": adapter, "decided_by": aroha, "now": now}
    with pytest.raises(NotAllowed):
        decide_adapter(**{**decide, "decided_by": esi}, approve=True, note="mine")
    with pytest.raises(Invalid, match="Give the reason"):
        decide_adapter(**decide, approve=False, note=" ")
    assert decide_adapter(**decide, approve=True, note="for a demonstration").is_usable
    assert decide_adapter(**decide, approve=False, note="enough").state == "retired"
    withdraw_consent(person=ben, community=community, purposes=[PURPOSE], now=now)
    with pytest.raises(NotDecidable):
        decide_adapter(**decide, approve=True, note="again")


def test_a_whole_model_is_compared_with_and_never_used(release, esi, aroha, now):
    run = queue_run(release=release, started_by=esi, now=now, method="full", given={"recipe": {"method": "lora"}})
    assert (run.method, run.settings["recipe"]["method"]) == ("full", "full")
    adapter = finish_run(run=run, report=report(), now=now)
    with pytest.raises(NotDecidable, match="whole model"):
        decide_adapter(adapter=adapter, approve=True, decided_by=aroha, note="", now=now)
    with pytest.raises(Invalid, match="whole model"):
        ask_for_probe(adapter=adapter, of="tasks", size=10, asked_by=esi, now=now)


def test_the_schedule_goes_on_with_the_method_of_the_last_run(
    release, project, validated_corpus, aroha, esi, now, monkeypatch
):
    run = queue_run(release=release, started_by=esi, now=now, given={"recipe": {"method": "qdylora"}})
    finish_run(run=run, report=report(), now=now)
    withdraw_answer(answer=validated_corpus[0], author=validated_corpus[0].author, now=now)
    monkeypatch.setattr("training.runs.schedule.count_new_items", lambda project: 5)
    schedule = set_schedule(
        project=project, is_allowed=True, minimum_new_items=1, cadence_hours=1, changed_by=aroha, now=now
    )
    assert check_schedule(schedule_id=schedule.pk, now=now + 120 * MINUTE).method == "qdylora"


def test_the_schedule_starts_only_what_is_allowed_due_and_new(project, validated_corpus, aroha, esi, ben, now):
    schedule = set_schedule(
        project=project, is_allowed=False, minimum_new_items=13, cadence_hours=1, changed_by=aroha, now=now
    )
    check = {"schedule_id": schedule.pk}
    assert check_schedule(**check, now=now) is None
    set_schedule(project=project, is_allowed=True, minimum_new_items=13, cadence_hours=1, changed_by=aroha, now=now)
    assert check_schedule(**check, now=now) is None
    schedule.refresh_from_db()
    assert schedule.last_outcome == "12 of 13 new sentences are there."
    set_schedule(project=project, is_allowed=True, minimum_new_items=12, cadence_hours=1, changed_by=aroha, now=now)
    run = check_schedule(**check, now=now)
    assert run.trigger == Run.Trigger.SCHEDULE
    assert check_schedule(**check, now=now) is None
    finish_run(run=run, report=report(), now=now)
    assert check_schedule(**check, now=now + 30 * MINUTE) is None
    assert check_schedule(**check, now=now + 90 * MINUTE) is None
    schedule.refresh_from_db()
    assert schedule.last_outcome == "0 of 12 new sentences are there."
    with pytest.raises(NotAllowed):
        set_schedule(project=project, is_allowed=True, minimum_new_items=1, cadence_hours=1, changed_by=ben, now=now)


def test_an_unchanged_release_starts_nothing(project, validated_corpus, aroha, esi, now, monkeypatch):
    release, _ = freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now)
    run = queue_run(release=release, started_by=esi, now=now)
    finish_run(run=run, report=report(), now=now)
    schedule = set_schedule(
        project=project, is_allowed=True, minimum_new_items=1, cadence_hours=1, changed_by=aroha, now=now
    )
    # Rows that are withheld from every release count as new again and again; the hash says nothing changed.
    monkeypatch.setattr("training.runs.schedule.count_new_items", lambda project: 5)
    assert check_schedule(schedule_id=schedule.pk, now=now + 120 * MINUTE) is None
    schedule.refresh_from_db()
    assert "unchanged" in schedule.last_outcome


def test_the_log_is_followed_line_by_line(tmp_path):
    path = tmp_path / "log.jsonl"
    reader = LogReader(path)
    assert reader.progress() == {}
    path.write_text('{"event": "phase", "phase": "training"}\n{"event": "step", "st')
    assert reader.progress() == {"phase": "training"}
    with path.open("a") as file:
        file.write('ep": 3, "loss": 2.5}\nnot json\n')
    assert reader.progress() == {"phase": "training", "step": 3, "loss": 2.5}
