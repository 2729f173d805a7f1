"""The researchers' pages and the API of base models with more tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Answer
from care.models import Purpose
from frontend.speaker.queries import reach_of_consent
from people.models import Community, Person
from tests.conftest import NOW
from tests.frontend.made import finished, make_adapter, make_release
from tests.frontend.test_additions import at
from tests.runs.adding import TINY, placed_base
from training.lineage.giving import given_by
from training.releases.models import Release
from training.releases.services import freeze_release
from training.runs.additions import claim_rows, finish_rows
from training.runs.base_models import DEFAULT
from training.runs.making import place_for
from training.runs.models import Addition, Run
from training.runs.services import folder_of, queue_run
from training.runs.vocabularies import ask_for_tokens
from training.runs.withdrawals import withdraw_answer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("training.runs.api", "training.runs.additions_api"):
        monkeypatch.setattr(f"{place}.ring", lambda row: None)
    for place in ("runs", "additions"):
        monkeypatch.setattr(f"frontend.researcher.views.{place}.ring", lambda row: None)


@pytest.fixture
def release(validated_corpus: list[Answer], esi: Person) -> Release:
    return make_release(validated_corpus[0].task.project, esi)


@pytest.fixture
def source(release: Release, esi: Person) -> Run:
    run = queue_run(release=release, started_by=esi, now=NOW, given=TINY)
    finished(run)
    (folder_of(run) / "config.toml").write_text("", encoding="utf-8")
    run.refresh_from_db()
    return run


def made(addition: Addition) -> Addition:
    """The base, as a worker leaves it."""
    held = claim_rows(addition_id=addition.pk, owner="one", lease_until=NOW, now=NOW)
    assert held is not None
    assert finish_rows(addition=held, made=placed_base(place_for(held) / "made"), dropped={}, now=NOW)
    held.refresh_from_db()
    return held


def test_tokens_are_asked_for_looked_at_and_learnt_on(
    client: Client, community: Community, source: Run, release: Release, esi: Person, aroha: Person
) -> None:
    client.force_login(esi)
    page = client.get(at("additions", community)).text
    assert "Give the base model tokens for the language" in page
    tokens = at("make-tokens", community)
    wrong = client.post(tokens, {"run": source.pk, "wanted": 3})
    assert (wrong.status_code, "greater than or equal to 10" in wrong.text) == (422, True)
    assert client.post(tokens, {"run": 0, "wanted": 100}).status_code == 422
    assert 'name="base"' not in client.get(at("start", community, release.pk)).text
    asked = client.post(tokens, {"run": source.pk, "wanted": 100}, follow=True)
    assert "A worker learns the tokens." in asked.text
    addition = made(Addition.objects.get())
    text = client.get(at("addition", community, addition.pk)).text
    for words in ("3.00", "2.25", "7.50", "7.25", "10.50", "“tsatsa”", "“t” + “sa” + “t” + “sa”", addition.sha256):
        assert words in text
    assert f"Run {source.number}: 7 more tokens" in client.get(at("additions", community)).text

    start = client.get(at("start", community, release.pk))
    assert f"Run {source.number}: 7 more tokens ({DEFAULT})" in start.text
    settings = {field.html_name: field.initial for field in start.context["form"] if field.initial is not None}
    chosen = {**settings, "recipe-method": "lora", "base": addition.base_model}
    reckoned = client.post(at("start", community, release.pk), {**chosen, "act": "reckon"})
    assert f'value="{addition.base_model}" selected' in reckoned.text
    assert client.post(at("start", community, release.pk), {**chosen, "base": "another"}).status_code == 422
    client.post(at("start", community, release.pk), chosen)
    run = Run.objects.get(state="queued")
    assert (run.base_model, list(run.additions.all())) == (addition.base_model, [addition])
    assert addition.base_model in client.get(at("run", community, run.pk)).text
    refused = client.post(at("delete-addition", community, addition.pk))
    assert refused.status_code == 409
    client.force_login(aroha)
    assert "Give the base model" not in client.get(at("additions", community)).text
    assert client.post(tokens, {"run": source.pk, "wanted": 100}).status_code == 404


def test_what_training_takes_is_told_of_the_community_s_own_bases(
    client: Client, community: Community, source: Run, esi: Person, settings: Any
) -> None:
    own = made(ask_for_tokens(run=source, wanted=100, asked_by=esi, now=NOW))
    placed_base(Path(settings.MODELS_DIR) / "of-somebody-else")
    placed_base(Path(settings.MODELS_DIR) / "everybody-s", extends="")
    for number, content in enumerate(("{}", "[]", "{", "")):
        odd = Path(settings.MODELS_DIR) / f"odd-{number}"
        odd.mkdir()
        (odd / "model.json").write_text(content)
    client.force_login(esi)
    text = client.get(at("hardware", community)).text
    assert "odd-" not in text
    assert own.base_model in text
    assert "everybody-s" in text
    assert "of-somebody-else" not in text


def test_the_api_asks_for_tokens_and_trains_on_them(
    client: Client, community: Community, source: Run, release: Release, esi: Person, ben: Person
) -> None:
    client.force_login(esi)
    about: dict[str, Any] = {"content_type": "application/json"}
    body = {"run": source.pk, "wanted": 200}
    wrong = client.post("/api/v1/additions/tokens/", {**body, "wanted": 1}, **about)
    assert (wrong.status_code, "wanted" in wrong.json()["errors"]) == (400, True)
    asked = client.post("/api/v1/additions/tokens/", body, **about)
    assert (asked.status_code, asked.json()["state"], asked.json()["wanted"]) == (201, "queued", 200)
    addition = made(Addition.objects.get())
    read = client.get(f"/api/v1/additions/{addition.pk}/").json()
    assert (read["base_model"], read["rows"], read["measured"]["bpb_before"]) == (addition.base_model, 7, 7.5)
    wrong = client.post("/api/v1/runs/", {"release": release.pk, "base_model": "another"}, **about)
    assert (wrong.status_code, DEFAULT in wrong.text) == (422, True)
    run = client.post("/api/v1/runs/", {"release": release.pk, "additions": [addition.pk]}, **about)
    assert (run.status_code, run.json()["base_model"]) == (201, addition.base_model)
    client.force_login(ben)
    assert client.post("/api/v1/additions/tokens/", body, **about).status_code == 404


def test_who_looks_before_or_after_a_withdrawal_is_told_of_what_learnt_on_the_base(
    client: Client,
    community: Community,
    source: Run,
    esi: Person,
    aroha: Person,
    validated_corpus: list[Answer],
) -> None:
    base = made(ask_for_tokens(run=source, wanted=100, asked_by=esi, now=NOW))
    words = validated_corpus[0]
    Answer.objects.filter(pk=words.pk).update(state="disputed")
    about = {"project": source.release.project, "purpose": Purpose.TRAIN_NONCOMMERCIAL}
    clean, _ = freeze_release(created_by=esi, now=NOW, **about)
    Answer.objects.filter(pk=words.pk).update(state="validated")
    run = queue_run(release=clean, started_by=esi, now=NOW, additions=[base])
    adapter = make_adapter(run, approved_by=aroha)
    assert adapter in reach_of_consent(words.author, community, [Purpose.TRAIN_NONCOMMERCIAL]).adapters
    assert run.number in {one.run.number for given in given_by(words.author) for one in given.adapters}
    withdraw_answer(answer=words, author=words.author, now=NOW)
    client.force_login(esi)
    assert at("run-download", community, run.pk) not in client.get(at("run", community, run.pk)).text
    refused = client.get(at("run-download", community, run.pk))
    assert (refused.status_code, "were withdrawn" in refused.text) == (409, True)
    client.force_login(aroha)
    told = "What it learns from beside its release was made of words that were withdrawn."
    assert told in client.get(reverse("steward:withdrawals", args=[community.slug])).text
    assert told in client.get(reverse("steward:adapter", args=[community.slug, adapter.pk])).text
