"""Freezing with what people said of answers: the tick, what the release's page says, and which methods are offered."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Answer
from annotation.projects.models import Project
from people.models import Community, Person
from tests.conftest import NOW, PASSWORD
from tests.frontend.made import make_release
from tests.releases.judged import turn_down
from training.releases.models import Release
from training.runs.models import Run
from training.runs.withdrawals import withdraw_answer, withdraw_consent

pytestmark = pytest.mark.django_db
PURPOSE = "train_noncommercial"


@pytest.fixture
def researcher(client: Client, esi: Person) -> Client:
    client.login(username="esi", password=PASSWORD)
    return client


@pytest.fixture
def judged(
    researcher: Client, community: Community, project: Project, validated_corpus: list[Answer], request, verdict
) -> Release:
    speakers = [request.getfixturevalue(name) for name in ("ben", "filipa", "goran")]
    turn_down(project, speakers, verdict)
    form = {"project": project.pk, "purpose": PURPOSE, "note": "", "has_judgements": "on"}
    response = researcher.post(reverse("researcher:freeze", args=[community.slug]), form, follow=True)
    assert "Release 1 is frozen." in response.text
    return Release.objects.get()


def page(client: Client, name: str, release: Release) -> str:
    return client.get(reverse(f"researcher:{name}", args=[release.community.slug, release.pk])).text


def test_the_tick_freezes_judgements_and_the_page_counts_them(researcher: Client, judged: Release) -> None:
    assert judged.has_judgements
    assert "judged answers" in page(researcher, "release", judged)
    assert "<dd>18</dd>" in page(researcher, "release", judged)
    empty = researcher.get(reverse("researcher:freeze", args=[judged.community.slug])).text
    assert 'name="has_judgements"' in empty
    assert "checked" not in empty.split('name="has_judgements"')[1].split(">")[0]


def test_without_the_tick_nothing_is_said_and_methods_that_need_votes_are_not_offered(
    researcher: Client, project: Project, judged: Release, esi: Person
) -> None:
    plain = make_release(project, esi)
    assert not plain.has_judgements
    assert "judged answers" not in page(researcher, "release", plain)
    for release, offered in ((plain, False), (judged, True)):
        form = page(researcher, "start", release)
        assert [f'value="{method}"' in form for method in ("qlora", "kto", "dpo")] == [True, offered, offered]
    address = reverse("researcher:start", args=[plain.community.slug, plain.pk])
    refused = researcher.post(address, {"recipe-method": "kto"})
    assert (refused.status_code, Run.objects.count()) == (422, 0)


def test_the_page_counts_sentences_that_were_taken_back_and_no_votes(
    researcher: Client, judged: Release, community: Community, filipa: Person, ben: Person
) -> None:
    held = judged.items.filter(answer__author=filipa).count()
    withdraw_consent(person=filipa, community=community, purposes=[PURPOSE], now=NOW)
    assert f"{held} sentences were taken back" in page(researcher, "release", judged)
    assert judged.items.filter(withdrawn_at__isnull=False).count() == 18


def test_the_api_freezes_them_too(researcher: Client, judged: Release, project: Project) -> None:
    about = {"project": project.pk, "purpose": PURPOSE}
    plain = researcher.post("/api/v1/releases/", about, content_type="application/json")
    assert (plain.status_code, plain.json()["has_judgements"]) == (201, False)
    same = researcher.post("/api/v1/releases/", {**about, "has_judgements": True}, content_type="application/json")
    assert (same.status_code, same.json()["id"], same.json()["counts"]["judged"]) == (200, judged.pk, 18)
    answer = judged.items.filter(is_good=False).first().answer
    withdraw_answer(answer=answer, author=answer.author, now=NOW)
    assert "One sentence was taken back" in page(researcher, "release", judged)
