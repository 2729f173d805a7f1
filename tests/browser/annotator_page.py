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


@dataclass(frozen=True, kw_only=True)
class Given:
    """What the server would put on the page."""

    text: str
    spans: list[dict[str, Any]] = field(default_factory=list)
    suggestions: list[dict[str, Any]] = field(default_factory=list)
    language_tag: str = "und"
    direction: str = "ltr"
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
        return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Labels</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/static/css/app.css">
{render_to_string("label/head.html")}</head><body><main id="content" class="narrow"><h1>Label</h1>
<form method="post" class="stack">{render_to_string("label/_annotator.html", context)}
<button class="button wide">Send</button></form></main></body></html>"""


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
