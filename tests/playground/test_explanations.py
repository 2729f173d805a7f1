"""Which words a text hangs on is asked of a worker, shown in numbers and words, and goes with the text."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from annotation.answers.models import Answer
from annotation.kinds import KINDS
from annotation.kinds.contract import Asked
from people.models import Person
from people.refusals import Invalid, NotAllowed
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from training.playground import jobs
from training.playground.engine import EngineFailed
from training.playground.explanations import asked_of, request_explanation
from training.playground.models import Explanation, Generation
from training.playground.services import NotServed, OneAtATime
from training.runs.models import Adapter

pytestmark = pytest.mark.django_db
SOURCE = "una frase, con marcas"


@pytest.fixture
def generation(validated_corpus: list[Answer], esi: Person, aroha: Person, ben: Person) -> Generation:
    """What Ben tried, as a worker left it."""
    adapter = make_adapter(make_run(make_release(validated_corpus[0].task.project, esi), esi), approved_by=aroha)
    made: Generation = Generation.objects.create(
        adapter=adapter, person=ben, source=SOURCE, state="finished", adapter_text="ñä ñu", created_at=NOW
    )
    return made


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """In place of the model's process: it says what `weights` holds, and remembers what it was asked."""
    said = SimpleNamespace(asked=None, weights=[0.5, 0.1, -0.3, 0.1], agreement=1.0, samples=16, fails=False)

    def generate(base: Any, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        said.asked = request["explain"]
        yield {"event": "progress", "done": 8, "of": 16}
        if said.fails:
            raise EngineFailed("It fell silent.")
        found = {"weights": said.weights, "r2": 0.62, "agreement": said.agreement, "samples": said.samples}
        yield {"event": "explained", **found}
        yield {"event": "finished"}

    monkeypatch.setattr(jobs, "engine", SimpleNamespace(generate=generate))
    monkeypatch.setattr(jobs, "find_base_model", lambda name: SimpleNamespace(folder=""))
    monkeypatch.setattr(jobs.explain_job, "delay_on_commit", lambda **ids: None)
    return said


def page_of(generation: Generation) -> str:
    return f"/c/test-otomi/try/{generation.pk}/"


def test_from_the_button_to_weights_in_numbers(
    client: Client, generation: Generation, engine: SimpleNamespace, ben: Person
) -> None:
    client.force_login(ben)
    page = page_of(generation)
    assert "Why these words?" in client.get(page).content.decode()

    waiting = client.post(f"{page}why/", follow=True).content.decode()
    assert "0 / 16" in waiting
    assert "0 / 16" in client.get(f"{page}why/").content.decode()
    jobs.explain_job(explanation_id=Explanation.objects.get().pk)

    assert client.get(f"{page}why/").status_code == 286
    shown = client.get(page).content.decode()
    for word, share in (("una", "+50"), ("frase,", "+10"), ("con", "−30"), ("marcas", "+10")):
        assert f'{word} <small dir="ltr">{share}</small>' in shown
    assert "weighed-4" in shown
    assert "account for 62 %" in shown
    assert "Every way of leaving words out was tried." in shown
    assert "It does not say that the text is right" in shown
    assert engine.asked["units"] == ["una ", "frase, ", "con ", "marcas"]
    assert engine.asked["completion"] == "ñä ñu"
    assert "".join([engine.asked["before"], *engine.asked["units"], engine.asked["after"]]).count(SOURCE) == 1


def test_weights_that_chance_made_are_said_to_be_so(
    client: Client, generation: Generation, engine: SimpleNamespace, ben: Person
) -> None:
    engine.agreement, engine.samples = 0.7, 200
    jobs.explain_job(explanation_id=request_explanation(generation=generation, person=ben, now=NOW).pk)
    client.force_login(ben)
    assert "much the same order" in client.get(page_of(generation)).content.decode()
    Explanation.objects.update(agreement=0.69)
    assert "Not to be relied on" in client.get(page_of(generation)).content.decode()


def test_what_fails_is_told_and_can_be_asked_again(
    client: Client, generation: Generation, engine: SimpleNamespace, ben: Person
) -> None:
    engine.fails = True
    explanation = request_explanation(generation=generation, person=ben, now=NOW)
    jobs.explain_job(explanation_id=explanation.pk)
    client.force_login(ben)
    assert "It fell silent." in client.get(page_of(generation)).content.decode()
    engine.fails = False
    again = request_explanation(generation=generation, person=ben, now=NOW)
    assert (again.pk, again.state) == (explanation.pk, "queued")
    jobs.explain_job(explanation_id=again.pk)
    jobs.explain_job(explanation_id=again.pk)  # ringing twice
    assert request_explanation(generation=generation, person=ben, now=NOW).state == "finished"


def test_what_cannot_be_explained_is_refused_in_words(
    client: Client, generation: Generation, engine: SimpleNamespace, ben: Person, filipa: Person
) -> None:
    with pytest.raises(NotAllowed):
        request_explanation(generation=generation, person=filipa, now=NOW)
    other = Generation.objects.create(
        adapter=generation.adapter, person=ben, source="dos palabras", adapter_text="ñu", created_at=NOW
    )
    request_explanation(generation=other, person=ben, now=NOW)
    with pytest.raises(OneAtATime):
        request_explanation(generation=generation, person=ben, now=NOW)
    Explanation.objects.all().delete()
    Generation.objects.filter(pk=other.pk).update(source="una")
    other.refresh_from_db()
    with pytest.raises(Invalid, match="2 to 30 words"):
        request_explanation(generation=other, person=ben, now=NOW)
    client.force_login(ben)
    refused = client.post(f"{page_of(other)}why/")
    assert refused.status_code == 422
    assert "2 to 30 words" in refused.content.decode()
    client.force_login(filipa)
    assert client.post(f"{page_of(generation)}why/").status_code == 404
    Adapter.objects.update(state="retired")
    with pytest.raises(NotServed):
        request_explanation(generation=generation, person=ben, now=NOW)


def test_an_adapter_that_is_taken_out_of_use_meanwhile_explains_nothing(
    generation: Generation, engine: SimpleNamespace, ben: Person
) -> None:
    explanation = request_explanation(generation=generation, person=ben, now=NOW)
    Adapter.objects.update(state="retired")
    jobs.explain_job(explanation_id=explanation.pk)
    explanation.refresh_from_db()
    assert (explanation.state, explanation.weights) == ("failed", [])
    assert engine.asked is None
    generation.delete()
    assert not Explanation.objects.exists()


def test_the_api_asks_and_tells(client: Client, generation: Generation, engine: SimpleNamespace, ben: Person) -> None:
    client.force_login(ben)
    address = f"/api/v1/generations/{generation.pk}/explain/"
    assert client.post(address).json()["state"] == "queued"
    jobs.explain_job(explanation_id=Explanation.objects.get().pk)
    told = client.post(address).json()
    assert (told["state"], told["weights"], told["r2"], told["is_stable"]) == ("finished", engine.weights, 0.62, True)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.lesson])
def test_every_kind_shows_models_the_sentence_as_it_stands(name: str) -> None:
    lesson = KINDS[name].lesson
    assert lesson is not None
    asked = Asked(text=SOURCE, settings={"labels": [], "question": ""}, language_name="Test")
    assert lesson.request(asked).count(SOURCE) == 1


def test_a_request_is_taken_apart_around_its_sentence(
    generation: Generation, engine: SimpleNamespace, ben: Person
) -> None:
    asked = asked_of(request_explanation(generation=generation, person=ben, now=NOW))
    assert asked["before"].startswith("Translate")
    assert asked["system"]
