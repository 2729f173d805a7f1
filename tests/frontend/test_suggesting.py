"""A steward lets an approved adapter propose answers; a worker writes them, and what it writes is checked."""

from types import SimpleNamespace

import pytest

from annotation.answers.models import Suggestion
from annotation.answers.suggestions import asked_with_suggestions
from annotation.kinds.label.kind import suggestions_for
from annotation.projects.models import Project, Task
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from training.playground import jobs
from training.playground.suggesting import keep_suggestion, maker_of, project_of
from training.runs.artefacts import adapter_folder

pytestmark = pytest.mark.django_db


@pytest.fixture
def adapter(validated_corpus, aroha, esi):
    return make_adapter(make_run(make_release(validated_corpus[0].task.project, esi), esi), approved_by=aroha)


@pytest.fixture
def model(monkeypatch):
    """In place of the generating process: words made of the source's length, and for one source none of the script."""

    asked = []

    def generate(base, request):
        asked.append(request)
        for place, one in enumerate(request["asked"]):
            sentence = one["request"].splitlines()[-1]
            yield {"place": place, "text": "Привет, как дела" if "2" in sentence else f"ñä {len(sentence)}"}
        yield {"event": "finished"}

    monkeypatch.setattr(jobs, "engine", SimpleNamespace(generate=generate))
    monkeypatch.setattr(jobs, "find_base_model", lambda name: object())
    return asked


def test_a_steward_rings_a_worker(client, aroha, adapter, monkeypatch):
    rung = []
    monkeypatch.setattr(jobs.suggest_job, "delay_on_commit", lambda **ids: rung.append(ids))
    client.force_login(aroha)
    page = f"/c/test-otomi/steward/adapters/{adapter.pk}/"
    assert "Suggest answers to the next 20 open tasks" in client.get(page).content.decode()
    assert "A worker writes" in client.post(f"{page}suggest/", follow=True).content.decode()
    assert rung == [{"adapter_id": adapter.pk, "person_id": aroha.pk}]


def test_an_adapter_out_of_use_proposes_nothing(client, aroha, adapter):
    type(adapter).objects.update(state="retired")
    client.force_login(aroha)
    answer = client.post(f"/c/test-otomi/steward/adapters/{adapter.pk}/suggest/")
    assert answer.status_code == 409
    assert "not approved" in answer.content.decode()


def test_the_worker_keeps_what_could_be_an_answer(adapter, aroha, model):
    Task.objects.update(state=Task.State.OPEN)
    jobs.suggest_job(adapter_id=adapter.pk, person_id=aroha.pk)
    made = list(Suggestion.objects.select_related("task__item"))
    assert made
    assert all(row.text == f"ñä {len(row.task.item.text)}" for row in made)
    assert not any("2" in row.task.item.text for row in made)
    # Ten at once, and the two that are left.
    assert [len(request["asked"]) for request in model] == [10, 2]
    assert model[0]["side"] == {"adapter": str(adapter_folder(adapter)), "rank": None, "onto": "nf4"}


def test_an_adapter_that_is_retired_while_it_writes_proposes_nothing(adapter, aroha, model, monkeypatch):
    Task.objects.update(state=Task.State.OPEN)
    wrote = jobs.engine.generate

    def generate(base, request):
        type(adapter).objects.update(state="retired")
        return wrote(base, request)

    monkeypatch.setattr(jobs.engine, "generate", generate)
    jobs.suggest_job(adapter_id=adapter.pk, person_id=aroha.pk)
    assert not Suggestion.objects.exists()


def test_ringing_twice_writes_none_twice(adapter, aroha, model):
    Task.objects.update(state=Task.State.OPEN)
    for _ in range(2):
        jobs.suggest_job(adapter_id=adapter.pk, person_id=aroha.pk)
    assert Suggestion.objects.count() == Suggestion.objects.values("task").distinct().count()


def test_an_adapter_that_learnt_to_label_proposes_spans(adapter, aroha, monkeypatch):
    project = project_of(adapter)
    Project.objects.filter(pk=project.pk).update(kind="label", settings={"labels": [{"name": "DOC", "words": ""}]})
    Task.objects.update(state=Task.State.OPEN)

    def generate(base, request):
        for place, one in enumerate(request["asked"]):
            assert one["request"].startswith("Mark in this sentence: DOC.")
            yield {"place": place, "text": "DOC: texto\nNOBODY: frase"}
        yield {"event": "finished"}

    monkeypatch.setattr(jobs, "engine", SimpleNamespace(generate=generate))
    monkeypatch.setattr(jobs, "find_base_model", lambda name: object())
    adapter = type(adapter).objects.get(pk=adapter.pk)
    jobs.suggest_job(adapter_id=adapter.pk, person_id=aroha.pk)

    task = Suggestion.objects.select_related("task__item", "task__project").first().task
    (offered,) = suggestions_for(asked_with_suggestions(task))
    assert task.item.text[offered["start"] : offered["end"]] == "texto"
    assert (offered["label"], offered["suggested_by"]) == ("DOC", maker_of(adapter))


def test_a_model_that_marks_nothing_proposes_nothing(adapter, aroha):
    project = project_of(adapter)
    Project.objects.filter(pk=project.pk).update(kind="label", settings={"labels": [{"name": "DOC", "words": ""}]})
    adapter = type(adapter).objects.get(pk=adapter.pk)
    task = Task.objects.select_related("item", "project").first()

    assert not keep_suggestion(adapter=adapter, task=task, said="–", asked_by=aroha, now=NOW)
    assert keep_suggestion(adapter=adapter, task=task, said="DOC: texto", asked_by=aroha, now=NOW)


def test_an_adapter_of_choices_is_refused_with_words(client, aroha, adapter):
    Project.objects.filter(pk=project_of(adapter).pk).update(kind="compare")
    client.force_login(aroha)
    answer = client.post(f"/c/test-otomi/steward/adapters/{adapter.pk}/suggest/")
    assert "No model is trained on answers of this kind" in answer.content.decode()
