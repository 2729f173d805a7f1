"""Bringing in the corpus that a package carries, as a steward does it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from people.models import Community
from tests.browser.gathering import sign_in
from tests.browser.visitor import DESK, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_the_packaged_corpus_comes_in_once_with_its_documents(
    visit: Callable[..., Visitor], community: Community
) -> None:
    aroha = visit("aroha", width=DESK)
    sign_in(aroha, f"/c/{community.slug}/steward/corpus/")
    aroha.see("Corpus")
    aroha.click("Import it")

    aroha.see("elotl: tsunkua")
    figures = aroha.page.locator(".numbers dd").all_inner_texts()
    rows, added, repeated, remarks = (int(figure.replace(",", "")) for figure in figures)
    assert rows == 4963
    assert 0 <= rows - added - repeated <= remarks
    aroha.read("The translation repeats the source; kept without it.")
    aroha.click("All documents")
    aroha.see("Corpus")
    aroha.read("imported", "MPL-2.0 (the elotl package); each document keeps its own authors")
    documents = aroha.page.locator("table.data tbody tr").count()
    assert documents > 3

    aroha.click("Look for new sentences")
    aroha.see("elotl: tsunkua")
    aroha.read("0 sentences were added.")
    aroha.click("All documents")
    expect(aroha.page.locator("table.data tbody tr")).to_have_count(documents)
