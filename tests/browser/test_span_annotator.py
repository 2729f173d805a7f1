"""Labelling words in a real browser: by mouse, by touch, and what the page around sees of it."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.annotator_page import (
    OFFERS,
    PHONE,
    SCRIPTS,
    STATIC,
    TEXT,
    Given,
    answer,
    button,
    click,
    drag,
    place,
    row,
    span,
    tap,
)

pytest_plugins = ["tests.browser.annotator_fixtures"]
pytestmark = pytest.mark.browser


def test_a_click_chooses_the_word_and_a_button_labels_it(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT))

    click(page, "cc")
    button(page, "LOC Place").click()

    assert answer(page) == [span(TEXT, "cc", "LOC")]


def test_a_second_click_chooses_anew(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT))

    click(page, "aa")
    click(page, "cc")
    page.keyboard.press("1")

    assert answer(page) == [span(TEXT, "cc", "PER")]


def test_a_drag_labels_exactly_the_letters_under_it(opened: Callable[..., Page]) -> None:
    text = "abcdef ghijkl"
    page = opened(Given(text=text))

    drag(page, "c", "h")
    page.keyboard.press("g")

    assert answer(page) == [span(text, "cdef gh", "ORG")]


def test_a_drag_leaves_the_spaces_at_its_ends_out(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT))

    drag(page, " bb", "cc ")
    page.keyboard.press("1")

    assert answer(page) == [span(TEXT, "bb cc", "PER")]


@pytest.mark.parametrize(("text", "cluster", "direction"), SCRIPTS.values(), ids=SCRIPTS)
def test_a_drag_that_ends_within_a_cluster_takes_all_of_it(
    opened: Callable[..., Page], text: str, cluster: str, direction: str
) -> None:
    page = opened(Given(text=text, direction=direction))

    # The pointer cannot be aimed between two code points of one sign; the selection that it would make can.
    page.evaluate(
        """(cluster) => {
            const node = document.querySelector("[data-text]").firstChild;
            const start = node.data.indexOf(cluster);
            getSelection().setBaseAndExtent(node, start, node, start + cluster.length - 1);
        }""",
        cluster,
    )
    button(page, "PER Person").click()

    assert answer(page) == [span(text, cluster, "PER")]


def test_a_click_on_the_name_of_a_label_holds_its_span(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, spans=[span(TEXT, "bb cc", "PER"), span(TEXT, "cc", "LOC")]))

    page.locator(".span-marks > b", has_text="PER").click()
    page.keyboard.press("g")

    assert answer(page) == [span(TEXT, "bb cc", "ORG"), span(TEXT, "cc", "LOC")]


def test_two_taps_reach_from_word_to_word(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT), **PHONE)

    tap(page, "bb")
    tap(page, "dd")
    button(page, "PER Person").tap()

    assert answer(page) == [span(TEXT, "bb cc dd", "PER")]


def test_the_second_tap_may_come_before_the_first_in_the_text(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT), **PHONE)

    tap(page, "dd")
    tap(page, "bb")
    button(page, "PER Person").tap()

    assert answer(page) == [span(TEXT, "bb cc dd", "PER")]


def test_a_third_tap_begins_anew(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT), **PHONE)

    for word in ("aa", "bb", "dd"):
        tap(page, word)
    button(page, "PER Person").tap()

    assert answer(page) == [span(TEXT, "dd", "PER")]


def test_a_tap_beside_the_text_chooses_nothing(opened: Callable[..., Page]) -> None:
    page = opened(Given(text="aa"), **PHONE)
    tap(page, "aa")
    expect(page.locator(".span-picked")).to_be_visible()

    _, right, height = place(page, "aa")
    page.touchscreen.tap(right + 120, height)

    expect(page.locator(".span-picked")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Start a letter later", "b cc"),
        ("Start a letter earlier", "a bb cc"),
        ("Start a word earlier", "aa bb cc"),
        ("Start a word later", "cc"),
        ("End a letter earlier", "bb c"),
        ("End a letter later", "bb cc d"),
        ("End a word later", "bb cc dd"),
        ("End a word earlier", "bb"),
    ],
)
def test_each_edge_moves_by_a_letter_or_by_a_word(opened: Callable[..., Page], name: str, words: str) -> None:
    page = opened(Given(text=TEXT), **PHONE)
    tap(page, "bb")
    tap(page, "cc")
    page.locator("[data-dock]").get_by_text("Adjust").tap()

    button(page, name).tap()
    button(page, "PER Person").tap()

    assert answer(page) == [span(TEXT, words, "PER")]


def test_an_edge_moves_by_whole_clusters_and_never_past_the_other(opened: Callable[..., Page]) -> None:
    text, cluster, _ = SCRIPTS["Khmer"]
    page = opened(Given(text=text, spans=[span(text, "គ្ឃីង", "PER")]), **PHONE)
    row(page, "គ្ឃីង").locator("summary").tap()
    shrink = row(page, "គ្ឃី").get_by_role("button", name="End a letter earlier")

    for _ in range(3):
        shrink.tap()

    assert answer(page) == [span(text, cluster, "PER")]


def test_everything_to_tap_is_large_enough(opened: Callable[..., Page]) -> None:
    page = opened(
        Given(text=TEXT, spans=[span(TEXT, "bb", "PER")], suggestions=[span(TEXT, "cc", "LOC", "g")]), **PHONE
    )
    tap(page, "aa")
    page.locator("[data-dock]").get_by_text("Adjust").tap()
    row(page, "bb").locator("summary").tap()

    boxes = [
        one.bounding_box() for one in page.locator("span-annotator").locator("button:visible, summary:visible").all()
    ]

    assert len(boxes) > 20
    assert all(box is not None and box["width"] >= 44 and box["height"] >= 44 for box in boxes)


def test_every_change_is_an_input_of_the_form(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT))
    page.evaluate(
        """() => {
            window.heard = [];
            document.querySelector("form").addEventListener("input", ({ target }) => heard.push(target.value));
        }"""
    )
    click(page, "aa")
    page.keyboard.press("1")
    page.keyboard.press("Delete")
    page.keyboard.press("Control+z")

    assert [len(page.evaluate(f"JSON.parse(heard[{n}])")) for n in range(3)] == [1, 0, 1]


def test_a_draft_written_into_the_field_is_taken_over(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, suggestions=OFFERS))

    page.evaluate(
        """(draft) => {
            const field = document.querySelector("[name=spans]");
            field.value = draft;
            field.dispatchEvent(new Event("change", { bubbles: true }));
        }""",
        '[{"start": 3, "end": 5, "label": "LOC", "suggested_by": "gazetteer"}]',
    )

    expect(page.locator(".span-bar")).to_have_count(2)
    expect(page.locator(".span-bar.offered")).to_have_count(1)


def test_a_reload_finds_the_labels_again(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, keeps_drafts=True))
    click(page, "bb")
    page.keyboard.press("1")
    expect(page.locator("[data-state]")).to_have_text("Saved.")

    page.reload()

    expect(page.locator(".span-marks > b")).to_have_text("PER")
    assert answer(page) == [span(TEXT, "bb", "PER")]


def test_what_was_done_is_said(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT))
    said = page.locator("[data-status]")
    expect(said).to_have_attribute("role", "status")
    expect(said).to_contain_text("Tap a word")

    click(page, "bb")
    expect(said).to_have_text("“bb”: choose a label.")
    page.keyboard.press("1")
    expect(said).to_have_text("PER: “bb”.")
    click(page, "bb")
    page.keyboard.press("1")
    expect(said).to_have_text("There already: PER, “bb”.")
    page.keyboard.press("Control+z")
    expect(said).to_have_text("Undone.")


def test_what_was_done_is_still_said_when_the_keyboard_goes_on_to_the_next_row(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, suggestions=OFFERS))

    row(page, "bb").get_by_role("button", name="Not this").press("Enter")

    expect(row(page, "dd").get_by_role("button", name="Keep")).to_be_focused()
    expect(page.locator("[data-status]")).to_have_text("Put aside: LOC, “bb”.")


def test_the_caret_speaks_for_those_who_do_not_see_it(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, language_tag="ote"))
    page.focus("[data-text]")

    page.keyboard.press("Control+ArrowRight")

    expect(page.locator("[data-voice]")).to_have_text("bb")
    expect(page.locator("[data-voice]")).to_have_attribute("lang", "ote")


def test_plain_rows_are_there_without_scripts_and_make_way_for_them(opened: Callable[..., Page]) -> None:
    plain = opened(Given(text=TEXT, suggestions=OFFERS), java_script_enabled=False)
    expect(plain.get_by_label("From word")).to_be_visible()
    expect(plain.get_by_label("Keep the suggestion LOC: “bb” (gazetteer)")).not_to_be_checked()
    expect(plain.locator("[data-dock]")).to_be_hidden()

    live = opened(Given(text=TEXT))
    expect(live.locator("[name=row_from]")).to_be_hidden()
    assert live.evaluate("[...new FormData(document.querySelector('form')).keys()]") == ["spans"]


@pytest.mark.parametrize("size", ["100%", "200%"])
def test_a_narrow_phone_needs_no_scrolling_sideways(opened: Callable[..., Page], size: str) -> None:
    text = "aaaaaaaaaa bbbbbbbbbb cccccccccccc dddd eeeeeeee"
    given = Given(
        text=text, spans=[span(text, "bbbbbbbbbb cccccccccccc", "PER")], suggestions=[span(text, "dddd", "LOC", "g")]
    )
    page = opened(given, viewport={"width": 320, "height": 640}, has_touch=True)
    page.add_style_tag(content=f"html {{ font-size: {size} }}")
    tap(page, "aaaaaaaaaa")
    page.locator("[data-dock]").get_by_text("Adjust").tap()
    row(page, "bbbbbbbbbb").locator("summary").tap()

    assert page.evaluate("document.documentElement.scrollWidth") == 320
    reach = page.evaluate(
        """Math.max(
            ...[...document.querySelectorAll("span-annotator *")].map((one) => one.getBoundingClientRect().right)
        )"""
    )
    assert reach <= 320


def test_colours_forced_by_the_system_leave_the_marks_visible(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, spans=[span(TEXT, "bb", "PER")]), forced_colors="active")

    style = page.locator(".span-bar").evaluate(
        "(bar) => [getComputedStyle(bar).zIndex, getComputedStyle(bar).borderTopWidth]"
    )

    assert style == ["1", "3px"]


def test_the_files_are_light() -> None:
    scripts = ("span-annotator.js", "span-marks.js", "spans.js")
    weights = [len(gzip.compress((STATIC / "js" / name).read_bytes(), 9)) for name in scripts]

    assert sum(weights) <= 8 * 1024
    assert len(gzip.compress((STATIC / "css" / "spans.css").read_bytes(), 9)) <= 2 * 1024
