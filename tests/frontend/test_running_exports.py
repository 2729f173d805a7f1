"""A file that is being handed out stops when its reader may not read it any more, or words in it are withdrawn.

Downloads under agreements have theirs in tests/releases/test_agreement_downloads.py.
"""

from __future__ import annotations

from functools import partial

import pytest
from django.http import FileResponse

from annotation.answers.models import Answer
from people import handing
from people.models import Membership, Person
from people.refusals import NotAllowed
from tests.conftest import NOW
from tests.frontend.made import make_release, make_run
from training.runs.artefacts import folder_of
from training.runs.withdrawals import withdraw_answer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _asked_every_time(monkeypatch):
    monkeypatch.setattr(FileResponse, "block_size", 50)
    always = partial(handing.while_allowed, every=0)
    desks = ("me.views", "steward.views.home", "researcher.views.comparing", "researcher.views.releases")
    for place in desks:
        monkeypatch.setattr(f"frontend.{place}.while_allowed", always)


@pytest.fixture
def address_of(project, validated_corpus, esi):
    """address_of(what) is where that file is, which its reader gets in several parts."""

    def address(what):
        if what == "release":
            return f"/c/test-otomi/train/releases/{make_release(project, esi).pk}/download/"
        if what == "run":
            run = make_run(make_release(project, esi), esi)
            folder_of(run).mkdir(parents=True, exist_ok=True)
            (folder_of(run) / "config.toml").write_text("[recipe]\n")
            return f"/c/test-otomi/train/runs/{run.pk}/download/"
        return {"record": "/c/test-otomi/steward/record/file/", "my data": "/me/data/file/"}[what]

    return address


READERS = {"record": "aroha", "release": "esi", "run": "esi"}
ROLE_ENDS = Membership, {"ended_at": NOW}, "person__username"
SUSPENDED = Person, {"is_active": False}, "username"


@pytest.mark.parametrize(
    ("what", "reader", "how"),
    [
        *((what, reader, how) for what, reader in READERS.items() for how in (ROLE_ENDS, SUSPENDED)),
        ("my data", "ben", SUSPENDED),
    ],
)
def test_it_stops_with_the_role_and_when_the_account_is_suspended(client, address_of, what, reader, how):
    model, change, name = how
    client.force_login(Person.objects.get(username=reader))
    parts = iter(client.get(address_of(what)).streaming_content)
    assert next(parts)
    model.objects.filter(**{name: reader}).update(**change)
    with pytest.raises(NotAllowed):
        next(parts)


def test_a_release_stops_when_words_in_it_are_withdrawn(client, project, validated_corpus, esi, ben):
    release = make_release(project, esi)
    client.force_login(esi)
    address = f"/c/test-otomi/train/releases/{release.pk}/download/"
    assert b"".join(client.get(address).streaming_content)[:2] == b"PK"
    parts = client.get(address).streaming_content
    withdraw_answer(answer=Answer.objects.filter(author=ben).first(), author=ben, now=NOW)
    with pytest.raises(NotAllowed):
        next(iter(parts))


def test_it_is_asked_again_after_a_second_and_not_at_every_line(monkeypatch):
    asked, clock = [], iter(range(100))
    monkeypatch.setattr("people.handing.time.monotonic", lambda: next(clock) / 10)
    assert list(handing.while_allowed(range(30), lambda: not asked.append(1))) == list(range(30))
    assert len(asked) == 3
