"""Suggestions one by one, the same word everywhere, and every act undone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.annotator_page import OFFERS, PHONE, TEXT, Given, answer, button, click, row, span

pytest_plugins = ["tests.browser.annotator_fixtures"]
pytestmark = pytest.mark.browser


def test_suggestions_are_shown_as_such_and_not_kept(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, suggestions=OFFERS))

    expect(page.locator(".span-bar.offered")).to_have_count(2)
    expect(row(page, "bb")).to_contain_text("gazetteer")
    assert answer(page) == []
    click(page, "aa")
    page.keyboard.press("1")
    assert answer(page) == [span(TEXT, "aa", "PER")]


def test_suggestions_are_kept_one_by_one_and_say_where_they_come_from(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, suggestions=OFFERS))

    row(page, "bb").get_by_role("button", name="Keep").click()

    assert answer(page) == OFFERS[:1]
    expect(page.locator(".span-bar.offered")).to_have_count(1)
    expect(row(page, "dd").get_by_role("button", name="Keep")).to_be_focused()
    page.keyboard.press("Enter")
    assert answer(page) == OFFERS


def test_a_suggestion_put_aside_leaves_the_page(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, suggestions=OFFERS), **PHONE)

    row(page, "bb").get_by_role("button", name="Not this").tap()

    assert answer(page) == []
    expect(page.locator("[data-list] > li")).to_have_count(1)


def test_a_kept_suggestion_that_is_changed_says_so(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, suggestions=OFFERS))
    for words in ("bb", "dd"):
        row(page, words).get_by_role("button", name="Keep").click()

    row(page, "bb").locator("summary").click()
    row(page, "bb").get_by_role("button", name="ORG Group").click()
    row(page, "dd").locator("summary").click()
    row(page, "dd").get_by_role("button", name="Start a word earlier").click()

    assert answer(page) == [
        span(TEXT, "bb", "ORG", "gazetteer+edited"),
        span(TEXT, "cc dd", "PER", "adapter+edited"),
    ]


def test_labelling_what_was_suggested_is_keeping_it(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, suggestions=OFFERS))

    click(page, "bb")
    page.keyboard.press("2")

    assert answer(page) == OFFERS[:1]
    expect(page.locator(".span-bar.offered")).to_have_count(1)


def test_suggestions_that_are_in_the_answer_are_not_made_again(opened: Callable[..., Page]) -> None:
    before = [OFFERS[0], span(TEXT, "dd", "ORG", "adapter+edited")]
    page = opened(Given(text=TEXT, spans=before, suggestions=OFFERS))

    expect(page.locator(".span-bar")).to_have_count(2)
    expect(page.locator(".span-bar.offered")).to_have_count(0)


MANY = "Aa bb aa. Aab aa bb"


def test_the_same_word_everywhere_is_one_key_and_one_step_back(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=MANY))
    click(page, "aa")
    page.keyboard.press("1")

    page.keyboard.press("*")

    assert [(one["start"], one["end"]) for one in answer(page)] == [(0, 2), (6, 8), (14, 16)]
    page.keyboard.press("Control+z")
    assert answer(page) == [span(MANY, "aa", "PER")]


def test_several_words_are_found_again_and_so_is_a_stem(opened: Callable[..., Page]) -> None:
    text = "aa bb cc aab aa bb"
    page = opened(Given(text=text, spans=[span(text, "aa bb", "PER")]))
    row(page, "aa bb").locator("summary").click()
    row(page, "aa bb").get_by_role("button", name="Same everywhere").click()
    assert [(one["start"], one["end"]) for one in answer(page)] == [(0, 5), (13, 18)]

    stem = opened(Given(text="aax aay baax", spans=[span("aax aay baax", "aa", "PER")]))
    row(stem, "aa").locator("summary").click()
    stem.keyboard.press("*")
    assert [(one["start"], one["end"]) for one in answer(stem)] == [(0, 2), (4, 6)]


def test_the_page_hears_of_the_word_for_its_other_texts(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=MANY))
    page.evaluate(
        "document.addEventListener('span-annotator:same-word', ({ detail }) => (window.heard = JSON.stringify(detail)))"
    )
    click(page, "bb")
    page.keyboard.press("2")

    button(page, "Same everywhere").click()

    assert page.evaluate("JSON.parse(window.heard)") == {"word": "bb", "label": "LOC"}


def test_the_same_word_keeps_where_a_suggestion_came_from(opened: Callable[..., Page]) -> None:
    offer = {**span(MANY, "aa bb", "PER", "gazetteer"), "start": 14, "end": 16}
    page = opened(Given(text=MANY, suggestions=[offer]))
    click(page, "aa")
    page.keyboard.press("1")

    page.keyboard.press("*")

    assert [one["suggested_by"] for one in answer(page)] == ["", "", "gazetteer"]


def test_every_act_is_undone_and_done_again(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, suggestions=OFFERS))
    states = [answer(page)]

    def note() -> None:
        assert answer(page) != states[-1]
        states.append(answer(page))

    click(page, "aa")
    page.keyboard.press("1")
    note()
    row(page, "bb").get_by_role("button", name="Keep").click()
    note()
    row(page, "aa").locator("summary").click()
    page.keyboard.press("g")
    note()
    row(page, "aa").get_by_role("button", name="End a letter earlier").click()
    note()
    row(page, "bb").get_by_role("button", name="Remove").click()
    note()

    for state in states[-2::-1]:
        button(page, "Undo").click()
        assert answer(page) == state
    expect(page.locator(".span-bar.offered")).to_have_count(2)
    for state in states[1:]:
        page.keyboard.press("Control+y")
        assert answer(page) == state


def test_a_suggestion_put_aside_comes_back_by_undo(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, suggestions=OFFERS))
    row(page, "bb").get_by_role("button", name="Not this").click()

    page.keyboard.press("Control+z")

    expect(page.locator(".span-bar.offered")).to_have_count(2)
