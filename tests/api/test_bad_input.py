"""Whatever is sent, the answer says what is wrong with it, in the shape of its place, and nothing is stored."""

import base64
import json
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from annotation.conflicts.models import Adjudication
from annotation.corpora.models import Import
from annotation.projects.models import Project
from people.services import found_community
from tests.api.test_walk import ok, refused, signed_in
from tests.conftest import NOW
from tests.kinds.opening import open_kind

pytestmark = pytest.mark.django_db
PAGES = "/c/test-otomi"
TERMS = {"title": "T", "source_language_name": "Spanish", "source_language_tag": "es"}


def quiet(person):
    client = Client(raise_request_exception=False)
    client.force_login(person)
    return client


def test_no_address_of_a_page_breaks_on_what_no_database_keeps(project, chen):
    client = quiet(chen)
    suspects = f"{PAGES}/decide/consistency/suspects/{project.pk}/"
    for address in (
        f"{PAGES}/speak/picture/%00/",
        f"{PAGES}/font/%00.css",
        f"{PAGES}/font/%00.woff2",
        f"{PAGES}/decide/settled/?words=%00",
        f"{suspects}?label=%00",
        f"{suspects}?fault=%00",
    ):
        page = client.get(address)
        assert (page.status_code, page["Content-Type"]) == (400, "text/html; charset=utf-8"), address
        assert "That could not be read" in page.text
        assert page["Content-Security-Policy"]


@pytest.mark.parametrize("bad", ["a\0", "a\ud800"], ids=["null byte", "half a character"])
def test_no_body_or_address_of_the_api_does(project, community, aroha, bad):
    client = quiet(aroha)
    sent = {
        "/api/v1/policies/": {"community": bad, "text": "How.", "purposes": ["display_members"], "waiver": "Why."},
        "/api/v1/proposals/": {"community": bad, "matter": "label", "subject": "label:a"},
        "/api/v1/projects/": {
            "community": community.slug, "sources": [project.tasks.first().item.source_id], "kind": "label", **TERMS,
            "settings": {"labels": ["LOC", bad]},
        },
        f"/api/v1/projects/{project.pk}/checks/": {"checks": {"wanted": [bad]}},
    }  # fmt: skip
    for address, body in sent.items():
        answer = client.post(address, json.dumps(body), content_type="application/json")
        refused(answer, answer.status_code)
        assert answer.status_code in {400, 422}, (address, answer.json())
    refused(client.get("/api/v1/pictures/%00/"), 400)
    assert Project.objects.count() == 1


def test_labels_that_cannot_be_kept_are_named(project, community, aroha):
    body = {"community": community.slug, "sources": [project.tasks.first().item.source_id], "kind": "label", **TERMS}
    body["settings"] = {"labels": ["LOC", {"name": "PER", "words": "people\0"}]}
    assert "U+0000" in refused(signed_in(aroha).post("/api/v1/projects/", body), 422)["errors"]["settings"][0]


def test_json_without_end_is_refused(ben):
    body = f'{{"assignment": 1, "client_id": "{uuid4()}", "payload": {{"a": {"[" * 100_000}{"]" * 100_000}}}}}'
    refused(quiet(ben).post("/api/v1/answers/", body, content_type="application/json"), 400)


def test_pages_with_json_in_a_field_refuse_it_too(community, aroha, ben, consenting):
    consenting(ben)
    project = open_kind(community, aroha, "label")
    lease = ok(signed_in(ben).post(f"/api/v1/projects/{project.pk}/lease/"))
    sent = {"assignment": lease["id"], "client_id": str(uuid4()), "spans": "[" * 100_000}
    assert quiet(ben).post(f"{PAGES}/speak/work/{project.pk}/", sent).status_code == 422


def test_an_import_names_the_line_and_keeps_the_others(community, aroha):
    lines = [{"text": "uno", "document": "a\0b"}, {"text": "dos", "variety": "\ud800"}, {"text": "tres"}]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    body = {"community": community.slug, "file": SimpleUploadedFile("a.jsonl", content), "licence": "CC0", "title": "T"}
    record = ok(signed_in(aroha).post("/api/v1/imports/", {**body, "language_tag": "es"}, format="multipart"), 201)
    assert (record["added"], [row["line"] for row in record["problems"]]) == (1, [1, 2])
    assert Import.objects.get().items.get().text == "tres"


def test_a_cursor_that_names_no_place_is_refused_on_every_list(project, aroha, ben):
    client = quiet(aroha)
    for address in ("answers", "sources", "communities", "runs", "disputes", "communities/test-otomi/members"):
        for place in ("junk", "\0", "9" * 400, "-infinity", "[]"):
            cursor = base64.b64encode(urlencode({"p": place}).encode()).decode()
            answer = client.get(f"/api/v1/{address}/", {"cursor": cursor})
            # Among slugs every word is a place.
            if answer.status_code != 200:
                assert refused(answer, 404)["detail"] == "Invalid cursor"
    first = ok(client.get("/api/v1/communities/test-otomi/members/?page_size=1"))
    second = ok(client.get(first["next"]))
    assert [row["username"] for row in first["results"] + second["results"]] == ["aroha", "ben"]


def test_what_no_view_answers_is_a_problem_under_the_api_and_a_page_elsewhere(ben, settings, monkeypatch):
    client = quiet(ben)
    assert refused(client.get("/api/v1/no-such-thing/"), 404)["type"] == "Http404"
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    large = json.dumps({"slug": "x" * 2000})
    assert (
        refused(client.post("/api/v1/communities/", large, content_type="application/json"), 413)["type"] == "TooLarge"
    )
    assert refused(client.post("/api/v1/imports/", {"title": "x" * 2000}), 413)
    assert refused(client.get("/api/v1/projects/", headers={"host": "elsewhere.example"}), 400)
    monkeypatch.setattr("people.api.CommunityViewSet.get_queryset", lambda view: 1 / 0)
    assert refused(client.get("/api/v1/communities/"), 500)["type"] == "ServerError"
    # Whatever a browser asks for.
    assert client.get("/api/v1/runs/", headers={"accept": "text/html"}).status_code == 406
    for page, status in ((client.get("/no-such-page/"), 404), (client.post("/found/", {"name": "x" * 2000}), 413)):
        assert (page.status_code, page["Content-Type"]) == (status, "text/html; charset=utf-8")
        assert "Wordhearth" in page.text


def test_documents_that_are_not_of_the_community_are_named(project, community, aroha, dana):
    foreign = found_community(
        founder=dana, now=NOW, slug="other", name="Other", language_name="Other", language_tag="en",
        iso_639_3="eng", glottocode="stan1293", script="Latn",
    ).sources.create(title="Theirs", language_tag="en", licence="CC0", origin="o", created_at=NOW)  # fmt: skip
    own = project.tasks.first().item.source_id
    body = {"community": community.slug, **TERMS, "sources": [own, foreign.pk, 10**30, own]}
    errors = refused(signed_in(aroha).post("/api/v1/projects/", body), 400)["errors"]
    assert errors == {"sources": [f"There is no such thing, or you may not see it: {foreign.pk}, {10**30}."]}
    assert ok(signed_in(aroha).post("/api/v1/projects/", {**body, "sources": [own, own]}), 201)["tasks_total"] == 4


def test_answers_that_a_decision_names_in_vain_are_named(answered, ben, filipa, goran, chen, consenting, verdict):
    for person in (ben, filipa, goran, chen):
        consenting(person)
    answer = answered(ben)
    verdict(answer, filipa, "approve")
    verdict(answer, goran, "unsure")
    verdict(answer, chen, "reject", reason="spelling")
    elsewhere, unknown = answered(filipa), uuid4()
    body = {"decision": "both", "reason": "Both.", "also": [str(elsewhere.pk), str(unknown), str(answer.pk)]}
    said = refused(signed_in(chen).post(f"/api/v1/disputes/{answer.pk}/decide/", body), 400)["errors"]["also"][0]
    assert (str(elsewhere.pk) in said, str(unknown) in said, str(answer.pk) in said) == (True, True, False)
    # On the page: the ticked one was taken back meanwhile, and the other is not decided in its place.
    ticked = {"decision": "accept", "stock": "5", "reason": "It is.", "answers": [str(unknown)]}
    page = quiet(chen).post(f"{PAGES}/decide/{answer.pk}/", ticked)
    assert (page.status_code, "One of the ticked answers is gone" in page.text) == (409, True)
    assert not Adjudication.objects.exists()
