"""Grids: one form makes many runs, which wait behind others, fail alone, and are compared by means over seeds."""

import math
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.models import Entry
from people.refusals import Invalid, NotAllowed
from tests.care.deciding import adopt, make_stewards
from tests.frontend.made import make_adapter, make_release, make_run, report
from tests.recipes.conftest import place_base
from tests.runs.test_approval import decided
from training.runs.approval import LimitReached
from training.runs.base_models import DEFAULT
from training.runs.cells import CSV_COLUMNS, cells_of, mean_of, rows_of, seconds_for
from training.runs.grids import budget_of, cancel_grid, plan_of, start_grid
from training.runs.jobs import execute_run_job, next_runs, recover_runs_job
from training.runs.models import Adapter, Run
from training.runs.promotion import recommend_adapter
from training.runs.services import RunIsOver, claim_run, finish_run, queue_run, resume_run

TINY = {
    "recipe": {"learning_rate": 0.01, "epochs": 1, "threads": 1},
    "evaluation": {"max_items": 4, "generate_items": 2, "max_new_tokens": 4, "shots": 0},
}
SMALL = {"methods": ["lora"], "ranks": [4], "budgets": ["100%"], "seeds": 3, "given": TINY}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def release(validated_corpus, esi):
    return make_release(validated_corpus[0].task.project, esi)


@pytest.fixture
def start(release, esi, now):
    """Starts a grid."""

    def started(**plan):
        return start_grid(release=release, plan=plan_of(**{**SMALL, **plan}), started_by=esi, now=now)

    return started


def test_a_form_becomes_a_run_for_each_method_rank_amount_and_seed(start):
    grid = start(methods=["qdylora", "lora"], ranks=[8, 4], budgets=["50%", "900", "100%"])
    runs = list(grid.runs.order_by("pk"))
    assert len(runs) == 2 * 2 * 3 * 3
    assert len({str(run.settings["recipe"]) for run in runs}) == len(runs)
    assert {run.method for run in runs[:12]} == {"lora", "qdylora"}
    assert {run.settings["recipe"]["seed"] for run in runs[:12]} == {7}
    assert all(run.settings["recipe"]["alpha"] == 2 * run.settings["recipe"]["rank"] for run in runs)
    assert {run.priority for run in runs} == {Run.Priority.LOW}
    assert [run.number for run in runs] == list(range(1, 37))
    (entry,) = Entry.objects.filter(action="grid.started")
    assert (entry.details["runs"], entry.details["methods"]) == (36, ["lora", "qdylora"])
    assert not Entry.objects.filter(action="run.queued").exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"methods": ["full"]}, "methods"),
        ({"methods": []}, "methods"),
        ({"ranks": []}, "ranks"),
        ({"ranks": [4000]}, "settings"),
        ({"budgets": ["half"]}, "budgets"),
        ({"budgets": ["0%"]}, "budgets"),
        ({"budgets": ["101%"]}, "budgets"),
        ({"seeds": 2}, "seeds"),
    ],
)
def test_what_cannot_be_a_grid_is_named(wrong, field):
    with pytest.raises(Invalid) as caught:
        plan_of(**{**SMALL, **wrong}).settings()
    assert caught.value.field == field


def test_amounts_are_shares_or_numbers_and_come_in_order_and_once():
    assert budget_of(" 12.5 %") == {"token_share": 0.125, "token_budget": 0}
    plan = plan_of(**{**SMALL, "budgets": ["100%", "25%", "400", "25%"], "ranks": [8, 4, 8]})
    assert [(one["token_share"], one["token_budget"]) for one in plan.budgets] == [(1.0, 400), (0.25, 0), (1.0, 0)]
    assert plan.ranks == [4, 8]


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_a_cell_that_fails_stops_no_other_and_the_rest_is_a_mean_with_its_interval(start, settings, esi, now):
    place_base(Path(settings.MODELS_DIR))
    settings.TRAINING_WATTS = 65.0
    grid = start()
    first, second, third = grid.runs.order_by("pk")
    # No sentence is so short, so this one has nothing to learn from.
    second.settings["recipe"]["max_length"] = 16
    second.save(update_fields=["settings"])
    for _ in range(4):
        execute_run_job()
    states = [run.state for run in grid.runs.order_by("pk")]
    assert states == ["finished", "failed", "finished"]
    (cell,) = cells_of(grid)
    values = [run.adapter.adapter_bpb for run in (Run.objects.get(pk=first.pk), Run.objects.get(pk=third.pk))]
    assert cell.bpb.value == pytest.approx(sum(values) / 2)
    assert cell.bpb.high - cell.bpb.low == pytest.approx(12.7062 * abs(values[0] - values[1]), rel=1e-4)
    assert cell.states == {"finished": 2, "failed": 1}
    assert cell.watt_hours > 0
    assert cell.tokens == Adapter.objects.first().report["data"]["train"]["tokens"]
    assert cell.adapter_bytes == pytest.approx(4 * Adapter.objects.first().report["parameters"]["trainable"], rel=0.2)
    rows = [dict(zip(CSV_COLUMNS, row, strict=True)) for row in rows_of(grid)]
    assert [row["adapter_bpb"] for row in rows] == [values[0], "", values[1]]
    assert [row["seed"] for row in rows] == [7, 8, 9]
    assert len({row["adapter_sha256"] for row in rows}) == 3
    # What the failed one needs is a person; then it goes on as any run does.
    second.refresh_from_db()
    assert resume_run(run=second, resumed_by=esi, now=now).state == Run.State.QUEUED


def test_an_interval_is_students():
    mean = mean_of([1.0, 2.0, 3.0])
    assert mean.value == 2.0
    assert mean.high - 2.0 == 2.0 - mean.low == pytest.approx(4.30265 / math.sqrt(3), rel=1e-5)
    assert mean_of([1.5]).low is None


def test_runs_that_somebody_started_go_before_a_grids_and_both_may_wait_on_one_release(start, release, esi, now):
    grid = start()
    own = queue_run(release=release, started_by=esi, now=now + MINUTE)
    in_order = next_runs(now + 2 * MINUTE)
    assert in_order == [own.pk, *grid.runs.order_by("pk").values_list("pk", flat=True)]


def test_a_worker_that_is_lost_leaves_a_grids_run_to_the_next_and_a_few_bells_ring_for_it(start, now, monkeypatch):
    grid = start(budgets=["50%", "100%"])
    first = grid.runs.order_by("pk").first()
    claim_run(run_id=first.pk, owner="one", lease_until=now + MINUTE, now=now)
    assert first.pk not in next_runs(now)
    assert next_runs(now + 2 * MINUTE)[0] == first.pk
    rung = []
    monkeypatch.setattr(execute_run_job, "delay", lambda **about: rung.append(about["run_id"]))
    assert recover_runs_job() == len(rung) == 4


def test_one_community_has_no_more_running_than_it_may(start, settings, now):
    settings.TRAINING_AT_ONCE = 1
    grid = start()
    first = grid.runs.order_by("pk").first()
    claim_run(run_id=first.pk, owner="one", lease_until=now + MINUTE, now=now)
    assert next_runs(now) == []
    settings.TRAINING_AT_ONCE = 2
    assert len(next_runs(now)) == 2


def test_a_community_waits_with_no_more_runs_and_trains_no_more_hours_than_it_may(start, settings, release, esi, now):
    settings.TRAINING_MOST_LIVE = 5
    with pytest.raises(LimitReached, match=r"At most 5 runs .* 0 do now"):
        start(budgets=["50%", "100%"])
    grid = start()
    settings.TRAINING_MOST_HOURS = 2
    grid.runs.filter(number=1).update(state="finished", started_at=now - timedelta(hours=3), ended_at=now)
    with pytest.raises(LimitReached, match="2 hours"):
        queue_run(release=release, started_by=esi, now=now)


def test_each_run_counts_for_a_standing_approval_and_a_decision_on_the_release_covers_all(
    release, community, aroha, esi
):
    stewards = [aroha, *make_stewards(community)]
    adopt(community, stewards[0])
    made = decided(community, stewards, "standing", f"community:{community.pk}", conditions={"runs": 5, "hours": 5})
    about = {"release": release, "started_by": esi, "now": made.effective_from}
    with pytest.raises(LimitReached):
        start_grid(plan=plan_of(**{**SMALL, "ranks": [4, 8]}), **about)
    assert start_grid(plan=plan_of(**SMALL), **about).runs.count() == 3
    made = decided(community, stewards, "run", f"release:{release.pk}", proposer=esi)
    about["now"] = made.effective_from
    assert start_grid(plan=plan_of(**{**SMALL, "ranks": [4, 8]}), **about).runs.count() == 6


def test_only_researchers_start_and_stewards_may_stop(start, release, aroha, ben, now):
    for person in (aroha, ben):
        with pytest.raises(NotAllowed):
            start_grid(release=release, plan=plan_of(**SMALL), started_by=person, now=now)
    grid = start()
    first, second, _ = grid.runs.order_by("pk")
    finish_run(run=first, report=report(), now=now)
    claim_run(run_id=second.pk, owner="one", lease_until=now + MINUTE, now=now)
    with pytest.raises(NotAllowed):
        cancel_grid(grid=grid, cancelled_by=ben, now=now)
    assert cancel_grid(grid=grid, cancelled_by=aroha, now=now) == 2
    assert [run.state for run in grid.runs.order_by("pk")] == ["finished", "cancelling", "cancelled"]
    grid.runs.filter(pk=second.pk).update(state="cancelled")
    with pytest.raises(RunIsOver):
        cancel_grid(grid=grid, cancelled_by=aroha, now=now)


def test_a_grids_adapter_waits_for_a_steward_only_when_a_researcher_recommends_it(start, release, esi, now):
    adapter = finish_run(run=start().runs.first(), report=report(), now=now)
    own = make_adapter(make_run(release, esi))
    assert list(Adapter.objects.undecided()) == [own]
    recommend_adapter(adapter=adapter, recommended_by=esi, now=now)
    assert set(Adapter.objects.undecided()) == {own, adapter}


def test_how_long_it_takes_follows_from_what_earlier_runs_took(release, esi, now):
    plan = plan_of(**{**SMALL, "budgets": ["50%", "100%"], "given": {"mixing": {"replay": 0.0}}})
    assert seconds_for(release, plan.settings(), DEFAULT) is None
    earlier = {"steps": 4, "recipe": {"batch_size": 8}, "tokens": 3200, "tokens_per_second": 100.0, "seconds": 50.0}
    run = queue_run(release=release, started_by=esi, now=now, method="lora")
    finish_run(run=run, report=report() | earlier, now=now)
    # 100 tokens a sentence, 100 a second, two passes, and 18 seconds beside them, each three times.
    lessons = release.counts["train"]
    assert seconds_for(release, plan.settings(), DEFAULT) == pytest.approx(3 * (lessons + 18 + 2 * lessons + 18))
