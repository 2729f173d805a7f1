"""Warnings in a real browser, with scripts and without; the pages are looked at on a phone and on a desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from annotation.answers.models import Answer
from annotation.projects.models import Project
from care.models import Receipt
from people.models import Person
from tests.browser.gathering import SLUG, sign_in
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TOLD = "The source has the number 1, this text has not."
AS_IT_IS = "It is right: send it as it is"


@pytest.fixture(autouse=True)
def _numbers_are_checked(project: Project, ben: Person, filipa: Person, consenting: Callable[..., Receipt]) -> None:
    guidelines = "Write as you speak. " * 20
    Project.objects.filter(pk=project.pk).update(
        checks={"wanted": ["numbers"], "longest_sentence": 2}, guidelines=guidelines
    )
    consenting(ben)
    consenting(filipa)


@pytest.mark.parametrize("scripts", [True, False])
@pytest.mark.parametrize("width", [360, 1280])
def test_a_warning_is_read_confirmed_and_told_to_the_reader(
    visit: Callable[..., Visitor], project: Project, scripts: bool, width: int
) -> None:
    browser = visit("ben", scripts=scripts, width=width)
    sign_in(browser, f"/c/{SLUG}/speak/work/{project.pk}/")
    field = browser.page.locator("textarea[name=text]")
    field.fill("ñä ñä ñä")

    browser.click("Check my text")
    browser.read(TOLD, "Try at most 2.")
    expect(field).to_have_value("ñä ñä ñä")
    browser.look()
    field.fill("ñä ñä ñä 9")
    browser.click("Send, and show the next")
    browser.read("The number 9 is not in the source.")
    browser.forgive(422)
    browser.look()
    assert not Answer.objects.exists()

    field.fill("ñä ñä")
    browser.click("Send, and show the next")
    browser.read(TOLD)
    browser.forgive(422)
    browser.page.get_by_label(AS_IT_IS).check()
    browser.click("Send, and show the next")
    browser.read("frase 2 del texto A")
    assert [kept["confirmed"] for kept in Answer.objects.get().warnings] == [True]

    reader = visit("filipa", scripts=scripts, width=width)
    sign_in(reader, f"/c/{SLUG}/speak/review/{project.pk}/")
    reader.read("Its author was told this, and sent it as it is:", TOLD)
    reader.look()


def test_the_guidelines_are_beside_the_form_on_a_desk_and_folded_on_a_phone(
    visit: Callable[..., Visitor], project: Project
) -> None:
    browser: Any = visit("ben", width=1280)
    sign_in(browser, f"/c/{SLUG}/speak/work/{project.pk}/")
    browser.look()

    expect(browser.page.locator("aside.guide")).to_be_visible()
    expect(browser.page.locator("details.guide")).to_be_hidden()
    browser.page.set_viewport_size({"width": 360, "height": 800})
    expect(browser.page.locator("aside.guide")).to_be_hidden()
    expect(browser.page.locator("details.guide")).to_be_visible()
