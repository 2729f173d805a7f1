"""Labelling words with the keyboard alone, in the text and in the list below it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.annotator_page import PHONE, TEXT, Given, answer, row, span, tap

pytest_plugins = ["tests.browser.annotator_fixtures"]
pytestmark = pytest.mark.browser


def test_keys_alone_find_a_word_and_label_it(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT))

    page.keyboard.press("Tab")
    expect(page.get_by_role("application", name="The text to label")).to_be_focused()
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("2")

    assert answer(page) == [span(TEXT, "cc", "LOC")]


def test_a_label_without_a_choice_is_for_the_word_at_the_caret(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT))
    page.focus("[data-text]")

    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("g")

    assert answer(page) == [span(TEXT, "bb", "ORG")]


def test_enter_gives_the_label_given_last(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT))
    page.focus("[data-text]")

    page.keyboard.press("2")
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Enter")

    assert answer(page) == [span(TEXT, "aa", "LOC"), span(TEXT, "bb", "LOC")]


def test_shift_and_arrows_choose_letter_by_letter(opened: Callable[..., Page]) -> None:
    page = opened(Given(text="abcd efgh"))
    page.focus("[data-text]")

    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("1")

    assert answer(page) == [span("abcd efgh", "bc", "PER")]


def test_shift_reaches_by_words_too(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT))
    page.focus("[data-text]")

    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("Shift+Alt+ArrowRight")
    page.keyboard.press("1")

    assert answer(page) == [span(TEXT, "bb cc", "PER")]


def test_arrows_point_where_the_text_runs_from_the_right(opened: Callable[..., Page]) -> None:
    text = "אב גד הו"
    page = opened(Given(text=text, direction="rtl", language_tag="he"))
    page.focus("[data-text]")

    page.keyboard.press("Control+ArrowLeft")
    page.keyboard.press("Control+ArrowLeft")
    page.keyboard.press("Control+ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("1")

    # From the second word one letter on is the space after it; back again is the last letter of the word.
    assert answer(page) == [span(text, "ד", "PER")]


def test_digits_work_on_a_keyboard_that_writes_other_digits(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT))
    page.focus("[data-text]")

    page.evaluate(
        """() => document.activeElement.dispatchEvent(
            new KeyboardEvent("keydown", { key: "٢", code: "Digit2", bubbles: true, cancelable: true }))"""
    )

    assert answer(page) == [span(TEXT, "aa", "LOC")]


def test_tab_leads_from_the_text_to_the_list(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, spans=[span(TEXT, "bb", "PER")]))
    page.focus("[data-text]")

    page.keyboard.press("Tab")

    expect(row(page, "bb").locator("summary")).to_be_focused()


def test_a_row_takes_the_keys_of_labels_and_of_removal(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, spans=[span(TEXT, "bb", "PER"), span(TEXT, "dd", "PER")]))

    row(page, "bb").locator("summary").focus()
    page.keyboard.press("2")
    assert answer(page)[0] == span(TEXT, "bb", "LOC")
    page.keyboard.press("Delete")

    assert answer(page) == [span(TEXT, "dd", "PER")]
    expect(row(page, "dd").locator("summary")).to_be_focused()


def test_a_row_has_buttons_for_all_that_its_keys_do(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, spans=[span(TEXT, "bb", "PER")]))
    row(page, "bb").locator("summary").focus()
    page.keyboard.press("Enter")

    row(page, "bb").get_by_role("button", name="LOC Place").press("Enter")
    row(page, "bb").get_by_role("button", name="End a word later").press("Enter")
    row(page, "bb cc").get_by_role("button", name="Start a letter later").press("Enter")
    assert answer(page) == [span(TEXT, "b cc", "LOC")]
    row(page, "b cc").get_by_role("button", name="Remove").press("Enter")

    assert answer(page) == []
    expect(page.locator("[data-text]")).to_be_focused()


def test_a_row_with_the_focus_is_never_behind_the_buttons(opened: Callable[..., Page]) -> None:
    text = " ".join(f"word{letter}" for letter in "abcdefghijkl")
    page = opened(Given(text=text, spans=[span(text, word, "PER") for word in text.split()]), **PHONE)
    tap(page, "wordb")
    page.locator("[data-dock] summary").tap()
    page.focus("[data-text]")

    for _ in range(20):
        page.keyboard.press("Tab")
        focus = page.evaluate("document.activeElement.getBoundingClientRect().bottom")
        assert focus <= page.evaluate("document.querySelector('[data-dock]').getBoundingClientRect().top + 1")
