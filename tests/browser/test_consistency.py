"""Labels that disagree, in a real browser: looked at, changed together, undone, on a phone and on a desk."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from annotation.answers.models import Answer
from annotation.projects.models import Project
from annotation.revision.services import ask_for_scan, scan_project
from people.models import Person
from tests.browser.gathering import SLUG, sign_in
from tests.browser.visitor import Visitor
from tests.conftest import NOW

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
pytest_plugins = ["tests.revision.labelled"]


@pytest.mark.parametrize("scripts", [True, False])
def test_an_expert_changes_all_but_one_and_undoes_it(
    visit: Callable[..., Visitor], labelling: Project, labelled: list[Answer], chen: Person, scripts: bool
) -> None:
    scan_project(scan=ask_for_scan(project=labelling, expert=chen, now=NOW), now=NOW)
    browser = visit("chen", width=360 if scripts else 1280, scripts=scripts)
    sign_in(browser, f"/c/{SLUG}/decide/consistency/")
    browser.see("Labels that disagree")
    browser.click("Look at the places", inside=browser.page.locator("article").filter(has_text="texto"))
    browser.see("texto")
    ticks = browser.page.locator("input[name=places]")
    expect(ticks).to_have_count(12)
    ticks.first.uncheck()
    browser.click("See what would change")
    browser.see("What would change")
    browser.read("1 answer changes, and nothing else.")
    browser.write("Reason", "A text is a place here.")
    browser.click("Change them")
    browser.see("Changed together")
    assert Answer.objects.filter(from_batch_changes__isnull=False).count() == 1
    browser.click("Undo all of it")
    browser.see("Changed together")
    browser.read("1 answer stands again.")
    assert Answer.objects.filter(task__project=labelling).validated().count() == 12


def test_doubts_are_sent_to_the_queue(
    visit: Callable[..., Visitor], labelling: Project, labelled: list[Answer], chen: Person
) -> None:
    scan_project(scan=ask_for_scan(project=labelling, expert=chen, now=NOW), now=NOW)
    browser = visit("chen", width=1280)
    sign_in(browser, f"/c/{SLUG}/decide/consistency/suspects/{labelling.pk}/")
    browser.see("Labels that a model doubts")
    browser.page.get_by_role("link", name="another label").first.click()
    browser.see("Labels that a model doubts")
    browser.page.get_by_role("button", name="queue").click()
    browser.see("Labels that a model doubts")
    browser.read("for a decision now")
    assert Answer.objects.disputed().exists()
