"""A page with nothing but the span annotator, as its template makes it, for tests in a real browser."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.template.loader import render_to_string
from playwright.sync_api import Page, Route

STATIC = Path(__file__).resolve().parents[2] / "frontend" / "static"
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
ADDRESS = "http://wordhearth.test"
LABELS = [
    {"code": "PER", "name": "Person", "colour": 1, "hotkey": "1"},
    {"code": "LOC", "name": "Place", "colour": 2, "hotkey": "2"},
    {"code": "ORG", "name": "Group", "colour": 3, "hotkey": "g"},
]


PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
TEXT = "aa bb cc dd, bb ee"
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

DRAFTS = (
    '<script type="module" src="/static/js/answer-form.js"></script>'
    '<answer-form data-owner="1" data-key="label-1" data-saved="Saved.">',
    '<p data-state></p><input form="answer" name="csrfmiddlewaretoken" hidden></answer-form>',
)


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the server would put on the page."""

    text: str
    spans: list[dict[str, Any]] = field(default_factory=list)
    suggestions: list[dict[str, Any]] = field(default_factory=list)
    language_tag: str = "und"
    direction: str = "ltr"
    keeps_drafts: bool = False
    labels: list[dict[str, Any]] = field(default_factory=lambda: LABELS)

    def html(self) -> str:
        """The whole page."""
        context = {
            "text": self.text,
            "text_id": 1,
            "language_tag": self.language_tag,
            "direction": self.direction,
            "labels": self.labels,
            "spans_json": json.dumps(self.spans),
            "suggestions": [{**one, "text": self.text[one["start"] : one["end"]]} for one in self.suggestions],
            "words": self.text.split(),
            "rows": [{}],
        }
        begin, end = DRAFTS if self.keeps_drafts else ("", "")
        return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Labels</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/static/css/app.css">
{render_to_string("label/head.html")}</head><body><main id="content" class="narrow"><h1>Label</h1>
{begin}<form id="answer" method="post" class="stack">{render_to_string("label/_annotator.html", context)}
<button class="button wide">Send</button></form>{end}</main></body></html>"""


def show(page: Page, given: Given) -> None:
    """Open the page, its files taken from the folder of static files."""
    page.route(f"{ADDRESS}/**", lambda route: _answer(route, given.html()))
    page.goto(f"{ADDRESS}/")


def _answer(route: Route, html: str) -> None:
    path = route.request.url.removeprefix(ADDRESS)
    if not path.startswith("/static/"):
        route.fulfill(body=html, content_type="text/html; charset=utf-8")
        return
    file = STATIC / path.removeprefix("/static/")
    route.fulfill(body=file.read_bytes(), content_type=KINDS[file.suffix])


def answer(page: Page) -> list[dict[str, Any]]:
    """The spans that the form would send."""
    return json.loads(page.input_value("[name=spans]"))


def span(text: str, words: str, label: str, suggested_by: str = "") -> dict[str, Any]:
    """The first place of some words in a text, counted as Python counts: in code points."""
    start = text.index(words)
    return {"start": start, "end": start + len(words), "label": label, "suggested_by": suggested_by}


def place(page: Page, words: str, nth: int = 0) -> tuple[float, float, float]:
    """Where some words stand in the window: left edge, right edge, and middle of their height."""
    found = page.evaluate(
        """([words, nth]) => {
            const node = document.querySelector("[data-text]").firstChild;
            let start = -1;
            for (let place = 0; place <= nth; place += 1) start = node.data.indexOf(words, start + 1);
            const range = new Range();
            range.setStart(node, start);
            range.setEnd(node, start + words.length);
            const { left, right, top, bottom } = range.getClientRects()[0];
            return [left, right, (top + bottom) / 2];
        }""",
        [words, nth],
    )
    return tuple(found)


def click(page: Page, words: str, nth: int = 0) -> None:
    """Click with the mouse in the middle of some words."""
    left, right, height = place(page, words, nth)
    page.mouse.click((left + right) / 2, height)


def tap(page: Page, words: str, nth: int = 0) -> None:
    """Tap with a finger in the middle of some words."""
    left, right, height = place(page, words, nth)
    page.touchscreen.tap((left + right) / 2, height)


def button(page: Page, name: str) -> Any:
    """A button under the text, by what it is called."""
    return page.locator("[data-dock]").get_by_role("button", name=name)


def row(page: Page, words: str) -> Any:
    """The row of the list that quotes some words."""
    return page.locator("[data-list] > li").filter(has=page.locator("q", has_text=words))


def drag(page: Page, begin: str, end: str) -> None:
    """Drag the mouse from the left edge of some letters to the right edge of others."""
    left, _, height = place(page, begin)
    _, right, low = place(page, end)
    page.mouse.move(left + 1, height)
    page.mouse.down()
    page.mouse.move(right - 1, low, steps=8)
    page.mouse.up()


OFFERS = [span(TEXT, "bb", "LOC", "gazetteer"), span(TEXT, "dd", "PER", "adapter")]
