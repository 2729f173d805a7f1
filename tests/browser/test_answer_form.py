"""The answer form in a real browser: drafts, the row of letters, and a network that comes and goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect

from annotation.answers.models import Answer
from annotation.projects.models import Project
from care.models import Receipt
from people.models import Person
from tests.browser.visitor import HEIGHT, PHONE
from tests.frontend.speaker.pages import DESK

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def phone(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser as wide as a small phone."""
    context = chromium.new_context(viewport={"width": PHONE, "height": HEIGHT})
    yield context
    context.close()


@pytest.fixture
def page(
    phone: BrowserContext, live_server: Any, ben: Person, project: Project, consenting: Callable[..., Receipt]
) -> Page:
    """The translation page, open in Ben's browser."""
    consenting(ben)
    client = Client()
    client.force_login(ben)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    phone.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    page = phone.new_page()
    page.goto(f"{live_server.url}{DESK}/work/{project.pk}/")
    return page


def poll(holds: Callable[[], bool], within: float = 10) -> None:
    """Wait until it holds."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def state(page: Page) -> Any:
    """The line that says what became of the text."""
    return page.locator("[data-state]")


def test_letters_are_written_at_the_caret(page: Page) -> None:
    page.fill("textarea[name=text]", "ab")
    page.evaluate("document.querySelector('textarea').setSelectionRange(1, 1)")
    page.click(".key[data-key='ʼ']")
    assert page.input_value("textarea[name=text]") == "aʼb"
    page.keyboard.type("x")
    assert page.input_value("textarea[name=text]") == "aʼxb"

    page.focus(".key[data-key='ñ']")
    page.keyboard.press("Enter")
    assert page.input_value("textarea[name=text]") == "aʼxñb"


def test_a_reload_restores_the_text_and_its_id(page: Page) -> None:
    page.fill("textarea[name=text]", "half a sentence")
    expect(state(page)).to_have_text("Saved on this device.")
    identity = page.input_value("[name=client_id]")

    page.reload()

    expect(page.locator("textarea[name=text]")).to_have_value("half a sentence")
    assert page.input_value("[name=client_id]") == identity


def test_a_refused_skip_keeps_the_text_for_later(page: Page) -> None:
    address = page.url
    page.fill("textarea[name=text]", "ñä kept")
    page.click("text=Skip this one")
    page.click("button:text-is('Skip it')")
    expect(page.get_by_role("alert")).to_have_text("Choose why you skip this sentence.")
    page.check("input[value=too_hard]")

    page.goto(address)

    expect(page.locator("textarea[name=text]")).to_have_value("ñä kept")


def test_without_a_connection_it_waits_and_then_sends_by_itself(page: Page) -> None:
    page.fill("textarea[name=text]", "ñä far from town")
    page.context.set_offline(True)
    page.click("text=Send, and show the next")
    expect(state(page)).to_contain_text("No connection.")
    expect(page.locator("textarea[name=text]")).to_have_value("ñä far from town")
    assert not Answer.objects.exists()

    page.context.set_offline(False)

    expect(page.locator(".sentence")).to_contain_text("frase 2 del texto", timeout=15_000)
    assert Answer.objects.get().text == "ñä far from town"


def test_a_lost_reply_stores_the_answer_once(page: Page) -> None:
    def lose_the_reply(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route("**/work/**", lose_the_reply, times=1)
    page.fill("textarea[name=text]", "ñä sent twice")
    page.click("text=Send, and show the next")
    expect(page.locator(".sentence")).to_contain_text("frase 2 del texto", timeout=15_000)
    assert Answer.objects.count() == 1


def test_a_refusal_is_shown_and_the_text_stays(page: Page) -> None:
    page.fill("textarea[name=text]", "Привет, как дела")
    page.click("text=Send, and show the next")
    expect(page.get_by_role("alert")).to_contain_text("Most letters are not in the script")
    expect(page.locator("textarea[name=text]")).to_have_value("Привет, как дела")


def leave_unsent(page: Page, text: str) -> Page:
    """Send while the network is away, and close the page; a new one of the same browser."""
    page.fill("textarea[name=text]", text)
    page.context.set_offline(True)
    page.click("text=Send, and show the next")
    expect(state(page)).to_contain_text("No connection.")
    context = page.context
    page.close()
    context.set_offline(False)
    return context.new_page()


def test_a_sentence_leased_again_takes_the_answer_that_waited(page: Page, ben: Person) -> None:
    address = page.url
    page = leave_unsent(page, "ñä from yesterday")
    ben.assignments.update(state="expired")

    page.goto(address)

    expect(page.locator("outbox-status a")).to_be_hidden()
    poll(lambda: Answer.objects.filter(text="ñä from yesterday").count() == 1)


def test_an_answer_left_unsent_is_sent_from_the_next_page(page: Page, live_server: Any) -> None:
    page.fill("textarea[name=text]", "ñä first")
    page.click("text=Send, and show the next")
    expect(page.locator(".sentence")).to_contain_text("frase 2 del texto")
    page = leave_unsent(page, "ñä second")
    assert Answer.objects.count() == 1

    page.goto(f"{live_server.url}/about/")

    expect(page.locator("outbox-status a")).to_be_hidden()
    poll(lambda: Answer.objects.count() == 2)
    assert set(Answer.objects.values_list("text", flat=True)) == {"ñä first", "ñä second"}


def test_an_answer_that_comes_too_late_waits_for_its_author(page: Page, ben: Person, live_server: Any) -> None:
    address = page.url
    page = leave_unsent(page, "ñä from yesterday")
    ben.assignments.update(state="skipped", skip_reason="other")

    page.goto(address)
    expect(page.locator("outbox-status a")).to_have_text("Look at: 1")
    page.click("outbox-status a")
    expect(page.locator("[data-list=attention]")).to_contain_text("ñä from yesterday")
    expect(page.locator("[data-list=attention]")).to_contain_text("You skipped this sentence.")

    page.on("dialog", lambda dialog: dialog.accept())
    page.click("[data-list=attention] >> text=Throw it away")
    expect(page.locator("[data-list=attention] li")).to_have_count(0)
    page.goto(address)
    expect(page.locator("outbox-status a")).to_be_hidden()


def test_another_person_on_the_same_device_sees_no_draft(
    page: Page, live_server: Any, filipa: Person, project: Project, consenting: Callable[..., Receipt]
) -> None:
    page.fill("textarea[name=text]", "Ben's own words")
    consenting(filipa)
    client = Client()
    client.force_login(filipa)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
    page.goto(f"{live_server.url}{DESK}/work/{project.pk}/")
    assert "Ben's own words" not in page.content()
    assert page.input_value("textarea[name=text]") == ""


def test_signed_out_meanwhile_keeps_the_text_and_shows_the_way(page: Page) -> None:
    page.fill("textarea[name=text]", "ñä kept")
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.click("text=Send, and show the next")
    expect(page.get_by_role("alert")).to_contain_text("You are signed out.")
    expect(page.get_by_role("alert").get_by_role("link")).to_be_visible()
    expect(page.locator("textarea[name=text]")).to_have_value("ñä kept")
