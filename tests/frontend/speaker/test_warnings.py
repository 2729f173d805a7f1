"""Warnings on the pages: shown beside the text, confirmed with one box, read by whoever checks the answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from annotation.answers.models import Answer
from annotation.projects.models import Project
from care.models import Receipt
from people.models import Person
from tests.frontend.speaker.pages import DESK, text_of
from tests.frontend.speaker.test_work import JSON, lease_of, send

pytestmark = pytest.mark.django_db

TOLD = "The source has the number 1, this text has not."
CONFIRMED = json.dumps(["number_missing:1"])


@pytest.fixture(autouse=True)
def _numbers_are_checked(project: Project, ben: Person, filipa: Person, consenting: Callable[..., Receipt]) -> None:
    Project.objects.filter(pk=project.pk).update(
        checks={"wanted": ["numbers"], "longest_sentence": 2}, guidelines="Write as you speak."
    )
    consenting(ben)
    consenting(filipa)


def shown(response: Any, status: int = 200) -> str:
    return unescape(text_of(response, status))


def test_a_page_of_a_project_with_checks_has_the_box_hidden_and_off(bens: Client, project: Project) -> None:
    text = shown(bens.get(f"{DESK}/work/{project.pk}/"))

    assert "data-warnings hidden" in text
    assert 'name="confirmed" value="" autocomplete="off" disabled' in text
    assert "Check my text" in text


def test_a_project_without_checks_shows_nothing_of_them(bens: Client, project: Project) -> None:
    Project.objects.update(checks={})

    text = shown(bens.get(f"{DESK}/work/{project.pk}/"))

    assert "data-warnings" not in text
    assert "Check my text" not in text


def test_a_finding_is_shown_with_the_text_and_the_box(bens: Client, project: Project) -> None:
    text = shown(send(bens, project, {**lease_of(bens, project), "text": "ñä ñä ñä"}), 422)

    assert TOLD in text
    assert "\nñä ñä ñä</textarea>" in text
    assert f"value='{CONFIRMED}'" in text or f'value="{CONFIRMED}"' in text
    assert "This sentence has 3 words. Try at most 2." in text
    assert not Answer.objects.exists()


def test_ticking_the_box_sends_it_as_it_is(bens: Client, project: Project) -> None:
    fields = {**lease_of(bens, project), "text": "ñä"}
    assert send(bens, project, fields).status_code == 422

    text = shown(send(bens, project, {**fields, "confirmed": CONFIRMED}, follow=True))

    assert "Thank you" in text
    assert Answer.objects.get().warnings[0]["confirmed"]


@pytest.mark.parametrize("box", ["", "yes", "7", '{"a": 1}', "[7]", '["number_added:1"]'])
def test_a_box_that_says_something_else_confirms_nothing(bens: Client, project: Project, box: str) -> None:
    fields = {**lease_of(bens, project), "text": "ñä", "confirmed": box}

    assert TOLD in shown(send(bens, project, fields), 422)


def test_a_form_that_runs_scripts_gets_the_findings_with_their_keys(bens: Client, project: Project) -> None:
    response = send(bens, project, {**lease_of(bens, project), "text": "ñä"}, headers=JSON)

    assert response.status_code == 422
    warning = response.json()["warnings"][0]  # type: ignore[attr-defined]
    assert (warning["key"], warning["code"]) == ("number_missing:1", "number_missing")
    assert warning["message"].startswith(TOLD)


def test_what_comes_later_is_stored_and_its_reader_is_told(bens: Client, filipas: Client, project: Project) -> None:
    send(bens, project, {**lease_of(bens, project), "text": "ñä", "later": "1"}, headers=JSON)

    text = shown(filipas.get(f"{DESK}/review/{project.pk}/"))

    assert "its author could not be asked" in text
    assert TOLD in text


def test_the_reader_of_a_confirmed_answer_is_told(bens: Client, filipas: Client, project: Project) -> None:
    send(bens, project, {**lease_of(bens, project), "text": "ñä", "confirmed": CONFIRMED})

    text = shown(filipas.get(f"{DESK}/review/{project.pk}/"))

    assert "Its author was told this, and sent it as it is:" in text
    assert TOLD in text


def test_checking_a_text_shows_findings_and_hints_and_stores_nothing(bens: Client, project: Project) -> None:
    fields = {**lease_of(bens, project), "text": "ñä ñä ñä", "look": "1"}

    text = shown(send(bens, project, fields))

    assert TOLD in text
    assert "Try at most 2." in text
    assert fields["client_id"] in text
    assert not Answer.objects.exists()


def test_checking_a_text_with_nothing_to_say_says_so(bens: Client, project: Project) -> None:
    text = shown(send(bens, project, {**lease_of(bens, project), "text": "ñä 1", "look": "1"}))

    assert "Nothing was noticed. It is not sent yet." in text
    assert not Answer.objects.exists()


def test_checking_an_unusable_text_says_why(bens: Client, project: Project) -> None:
    text = shown(send(bens, project, {**lease_of(bens, project), "text": "", "look": "1"}), 422)

    assert "Nothing was written." in text


def test_a_correction_is_looked_at_and_confirmed_on_the_review_page(
    bens: Client, filipas: Client, project: Project
) -> None:
    send(bens, project, {**lease_of(bens, project), "text": "ñä 1"})
    form = filipas.get(f"{DESK}/review/{project.pk}/").context["form"]
    fields = {name: str(form.initial[name]) for name in ("answer", "version", "client_id")}
    fields |= {"verdict": "fix", "text": "ñää"}

    text = shown(filipas.post(f"{DESK}/review/{project.pk}/", fields), 422)
    assert TOLD in text
    assert 'name="verdict-kind" open' in text
    assert filipas.post(f"{DESK}/review/{project.pk}/", {**fields, "confirmed": CONFIRMED}).status_code == 302
    assert Answer.objects.get(text="ñää").warnings[0]["confirmed"]


def test_an_edit_is_looked_at_and_confirmed(bens: Client, project: Project) -> None:
    send(bens, project, {**lease_of(bens, project), "text": "ñä 1"})
    address = f"{DESK}/words/{Answer.objects.get().pk}/"

    assert TOLD in shown(bens.post(address, {"version": 1, "text": "ñää"}), 422)
    assert bens.post(address, {"version": 1, "text": "ñää", "confirmed": CONFIRMED}).status_code == 302
    assert Answer.objects.get().text == "ñää"


def test_the_guidelines_stand_beside_the_form(bens: Client, project: Project) -> None:
    text = shown(bens.get(f"{DESK}/work/{project.pk}/"))

    assert '<aside class="guide"' in text
    assert '<details class="guide">' in text
