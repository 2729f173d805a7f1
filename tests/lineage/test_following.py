"""What follows from a withdrawal, and until when."""

from __future__ import annotations

import subprocess
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from care.models import Purpose, Withdrawal, WithdrawalStage
from care.withdrawing import STAGES, Name, add_stage, finish_stage
from people.refusals import NotAllowed
from people.tenants import every_community
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run, report
from tests.recipes.conftest import place_base
from tests.runs.test_runs import LONG
from training.lineage.models import Taint
from training.lineage.services import NotTainted, end_adapter, follow_withdrawals
from training.releases.services import draft_release, freeze_release
from training.runs import supervisor
from training.runs.models import Adapter, Run
from training.runs.progress import LogReader
from training.runs.services import claim_run, end_run, finish_run, folder_of, queue_run
from training.runs.withdrawals import change_consent, withdraw_answer, withdraw_consent

pytestmark = pytest.mark.django_db
PURPOSE = Purpose.TRAIN_NONCOMMERCIAL
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def release(project, validated_corpus, esi):
    return make_release(project, esi)


def stages(case: Withdrawal) -> dict[str, bool]:
    return {stage.name: stage.done_at is not None for stage in case.stages.all()}


def test_one_answer_taken_back_opens_a_case_with_its_deadlines(release, ben, esi, now):
    adapter = make_adapter(make_run(release, esi))
    answer = release.items.filter(answer__author=ben).first().answer

    case = withdraw_answer(answer=answer, author=ben, now=now).case

    assert (case.scope, case.answer_key, case.answers) == ("item", str(answer.pk), 1)
    due = {stage.name: stage.due_at - now for stage in case.stages.all()}
    assert due == {stage.name: stage.within for stage in STAGES if stage.always}
    done = {name for name, is_done in stages(case).items() if is_done}
    assert done == {"refused", "marked", "stopped", "paused", "told"}
    assert follow_withdrawals(now=now + MINUTE / 3) == 1
    assert {f"{row.kind}:{row.key}" for row in Taint.objects.all()} == {
        f"answer:{answer.pk}", f"release:{release.pk}", f"run:{adapter.run_id}", f"adapter:{adapter.pk}",
    }  # fmt: skip
    assert Taint.objects.get(kind="adapter").path[0] == f"answer:{answer.pk}"
    assert stages(case) == {**stages(case), "traced": True, "ended": False}
    assert withdraw_answer(answer=answer, author=ben, now=now).case is None


def test_purposes_and_everything_open_one_each_and_what_is_left_out_anew_too(release, ben, policy, community, now):
    one = withdraw_consent(person=ben, community=community, purposes=[PURPOSE], now=now).case
    assert (one.scope, one.purposes, one.answers) == ("purpose", [PURPOSE], 4)
    assert withdraw_consent(person=ben, community=community, purposes=[PURPOSE], now=now).case is None
    change_consent(person=ben, policy=policy, purposes=["display_members", "peer_review"], now=now)
    assert Withdrawal.objects.first().purposes == ["evaluate_models"]
    rest = withdraw_consent(person=ben, community=community, purposes=list(Purpose.values), now=now).case
    assert rest.scope == "everything"


def test_a_run_that_is_going_on_stops_and_publishes_nothing(release, ben, community, esi, now):
    run = queue_run(release=release, started_by=esi, now=now)
    claimed = claim_run(run_id=run.pk, owner="one", lease_until=now + MINUTE, now=now)
    case = withdraw_consent(person=ben, community=community, purposes=[PURPOSE], now=now).case
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLING
    follow_withdrawals(now=now)
    assert not stages(case)["stopped"]
    # Whether it stops in time, or was done in that very moment:
    assert finish_run(run=claimed, report=report(), now=now) is None
    follow_withdrawals(now=now + MINUTE)
    assert case.stages.get(name="stopped").number == 1
    assert not Adapter.objects.exists()


@pytest.fixture
def stops(monkeypatch):
    """When the supervisor told a process to stop, and which step was the last one in its log by then."""
    told = []
    usual = subprocess.Popen.send_signal

    def tell(process, number):
        usual(process, number)
        folder = Path(process.args[-1]).parent
        told.append((timezone.now(), LogReader(folder / "log.jsonl").progress()["step"]))

    monkeypatch.setattr(subprocess.Popen, "send_signal", tell)
    return told


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_a_real_run_makes_one_step_more_at_most_and_leaves_nothing(release, ben, community, esi, settings, stops):
    place_base(Path(settings.MODELS_DIR))
    run = queue_run(release=release, started_by=esi, now=timezone.now(), given=LONG)
    taken_back = []

    @every_community()
    def take_back_when_it_learns() -> None:
        log, deadline = folder_of(run) / "log.jsonl", time.monotonic() + 60
        while time.monotonic() < deadline and not (log.exists() and '"event": "step"' in log.read_text()):
            time.sleep(0.05)
        withdraw_consent(person=ben, community=community, purposes=[PURPOSE], now=timezone.now())
        taken_back.append(timezone.now())
        connection.close()

    helper = threading.Thread(target=take_back_when_it_learns)
    helper.start()
    outcome = supervisor.execute(run.pk)
    helper.join()
    run.refresh_from_db()
    assert (outcome, run.state) == ("cancelled", Run.State.CANCELLED)
    ((told_at, step),) = stops
    # It is told within a second or so; the step that it is in is the last one.
    assert told_at - taken_back[0] < timedelta(seconds=10)
    assert run.progress["step"] <= step + 1 < run.progress["steps"]
    assert run.ended_at - taken_back[0] < 5 * MINUTE
    assert not folder_of(run).exists()
    assert not Adapter.objects.exists()


def test_a_tainted_adapter_is_deleted_when_its_time_is_over(release, ben, aroha, esi, community, now):
    adapter = make_adapter(make_run(release, esi), approved_by=aroha)
    weights = folder_of(adapter.run) / "adapter" / "adapter_model.safetensors"
    weights.write_bytes(b"weights")
    with pytest.raises(NotTainted):
        end_adapter(adapter=adapter, note="", now=now)
    case = withdraw_consent(person=ben, community=community, purposes=[PURPOSE], now=now).case
    assert not Adapter.objects.usable().exists()
    follow_withdrawals(now=now + 29 * DAY)
    assert Adapter.objects.tainted().count() == 1
    assert not WithdrawalStage.objects.late(now + 29 * DAY).exists()
    follow_withdrawals(now=now + 30 * DAY)
    assert not Adapter.objects.tainted().exists()
    adapter.refresh_from_db()
    assert (adapter.state, adapter.deleted_at) == ("retired", now + 30 * DAY)
    assert "samples" not in adapter.report["evaluation"]
    assert adapter.events.last().note == "Its words were withdrawn a month ago, and nobody had retired it."
    assert all(stages(case).values())
    assert follow_withdrawals(now=now + 31 * DAY) == 0


def test_weights_go_with_the_row(release, ben, esi, community, aroha, now, django_capture_on_commit_callbacks):
    adapter = make_adapter(make_run(release, esi))
    (folder_of(adapter.run) / "adapter").mkdir(parents=True, exist_ok=True)
    withdraw_consent(person=ben, community=community, purposes=[PURPOSE], now=now)
    with pytest.raises(NotAllowed):
        end_adapter(adapter=adapter, note="", ended_by=esi, now=now)
    with django_capture_on_commit_callbacks(execute=True):
        end_adapter(adapter=adapter, note="Enough.", ended_by=aroha, now=now)
    assert not folder_of(adapter.run).exists()
    assert end_adapter(adapter=adapter, note="", ended_by=aroha, now=now).events.count() == 3


def test_the_next_release_is_clean_and_names_the_one_it_replaces(release, project, ben, esi, now):
    answer = release.items.filter(answer__author=ben).first().answer
    withdraw_answer(answer=answer, author=ben, now=now)
    new, is_new = freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now)
    assert (is_new, new.replaces) == (True, release)
    draft = draft_release(project=project, purpose=PURPOSE)
    assert draft.manifest["replaces"] == release.sha256
    assert str(answer.pk) not in {item["id"] for item in draft.manifest["items"]}
    assert freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now) == (new, False)


def test_a_stage_can_be_added_by_whoever_has_more_to_do(release, ben, now):
    answer = release.items.filter(answer__author=ben).first().answer
    case = withdraw_answer(answer=answer, author=ben, now=now).case
    stage = add_stage(withdrawal=case, name=Name.HOLDERS_TOLD, now=now)
    assert (stage.due_at, add_stage(withdrawal=case, name=Name.HOLDERS_TOLD, now=now + DAY)) == (now + 7 * DAY, stage)
    assert stage.is_late(now + 8 * DAY)
    assert finish_stage(withdrawal=case, name=Name.HOLDERS_TOLD, number=2, now=now)
    assert not finish_stage(withdrawal=case, name=Name.HOLDERS_TOLD, number=2, now=now)


def test_a_run_that_its_worker_ends_is_counted(release, ben, community, esi):
    run = queue_run(release=release, started_by=esi, now=NOW)
    claimed = claim_run(run_id=run.pk, owner="one", lease_until=NOW + MINUTE, now=NOW)
    withdraw_consent(person=ben, community=community, purposes=[PURPOSE], now=NOW)
    end_run(run=claimed, state=Run.State.CANCELLED, now=NOW)
    follow_withdrawals(now=NOW)
    assert WithdrawalStage.objects.get(name="stopped").done_at == NOW
