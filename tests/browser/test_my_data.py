"""“My data” in a real browser, without scripts: everything taken back in three screens, and taken home."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from annotation.answers.models import Answer
from annotation.projects.models import Project
from people.models import Community, Person
from tests.browser.gathering import sign_in
from tests.browser.visitor import Visitor
from tests.frontend.made import make_adapter, make_release, make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_everything_is_taken_back_in_three_screens_without_scripts(
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

    ben.click("Take everything back…")
    ben.see("Take everything back?")
    ben.click("Take it back")
    ben.see("What my words are used for")
    ben.open("/me/data/")
    ben.see("My data")
    expect(ben.page.get_by_role("main")).to_contain_text("You allow nothing here now.")
    expect(ben.page.get_by_role("main")).to_contain_text("at the latest")

    steward = visit("aroha", width=1280)
    sign_in(steward, f"/c/{community.slug}/steward/withdrawals/")
    steward.see("What was taken back")
    expect(steward.page.get_by_role("main")).to_contain_text("4 sentences it learnt from were taken back.")
