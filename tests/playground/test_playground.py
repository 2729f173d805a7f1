"""The playground refuses what is not approved, and streams what a real process writes."""

from pathlib import Path

import pytest

from care.models import Purpose
from people.refusals import Invalid, NotAllowed
from tests.frontend.made import ask_little
from tests.recipes.conftest import place_base
from tests.runs.test_runs import TINY
from training.playground.engine import Engine, EngineFailed
from training.playground.explanations import request_explanation
from training.playground.jobs import explain_job, generate_job
from training.playground.models import Generation
from training.playground.services import NotServed, OneAtATime, request_generation
from training.playground.stream import follow
from training.recipes.tiny_base import make_base
from training.releases.services import freeze_release
from training.runs import supervisor
from training.runs.base_models import BaseModel
from training.runs.models import Adapter
from training.runs.promotion import recommend_adapter
from training.runs.services import decide_adapter, queue_run
from training.runs.withdrawals import withdraw_consent


@pytest.fixture
def adapter(project, validated_corpus, esi, settings, now):
    place_base(Path(settings.MODELS_DIR))
    release, _ = freeze_release(project=project, purpose=Purpose.TRAIN_NONCOMMERCIAL, created_by=esi, now=now)
    run = queue_run(
        release=release, started_by=esi, now=now, given={**TINY, "recipe": {**TINY["recipe"], "epochs": 30}}
    )
    assert supervisor.execute(run.pk) == "finished"
    return Adapter.objects.get(run=run)


def test_from_refusal_to_streamed_tokens_to_withdrawal(adapter, aroha, esi, ben, dana, community, now):
    with pytest.raises(NotServed, match="not approved"):
        request_generation(adapter=adapter, person=ben, source="hola", now=now)
    ask_little(community, aroha)
    recommend_adapter(adapter=adapter, recommended_by=esi, now=now)
    decide_adapter(adapter=adapter, approve=True, decided_by=aroha, note="for the test", now=now)
    with pytest.raises(NotAllowed):
        request_generation(adapter=adapter, person=dana, source="hola", now=now)
    with pytest.raises(Invalid):
        request_generation(adapter=adapter, person=ben, source=" ", now=now)
    generation = request_generation(adapter=adapter, person=ben, source="hola a todos", now=now)
    with pytest.raises(OneAtATime):
        request_generation(adapter=adapter, person=ben, source="otra", now=now)
    generate_job(generation_id=str(generation.pk))
    events = [event for _, event in follow(str(generation.pk))]
    generation.refresh_from_db()
    assert (generation.state, generation.failure) == ("finished", "")
    assert events[-1] == {"event": "finished"}
    texts = {
        which: "".join(event.get("text", "") for event in events if event.get("which") == which)
        for which in ("base", "adapter")
    }
    assert texts == {"base": generation.base_text, "adapter": generation.adapter_text}
    assert texts["base"] != texts["adapter"]
    generate_job(generation_id=str(generation.pk))
    assert Generation.objects.get().state == "finished"
    _is_explained(generation, ben, now)
    withdraw_consent(person=ben, community=community, purposes=[Purpose.TRAIN_NONCOMMERCIAL], now=now)
    with pytest.raises(NotServed, match="withdrawn"):
        request_generation(adapter=adapter, person=ben, source="hola", now=now)


def _is_explained(generation, person, now):
    """By the same process."""
    explanation = request_explanation(generation=generation, person=person, now=now)
    explain_job(explanation_id=explanation.pk)
    explanation.refresh_from_db()
    assert (explanation.state, explanation.failure) == ("finished", "")
    assert explanation.words == ["hola ", "a ", "todos"]
    assert len(explanation.weights) == 3
    assert (explanation.done, explanation.of) == (8, 8)
    assert 0 <= explanation.r2 <= 1


@pytest.mark.slow
def test_a_process_that_dies_is_reported_and_the_next_request_gets_a_new_one(tmp_path):
    engine = Engine()
    with pytest.raises(EngineFailed):
        list(engine.generate(BaseModel("none", tmp_path / "nothing", ""), {"id": "1", "request": "x"}))
    base = BaseModel("tiny", make_base(tmp_path / "base"), "")
    request = {"id": "2", "sides": [{"which": "base"}], "system": "A", "request": "uno", "max_new_tokens": 2}
    assert list(engine.generate(base, request))[-1]["event"] == "finished"
    engine.stop()
