"""Marks over and under the text: readable where spans nest, overlap, wrap, or change direction."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.annotator_page import PHONE, TEXT, Given, place, span

pytest_plugins = ["tests.browser.annotator_fixtures"]
pytestmark = pytest.mark.browser


def tops(page: Page) -> dict[str, float]:
    """How low each name of a label stands."""
    return {tag.inner_text(): tag.bounding_box()["y"] for tag in page.locator(".span-marks > b").all()}  # type: ignore[index]


def test_nested_spans_lie_under_each_other_with_their_names(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, spans=[span(TEXT, "bb cc dd", "ORG"), span(TEXT, "cc", "PER")]))

    assert tops(page)["PER"] + 10 < tops(page)["ORG"]


def test_overlapping_spans_lie_under_each_other_with_their_names(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, spans=[span(TEXT, "aa bb", "ORG"), span(TEXT, "bb cc", "PER")]))

    assert abs(tops(page)["PER"] - tops(page)["ORG"]) > 10


def test_spans_apart_share_a_lane_unless_their_names_would_meet(opened: Callable[..., Page]) -> None:
    labels = [{"code": code, "name": code, "colour": colour, "hotkey": code} for colour, code in enumerate("xyz", 1)]
    long = [{**one, "code": one["code"] * 9} for one in labels]
    text = "a b cccccccccccc d"

    short_page = opened(Given(text=text, labels=labels, spans=[span(text, "a", "x"), span(text, "b", "y")]))
    assert len(set(tops(short_page).values())) == 1
    long_page = opened(Given(text=text, labels=long, spans=[span(text, "a", "x" * 9), span(text, "b", "y" * 9)]))
    assert len(set(tops(long_page).values())) == 2


def test_a_span_over_two_lines_is_underlined_on_both(opened: Callable[..., Page]) -> None:
    text = " ".join(["aaaaaaa"] * 12)
    page = opened(Given(text=text, spans=[{"start": 0, "end": len(text), "label": "PER", "suggested_by": ""}]), **PHONE)

    bars = [bar.bounding_box() for bar in page.locator(".span-bar").all()]

    assert len({bar["y"] for bar in bars if bar}) >= 3
    expect(page.locator(".span-marks > b")).to_have_count(1)


def test_a_span_across_directions_is_underlined_where_its_letters_stand(opened: Callable[..., Page]) -> None:
    text = "אב abcd גד"
    page = opened(Given(text=text, direction="rtl", spans=[{"start": 1, "end": 5, "label": "PER", "suggested_by": ""}]))

    bars = sorted(bar.bounding_box()["x"] for bar in page.locator(".span-bar").all())  # type: ignore[index]

    # The letter ב with the space stands to the right, ab at the left end of the foreign word: cd lies between.
    assert len(bars) == 2
    assert abs(bars[0] - place(page, "ab")[0]) < 1
    assert abs(bars[1] - place(page, "ב ")[0]) < 1


def test_lines_make_room_for_lanes(opened: Callable[..., Page]) -> None:
    text = " ".join(["aaaaaaa"] * 12)
    page = opened(Given(text=text), **PHONE)
    before = page.locator("[data-text]").bounding_box()
    page.focus("[data-text]")

    for key in ("1", "Control+ArrowRight", "Shift+Control+ArrowLeft", "2", "Space", "g"):
        page.keyboard.press(key)

    after = page.locator("[data-text]").bounding_box()
    assert before is not None
    assert after is not None
    assert after["height"] > before["height"] + 30


def test_marks_follow_when_the_font_of_the_community_arrives(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, spans=[span(TEXT, "dd", "PER")]))

    # Wider letters on a line of the same height, as another font would have them.
    page.add_style_tag(content="[data-text] { letter-spacing: 4px }")
    page.evaluate("document.fonts.dispatchEvent(new Event('loadingdone'))")

    bar = page.locator(".span-bar").bounding_box()
    assert bar is not None
    assert abs(bar["x"] - place(page, "dd")[0]) < 1


def test_a_browser_without_custom_highlights_still_shows_the_marks(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, spans=[span(TEXT, "bb", "PER")]), script="delete CSS.highlights")
    assert page.evaluate("CSS.highlights") is None

    expect(page.locator(".span-bar")).to_be_visible()
