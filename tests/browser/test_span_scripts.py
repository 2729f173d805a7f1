"""Spans in scripts of every build: offsets in code points, edges between clusters, letters that stay joined."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.annotator_page import SCRIPTS, Given, answer, button, click, place, span

pytest_plugins = ["tests.browser.annotator_fixtures"]
pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("text", "cluster", "direction"), SCRIPTS.values(), ids=SCRIPTS)
def test_offsets_are_code_points_in_every_script(
    opened: Callable[..., Page], text: str, cluster: str, direction: str
) -> None:
    page = opened(Given(text=text, direction=direction))
    page.focus("[data-text]")

    page.keyboard.press("Control+ArrowLeft" if direction == "rtl" else "Control+ArrowRight")
    page.keyboard.press("1")

    assert answer(page)[0]["start"] == text.index(cluster)
    assert text[answer(page)[0]["start"] :].startswith(cluster)
    click(page, text.rsplit(maxsplit=1)[-1])
    page.keyboard.press("2")
    assert answer(page)[1] == span(text, text.rsplit(maxsplit=1)[-1], "LOC")


@pytest.mark.parametrize(("text", "cluster", "direction"), SCRIPTS.values(), ids=SCRIPTS)
@pytest.mark.parametrize("script", ["", "delete Intl.Segmenter"], ids=["with a segmenter", "without"])
def test_one_step_of_the_caret_is_one_cluster(
    opened: Callable[..., Page], text: str, cluster: str, direction: str, script: str
) -> None:
    page = opened(Given(text=text, direction=direction), script=script)
    page.focus("[data-text]")
    on, back = ("ArrowLeft", "ArrowRight") if direction == "rtl" else ("ArrowRight", "ArrowLeft")

    for _ in range(3):
        page.keyboard.press(on)
    page.keyboard.press(f"Shift+{on}")
    page.keyboard.press(f"Shift+{back}")
    page.keyboard.press("1")

    assert answer(page) == [span(text, cluster, "PER")]


def test_an_answer_from_before_is_shown_and_stays_as_it_was(opened: Callable[..., Page]) -> None:
    text, cluster, direction = SCRIPTS["Adlam"]
    before = [span(text, cluster, "PER"), span(text, text.split()[2], "LOC", "gazetteer")]
    page = opened(Given(text=text, spans=before, direction=direction))
    expect(page.locator(".span-marks > b")).to_have_text(["PER", "LOC"])

    click(page, text.split()[0])
    page.keyboard.press("g")

    assert answer(page) == [span(text, text.split()[0], "ORG"), *before]


@pytest.mark.parametrize("text", ["ابجد هوز حطي", "ߊߋߌ ߍߎߏ ߊߋߌ", "𞤢𞤣𞤤 𞤥𞤦𞤧 𞤢𞤣𞤤"], ids=["Arabic", "N'Ko", "Adlam"])
def test_the_text_stays_one_node_so_that_letters_join(opened: Callable[..., Page], text: str) -> None:
    page = opened(Given(text=text, direction="rtl"))
    width = place(page, text.split()[1])
    page.evaluate(
        """() => {
            const node = document.querySelector("[data-text]").firstChild;
            getSelection().setBaseAndExtent(node, 5, node, 6);
        }"""
    )

    button(page, "PER Person").click()

    assert len(answer(page)) == 1
    assert page.evaluate("[...document.querySelector('[data-text]').childNodes].map((node) => node.nodeType)") == [3]
    assert place(page, text.split()[1])[:2] == width[:2]
