"""The whole walk through the API, as different people, and what it says to bad input."""

from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from annotation.answers.models import Answer
from care.models import Purpose
from tests.frontend.made import finished
from training.runs.models import Adapter, Run

TRAINING = ["display_members", "peer_review", "evaluate_models", "train_noncommercial"]


@pytest.fixture(autouse=True)
def _no_bells(monkeypatch):
    """No worker listens in this test; what the bells would start is tested where they are."""
    monkeypatch.setattr("training.runs.api.ring", lambda run: None)
    monkeypatch.setattr("training.playground.api.ring", lambda generation: None)


def signed_in(person):
    client = APIClient()
    client.force_authenticate(person)
    return client


def ok(response, status=200):
    assert response.status_code == status, response.content.decode()
    return response.json() if response.content else None


def refused(response, status):
    assert response.status_code == status, response.content.decode()
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["detail"]
    return body


def test_the_walk(community, aroha, ben, filipa, goran, chen, esi, now):
    steward, researcher, expert = signed_in(aroha), signed_in(esi), signed_in(chen)
    policy = ok(
        steward.post(
            "/api/v1/policies/",
            {"community": community.slug, "text": "How.", "purposes": list(Purpose.values), "waiver": "Why."},
        ),
        201,
    )
    project = import_and_open(steward, community)
    speakers = {person: signed_in(person) for person in (ben, filipa, goran)}
    refused(speakers[ben].post(f"/api/v1/projects/{project}/lease/"), 403)
    for client in (*speakers.values(), expert):
        ok(client.post("/api/v1/receipts/", {"policy": policy["id"], "purposes": TRAINING}), 201)
    answers = translate_everything(speakers, project)
    settle_everything(speakers, expert, answers, project)
    assert Answer.objects.validated().count() == 9
    release = ok(researcher.post("/api/v1/releases/", {"project": project, "purpose": "train_noncommercial"}), 201)
    again = ok(researcher.post("/api/v1/releases/", {"project": project, "purpose": "train_noncommercial"}), 200)
    assert again["id"] == release["id"]
    assert ok(researcher.get(f"/api/v1/releases/{release['id']}/verify/")) == {"problems": []}
    assert len(ok(researcher.get(f"/api/v1/releases/{release['id']}/manifest/"))["items"]) == 9
    run = ok(researcher.post("/api/v1/runs/", {"release": release["id"], "settings": {"recipe": {"rank": 4}}}), 201)
    assert run["settings"]["recipe"]["rank"] == 4
    assert ok(researcher.post(f"/api/v1/runs/{run['id']}/cancel/"))["state"] == "cancelled"
    assert ok(researcher.post(f"/api/v1/runs/{run['id']}/resume/"))["state"] == "queued"
    adapter = finished(Run.objects.get()).pk
    member = speakers[ben]
    refused(member.post("/api/v1/generations/", {"adapter": adapter, "source": "hola"}), 409)
    refused(member.post(f"/api/v1/adapters/{adapter}/decide/", {"approve": True}), 403)
    refused(steward.post(f"/api/v1/adapters/{adapter}/decide/", {"approve": True}), 409)
    refused(steward.post(f"/api/v1/adapters/{adapter}/recommend/"), 403)
    ok(researcher.post(f"/api/v1/adapters/{adapter}/recommend/"))
    assert ok(steward.post(f"/api/v1/adapters/{adapter}/decide/", {"approve": True}))["is_usable"]
    generation = ok(member.post("/api/v1/generations/", {"adapter": adapter, "source": "hola"}), 202)
    assert generation["state"] == "queued"
    mine = ok(member.get("/api/v1/answers/?mine=1"))["results"][0]["id"]
    reached = ok(member.post(f"/api/v1/answers/{mine}/withdraw/"))
    assert reached == {"answers": 1, "releases": [release["id"]], "adapters": [adapter]}
    assert not Adapter.objects.get().is_usable
    rest = ok(member.post("/api/v1/consent/withdraw/", {"community": community.slug, "purposes": list(Purpose.values)}))
    assert rest["releases"] == [release["id"]]
    schedule = ok(steward.put(f"/api/v1/projects/{project}/schedule/", {"is_allowed": True, "minimum_new_items": 5}))
    assert schedule["minimum_new_items"] == 5


def import_and_open(steward, community):
    lines = "".join(f"frase {n} de {d}\t{d}\n" for d in "ABC" for n in range(3))
    upload = SimpleFile("corpus.tsv", f"text\tdocument\n{lines}\tD\n".encode())
    record = ok(
        steward.post(
            "/api/v1/imports/",
            {"community": community.slug, "file": upload, "licence": "CC0", "title": "Test", "language_tag": "es"},
            format="multipart",
        ),
        201,
    )
    assert (record["added"], [problem["line"] for problem in record["problems"]]) == (9, [11])
    sources = [row["id"] for row in ok(steward.get("/api/v1/sources/"))["results"]]
    return ok(
        steward.post(
            "/api/v1/projects/",
            {
                "community": community.slug,
                "title": "T",
                "source_language_name": "Spanish",
                "source_language_tag": "es",
                "sources": sources,
            },
        ),
        201,
    )["id"]


def translate_everything(speakers, project):
    answers = []
    for _ in range(3):
        for client in speakers.values():
            lease = ok(client.post(f"/api/v1/projects/{project}/lease/"))
            body = {"assignment": lease["id"], "text": f"ñu {lease['text']}", "client_id": str(uuid4())}
            answers.append(ok(client.post("/api/v1/answers/", body), 201))
            assert ok(client.post("/api/v1/answers/", body), 201)["id"] == answers[-1]["id"]
            refused(client.post("/api/v1/answers/", {**body, "text": "otro"}), 409)
    return answers


def settle_everything(speakers, expert, answers, project):
    disputed = answers[0]
    for number, verdict in enumerate(("approve", "unsure")):
        reviewer = list(speakers.values())[1 + number]
        give(reviewer, disputed, verdict)
    give(expert, disputed, "reject", reason="spelling")
    queue = ok(expert.get("/api/v1/disputes/"))["results"]
    assert [row["id"] for row in queue] == [disputed["id"]]
    ok(expert.post(f"/api/v1/disputes/{disputed['id']}/decide/", {"decision": "accept", "reason": "fine"}), 201)
    for client in speakers.values():
        while (response := client.get(f"/api/v1/answers/next-review/{project}/")).status_code == 200:
            give(client, response.json(), "approve")


def give(client, answer, verdict, **more):
    body = {"verdict": verdict, "version": answer["version"], "client_id": str(uuid4()), **more}
    return ok(client.post(f"/api/v1/answers/{answer['id']}/reviews/", body), 201)


class SimpleFile:
    """A file to upload, as the test client wants it."""

    def __new__(cls, name, content):
        from django.core.files.uploadedfile import SimpleUploadedFile

        return SimpleUploadedFile(name, content)


@pytest.fixture
def lease(project, ben, consenting):
    consenting(ben)
    return signed_in(ben).post(f"/api/v1/projects/{project.pk}/lease/").json()["id"]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 422),
        ("x" * 1_000_000, 422),
        ("Слова не на том языке", 422),
        ("a\x00b", 400),
        (None, 400),
        (["a"], 400),
    ],
    ids=["empty", "1 MB", "wrong script", "null byte", "null", "list"],
)
def test_bad_text_gets_a_message_and_stores_nothing(ben, lease, text, status):
    response = signed_in(ben).post("/api/v1/answers/", {"assignment": lease, "text": text, "client_id": str(uuid4())})
    assert "text" in refused(response, status)["errors"]
    assert not Answer.objects.exists()


def test_a_lone_surrogate_in_json_is_refused(ben, lease):
    body = f'{{"assignment": {lease}, "text": "a\\ud800", "client_id": "{uuid4()}"}}'
    response = signed_in(ben).post("/api/v1/answers/", body, content_type="application/json")
    refused(response, 400)


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[]", b'"x"'])
def test_broken_json_is_refused(ben, lease, body):
    refused(signed_in(ben).post("/api/v1/answers/", body, content_type="application/json"), 400)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.pdf", b"%PDF-1.4", ".tsv, .csv or .jsonl"),
        ("a.csv", b"PK\x03\x04zip", "not plain UTF-8"),
        ("a.csv", b"one,two\n1,2\n", "one called text"),
        ("a.csv", b"text\n\xff\n", "Line 2: Not UTF-8"),
        ("a.jsonl", b'{"txt": 1}\n', "Line 1"),
    ],
)
def test_unusable_files_say_why(community, aroha, name, content, words):
    response = signed_in(aroha).post(
        "/api/v1/imports/",
        {
            "community": community.slug,
            "file": SimpleFile(name, content),
            "licence": "CC0",
            "title": "T",
            "language_tag": "es",
        },
        format="multipart",
    )
    assert words in refused(response, 422)["detail"]


def test_mixed_encodings_keep_the_good_lines(community, aroha):
    content = "text\nbuenos días\n".encode() + "mañana\n".encode("latin-1") + "adiós\n".encode()
    body = {"community": community.slug, "file": SimpleFile("a.csv", content), "licence": "CC0", "title": "T"}
    record = ok(signed_in(aroha).post("/api/v1/imports/", {**body, "language_tag": "es"}, format="multipart"), 201)
    assert record["added"] == 2
    assert [(row["line"], row["message"][:9]) for row in record["problems"]] == [(3, "Not UTF-8")]


def test_errors_are_problem_details(ben, project):
    refused(APIClient().get("/api/v1/projects/"), 401)
    refused(signed_in(ben).get("/api/v1/projects/999999999999999999999/"), 404)
    refused(signed_in(ben).delete(f"/api/v1/projects/{project.pk}/"), 405)


def test_token_sign_in(ben):
    token = ok(APIClient().post("/api/v1/token/", {"username": "ben", "password": "a long pass phrase"}))["token"]
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    assert ok(client.get("/api/v1/communities/"))["results"][0]["my_roles"] == ["speaker"]
    refused(APIClient().post("/api/v1/token/", {"username": "ben", "password": "wrong"}), 400)


def test_lists_page_by_cursor(validated_corpus, ben):
    first = ok(signed_in(ben).get("/api/v1/answers/?page_size=5"))
    assert len(first["results"]) == 5
    seen = [row["id"] for row in first["results"]]
    url = first["next"]
    while url:
        page = ok(signed_in(ben).get(url))
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert sorted(seen) == sorted(str(answer.pk) for answer in validated_corpus)
