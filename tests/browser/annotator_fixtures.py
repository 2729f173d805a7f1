"""A browser with the span annotator in it, as a plugin of the tests that use it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.annotator_page import Given, show
from wordhearth.browsing import ARGUMENTS, find_chromium


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium for a file of tests; in CI its absence is a failure."""
    found = find_chromium()
    if found is None and not os.environ.get("CI"):
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def opened(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """opened(given, **context) shows a page at a desk, or with PHONE on a phone; an error on it fails the test."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_page(given: Given, script: str = "", **context: object) -> Page:
        contexts.append(chromium.new_context(**context))
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
