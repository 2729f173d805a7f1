"""A worker looks for an adapter's intruder dimensions, and the page of its run says what scaling them would bring."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Answer
from people.models import Community, Person
from people.refusals import Conflicting, Invalid, NotAllowed
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from tests.recipes.conftest import place_base, write_run
from training.lineage.services import end_adapter
from training.recipes import lora
from training.runs import intruders, jobs
from training.runs.artefacts import folder_of
from training.runs.intruders import ask_for_intruders
from training.runs.models import Adapter, AdapterReading, Run
from training.runs.withdrawals import withdraw_answer

pytestmark = pytest.mark.django_db
CURVE = [
    {"factor": 1.0, "bpb": 3.0, "forgotten": 0.5},
    {"factor": 0.75, "bpb": 3.01, "forgotten": 0.4},
    {"factor": 0.5, "bpb": 3.05, "forgotten": 0.3},
    {"factor": 0.25, "bpb": 3.5, "forgotten": 0.1},
]
FOUND = {
    **{"weights": 14, "looked_at": 140, "intruders": 9, "weights_with_some": 5, "energy_share": 0.1, "epsilon": 0.5},
    **{"base_bpb": 4.0, "curve": CURVE, "advised": 0.5, "verdict": "scale by 0.5"},
}


@pytest.fixture
def adapter(validated_corpus: list[Answer], esi: Person) -> Adapter:
    """A candidate, with its run's config.toml."""
    made = make_adapter(make_run(make_release(validated_corpus[0].task.project, esi), esi))
    (folder_of(made.run) / "config.toml").write_text("")
    return made


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """In place of the recipe's process: what it was called with, and what it says."""
    told: dict[str, Any] = {"found": FOUND}

    def last_facts(command: list[str], goes_on: Any, **_: Any) -> dict[str, Any] | None:
        told["command"] = command
        if "happening" in told:
            told["happening"]()
        return told["found"] if goes_on() else None

    monkeypatch.setattr(intruders, "last_facts", last_facts)
    return told


@pytest.fixture
def page(adapter: Adapter, community: Community) -> str:
    """The address of the run."""
    return reverse("researcher:run", kwargs={"slug": community.slug, "pk": adapter.run_id})


def asked(adapter: Adapter, person: Person) -> AdapterReading:
    return ask_for_intruders(adapter=adapter, asked_by=person, now=NOW)


def words_of(client: Client, page: str) -> str:
    """The part of the run's page about them, without its marks."""
    part = client.get(page).text.split("Intruder dimensions</h3>")[1].split("</section>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", part).split())


def test_a_process_of_the_recipe_finds_them(adapter: Adapter, esi: Person, tmp_path: Path) -> None:
    settings = {"rank": 8, "alpha": 64, "learning_rate": 0.05, "epochs": 6}
    config = write_run(folder_of(adapter.run), place_base(tmp_path), method="lora", **settings)
    assert lora.main(config) == 0
    assert jobs.read_adapter_job(reading_id=asked(adapter, esi).pk) == "finished"
    reading = AdapterReading.objects.get(kind="intruders")
    assert reading.found["intruders"] > 5
    assert [row["factor"] for row in reading.found["curve"]] == [1.0, 0.75, 0.5, 0.25]
    assert reading.measured_at is not None


def test_what_the_recipe_refuses_stands_on_the_page(
    adapter: Adapter, esi: Person, page: str, tmp_path: Path, client: Client
) -> None:
    write_run(folder_of(adapter.run), place_base(tmp_path), method="lora")
    (folder_of(adapter.run) / "adapter" / "adapter_model.safetensors").unlink()
    assert jobs.read_adapter_job(reading_id=asked(adapter, esi).pk) == "failed"
    client.force_login(esi)
    assert "The run has no adapter" in words_of(client, page)


def test_the_page_says_what_it_brings_in_words_a_table_and_curves(
    adapter: Adapter, esi: Person, page: str, said: dict[str, Any], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("frontend.researcher.views.runs.ring_reading", lambda row: None)
    client.force_login(esi)
    assert "Not looked for yet." in words_of(client, page)
    told = client.post(f"{page}intruders/", follow=True)
    assert "A worker looks for them now." in told.text
    assert "waiting for the training worker" in words_of(client, page)
    assert jobs.read_adapter_job(reading_id=AdapterReading.objects.get().pk) == "finished"
    assert said["command"] == ["training.recipes.intruders", str(folder_of(adapter.run) / "config.toml")]
    words = words_of(client, page)
    assert "At 50 % of their strength, 40 % of what was forgotten comes back, for 5 % of what was gained." in words
    assert "9 of 140 directions are intruders, in 5 of 14 matrices." in words
    assert "50 3.050 0.300" in words
    assert f"--write run-{adapter.run.number}-scaled" in words
    assert client.get(page).text.count('id="intruders-') == 4
    AdapterReading.objects.update(found={**FOUND, "advised": 1.0, "verdict": "no benefit"})
    words = words_of(client, page)
    assert "brings no benefit" in words
    assert "--write" not in words
    AdapterReading.objects.update(found={**FOUND, "advised": 1.0, "intruders": 0})
    assert "It has none." in words_of(client, page)


def test_it_stands_beside_what_was_found_of_bias(
    adapter: Adapter, esi: Person, said: dict[str, Any], page: str, client: Client
) -> None:
    AdapterReading.objects.create(adapter=adapter, asked_by=esi, asked_at=NOW, state="failed", failure="Why.")
    reading = asked(adapter, esi)
    assert asked(adapter, esi) == reading
    assert jobs.read_adapter_job(reading_id=reading.pk) == "finished"
    assert AdapterReading.objects.get(kind="bias").state == "failed"
    client.force_login(esi)
    assert "Why." not in words_of(client, page)


def test_who_may_not_and_what_cannot_be_looked_at_is_refused(adapter: Adapter, ben: Person, esi: Person) -> None:
    with pytest.raises(NotAllowed):
        asked(adapter, ben)
    Run.objects.update(method="full")
    with pytest.raises(Invalid, match="whole model"):
        asked(adapter, esi)
    Run.objects.update(method="qlora")
    (folder_of(adapter.run) / "config.toml").unlink()
    with pytest.raises(Conflicting, match="missing on this machine"):
        asked(adapter, esi)
    assert not AdapterReading.objects.exists()


def test_words_that_are_taken_back_end_it_and_the_result_goes_with_the_adapter(
    adapter: Adapter, esi: Person, aroha: Person, said: dict[str, Any], validated_corpus: list[Answer]
) -> None:
    first = asked(adapter, esi)
    assert jobs.read_adapter_job(reading_id=first.pk) == "finished"
    second, words = asked(adapter, esi), validated_corpus[0]
    withdraw_answer(answer=words, author=words.author, now=NOW)
    assert jobs.read_adapter_job(reading_id=second.pk) == "failed"
    with pytest.raises(Invalid, match="withdrawn"):
        asked(adapter, esi)
    adapter.refresh_from_db()
    end_adapter(adapter=adapter, note="Enough.", ended_by=aroha, now=NOW)
    assert not AdapterReading.objects.exists()


def test_an_adapter_that_ends_while_it_is_looked_at_leaves_nothing(
    adapter: Adapter, esi: Person, aroha: Person, said: dict[str, Any]
) -> None:
    reading = asked(adapter, esi)

    def ends() -> None:
        Adapter.objects.update(withdrawn_since=NOW)
        end_adapter(adapter=Adapter.objects.get(pk=adapter.pk), note="Enough.", ended_by=aroha, now=NOW)

    said["happening"] = ends
    assert jobs.read_adapter_job(reading_id=reading.pk) == "given back"
    assert not AdapterReading.objects.exists()
