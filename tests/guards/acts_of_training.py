"""Every command of training, and of what adapters made, called once on rows that are really there."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from django.conf import settings

from annotation.answers.models import Answer
from tests.conftest import NOW, TRAINING
from tests.frontend.made import GROUPED, finished_in_groups, made_export, make_adapter, publishing, report
from tests.guards.acts import Act, after
from tests.runs.adding import uploaded
from training.exports.services import ask_for_export, download_export
from training.lineage.services import end_adapter
from training.playground.services import request_generation
from training.playground.tasks import make_task
from training.releases.models import Release
from training.releases.services import freeze_release
from training.runs.additions import (
    ask_for_rows,
    claim_rows,
    delete_addition,
    finish_rows,
    keep_file,
)
from training.runs.base_models import DEFAULT
from training.runs.elsewhere import take_elsewhere
from training.runs.gate import Bounds
from training.runs.going_on import go_on_without
from training.runs.grids import cancel_grid, plan_of, start_grid
from training.runs.models import Adapter, Addition, Grid, Run
from training.runs.promotion import recommend_adapter, roll_back, set_bounds
from training.runs.schedule import set_schedule
from training.runs.services import cancel_run, decide_adapter, end_run, finish_run, folder_of, queue_run, resume_run
from training.runs.vocabularies import ask_for_tokens
from training.runs.withdrawals import change_consent, withdraw_answer, withdraw_consent


def training(s: SimpleNamespace) -> dict[str, Act]:
    """Commands of training."""
    queue = partial(queue_run, release=s.release, started_by=s.esi, now=NOW)

    def grid() -> Grid:
        plan = plan_of(methods=["lora"], ranks=[4], budgets=["50%"], seeds=3, given={})
        return start_grid(release=s.release, plan=plan, started_by=s.esi, now=NOW)

    def cancelled() -> Run:
        return cancel_run(run=queue(), cancelled_by=s.esi, now=NOW)

    def second_in_use() -> Adapter:
        made = make_adapter(queue())
        Adapter.objects.filter(pk=made.pk).update(state="approved")
        return made

    def in_groups() -> Adapter:
        made = finished_in_groups(queue_run(release=s.release, started_by=s.esi, now=NOW, given=GROUPED))
        Adapter.objects.filter(pk=made.pk).update(withdrawn_since=NOW)
        return made

    by = {"community": s.community, "person": s.ben, "now": NOW}
    words = Answer.objects.filter(author=s.ben, state="validated").first()
    return {
        "freeze_release": after(
            lambda: Release.objects.update(withdrawn_since=NOW),
            lambda _: freeze_release(project=s.first, purpose="train_noncommercial", created_by=s.esi, now=NOW),
        ),
        "queue_run": queue,
        "cancel_run": after(queue, lambda run: cancel_run(run=run, cancelled_by=s.esi, now=NOW)),
        "resume_run": after(cancelled, lambda run: resume_run(run=run, resumed_by=s.esi, now=NOW)),
        "start_grid": grid,
        "cancel_grid": after(grid, lambda made: cancel_grid(grid=made, cancelled_by=s.esi, now=NOW)),
        "finish_run": after(queue, lambda run: finish_run(run=run, report=report(), now=NOW)),
        "end_run": after(queue, lambda run: end_run(run=run, state=Run.State.FAILED, now=NOW, failure="Why.")),
        "recommend_adapter": after(
            lambda: finish_run(run=queue(), report=report(), now=NOW),
            lambda made: recommend_adapter(adapter=made, recommended_by=s.esi, now=NOW),
        ),
        "go_on_without": after(in_groups, lambda made: go_on_without(adapter=made, now=NOW)),
        "roll_back": after(second_in_use, lambda made: roll_back(adapter=made, rolled_back_by=s.aroha, now=NOW)),
        "set_bounds": partial(set_bounds, community=s.community, bounds=Bounds(), set_by=s.aroha, now=NOW),
        "decide_adapter": partial(
            decide_adapter, adapter=s.adapter, approve=False, decided_by=s.aroha, note="Enough.", now=NOW
        ),
        "set_schedule": partial(
            set_schedule,
            **{"project": s.first, "is_allowed": True, "minimum_new_items": 5, "cadence_hours": 24},
            **{"changed_by": s.aroha, "now": NOW},
        ),
        "end_adapter": after(
            lambda: Adapter.objects.filter(pk=s.adapter.pk).update(withdrawn_since=NOW),
            lambda _: end_adapter(adapter=s.adapter, note="Enough.", ended_by=s.aroha, now=NOW),
        ),
        "runs.withdraw_answer": partial(withdraw_answer, answer=words, author=s.ben, now=NOW),
        "withdraw_consent": partial(withdraw_consent, **by, purposes=TRAINING),
        "change_consent": partial(change_consent, person=s.ben, policy=s.policy, purposes=TRAINING[:2], now=NOW),
    }


def elsewhere(s: SimpleNamespace) -> dict[str, Act]:
    """Commands on a run that is made on another machine."""

    def queued() -> Run:
        base = Path(settings.MODELS_DIR) / DEFAULT
        base.mkdir(parents=True, exist_ok=True)
        (base / "model.json").write_text(json.dumps({"sha256": "0" * 64}))
        (base / "model.safetensors").touch()
        return queue_run(release=s.release, started_by=s.esi, now=NOW)

    return {"take_elsewhere": after(queued, lambda run: take_elsewhere(run=run, taken_by=s.esi, now=NOW))}


def using(s: SimpleNamespace) -> dict[str, Act]:
    """Commands on what an adapter wrote, and on its files."""
    return {
        "make_task": after(
            lambda: request_generation(adapter=s.adapter, person=s.aroha, source="otra frase", now=NOW),
            lambda made: make_task(generation=made, made_by=s.aroha, licence="CC0", now=NOW),
        ),
        "ask_for_export": after(
            lambda: publishing(s.release),
            lambda _: ask_for_export(adapter=s.adapter, form="merged", asked_by=s.aroha, now=NOW),
        ),
        "download_export": after(
            lambda: made_export(publishing(s.release) and s.adapter, s.aroha),
            lambda made: download_export(export=made, person=s.aroha, now=NOW),
        ),
    }


def learning_beside(s: SimpleNamespace) -> dict[str, Act]:
    """Commands on what runs learn from beside a release."""

    def both_directions() -> Run:
        Run.objects.filter(pk=s.adapter.run_id).update(settings={"mixing": {"both_directions": True}})
        return Run.objects.get(pk=s.adapter.run_id)

    def with_folder() -> Run:
        run = Run.objects.get(pk=s.adapter.run_id)
        folder_of(run).mkdir(parents=True, exist_ok=True)
        (folder_of(run) / "config.toml").write_text("", encoding="utf-8")
        return run

    def claimed_rows() -> Addition:
        waiting = ask_for_rows(run=both_directions(), how="paraphrase", asked_by=s.esi, now=NOW)
        made = claim_rows(addition_id=waiting.pk, owner="one", lease_until=NOW, now=NOW)
        assert made is not None
        keep_file(made, b"")
        return made

    def asked(run: Run) -> Addition:
        return ask_for_rows(run=run, how="paraphrase", asked_by=s.esi, now=NOW)

    return {
        "upload_addition": partial(uploaded, s.community, s.esi),
        "delete_addition": after(
            lambda: uploaded(s.community, s.esi),
            lambda made: delete_addition(addition=made, deleted_by=s.esi, now=NOW),
        ),
        "ask_for_rows": after(both_directions, asked),
        "ask_for_tokens": after(with_folder, lambda run: ask_for_tokens(run=run, wanted=100, asked_by=s.esi, now=NOW)),
        "finish_rows": after(
            claimed_rows, lambda made: finish_rows(addition=made, made=made.file, dropped={}, now=NOW)
        ),
    }
