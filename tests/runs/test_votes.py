"""From verdicts to an adapter that learnt from them: services, the worker's own code, and a real recipe process."""

from pathlib import Path

import pytest

from tests.recipes.conftest import place_base
from tests.releases.judged import turn_down
from training.releases.services import freeze_release
from training.runs import supervisor
from training.runs.models import Adapter
from training.runs.services import queue_run

TINY = {
    "recipe": {"method": "kto", "rank": 4, "alpha": 8, "learning_rate": 0.01, "epochs": 1, "threads": 1},
    "evaluation": {"max_items": 4, "generate_items": 1, "max_new_tokens": 4, "shots": 0},
}


@pytest.mark.slow
def test_verdicts_become_a_release_and_an_adapter_that_learnt_from_them(
    project, validated_corpus, ben, filipa, goran, esi, verdict, now, settings
):
    place_base(Path(settings.MODELS_DIR))
    turn_down(project, [ben, filipa, goran], verdict)
    release, _ = freeze_release(
        project=project, purpose="train_noncommercial", created_by=esi, now=now, has_judgements=True
    )
    run = queue_run(release=release, started_by=esi, now=now, given=TINY)

    assert supervisor.execute(run.pk) == "finished"

    report = Adapter.objects.get(run=run).report
    assert report["method"] == "kto"
    assert (report["votes"]["good"], report["votes"]["bad"]) == (4, 2)
    assert 0 <= report["votes"]["in_order"] <= 1
    assert report["release"]["sha256"] == release.sha256
