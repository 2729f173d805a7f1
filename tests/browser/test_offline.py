"""Days without a connection: a packet on the phone, answers in its outbox, a network and a browser that fail."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from annotation.answers.models import Answer
from annotation.corpora.services import import_upload
from annotation.projects.models import Assignment, Project
from annotation.projects.services import open_project
from care.models import Receipt
from care.services import withdraw_purposes
from people.models import Community, Person
from tests.browser.visitor import HEIGHT, PHONE
from tests.conftest import NOW, TRAINING
from tests.frontend.speaker.pages import DESK
from wordhearth.browsing import ARGUMENTS, find_chromium

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HELD = 30


@pytest.fixture
def thirty(community: Community, aroha: Person) -> Project:
    """A project of thirty sentences."""
    lines = "\n".join(f"frase {number}" for number in range(1, HELD + 1))
    import_upload(
        community=community,
        imported_by=aroha,
        name="thirty.tsv",
        content=f"text\n{lines}\n".encode(),
        licence="CC0",
        title="Thirty",
        language_tag="es",
        now=NOW,
    )
    return open_project(
        community=community,
        created_by=aroha,
        sources=community.sources.all(),
        now=NOW,
        title="Thirty",
        source_language_name="Spanish",
        source_language_tag="es",
    )


class Phone:
    """A Chromium with a folder of its own, which outlives its process."""

    def __init__(self, chromium: Browser, folder: Path, site: str) -> None:
        self.chromium, self.folder, self.site = chromium, folder, site
        self.context = self.start()

    def start(self) -> BrowserContext:
        """Start it, again if it was killed."""
        self.context = self.chromium.browser_type.launch_persistent_context(
            self.folder,
            executable_path=find_chromium(),
            args=ARGUMENTS,
            viewport={"width": PHONE, "height": HEIGHT},
        )
        return self.context

    def sign_in(self, person: Person) -> None:
        """Somebody uses it now."""
        client = Client()
        client.force_login(person)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        # With a date, or the browser forgets it with its process.
        day = time.time() + 86_400
        name = settings.SESSION_COOKIE_NAME
        self.context.add_cookies([{"name": name, "value": cookie, "url": self.site, "expires": day}])

    def kill(self) -> None:
        """As when its battery is empty."""
        subprocess.run(["pkill", "-KILL", "-f", f"user-data-dir={self.folder}"], check=True)


@pytest.fixture
def phone(chromium: Browser, live_server: Any, tmp_path: Path) -> Iterator[Phone]:
    """A phone of which nobody has signed in yet."""
    phone = Phone(chromium, tmp_path / "browser", live_server.url)
    yield phone
    phone.context.close()


def take_along(phone: Phone, project: Project, size: int = HELD) -> Page:
    """Take a packet, and wait until the phone has it."""
    page = phone.context.new_page()
    page.goto(f"{phone.site}{DESK}/take/{project.pk}/")
    page.check(f"input[value='{size}']")
    page.click("button:text-is('Take along')")
    # How long a busy machine takes to put thirty pages aside says nothing of the site.
    expect(page.locator("[data-kept]")).to_be_visible(timeout=60_000)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    return page


def write(page: Page, number: int, words: str) -> None:
    """Answer the task of that number, which is shown or about to be; the next one comes."""
    task = page.locator("[data-task]").filter(has=page.locator(f".sentence:text-is('frase {number}')"))
    expect(task).to_be_visible()
    task.locator("textarea[name=text]").fill(words)
    task.locator("button:text-is('Done, and show the next')").click()


def status(page: Page) -> Any:
    """How many wait, as every page shows it."""
    return page.locator("outbox-status a")


def poll(holds: Callable[[], bool], within: float = 60) -> None:
    """Wait until it holds."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, "It did not come to hold in time."
        time.sleep(0.1)


class BadNetwork:
    """Loses the reply to some requests and sends others twice."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.under_way = self.most_under_way = 0

    def __call__(self, route: Route) -> None:
        """Do it to one request."""
        if route.request.method != "POST":
            route.fallback()
            return
        number = sum(self.sent.values())
        self.sent[route.request.url] += 1
        response = route.fetch()
        if number % 7 == 3:
            route.abort()
        elif number % 5 == 1:
            route.fulfill(response=route.fetch())
        else:
            route.fulfill(response=response)


@pytest.mark.slow
def test_thirty_answers_in_two_tabs_outlive_the_network_and_the_browser(
    phone: Phone, thirty: Project, ben: Person, consenting: Callable[..., Receipt]
) -> None:
    consenting(ben)
    phone.sign_in(ben)
    first = take_along(phone, thirty)
    phone.context.set_offline(True)
    second = phone.context.new_page()
    second.goto(first.url)
    for _ in range(HELD // 2):
        second.click("[data-on]")

    for number in range(HELD // 2):
        write(first, number + 1, f"ñä one {number}")
        write(second, HELD // 2 + number + 1, f"ñä two {number}")
    expect(status(first)).to_have_text(f"Waiting: {HELD}")
    expect(second.locator("[data-count]")).to_have_text(f"{HELD} of {HELD} written")
    assert not Answer.objects.exists()

    phone.kill()
    network = BadNetwork()
    phone.start().route("**/work/**", network)
    # A browser writes cookies down only after half a minute, so a quick one has forgotten who used it.
    phone.sign_in(ben)
    tabs = [phone.context.new_page() for _ in range(2)]
    for tab in tabs:
        tab.goto(f"{phone.site}{DESK}/")

    # The badge is hidden, too, before a page has counted what waits. Waiting in the page lets the network answer.
    for _ in range(450):
        if Answer.objects.count() >= HELD:
            break
        tabs[0].wait_for_timeout(200)
    for tab in tabs:
        expect(status(tab)).to_be_hidden(timeout=90_000)
    expected = {f"ñä {tab} {number}" for tab in ("one", "two") for number in range(HELD // 2)}
    assert sorted(Answer.objects.values_list("text", flat=True)) == sorted(expected)
    assert sum(network.sent.values()) > HELD


def test_a_packet_opens_without_a_connection_and_knows_what_was_written(
    phone: Phone, thirty: Project, ben: Person, consenting: Callable[..., Receipt]
) -> None:
    consenting(ben)
    phone.sign_in(ben)
    page = take_along(phone, thirty, 10)
    phone.context.set_offline(True)
    write(page, 1, "ñä first")
    expect(status(page)).to_have_text("Waiting: 1")
    page.goto(f"{phone.site}{DESK}/words/")
    expect(page.locator("h1")).to_have_text("On this device")
    expect(page.locator("[data-list=waiting]")).to_contain_text("ñä first")

    page.click("[data-packets] a")

    expect(page.locator("[data-count]")).to_have_text("1 of 10 written")
    expect(page.locator("[data-task]:visible .sentence")).to_have_text("frase 2")
    page.click("[data-back]")
    expect(page.locator("[data-task]:visible textarea[name=text]")).to_have_value("ñä first")
    page.locator("[data-task]:visible textarea[name=text]").fill("ñä changed")
    page.click("[data-task]:visible >> text=Done, and show the next")
    phone.context.set_offline(False)
    poll(Answer.objects.exists)
    expect(status(page)).to_be_hidden()
    assert Answer.objects.get().text == "ñä changed"


def test_a_skip_waits_like_an_answer(
    phone: Phone, thirty: Project, ben: Person, consenting: Callable[..., Receipt]
) -> None:
    consenting(ben)
    phone.sign_in(ben)
    page = take_along(phone, thirty, 10)
    phone.context.set_offline(True)
    task = page.locator("[data-task]:visible")
    task.locator("summary:text-is('Skip this one')").click()
    task.locator("input[value=too_hard]").check()
    task.locator("button:text-is('Skip it')").click()
    expect(page.locator("[data-task]:visible .sentence")).to_have_text("frase 2")

    phone.context.set_offline(False)

    poll(lambda: Assignment.objects.filter(state="skipped", skip_reason="too_hard").count() == 1)


def test_what_was_written_under_a_consent_that_ended_is_kept_apart(
    phone: Phone, thirty: Project, ben: Person, community: Community, consenting: Callable[..., Receipt]
) -> None:
    consenting(ben)
    phone.sign_in(ben)
    page = take_along(phone, thirty, 10)
    phone.context.set_offline(True)
    write(page, 1, "ñä meanwhile")
    expect(status(page)).to_have_text("Waiting: 1")
    withdraw_purposes(person=ben, community=community, purposes=TRAINING, now=timezone.now())

    phone.context.set_offline(False)

    poll(Answer.objects.exists)
    expect(status(page)).to_be_hidden()
    assert Answer.objects.get().state == "quarantined"


def test_words_are_never_sent_in_the_name_of_another(
    phone: Phone, thirty: Project, ben: Person, filipa: Person, consenting: Callable[..., Receipt]
) -> None:
    consenting(ben)
    phone.sign_in(ben)
    page = take_along(phone, thirty, 10)
    phone.context.set_offline(True)
    write(page, 1, "ñä of Ben")
    expect(status(page)).to_have_text("Waiting: 1")
    phone.sign_in(filipa)
    phone.context.set_offline(False)
    page.goto(f"{phone.site}{DESK}/")
    expect(status(page)).to_be_hidden()
    time.sleep(3)
    assert not Answer.objects.exists()

    phone.sign_in(ben)
    page.goto(f"{phone.site}{DESK}/")

    poll(lambda: Answer.objects.filter(author=ben).count() == 1)


def test_signing_out_takes_the_packet_from_the_phone_and_leaves_what_waits(
    phone: Phone, thirty: Project, ben: Person, consenting: Callable[..., Receipt]
) -> None:
    consenting(ben)
    phone.sign_in(ben)
    page = take_along(phone, thirty, 10)
    address = page.url
    page.route("**/work/**", lambda route: route.abort())
    write(page, 1, "ñä waits")
    expect(status(page)).to_have_text("Waiting: 1")

    page.click("text=Sign out")
    page.wait_for_url("**/")
    phone.context.set_offline(True)
    page.goto(address)

    expect(page.locator("h1")).to_have_text("On this device")
    expect(page.locator("[data-packets] li")).to_have_count(0)
    expect(page.locator("[data-list=waiting]")).to_contain_text("ñä waits")
