"""A file that is being handed out stops when its reader may not read it any more, or words in it are withdrawn."""

from __future__ import annotations

from functools import partial

import pytest

from annotation.answers.models import Answer
from people import handing
from people.models import Membership
from people.refusals import NotAllowed
from tests.conftest import NOW
from tests.frontend.made import make_release
from training.runs.withdrawals import withdraw_answer

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _asked_every_time(monkeypatch):
    always = partial(handing.while_allowed, every=0)
    for place in ("frontend.steward.views.home", "frontend.researcher.views.releases"):
        monkeypatch.setattr(f"{place}.while_allowed", always)


def test_the_record_stops_with_the_role(client, community, aroha, validated_corpus):
    client.force_login(aroha)
    lines = iter(client.get("/c/test-otomi/steward/record/file/").streaming_content)
    assert next(lines)
    Membership.objects.filter(person=aroha).update(ended_at=NOW)
    with pytest.raises(NotAllowed):
        next(lines)


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
