"""Without JavaScript the same pages work as plain forms."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from annotation.answers.models import Answer
from annotation.projects.models import Project
from care.models import Policy, Receipt
from people.models import Person
from tests.browser import speaking
from tests.browser.gathering import PROJECT, SLUG, sign_in
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_consent_translation_and_skipping_need_no_script(
    visit: Callable[..., Visitor], ben: Person, policy: Policy, project: Project
) -> None:
    phone = visit("ben", scripts=False)
    sign_in(phone, f"/c/{SLUG}/speak/")
    speaking.agree(phone, "Translate (12 left)")
    phone.see(f"Translate: {PROJECT}")
    # Playwright's words skip <noscript>, so it is found by its name.
    expect(phone.page.locator("noscript p")).to_have_text(re.compile("Letters to copy: ä ñ ʼ"))
    expect(phone.page.locator("noscript p")).to_be_visible()

    phone.click(speaking.SEND)
    phone.read("Nothing was written.")
    phone.forgive(422)
    phone.look()
    speaking.translate(phone, 1)
    phone.click("Skip this one")
    phone.page.get_by_label("Not my variety").check()
    phone.click("Skip it")
    phone.read("Skipped: “frase 2 del texto A”")
    phone.click("Undo")
    expect(speaking.source_of(phone)).to_have_text("frase 2 del texto A")

    speaking.words_of(phone, 1)
    phone.read("waiting for review", speaking.answer_of("ben", 1))


def test_reviewing_needs_no_script(
    visit: Callable[..., Visitor],
    ben: Person,
    filipa: Person,
    consenting: Callable[..., Receipt],
    answered: Callable[..., Answer],
) -> None:
    consenting(ben)
    consenting(filipa)
    for text in ("ñäʼ one", "ñäʼ two", "ñäʼ three"):
        answered(ben, text)
    phone = visit("filipa", scripts=False)
    sign_in(phone, f"/c/{SLUG}/speak/")
    phone.see("Hello, filipa")

    shown = speaking.review_all(phone, {"ñäʼ two": "reject", "ñäʼ three": "ñäʼ 3"})

    assert sorted(shown) == ["ñäʼ one", "ñäʼ three", "ñäʼ two"]
    speaking.words_of(phone, 1)
    phone.read("Your correction of somebody’s answer.", "ñäʼ 3")
