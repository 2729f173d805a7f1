"""After a withdrawal, a new adapter says what it replaces, and that none of the words is in it; and who reads so."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from ledger.models import Entry
from tests.frontend.made import make_adapter, make_release, make_run, report
from training.lineage.services import end_adapter, follow_withdrawals
from training.releases.services import folder_of
from training.runs.services import finish_run
from training.runs.withdrawals import withdraw_answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(project, validated_corpus, esi):
    return make_release(project, esi)


@pytest.fixture
def before(release, esi):
    """The adapter that learnt from words which Ben took back since."""
    return make_adapter(make_run(release, esi))


@pytest.fixture
def answer(release, ben):
    return release.items.filter(answer__author=ben).first().answer


def named(release):
    return {**report(), "adapter_sha256": "b" * 64, "release": {"sha256": release.sha256}}


@pytest.fixture
def after(before, answer, release, project, ben, esi, now):
    """What was trained in its place, from a new release."""
    withdraw_answer(answer=answer, author=ben, now=now)
    follow_withdrawals(now=now)
    new = make_release(project, esi)
    return finish_run(run=make_run(new, esi), report=named(new), now=now)


def test_it_says_what_it_replaces_and_that_the_words_are_not_in_it(before, after, answer, release):
    assert after.certificate == {
        "replaces_release": release.number,
        "replaces_release_sha256": release.sha256,
        "replaces_adapters": [{"id": before.pk, "run": before.run.number, "sha256": before.sha256}],
        "release": after.run.release.number,
        "release_sha256": after.run.release.sha256,
        "adapter_sha256": "b" * 64,
        "withdrawn": 1,
        "given_again": 0,
        "at": after.created_at.isoformat(),
    }
    manifest = json.loads((folder_of(after.run.release) / "manifest.json").read_text())
    assert str(answer.pk) not in {item["id"] for item in manifest["items"]}


def test_the_record_says_so_openly_in_one_entry(after, release):
    (entry,) = Entry.objects.filter(action="adapter.made", subject=f"adapter:{after.pk}")
    assert entry.details["replaces"] == release.sha256
    assert entry.details["withdrawn"] == 1


def test_what_replaces_nothing_has_no_certificate(before):
    assert before.certificate is None
    assert "replaces" not in Entry.objects.get(action="adapter.made").details


@pytest.mark.parametrize("spoil", ["another release in the report", "a changed manifest", "no manifest"])
def test_nothing_is_certified_of_what_cannot_be_shown(spoil, before, answer, project, ben, esi, now):
    withdraw_answer(answer=answer, author=ben, now=now)
    new = make_release(project, esi)
    said, path = named(new), folder_of(new) / "manifest.json"
    if spoil == "another release in the report":
        said["release"] = {"sha256": "c" * 64}
    elif spoil == "a changed manifest":
        path.write_text(path.read_text() + " ")
    else:
        path.unlink()
    assert finish_run(run=make_run(new, esi), report=said, now=now).certificate is None


def test_it_stays_when_the_adapter_is_deleted(after, ben, now):
    mine = after.run.release.items.filter(answer__author=ben).first().answer
    withdraw_answer(answer=mine, author=ben, now=now)
    after.refresh_from_db()
    end_adapter(adapter=after, note="", now=now)
    after.refresh_from_db()
    assert after.deleted_at
    assert after.certificate["withdrawn"] == 1


COMMAND = "python -m training.certify"
SAID = "1 sentence that was taken back is not in it."


def test_who_took_the_words_back_reads_what_was_done_and_when(client, ben, before, after):
    client.force_login(ben)
    words = client.get("/me/data/").content.decode()
    assert "Adapter of run 1, which learnt from release 1" in words
    assert "Trained again, without the words that were taken back: the adapter of run 2." in words
    assert SAID in words
    assert before.sha256 in words
    assert f"{COMMAND} {after.community.slug}-release-2 run-2 --base {after.run.base_model}" in words


def test_before_anything_is_trained_again_the_paused_adapter_is_named(client, ben, before, answer, now):
    withdraw_answer(answer=answer, author=ben, now=now)
    follow_withdrawals(now=now)
    client.force_login(ben)
    words = client.get("/me/data/").content.decode()
    assert words.count("Adapter of run 1, which learnt from release 1") == 2
    assert "Trained again" not in words


def test_stewards_and_researchers_read_it_too(client, aroha, esi, after, community):
    pages = [
        (aroha, reverse("steward:withdrawals", kwargs={"slug": community.slug})),
        (aroha, reverse("steward:adapter", kwargs={"slug": community.slug, "pk": after.pk})),
        (esi, reverse("researcher:run", kwargs={"slug": community.slug, "pk": after.run_id})),
    ]
    for person, address in pages:
        client.force_login(person)
        words = client.get(address).content.decode()
        assert SAID in words
        assert COMMAND in words
