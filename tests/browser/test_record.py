"""The record in a real browser: a steward verifies it, keeps a checkpoint, and a friend checks the file."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from care.models import Policy, Receipt
from ledger.checkpoints import checkpoint_now
from ledger.models import Entry
from people.models import Community, Person
from tests.browser.gathering import sign_in
from tests.browser.visitor import Visitor
from tests.conftest import NOW
from tests.guards.tree import ROOT
from tests.ledger.made import as_owner

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def keep(page: Page, link: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.get_by_role("link", name=link).click()
    kept = folder / download.value.suggested_filename
    download.value.save_as(kept)
    return kept


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ledger.verify", *arguments]
    env = {"PYTHONPATH": str(ROOT / "platform"), "PYTHONUTF8": "1"}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_a_steward_verifies_keeps_and_has_it_checked_elsewhere(
    visit: Callable[..., Visitor],
    community: Community,
    policy: Policy,
    ben: Person,
    consenting: Callable[..., Receipt],
    tmp_path: Path,
) -> None:
    checkpoint_now(community=community.slug, now=NOW)
    steward = visit("aroha", scripts=False)
    sign_in(steward, f"/c/{community.slug}/steward/record/")
    steward.see("Record")
    old = keep(steward.page, "Newest checkpoint", tmp_path)
    consenting(ben)

    steward.click("Verify")
    steward.see("Record")
    expect(steward.page.locator("#checked")).to_contain_text("the record is whole")
    file = keep(steward.page, "The record as a file", tmp_path)
    checked = check(str(file), "--checkpoint", str(old))
    assert checked.returncode == 0, checked.stderr
    assert "ben" not in file.read_text(encoding="utf-8")

    with as_owner():
        Entry.objects.filter(action="policy.published").update(actor="999")
    steward.click("Verify")
    expect(steward.page.get_by_role("alert")).to_contain_text("not whole")
    assert check(str(keep(steward.page, "The record as a file", tmp_path)), "--checkpoint", str(old)).returncode == 1
