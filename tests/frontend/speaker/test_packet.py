"""Packets on plain pages, and what the server says to an outbox."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from annotation.answers.models import Answer
from annotation.kinds import KINDS
from annotation.projects.models import Assignment, Project
from care.models import Receipt
from people.models import Community, Person
from tests.frontend.speaker.pages import DESK, text_of
from tests.kinds.opening import open_kind

pytestmark = pytest.mark.django_db
JSON = {"HTTP_ACCEPT": "application/json"}


@pytest.fixture
def page(client: Client, ben: Person, consenting: Callable[..., Receipt]) -> Client:
    """Ben's browser, without scripts."""
    consenting(ben)
    client.force_login(ben)
    return client


def take(page: Client, project: Project, size: int = 10) -> list[Assignment]:
    """Take a packet along."""
    answer = page.post(f"{DESK}/take/{project.pk}/", {"size": size})
    assert answer["Location"] == f"{DESK}/packet/{project.pk}/"
    return list(Assignment.objects.filter(packet__isnull=False, state="leased").order_by("pk"))


def fields(page: Client, lease: Assignment, **others: Any) -> dict[str, Any]:
    """A filled-in form."""
    return {"assignment": lease.pk, "client_id": uuid4(), "text": "ñä words", **others}


def test_a_packet_is_one_page_with_a_form_for_each_task(page: Client, project: Project) -> None:
    leases = take(page, project)

    shown = text_of(page.get(f"{DESK}/packet/{project.pk}/"))

    assert len(leases) == 10
    assert shown.count("<answer-form") == 10
    for lease in leases:
        assert f'id="id_{lease.pk}_text"' in shown


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_its_form_in_a_packet(page: Client, community: Community, aroha: Person, kind: str) -> None:
    project = open_kind(community, aroha, kind)
    take(page, project)

    shown = text_of(page.get(f"{DESK}/packet/{project.pk}/"))

    assert shown.count("<answer-form") == 4
    ids = re.findall(r'[< ]id="([^"]+)"', shown)
    assert len(ids) == len(set(ids))


def test_fetched_again_a_task_keeps_the_id_of_its_answer(page: Client, project: Project) -> None:
    take(page, project)
    first, second = (text_of(page.get(f"{DESK}/packet/{project.pk}/")) for _ in range(2))
    ids = [part.split('"')[0] for part in first.split('name="client_id" value="')[1:]]
    assert len(set(ids)) == 10
    assert all(identity in second for identity in ids)


def test_without_scripts_an_answer_leads_back_to_the_packet(page: Client, project: Project) -> None:
    lease = take(page, project)[0]
    answer = page.post(f"{DESK}/work/{project.pk}/?packet=1", fields(page, lease))
    assert answer["Location"] == f"{DESK}/packet/{project.pk}/"
    assert text_of(page.get(answer["Location"])).count("<answer-form") == 9


def test_a_skip_leads_back_to_the_packet_too(page: Client, project: Project) -> None:
    lease = take(page, project)[0]
    answer = page.post(f"{DESK}/skip/{lease.pk}/?packet=1", {"reason": "too_hard"})
    assert answer["Location"] == f"{DESK}/packet/{project.pk}/"


def test_an_empty_packet_leads_to_taking_one(page: Client, project: Project) -> None:
    assert page.get(f"{DESK}/packet/{project.pk}/")["Location"] == f"{DESK}/take/{project.pk}/"


def test_what_is_left_can_be_given_back(page: Client, project: Project) -> None:
    take(page, project)
    said = text_of(page.post(f"{DESK}/packet/{project.pk}/back/", follow=True))
    assert "10 tasks given back." in said
    assert not Assignment.objects.filter(state="leased").exists()


@pytest.mark.parametrize("size", ["", "11", "ten"])
def test_another_size_is_refused_in_words(page: Client, project: Project, size: str) -> None:
    answer = page.post(f"{DESK}/take/{project.pk}/", {"size": size})
    assert answer.status_code == 422
    assert not Assignment.objects.exists()


def test_without_consent_the_way_leads_to_the_consent_page(
    client: Client, filipa: Person, project: Project, policy: Any
) -> None:
    client.force_login(filipa)
    answer = client.post(f"{DESK}/take/{project.pk}/", {"size": 10})
    assert answer["Location"].startswith(f"{DESK}/consent/")


@pytest.mark.parametrize("sender", ["0", "nobody", "99999999"])
def test_words_of_another_sender_are_not_taken(page: Client, project: Project, sender: str) -> None:
    lease = take(page, project)[0]
    answer = page.post(f"{DESK}/work/{project.pk}/", fields(page, lease, sender=sender), **JSON)
    assert answer.status_code == 401
    assert not Answer.objects.exists()


def test_whoever_is_signed_out_hears_so_and_is_not_led_astray(client: Client, project: Project) -> None:
    assert client.post(f"{DESK}/work/{project.pk}/", {}, **JSON).status_code == 401


def test_what_comes_later_leaves_no_thanks_for_the_next_page(page: Client, project: Project) -> None:
    one, other = take(page, project)[:2]
    assert page.post(f"{DESK}/work/{project.pk}/", fields(page, one, later="1"), **JSON).json()["said"]
    assert "Thank you." not in text_of(page.get(f"{DESK}/"))
    page.post(f"{DESK}/work/{project.pk}/", fields(page, other), **JSON)
    assert "Thank you." in text_of(page.get(f"{DESK}/"))


def test_sending_an_edit_twice_stores_it_once(page: Client, project: Project) -> None:
    lease = take(page, project)[0]
    page.post(f"{DESK}/work/{project.pk}/", fields(page, lease))
    words = f"{DESK}/words/{Answer.objects.get().pk}/"
    edit = {"version": 1, "text": "ñä better"}
    assert [page.post(words, edit, **JSON).status_code for _ in range(2)] == [200, 200]
    assert page.post(words, {"version": 1, "text": "ñä another"}, **JSON).status_code == 409
    assert (Answer.objects.get().version, Answer.objects.get().text) == (2, "ñä better")
