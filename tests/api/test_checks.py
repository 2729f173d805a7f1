"""Checks through the API: a steward sets them, an author is told, and may say that it is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from annotation.answers.models import Answer
from annotation.projects.models import Project
from annotation.projects.services import lease_task
from care.models import Receipt
from people.models import Person
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Callable[[Person], APIClient]:
    """api(person) is a client in which the person is signed in."""

    def signed_in(person: Person) -> APIClient:
        client = APIClient()
        client.force_authenticate(person)
        return client

    return signed_in


@pytest.fixture
def answer(project: Project, ben: Person, consenting: Callable[..., Receipt]) -> dict[str, Any]:
    """An answer that lacks the number of its source, in a project that checks numbers."""
    consenting(ben)
    Project.objects.filter(pk=project.pk).update(checks={"wanted": ["numbers"]})
    lease = lease_task(project=project, person=ben, now=NOW)
    return {"assignment": lease.pk, "text": "ñä", "client_id": str(uuid4())}


def test_a_steward_sets_the_checks_and_reads_them_back(api: Any, project: Project, aroha: Person) -> None:
    address = f"/api/v1/projects/{project.pk}/"

    response = api(aroha).post(f"{address}checks/", {"checks": {"wanted": ["numbers"]}}, format="json")

    assert response.json()["checks"] == {"wanted": ["numbers"]}
    assert api(aroha).get(address).json()["checks"] == {"wanted": ["numbers"]}


def test_a_wrong_setting_is_refused_by_its_name(api: Any, project: Project, aroha: Person) -> None:
    body = {"checks": {"longest_word": "long"}}

    response = api(aroha).post(f"/api/v1/projects/{project.pk}/checks/", body, format="json")

    assert response.status_code == 422
    assert response.json()["errors"] == {"longest_word": ["This must be a whole number from 1 to 1000."]}


def test_a_speaker_does_not_set_them(api: Any, project: Project, ben: Person) -> None:
    response = api(ben).post(f"/api/v1/projects/{project.pk}/checks/", {"checks": {}}, format="json")

    assert response.status_code == 403


def test_an_answer_is_refused_with_what_was_noticed_and_stored_once_confirmed(
    api: Any, answer: dict[str, Any], ben: Person
) -> None:
    refused = api(ben).post("/api/v1/answers/", answer, format="json")

    assert (refused.status_code, refused.json()["type"]) == (422, "NeedsALook")
    keys = [warning["key"] for warning in refused.json()["warnings"]]
    assert keys == ["number_missing:1"]
    assert not Answer.objects.exists()

    stored = api(ben).post("/api/v1/answers/", {**answer, "confirmed": keys}, format="json")

    assert stored.status_code == 201
    assert len(stored.json()["warnings"]["confirmed"]) == 1


def test_what_was_written_offline_is_stored_with_its_warnings(api: Any, answer: dict[str, Any], ben: Person) -> None:
    stored = api(ben).post("/api/v1/answers/", {**answer, "later": True}, format="json")

    assert stored.status_code == 201
    assert len(stored.json()["warnings"]["noticed"]) == 1


def test_an_edit_and_a_correction_take_the_same_fields(
    api: Any, answer: dict[str, Any], ben: Person, filipa: Person, consenting: Callable[..., Receipt]
) -> None:
    consenting(filipa)
    confirmed = {"confirmed": ["number_missing:1"]}
    address = (
        f"/api/v1/answers/{api(ben).post('/api/v1/answers/', {**answer, **confirmed}, format='json').json()['id']}/"
    )
    edit = {"text": "ñu", "version": 1}
    fix = {"verdict": "fix", "version": 2, "fixed_text": "ñää", "client_id": str(uuid4())}

    assert api(ben).patch(address, edit, format="json").status_code == 422
    assert api(ben).patch(address, {**edit, **confirmed}, format="json").status_code == 200
    assert api(filipa).post(f"{address}reviews/", fix, format="json").status_code == 422
    assert api(filipa).post(f"{address}reviews/", {**fix, **confirmed}, format="json").status_code == 201
