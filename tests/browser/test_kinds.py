"""Every kind of task, answered by touch and by keyboard alone, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, expect

from annotation.answers.models import Answer
from annotation.kinds import KINDS
from annotation.projects.models import Project
from care.models import Receipt
from people.models import Community, Person
from tests.browser.visitor import HEIGHT, PHONE, Visitor
from tests.frontend.speaker.pages import DESK
from tests.kinds.opening import answer_of, open_kind

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# For each kind: what is touched in turn (a field is written in), and what the answer then says.
WORDS = (["textarea[name=text]"], {"text": "ñä words"})
TOUCHED: dict[str, tuple[list[str], dict[str, Any]]] = {
    "translate": WORDS,
    "simplify": WORDS,
    "write": WORDS,
    "respond": WORDS,
    "classify": (["[name=labels][value=sad]"], {"payload": {"labels": ["sad"]}}),
    "compare": (["[name=choice][value=b]"], {"payload": {"choice": "b"}}),
    "contrast": (
        ["textarea[name='about:ones']", "textarea[name='about:others']"],
        {"payload": {"about": {"ones": "ñä words", "others": "ñä words too"}}},
    ),
    "rate": (
        ["[name=adequacy][value='4']", "[name=fluency][value='5']"],
        {"payload": {"adequacy": 4, "fluency": 5}},
    ),
    "label": (
        ["word:frase", ".span-row [data-label=LOC]"],
        {"payload": {"spans": [{"start": 0, "end": 5, "label": "LOC", "suggested_by": ""}]}},
    ),
}


@pytest.fixture
def ben_at(
    chromium: Browser, live_server: Any, ben: Person, consenting: Callable[..., Receipt]
) -> Iterator[Callable[..., Page]]:
    """ben_at(project) opens its work in a browser with a touch screen."""
    consenting(ben)
    context = chromium.new_context(viewport={"width": PHONE, "height": HEIGHT}, has_touch=True, is_mobile=True)
    client = Client()
    client.force_login(ben)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])

    def open_work(project: Project, page: str = "work") -> Page:
        tab = context.new_page()
        tab.goto(f"{live_server.url}{DESK}/{page}/{project.pk}/")
        return tab

    yield open_work
    context.close()


def typed_in(what: str) -> str:
    """The words for a field; two fields of one answer get different ones."""
    return "ñä words too" if "others" in what else "ñä words"


def touch(page: Page, what: str) -> None:
    """Tap it, and write where it is a field."""
    if what.startswith("word:"):
        # The first letters of the text stand at the start of its box.
        box = page.locator("[data-text]").first.bounding_box()
        assert box
        page.touchscreen.tap(box["x"] + 12, box["y"] + 16)
        return
    element = page.locator(what).first
    element.tap()
    if what.startswith("textarea"):
        page.keyboard.type(typed_in(what))


def reach(page: Page, what: str) -> None:
    """Go on with the Tab key until the focus is there."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("what => document.activeElement.matches(what)", what):
            return
    raise AssertionError(f"The Tab key never came to {what}.")


def press(page: Page, what: str) -> None:
    """Do it with keys alone."""
    if what.startswith("word:"):
        reach(page, "[data-text]")
        page.keyboard.press(" ")
    elif what.startswith("[name="):
        name, _, value = what[1:-1].partition("][value=")
        group = f"[{name}]"
        reach(page, group)
        # Within a group the arrow keys choose; a box is reached by Tab and ticked by the space bar.
        for _ in range(8):
            if page.evaluate("value => document.activeElement.value === value", value.strip("'")):
                break
            page.keyboard.press("ArrowDown")
        page.keyboard.press(" ")
    else:
        reach(page, what)
        if what.startswith("textarea"):
            page.keyboard.type(typed_in(what))
        else:
            page.keyboard.press("Enter")


def test_each_kind_is_gone_through() -> None:
    assert set(TOUCHED) == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_by_touch(community: Community, aroha: Person, ben_at: Callable[..., Page], kind: str) -> None:
    steps, says = TOUCHED[kind]
    page = ben_at(open_kind(community, aroha, kind))
    for step in steps:
        touch(page, step)
    page.locator("button:text-is('Send, and show the next')").tap()
    expect(page.locator(".messages")).to_contain_text("Thank you.")
    answer = Answer.objects.get()
    assert {name: getattr(answer, name) for name in says} == says


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_by_keyboard(community: Community, aroha: Person, ben_at: Callable[..., Page], kind: str) -> None:
    steps, says = TOUCHED[kind]
    page = ben_at(open_kind(community, aroha, kind))
    for step in steps:
        press(page, step)
    reach(page, "form > button.wide")
    page.keyboard.press("Enter")
    expect(page.locator(".messages")).to_contain_text("Thank you.")
    answer = Answer.objects.get()
    assert {name: getattr(answer, name) for name in says} == says


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_everybody_can_use_the_page_of_a_kind(
    community: Community, aroha: Person, ben_at: Callable[..., Page], live_server: Any, kind: str
) -> None:
    project = open_kind(community, aroha, kind)
    for name in ("work", "take"):
        visitor = Visitor(ben_at(project, name), live_server.url, PHONE, "ben")
        assert visitor.use() + visitor.squeeze() == []


@pytest.mark.parametrize("kind", sorted(name for name, kind in KINDS.items() if kind.is_reviewed))
def test_a_kind_is_checked_by_keyboard(
    community: Community,
    aroha: Person,
    filipa: Person,
    ben_at: Callable[..., Page],
    consenting: Callable[..., Receipt],
    live_server: Any,
    kind: str,
) -> None:
    consenting(filipa)
    project = open_kind(community, aroha, kind)
    answer = answer_of(project, filipa, **TOUCHED[kind][1])
    page = ben_at(project, "review")
    visitor = Visitor(page, live_server.url, PHONE, "ben")
    assert visitor.use() + visitor.squeeze() == []
    reach(page, "button[value=approve]")
    page.keyboard.press("Enter")
    expect(page.locator(".messages")).to_contain_text("Thank you")
    assert [review.verdict for review in answer.reviews.all()] == ["approve"]


def values_of(page: Page) -> list[str]:
    """What each annotator of the page would send."""
    values: list[str] = page.locator("[name=spans]").evaluate_all("all => all.map(one => one.value)")
    return values


def test_the_same_word_is_labelled_in_the_whole_packet_and_taken_back_in_one_step(
    community: Community, aroha: Person, ben_at: Callable[..., Page]
) -> None:
    project = open_kind(community, aroha, "label")
    page = ben_at(project, "take")
    page.locator("button:text-is('Take along')").tap()
    expect(page.locator("[data-kept]")).to_be_visible(timeout=60_000)
    touch_first = page.locator("[data-task]:visible [data-text]").bounding_box()
    assert touch_first
    page.touchscreen.tap(touch_first["x"] + 12, touch_first["y"] + 16)
    page.locator("[data-task]:visible .span-row [data-label=LOC]").first.tap()
    page.locator("[data-task]:visible [data-dock] [data-do=same]").tap()

    expect(page.locator("[data-fate]")).to_contain_text("in other texts of this packet too: 3")
    assert ["LOC" in value for value in values_of(page)] == [True] * 4

    page.locator("[data-task]:visible [data-travel='-1']").tap()
    assert ["LOC" in value for value in values_of(page)] == [False] * 4
