"""The researcher's pages on what models find hard."""

from __future__ import annotations

import pytest

from annotation.answers.models import Answer
from annotation.projects.models import Task
from care.models import Purpose
from tests.conftest import NOW
from tests.mining.test_mining import adapter, fill, rival  # noqa: F401 - fixtures
from training.mining import jobs
from training.mining.models import Probe
from training.mining.services import ask_for_probe
from training.runs.withdrawals import withdraw_consent

pytestmark = pytest.mark.django_db
PAGE = "/c/test-otomi/train/hard/"


@pytest.fixture
def page(client, esi, monkeypatch):
    """The researcher's browser; what a worker would be rung for stands in `rung`."""
    client.rung = []
    monkeypatch.setattr(jobs.probe_job, "delay_on_commit", lambda **ids: client.rung.append(ids))
    client.force_login(esi)
    return client


def test_without_an_adapter_the_page_says_how_to_get_one(page, project):
    assert "There is no adapter yet" in page.get(PAGE).content.decode()


def test_asking_shows_how_far_it_is_and_stopping_keeps_what_was_read(page, adapter):  # noqa: F811
    answer = page.post(PAGE, {"adapter": adapter.pk, "of": "answers", "size": 10}, follow=True)
    probe = Probe.objects.get()
    assert page.rung == [{"probe_id": probe.pk}]
    assert "0 of 10 sentences" in answer.content.decode()
    assert "0 of 10" in page.get(f"{PAGE}{probe.pk}/live/").content.decode()
    page.post(f"{PAGE}{probe.pk}/cancel/")
    assert page.get(f"{PAGE}{probe.pk}/live/").status_code == 286
    assert "Nothing was read" in page.get(f"{PAGE}{probe.pk}/").content.decode()


def test_a_refusal_stands_beside_its_field(page, adapter):  # noqa: F811
    answer = page.post(PAGE, {"adapter": adapter.pk, "of": "held_out", "size": 10})
    assert answer.status_code == 422
    assert "Choose a second adapter" in answer.content.decode()
    assert page.post(PAGE, {"adapter": adapter.pk, "of": "answers", "size": "many"}).status_code == 422


def test_hard_answers_are_shown_and_sent_to_the_experts(page, adapter, esi):  # noqa: F811
    probe = ask_for_probe(adapter=adapter, of="answers", asked_by=esi, now=NOW)
    *_, hardest = fill(probe)
    Probe.objects.update(state="finished")
    words = page.get(f"{PAGE}{probe.pk}/").content.decode()
    assert words.index(hardest.answer.text) < words.index(probe.readings.first().answer.text)

    nothing = page.post(f"{PAGE}{probe.pk}/?by=loss", {"way": "experts"})
    assert nothing.status_code == 422
    sent = page.post(f"{PAGE}{probe.pk}/", {"way": "experts", "chosen": [hardest.pk]}, follow=True)

    assert "1 answer went to the experts" in sent.content.decode()
    assert Answer.objects.get(pk=hardest.answer_id).state == "disputed"


def test_open_tasks_are_ordered_and_put_back(page, adapter, esi, project):  # noqa: F811
    Answer.objects.all().update(state="withdrawn")
    Task.objects.update(state="open", answered=0)
    probe = ask_for_probe(adapter=adapter, of="tasks", asked_by=esi, now=NOW)
    fill(probe)
    Probe.objects.update(state="finished")
    given = {"way": "first", "everything": "on", "measure": "entropy", "percent": 20}
    assert "12 tasks are handed out first" in page.post(f"{PAGE}{probe.pk}/", given, follow=True).content.decode()
    assert "20 % of them are drawn by chance" in page.get(PAGE).content.decode()

    back = page.post(f"/c/test-otomi/train/order/{project.pk}/", follow=True)

    assert "document by document again" in back.content.decode()
    assert not Task.objects.exclude(urgency=None).exists()


def test_two_adapters_side_by_side(page, adapter, rival, esi):  # noqa: F811
    probe = ask_for_probe(adapter=adapter, rival=rival, of="answers", asked_by=esi, now=NOW)
    fill(probe, rival=True)
    Probe.objects.update(state="finished")
    words = page.get(f"{PAGE}{probe.pk}/?by=disagreement").content.decode()
    assert "Run 1 needs 5.500 bits a byte fewer than run 2" in words
    assert "It is better." in words
    assert "Better with run 1" in words


def test_stewards_read_along_and_words_taken_back_are_gone(page, adapter, esi, aroha, ben, community):  # noqa: F811
    probe = ask_for_probe(adapter=adapter, of="answers", asked_by=esi, now=NOW)
    fill(probe)
    Probe.objects.update(state="finished")
    page.force_login(aroha)
    words = page.get(f"{PAGE}{probe.pk}/").content.decode()
    assert "Send back" not in words
    mine = Answer.objects.filter(author=ben).first().text
    assert mine in words
    withdraw_consent(person=ben, community=community, purposes=list(Purpose.values), now=NOW)
    after = page.get(f"{PAGE}{probe.pk}/").content.decode()
    assert mine not in after
    assert "learnt from words that were withdrawn" in after
