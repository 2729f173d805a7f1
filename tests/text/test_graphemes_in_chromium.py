"""The browser's Intl.Segmenter and the server agree on where a span may begin."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator

import pytest
import regex
from playwright.sync_api import Error, sync_playwright

from annotation.text.graphemes import boundaries
from tests.text.made import BLOCKS, seeded, sentence, soup
from tests.text.test_graphemes import EXAMPLES
from wordhearth.browsing import ARGUMENTS, find_chromium

pytestmark = pytest.mark.browser

# A browser cuts before a consonant that follows a virama for as long as it does not know rule GB9c of Unicode 18.
NEWER_RULE = regex.compile(r"\p{InCB=Linker}\p{InCB=Extend}*\Z")
CONSONANT = regex.compile(r"\p{InCB=Consonant}")
# Everything the rules of UAX 29 name; Hangul syllables are one class in two shapes, so a few of them are enough.
NOT_NAMED = regex.compile(r"[\p{GCB=Other}&&\p{InCB=None}--\p{Extended_Pictographic}]|[\uAC40-\uD7A3]", flags=regex.V1)
EVERY_CHARACTER = "".join(chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000)
SURROUNDINGS = ("a{}a", "{}{}", "\u0915{}\u0915", "\u0915\u094d{}", "\u1100{}\u1161", "👩{}👩", "👩\u200d{}", "🇲{}🇲")
# As one string each way: playwright takes long over many small lists.
SEGMENT = """texts => {
    const segmenter = new Intl.Segmenter("en", {granularity: "grapheme"});
    return JSON.stringify(JSON.parse(texts).map(text => {
        let offset = 0;
        return [0, ...Array.from(segmenter.segment(text), part => offset += Array.from(part.segment).length)];
    }));
}"""


@pytest.fixture(scope="module")
def segment() -> Iterator[Callable[[list[str]], list[list[int]]]]:
    """Boundaries as Chromium finds them, in code points. Without a browser CI fails, and others are told."""
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        except Error as problem:
            if os.environ.get("CI"):
                pytest.fail(f"Chromium did not start: {problem.message}")
            pytest.skip("no Chromium on this machine")
        page = browser.new_page()
        yield lambda texts: json.loads(page.evaluate(SEGMENT, json.dumps(texts)))
        browser.close()


def unexplained(text: str, browser: list[int]) -> list[int]:
    """Boundaries on which the two differ although no newer rule of Unicode says so."""
    server = boundaries(text)
    extra = [
        edge
        for edge in browser
        if edge not in server and not (NEWER_RULE.search(text, 0, edge) and CONSONANT.match(text, edge))
    ]
    return extra + [edge for edge in server if edge not in browser]


@pytest.mark.parametrize("script", [script for script in BLOCKS if script != "emoji"])
def test_well_formed_text_is_cut_alike(segment, script):
    chance = seeded()
    texts = [sentence(chance, script) for _ in range(60)]

    assert segment(texts) == [boundaries(text) for text in texts]


def test_the_examples_are_cut_alike_but_for_the_bengali_vowel(segment):
    texts = [text for name, (text, _) in EXAMPLES.items() if name != "Bengali vowel with a virama"]
    texts += ["👩🏽\u200d👦 👍🏿 🇲🇽🇧🇴 ❤\ufe0f.", "👨👨\u200d👩\u200d👧👧"]

    assert segment(texts) == [boundaries(text) for text in texts]


@pytest.mark.parametrize("script", BLOCKS)
def test_characters_in_any_order_differ_only_where_a_newer_rule_joins_them(segment, script):
    chance = seeded(1)
    texts = [soup(chance, script) for _ in range(400)]
    found = segment(texts)

    assert [(ascii(t), wrong) for t, edges in zip(texts, found, strict=True) if (wrong := unexplained(t, edges))] == []


@pytest.mark.parametrize("surroundings", SURROUNDINGS, ids=ascii)
def test_the_server_cuts_nothing_that_the_browser_holds_together(segment, surroundings):
    """Every code point that the rules name, in eight surroundings: a span the server accepts is whole everywhere."""
    named = NOT_NAMED.sub("", EVERY_CHARACTER)
    texts = [surroundings.replace("{}", sign) for sign in named]
    found = segment(texts)

    assert len(named) > 6000
    assert [
        ascii(text) for text, edges in zip(texts, found, strict=True) if not set(boundaries(text)) <= set(edges)
    ] == []
