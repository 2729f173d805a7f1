"""The researchers' pages and the API of what runs learn from beside a release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Answer
from people.models import Community, Person
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release
from tests.recipes.conftest import lesson
from tests.runs.adding import TEXT, TINY, related, uploaded
from training.releases.models import Release
from training.runs.additions import claim_rows, finish_rows
from training.runs.models import Addition, Run
from training.runs.services import queue_run

pytestmark = pytest.mark.django_db
FIELDS = {"kind": "text", "title": "Folk tales", "origin": "A printed book", "terms": "CC BY 4.0", "language": "ote"}


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
def maker(release: Release, esi: Person, aroha: Person) -> Run:
    run = queue_run(release=release, started_by=esi, now=NOW, given=TINY)
    make_adapter(run, approved_by=aroha)
    run.refresh_from_db()
    return run


def at(name: str, community: Community, *more: int) -> str:
    return reverse(f"researcher:{name}", args=[community.slug, *more])


def file(content: bytes = TEXT, name: str = "tales.jsonl") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_a_researcher_brings_a_file_in_looks_at_it_and_deletes_it(
    client: Client, community: Community, esi: Person, aroha: Person, ben: Person
) -> None:
    client.force_login(esi)
    desk = client.get(at("home", community)).text
    assert at("additions", community) in desk
    page = client.get(at("additions", community)).text
    assert "Nothing is there yet." in page
    assert "No run can make rows yet." in page
    bad = client.post(at("additions", community), {**FIELDS, "file": file(b'{"id": 1}')})
    assert bad.status_code == 422
    assert "Line 1 of tales.jsonl is no text with an id." in bad.text
    assert 'value="A printed book"' in bad.text
    assert client.post(at("additions", community), {**FIELDS, "file": file(), "terms": ""}).status_code == 422

    done = client.post(at("additions", community), {**FIELDS, "file": file()}, follow=True)

    addition = Addition.objects.get()
    for words in ("Folk tales", "A printed book", "CC BY 4.0", "un pasaje", addition.sha256, "esi"):
        assert words in done.text
    assert "Folk tales" in client.get(at("additions", community)).text
    client.force_login(aroha)
    assert "Bring a file in" not in client.get(at("additions", community)).text
    assert client.post(at("additions", community), {**FIELDS, "file": file()}).status_code == 403
    gone = client.post(at("delete-addition", community, addition.pk), follow=True)
    assert "The file is deleted." in gone.text
    assert "Nothing is there yet." in gone.text
    assert "No run can learn from it any more." in client.get(at("addition", community, addition.pk)).text
    client.force_login(ben)
    for name, more in (("additions", ()), ("addition", (addition.pk,))):
        assert client.get(at(name, community, *more)).status_code == 404


def test_a_run_is_started_with_what_is_there_and_its_page_names_it(
    client: Client, community: Community, release: Release, esi: Person
) -> None:
    client.force_login(esi)
    start = at("start", community, release.pk)
    empty = client.get(start).text
    assert 'name="related"' not in empty
    assert 'name="mixing-temperature"' not in empty
    text, other = uploaded(community, esi), related(community, esi)
    page = client.get(start)
    for field in ("text", "related", "mixing-temperature"):
        assert f'name="{field}"' in page.text
    assert "mixing-synthetic_share" not in page.text
    form = page.context["form"]
    settings = {field.html_name: field.initial for field in form if field.initial is not None}
    chosen = {**settings, "text": text.pk, "related": other.pk, "mixing-temperature": 5}
    wrong = client.post(start, {**chosen, "recipe-method": "lora"})
    assert wrong.status_code == 422
    assert "Plain text is read by continued pre-training alone." in wrong.text
    client.post(start, {**chosen, "recipe-method": "continue_pretraining"})
    run = Run.objects.get()
    assert set(run.additions.all()) == {text, other}
    assert run.settings["mixing"]["temperature"] == 5
    page_of_run = client.get(at("run", community, run.pk)).text
    for words in ("Made-up passages", "Nowhere", "CC0", other.sha256):
        assert words in page_of_run
    refused = client.post(at("delete-addition", community, text.pk))
    assert refused.status_code == 409
    assert f"learn from it: {run.number}" in refused.text


def test_a_finished_run_is_asked_for_rows_and_people_look_at_them(
    client: Client, community: Community, maker: Run, esi: Person, aroha: Person, tmp_path: Path
) -> None:
    client.force_login(esi)
    page = client.get(at("additions", community)).text
    assert f"Run {maker.number}: {maker.release.project.title}" in page
    rows = at("make-rows", community)
    refused = client.post(rows, {"run": maker.pk, "how": "label"})
    assert (refused.status_code, "cannot make such rows" in refused.text) == (403, True)
    assert client.post(rows, {"run": 0, "how": "paraphrase"}).status_code == 422
    asked = client.post(rows, {"run": maker.pk, "how": "paraphrase"}, follow=True)
    assert "A worker makes the rows." in asked.text
    assert "Stop and delete" in asked.text
    addition = claim_rows(addition_id=Addition.objects.get().pk, owner="one", lease_until=NOW, now=NOW)
    assert addition is not None
    parent = str(maker.release.items.filter(split="train").first().answer_id)
    one = {"id": "pp:1", "how": "paraphrase", "parents": [parent], "made_by": "a", "lesson": lesson("uno", "ñu̱ <b>")}
    (tmp_path / "rows.jsonl").write_text(json.dumps(one) + "\n")
    finish_rows(addition=addition, made=tmp_path / "rows.jsonl", dropped={"meaning": 7}, now=NOW)
    text = client.get(at("addition", community, addition.pk)).text
    for words in ("ñu̱ &lt;b&gt;", "7: did not come back with the same meaning", "other wordings of the answers"):
        assert words in text
    start = client.get(at("start", community, maker.release_id)).text
    assert 'name="synthetic"' in start
    assert "mixing-synthetic_share" in start
    run = queue_run(release=maker.release, started_by=esi, now=NOW, additions=[addition])
    made = make_adapter(run)
    client.force_login(aroha)
    assert (
        f"Run {maker.number}: other wordings"
        in client.get(reverse("steward:adapter", args=["test-otomi", made.pk])).text
    )


def test_the_api_brings_in_makes_uses_and_deletes(
    client: Client, community: Community, maker: Run, release: Release, esi: Person, ben: Person, aroha: Person
) -> None:
    client.force_login(esi)
    about: dict[str, Any] = {**FIELDS, "community": community.slug}
    bad = client.post("/api/v1/additions/", {**about, "file": file(b"[]")})
    assert (bad.status_code, "Line 1 of tales.jsonl" in bad.text) == (422, True)
    text = client.post("/api/v1/additions/", {**about, "file": file()}).json()
    assert (text["rows"], text["languages"], text["deleted_at"]) == (2, ["ote"], None)
    made = client.post(
        "/api/v1/additions/rows/", {"run": maker.pk, "how": "back_translation"}, content_type="application/json"
    )
    assert (made.status_code, made.json()["state"], made.json()["made_by"]) == (201, "queued", maker.pk)
    body = {"release": release.pk, "method": "continue_pretraining", "additions": [text["id"]]}
    for wrong, status in (([made.json()["id"]], 409), ([0], 404)):
        answer = client.post("/api/v1/runs/", {**body, "additions": wrong}, content_type="application/json")
        assert answer.status_code == status
    run = client.post("/api/v1/runs/", body, content_type="application/json").json()
    assert run["additions"] == [text["id"]]
    assert client.delete(f"/api/v1/additions/{text['id']}/").status_code == 409
    assert client.delete(f"/api/v1/additions/{made.json()['id']}/").status_code == 204
    listed = client.get("/api/v1/additions/").json()["results"]
    assert {row["id"]: bool(row["deleted_at"]) for row in listed} == {text["id"]: False, made.json()["id"]: True}
    client.force_login(aroha)
    assert client.post("/api/v1/additions/", {**about, "file": file()}).status_code == 403
    client.force_login(ben)
    assert client.get("/api/v1/additions/").json()["results"] == []
    assert client.get(f"/api/v1/additions/{text['id']}/").status_code == 404
    assert client.post("/api/v1/additions/", {**about, "file": file()}).status_code == 403
