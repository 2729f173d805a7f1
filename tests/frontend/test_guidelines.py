"""The page of a project's guidelines."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Answer
from annotation.conflicts.services import adjudicate
from annotation.projects.models import Project
from people.models import Community, Person
from tests.annotation.conflicting import THREE, contest
from tests.conftest import NOW
from tests.kinds.opening import open_kind
from training.runs.withdrawals import withdraw_answer


@pytest.fixture
def people(ben: Person, filipa: Person, goran: Person, consenting: Callable[..., Any]) -> list[Person]:
    for person in (ben, filipa, goran):
        consenting(person)
    return [ben, filipa, goran]


@pytest.fixture
def decided(community: Community, aroha: Person, chen: Person, people: list[Person]) -> list[Answer]:
    rows = contest(open_kind(community, aroha, "label", rule=THREE, guidelines="Mark names."), people)
    adjudicate(answer=rows[0], expert=chen, decision="accept", reason="It follows the guidelines.", now=NOW)
    return rows


def page_of(project: Project) -> str:
    return reverse("public:guidelines", kwargs={"slug": "test-otomi", "pk": project.pk})


def test_a_change_is_shown_to_those_who_worked_before_until_they_have_read_it(
    client: Client, decided: list[Answer], aroha: Person, ben: Person
) -> None:
    project = decided[0].task.project
    client.force_login(aroha)
    client.post(page_of(project), {"number": 1, "text": "Mark whole names.", "write": "1"})

    client.force_login(ben)
    work = reverse("speaker:work", kwargs={"slug": "test-otomi", "pk": project.pk})
    assert "The guidelines have changed since you last read them." in client.get(work).text
    assert re.search("<ins>[^<]*whole", client.get(page_of(project)).text)
    client.post(page_of(project), {"number": 2})
    assert "The guidelines have changed" not in client.get(work).text
    assert "<ins>" not in client.get(page_of(project)).text


def test_a_steward_who_was_too_late_keeps_what_was_typed(client: Client, decided: list[Answer], aroha: Person) -> None:
    project = decided[0].task.project
    client.force_login(aroha)
    client.post(page_of(project), {"number": 1, "text": "Mark whole names.", "write": "1"})
    response = client.post(page_of(project), {"number": 1, "text": "Mark no names.", "write": "1"})
    assert response.status_code == 409
    assert "Mark no names." in response.text


def test_speakers_read_and_do_not_write(client: Client, decided: list[Answer], ben: Person, dana: Person) -> None:
    project = decided[0].task.project
    client.force_login(ben)
    assert "Put it in force" not in client.get(page_of(project)).text
    assert client.post(page_of(project), {"number": 1, "text": "Mine.", "write": "1"}).status_code == 403
    client.force_login(dana)
    assert client.get(page_of(project)).status_code == 404


def test_an_expert_makes_an_example_that_goes_with_the_words(
    client: Client, decided: list[Answer], chen: Person, filipa: Person, ben: Person
) -> None:
    project = decided[0].task.project
    client.force_login(chen)
    conflict = reverse("expert:answer", kwargs={"slug": "test-otomi", "pk": decided[0].pk})
    assert "Make it an example" in client.get(conflict).text
    client.post(reverse("expert:example", kwargs={"slug": "test-otomi", "pk": decided[0].pk}))
    assert "It is an example in the guidelines." in client.get(conflict).text

    client.force_login(filipa)
    text = client.get(page_of(project)).text
    assert "LOC: frase 1" in text
    assert "There are new examples, marked below." in text

    withdraw_answer(answer=decided[0], author=ben, now=NOW)
    assert "LOC: frase 1" not in client.get(page_of(project)).text
