"""Labelling words in a real browser: by mouse, by touch and by keys alone, in scripts of every build."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.annotator_page import STATIC, Given, answer, button, click, place, row, show, span, tap
from wordhearth.browsing import ARGUMENTS, find_chromium

pytestmark = pytest.mark.browser

TEXT = "aa bb cc dd, bb ee"
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
# Letters of each script in a row, which mean nothing. The second word begins with a cluster of several code points.
SCRIPTS = {
    "Adlam": ("𞤢𞤣 𞤢𞥄𞤣𞤢 𞤦𞤥", "𞤢𞥄", "rtl"),
    "emoji with joiners": ("aa 👩‍👩‍👧‍👦👍🏽 bb", "👩‍👩‍👧‍👦", "ltr"),
    "flags": ("aa 🇧🇴🇵🇪 bb", "🇧🇴", "ltr"),
    "combining marks": ("aa e\u0323\u0301e\u0323 bb", "e\u0323\u0301", "ltr"),
    "N'Ko": ("ߊߋ ߌ߫ߍߎ ߏߊ", "ߌ߫", "rtl"),
    "Khmer": ("កខ គ្ឃីង ចឆ", "គ្ឃី", "ltr"),
    "Devanagari": ("कख ग्घिङ चछ", "ग्घि", "ltr"),
    "Nastaliq": ("بپ یٔتٹ ثج", "یٔ", "rtl"),
    "mixed directions": ("ab בּגד 12 cd", "בּ", "ltr"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all of these; in CI its absence is a failure."""
    found = find_chromium()
    if found is None and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., Page]]:
    """opened(given, **context) shows a page at a desk, or with PHONE on a phone; an error on it fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_page(given: Given, script: str = "", **context: object) -> Page:
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script(script)
        show(page, given)
        if context.get("java_script_enabled", True):
            expect(page.locator("[data-dock]")).to_be_visible()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def drag(page: Page, begin: str, end: str) -> None:
    """Drag the mouse from the left edge of some letters to the right edge of others."""
    left, _, height = place(page, begin)
    _, right, low = place(page, end)
    page.mouse.move(left + 1, height)
    page.mouse.down()
    page.mouse.move(right - 1, low, steps=8)
    page.mouse.up()


# Mouse


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


# Touch


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


# Keys alone


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


# Scripts


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


# Marks


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


def test_a_browser_without_custom_highlights_still_shows_the_marks(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT, spans=[span(TEXT, "bb", "PER")]), script="delete CSS.highlights")
    assert page.evaluate("CSS.highlights") is None

    expect(page.locator(".span-bar")).to_be_visible()


# Suggestions

OFFERS = [span(TEXT, "bb", "LOC", "gazetteer"), span(TEXT, "dd", "PER", "adapter")]


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


# Same word, undo, redo

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


# The page around


def test_every_change_is_an_input_of_the_form(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT))
    page.evaluate(
        "window.heard = []; document.querySelector('form').addEventListener('input', ({ target }) => heard.push(target.value))"
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


def test_what_was_done_is_said(opened: Callable[..., Page]) -> None:
    page = opened(Given(text=TEXT))
    said = page.locator("[data-status]")
    expect(said).to_have_attribute("role", "status")

    click(page, "bb")
    expect(said).to_have_text("“bb”: choose a label.")
    page.keyboard.press("1")
    expect(said).to_have_text("PER: “bb”.")
    click(page, "bb")
    page.keyboard.press("1")
    expect(said).to_have_text("There already: PER, “bb”.")
    page.keyboard.press("Control+z")
    expect(said).to_have_text("Undone.")


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
        "Math.max(...[...document.querySelectorAll('span-annotator *')].map((one) => one.getBoundingClientRect().right))"
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
