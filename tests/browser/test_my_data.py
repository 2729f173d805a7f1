"""“My data” in a real browser, without scripts: everything taken back in three screens, and taken home."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from annotation.answers.models import Answer
from annotation.projects.models import Project
from people.models import Community, Person
from tests.browser.gathering import sign_in
from tests.browser.visitor import Visitor
from tests.frontend.made import make_adapter, make_release, make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Allowed beside what is needed and ticked already.
MORE = ("Measure with my words how good language models are", "Train language models, not for profit")


@dataclass
class Effort:
    """What a way through the pages takes whoever has a keyboard alone: keys, acts (links, ticks, buttons; clicks for
    whoever has a mouse) and screens that one comes to."""

    visitor: Visitor
    keys: int = 0
    acts: int = 0
    screens: int = 0

    def __post_init__(self) -> None:
        self.visitor.page.on("framenavigated", self._count)

    def _count(self, frame: object) -> None:
        self.screens += 1

    def over(self) -> Effort:
        """What comes later is not counted."""
        self.visitor.page.remove_listener("framenavigated", self._count)
        return self

    def take(self, wanted: Locator, key: str = "Enter") -> None:
        """Go there with the tabulator, and press the key."""
        keyboard = self.visitor.page.keyboard
        for _ in range(100):
            keyboard.press("Tab")
            self.keys += 1
            if wanted.evaluate("one => one === document.activeElement"):
                break
        else:
            pytest.fail(f"The tabulator does not come to {wanted}.")
        keyboard.press(key)
        self.keys += 1
        self.acts += 1


def takes_everything_back(ben: Visitor, slug: str) -> Effort:
    """From the desk to the last screen."""
    ben.open(f"/c/{slug}/speak/")
    ben.see("Hello, ben")
    effort = Effort(ben)
    effort.take(ben.page.locator("header").get_by_role("link", name="ben"))
    ben.see("My data")
    effort.take(ben.page.get_by_role("button", name="Take everything back…"))
    ben.see("Take everything back?")
    effort.take(ben.page.get_by_role("button", name="Take it back"))
    ben.see("What my words are used for")
    return effort.over()


def agrees_again(ben: Visitor, slug: str) -> Effort:
    """From the desk to the receipt, to the same uses as before."""
    ben.open(f"/c/{slug}/speak/")
    ben.see("Hello, ben")
    effort = Effort(ben)
    effort.take(ben.page.get_by_role("link", name="Read and choose"))
    ben.see("What my words are used for")
    for name in MORE:
        effort.take(ben.page.get_by_label(name), "Space")
    effort.take(ben.page.get_by_role("button", name="I have read it and agree to what is ticked"))
    ben.see("What my words are used for")
    ben.read("Saved. Below is your receipt.")
    return effort.over()


def test_everything_is_taken_back_in_three_screens_without_scripts_and_as_easily_as_it_was_given(
    visit: Callable[..., Visitor],
    community: Community,
    project: Project,
    validated_corpus: list[Answer],
    aroha: Person,
    esi: Person,
    tmp_path: Path,
) -> None:
    make_adapter(make_run(make_release(project, esi), esi), approved_by=aroha)
    ben = visit("ben", width=360, scripts=False)
    sign_in(ben, "/me/data/")
    ben.see("My data")
    with ben.page.expect_download() as download:
        ben.page.get_by_role("link", name="Download everything").click()
    kept = tmp_path / "mine.zip"
    download.value.save_as(kept)
    with zipfile.ZipFile(kept) as archive:
        (tmp_path / "index.html").write_bytes(archive.read("index.html"))

    back = takes_everything_back(ben, community.slug)
    ben.open("/me/data/")
    ben.see("My data")
    expect(ben.page.get_by_role("main")).to_contain_text("You allow nothing here now.")
    expect(ben.page.get_by_role("main")).to_contain_text("at the latest")
    given = agrees_again(ben, community.slug)
    assert back.screens <= 3
    assert back.acts <= given.acts
    assert back.keys <= given.keys

    steward = visit("aroha", width=1280)
    sign_in(steward, f"/c/{community.slug}/steward/withdrawals/")
    steward.see("What was taken back")
    expect(steward.page.get_by_role("main")).to_contain_text("4 sentences it learnt from were taken back.")
