"""Labels of the Local Contexts Hub come in by code, stay while it is away, and are never lifted by it (G16)."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import UUID

import pytest

from annotation.answers.models import Answer
from care.hub import BC, NOTICES, TK, HubIsAway, ask_hub, follow_project, read_hub, unfollow_project
from care.labels import EVERYTHING, LABELS
from care.models import HubLabel, HubProject, Restriction
from people.refusals import Conflicting, Invalid, NotAllowed
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
NUMBER = UUID("3dbf5acc-e602-45a6-a45a-13c14ef0be8d")
HOLDS = "/c/test-otomi/steward/holds/"


def label(kind, number=1, **more):
    """One label, with the fields of the Hub's serializer."""
    said = {"unique_id": str(UUID(int=number)), "label_type": kind, "name": f"Name of {kind}", "label_text": "Words."}
    return {**said, "language": "English", "language_tag": "en", "translations": [], "updated": "2026-01-05", **more}


def told(tk=(), bc=(), notices=()):
    """A project, as the Hub's API version 2 tells it."""
    return {
        "unique_id": str(NUMBER),
        "title": "A project",
        "tk_labels": [label(kind, 100 + n) for n, kind in enumerate(tk)],
        "bc_labels": [label(kind, 200 + n) for n, kind in enumerate(bc)],
        "notice": [{"notice_type": kind, "name": kind, "default_text": "Words."} for kind in notices],
    }


@pytest.fixture
def followed(community, aroha):
    return follow_project(
        community=community, hub_id=str(NUMBER), kind="community", key=str(community.pk), followed_by=aroha, now=NOW
    )


def away(_):
    raise HubIsAway("It answered with status 503.")


def test_every_type_of_the_hub_is_a_label_here_with_what_it_keeps_from(followed):
    assert (len(TK), len(BC), len(NOTICES)) == (20, 10, 4)
    assert {*TK.values(), *BC.values(), *NOTICES.values()} == set(LABELS)
    assert read_hub(now=NOW, ask=lambda _: told(TK, BC, NOTICES)) == 1
    placed = {row.code: set(row.blocks) for row in Restriction.objects.live()}
    assert placed == {code: set(one.blocks) for code, one in LABELS.items()}
    assert HubLabel.objects.filter(restriction__isnull=False).count() == 34
    # The Hub names no days: until a steward does, a seasonal label holds all the year.
    assert Restriction.objects.live().blocking("display_members").filter(code="tks").exists()


def test_a_type_that_nobody_knows_keeps_from_everything(followed, validated_corpus):
    assert Answer.objects.eligible_for("train_noncommercial").count() == 12
    read_hub(now=NOW, ask=lambda _: told(["a_new_one"]))
    assert set(Restriction.objects.get().blocks) == EVERYTHING
    assert not Answer.objects.eligible_for("train_noncommercial").exists()


def test_while_the_hub_is_away_for_a_day_no_label_is_lost(followed):
    read_hub(now=NOW, ask=lambda _: told(["secret_sacred", "non_commercial"], ["research"]))
    before = list(Restriction.objects.live().values_list("pk", flat=True))
    kept = list(HubLabel.objects.values_list("pk", "sha256", "is_gone"))
    for _ in range(24):
        assert read_hub(now=NOW, ask=away) == 0
    assert list(Restriction.objects.live().values_list("pk", flat=True)) == before
    assert list(HubLabel.objects.values_list("pk", "sha256", "is_gone")) == kept
    project = HubProject.objects.get()
    assert (project.failed_at, project.failure) == (NOW, "It answered with status 503.")
    read_hub(now=NOW, ask=lambda _: told(["secret_sacred", "non_commercial"], ["research"]))
    assert HubProject.objects.get().failed_at is None
    assert Restriction.objects.count() == len(before)


@pytest.mark.parametrize(
    "answer", [{}, {"detail": "Not found."}, {**told(), "tk_labels": ["clan"]}, {**told(), "notice": {"a": 1}}]
)
def test_an_answer_that_is_no_project_takes_nothing_away(followed, answer):
    read_hub(now=NOW, ask=lambda _: told(["secret_sacred"]))
    assert read_hub(now=NOW, ask=lambda _: answer) == 0
    assert Restriction.objects.live().get().code == "tkss"


def test_a_project_that_is_followed_no_more_while_the_hub_is_asked_stops_no_other(followed, community, aroha):
    def ask(_):
        HubProject.objects.filter(pk=followed.pk).delete()
        return told(["clan"])

    assert read_hub(now=NOW, ask=ask) == 1
    assert not Restriction.objects.exists()


def test_what_the_hub_no_longer_has_holds_until_the_community_lifts_it(followed, aroha):
    read_hub(now=NOW, ask=lambda _: told(["secret_sacred", "verified"]))
    read_hub(now=NOW, ask=lambda _: told(["secret_sacred"]))
    assert HubLabel.objects.get(code="tkv").is_gone
    assert Restriction.objects.live().count() == 2
    unfollow_project(project=followed, unfollowed_by=aroha, now=NOW)
    assert Restriction.objects.live().count() == 2


def test_changed_words_are_kept_and_a_label_that_stands_is_not_put_twice(followed, community, aroha):
    read_hub(now=NOW, ask=lambda _: told(["clan"]))
    changed = told(["clan"])
    changed["tk_labels"][0]["label_text"] = "Other words."
    read_hub(now=NOW, ask=lambda _: changed)
    assert HubLabel.objects.get().text == "Other words."
    assert Restriction.objects.count() == 1


def test_only_stewards_bring_labels_in(community, ben, chen, esi, dana, followed):
    for person in (ben, chen, esi, dana):
        with pytest.raises(NotAllowed):
            follow_project(
                community=community, hub_id=str(UUID(int=1)), kind="community", key="1", followed_by=person, now=NOW
            )


def test_a_number_that_is_none_and_one_that_is_followed_are_refused(client, community, aroha, followed):
    given = {"kind": "community", "key": str(community.pk), "followed_by": aroha, "now": NOW}
    with pytest.raises(Invalid):
        follow_project(community=community, hub_id="12", **given)
    with pytest.raises(Conflicting):
        follow_project(community=community, hub_id=str(NUMBER), **given)


def test_a_steward_follows_reads_and_stops_on_the_page(client, community, aroha, monkeypatch):
    client.force_login(aroha)
    rung = []
    monkeypatch.setattr("care.jobs.read_hub_job.delay", lambda: rung.append("job"))
    bad = client.post(HOLDS, {"follow": "1", "hub_id": "12", "followed_for": f"community:{community.pk}"})
    assert bad.status_code == 422
    client.post(HOLDS, {"follow": "1", "hub_id": str(NUMBER), "followed_for": f"community:{community.pk}"})
    project = HubProject.objects.get()
    assert "Not read yet" in client.get(HOLDS).content.decode()
    read_hub(now=NOW, ask=lambda _: told(["secret_sacred"]))
    assert "Name of secret_sacred" in client.get(HOLDS).content.decode()
    client.post(f"{HOLDS}hub/{project.pk}/", {"read": "1"})
    assert rung
    read_hub(now=NOW, ask=away)
    assert "stay in force" in client.get(HOLDS).content.decode()
    client.post(f"{HOLDS}hub/{project.pk}/", {"stop": "1"})
    assert not HubProject.objects.exists()


class FakeHub(BaseHTTPRequestHandler):
    """Answers as the Hub does, or as one that is broken."""

    def do_GET(self):
        if self.headers["X-Api-Key"] != "key" or not self.path.endswith(f"/projects/{NUMBER}/"):
            self.send_response(403)
            self.end_headers()
            return
        self.send_response(302 if self.server.moves else 200)
        self.send_header("Location", "http://localhost:1/")
        self.end_headers()
        self.wfile.write(self.server.says)

    def log_message(self, *args):
        pass


def test_the_hub_is_asked_over_http_and_bad_answers_are_no_answers(settings):
    server = HTTPServer(("127.0.0.1", 0), FakeHub)
    server.says, server.moves = b'{"unique_id": "x", "tk_labels": []}', False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.LOCAL_CONTEXTS_HUB = f"http://127.0.0.1:{server.server_port}/api/v2"
    with pytest.raises(HubIsAway, match="no key"):
        ask_hub(NUMBER)
    settings.LOCAL_CONTEXTS_KEY = "key"
    try:
        assert ask_hub(NUMBER)["unique_id"] == "x"
        for says in (b"<html>", b"[]", b"{" + b" " * 2_000_001 + b"}"):
            server.says = says
            with pytest.raises(HubIsAway):
                ask_hub(NUMBER)
        server.moves = True
        with pytest.raises(HubIsAway, match="302"):
            ask_hub(NUMBER)
        settings.LOCAL_CONTEXTS_KEY = "wrong"
        with pytest.raises(HubIsAway, match="403"):
            ask_hub(NUMBER)
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(HubIsAway):
        ask_hub(NUMBER)
