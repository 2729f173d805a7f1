"""A new adapter is read beside the one in service, on sentences that neither of them learnt from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from annotation.answers.models import Answer
from tests.frontend.made import ask_little, make_release
from tests.recipes.conftest import place_base
from tests.runs.test_runs import TINY
from training.runs import supervisor
from training.runs.jobs import compare_adapter_job
from training.runs.models import Adapter
from training.runs.promotion import gate_of, recommend_adapter
from training.runs.rivals import rows_for
from training.runs.services import decide_adapter, queue_run

pytestmark = [pytest.mark.django_db, pytest.mark.slow]


def test_the_adapter_in_service_is_read_on_the_same_sentences(
    validated_corpus: list[Answer], community: Any, esi: Any, aroha: Any, settings: Any, now: Any
) -> None:
    place_base(Path(settings.MODELS_DIR))
    release = make_release(validated_corpus[0].task.project, esi)
    made = []
    for epochs in (8, 24):
        given = {**TINY, "recipe": {**TINY["recipe"], "epochs": epochs}}
        run = queue_run(release=release, started_by=esi, now=now, given=given)
        assert supervisor.execute(run.pk) == "finished"
        adapter = Adapter.objects.get(run=run)
        recommend_adapter(adapter=adapter, recommended_by=esi, now=now)
        made.append(adapter)
    ask_little(community, aroha)
    first, second = made
    decide_adapter(adapter=first, approve=True, decided_by=aroha, note="", now=now)

    held_out = {str(pk) for pk in release.items.filter(split="test").values_list("answer", flat=True)}
    assert {row["id"] for row in rows_for(second, first)} == held_out
    compare_adapter_job(adapter_id=second.pk)
    second = Adapter.objects.get(pk=second.pk)
    found = second.comparison
    assert (found["with"], found["sentences"]) == (first.sha256, 4)
    # On the same file of sentences, the figures are those of the two runs' own evaluations but for 4-bit weights.
    assert found["before"] == pytest.approx(first.adapter_bpb, rel=0.05)
    assert found["after"] == pytest.approx(second.adapter_bpb, rel=0.05)
    assert found["after"] < found["before"]
    assert [check.told for check in gate_of(second, steward=aroha) if not check.has_passed] == []
    assert not list(Path(settings.RUNS_DIR).rglob("rows.jsonl"))

    Answer.objects.filter(pk=next(iter(held_out))).update(state="withdrawn")
    assert len(rows_for(second, first)) == 3
