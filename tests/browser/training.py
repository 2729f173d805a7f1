"""The third part of the walk: release, run, evaluation, approval, and trying the adapter."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from playwright.sync_api import expect

from tests.browser.gathering import PROJECT, SLUG
from tests.browser.visitor import Visitor
from training.playground.jobs import generate_job
from training.runs import supervisor

FIRST_SETTINGS = {"Rank": "4", "Alpha": "8", "Learning rate": "0.01", "Epochs": "40", "Batch size": "1"}
MORE_SETTINGS = {
    "Steps between two validations": "20",
    "Held-out sentences to measure": "4",
    "Held-out sentences to translate": "2",
    "Tokens at most in a translation": "8",
    "Processor threads": "1",
}


BOUNDS = {
    "Held-out sentences, at least": "2",
    "Bits saved, at least, in percent": "0",
    "Points lost in the task’s score, at most": "100",
    "Bits per byte forgotten of other languages, at most": "10",
}


def number(person: Visitor, name: str) -> str:
    """The figure above these words."""
    return person.page.locator(".numbers > div").filter(has_text=name).locator("dd").inner_text()


def freeze(researcher: Visitor) -> None:
    """Freeze what is validated and allowed, check its hashes, take it home."""
    researcher.open("/")
    researcher.see(f"Hello, {researcher.name}")
    researcher.page.get_by_role("link", name="Test community").first.click()
    researcher.see("Test community")
    researcher.click("Releases and training")
    researcher.see("Train")
    assert number(researcher, "validated sentences") == "8"
    researcher.click("Freeze this one")
    researcher.see("Freeze a release")
    researcher.read(f"{PROJECT}: 8 for “Train language models, not for profit”")
    researcher.write("Note (optional)", "the first one")
    researcher.click("Freeze")

    researcher.see("Release 1")
    researcher.read("Release 1 is frozen.")
    splits = [number(researcher, name) for name in ("for training", "for validation", "for the test")]
    assert sorted(splits) == ["2", "2", "3"]
    # Ben's correction of Filipa's sentence belongs to two people, who are in different splits.
    assert number(researcher, "withheld") == "1"
    assert number(researcher, "contributors") == number(researcher, "documents") == "3"
    researcher.click("Check every hash")
    researcher.read("Checked: every file, the manifest and the database agree.")
    researcher.look()
    take_home(researcher)


def take_home(researcher: Visitor) -> None:
    """The downloaded folder holds the manifest whose hash the page shows, with a receipt for each sentence."""
    with researcher.page.expect_download() as download:
        researcher.click("Download (zip)")
    with zipfile.ZipFile(download.value.path()) as archive:
        manifest = archive.read(f"{SLUG}-release-1/manifest.json")
    researcher.read(hashlib.sha256(manifest).hexdigest())
    items = json.loads(manifest)["items"]
    assert [len(item["receipts"]) for item in items] == [1] * 7


def train(researcher: Visitor, worker: Callable[..., Future[Any]]) -> None:
    """Start a run with the form; its page shows how far it is, draws the curve, and ends with the evaluation."""
    researcher.click("Start a run")
    researcher.see("Start a run")
    for label, value in FIRST_SETTINGS.items():
        researcher.write(label, value)
    researcher.click("More settings")
    for label, value in MORE_SETTINGS.items():
        researcher.write(label, value)
    researcher.click("Start the run")
    researcher.see("Run 1")
    researcher.read("Run 1 waits for the training worker.", "It starts as soon as the training worker is free.")

    outcome = worker(supervisor.execute, int(researcher.page.url.split("/")[-2]))
    live = researcher.page.locator("#live")
    expect(live.locator(".badge")).to_have_text("running", timeout=30_000)
    expect(live.get_by_role("progressbar")).to_be_visible()
    expect(live.locator("svg.curve")).to_have_count(2, timeout=120_000)
    expect(live.get_by_text("step ").first).to_be_visible()
    expect(researcher.page.get_by_role("heading", name="What it made")).to_be_visible(timeout=120_000)
    assert outcome.result() == "finished"
    researcher.see("Run 1")


def read_evaluation(person: Visitor) -> None:
    """Base model against adapter on held-out sentences."""
    person.read("Better than the base model: it needs fewer bits for held-out sentences.")
    row = person.page.get_by_role("row", name="Bits per byte (lower is better)").locator("td")
    base, adapter = (float(figure) for figure in row.all_inner_texts())
    assert 0 < adapter < base
    person.read("95 % confidence interval", "chrF++, 0 to 100 (higher is better)", "Samples side by side")
    person.click("Hash and environment")
    person.read("SHA-256 of the adapter")


def find_nothing_to_try(speaker: Visitor) -> None:
    """Nobody can use an adapter before a steward has approved it."""
    speaker.open(f"/c/{SLUG}/try/")
    speaker.see("Try an adapter")
    speaker.read("There is nothing to try yet", "A steward has not decided on it yet.")
    expect(speaker.page.locator("textarea")).to_have_count(0)


def recommend(researcher: Visitor) -> None:
    """The researcher stands for the adapter, and reads which checks it does not pass yet."""
    researcher.read("No researcher recommends it yet.", "Not every check is passed, so it cannot be approved.")
    researcher.click("I recommend this adapter")
    researcher.read("You recommend this adapter. A steward decides on it.", "esi recommends it.")
    researcher.see("Run 1")


def ask_little(steward: Visitor) -> None:
    """A model as small as this, measured on two sentences, passes no usual gate: the community has to ask for less."""
    steward.open(f"/c/{SLUG}/steward/")
    steward.see("Stewardship")
    steward.click("Look and decide")
    steward.see("Adapter of run 1")
    steward.click("Approve for use")
    steward.read("sentences; 30 are needed.")
    steward.forgive(409)
    steward.click("Change the bounds")
    steward.see("The gate")
    for label, value in BOUNDS.items():
        steward.write(label, value)
    steward.click("Set the bounds")
    steward.read("The bounds are set, and stand in the record.")
    steward.see("The gate")


def approve(steward: Visitor) -> None:
    """The steward reads the evaluation and approves."""
    steward.open(f"/c/{SLUG}/steward/")
    steward.see("Stewardship")
    steward.click("Look and decide")
    steward.see("Adapter of run 1")
    steward.read("Every check is passed.")
    read_evaluation(steward)
    steward.write("Reason (optional)", "Good enough to try.")
    steward.click("Approve for use")
    steward.read("Approved: every member can try this adapter now.", "Good enough to try.")
    steward.see("Adapter of run 1")


def try_it(speaker: Visitor, worker: Callable[..., Future[Any]]) -> None:
    """A member reads why the adapter is in use; then both models write beside each other, piece by piece."""
    speaker.open(f"/c/{SLUG}/")
    speaker.see("Test community")
    speaker.read("Good enough to try.")
    speaker.click("Try it")
    speaker.see("Try an adapter")
    speaker.write("Sentence", "una frase nueva")
    speaker.click("Ask both models")
    speaker.see("Side by side")
    speaker.read("Waiting for the model.")
    speaker.page.evaluate(WATCH)

    worker(generate_job, generation_id=speaker.page.url.split("/")[-2]).result()
    expect(speaker.page.locator("[data-state]")).to_have_text("Finished.")
    for which in ("base", "adapter"):
        lengths = speaker.page.evaluate("which => window.lengths[which]", which)
        assert lengths == sorted(set(lengths)), f"the {which} model's text only grew"
        assert len(lengths) > 3, f"the {which} model's text came in pieces"
    speaker.look()
    speaker.click("Try another sentence")
    speaker.see("Try an adapter")
    speaker.read("What you tried before", "una frase nueva")


# Notes the length of either text each time it changes.
WATCH = """() => {
  window.lengths = { base: [], adapter: [] };
  for (const place of document.querySelectorAll("[data-text]"))
    new MutationObserver(() => window.lengths[place.dataset.text].push(place.textContent.length))
      .observe(place, { childList: true, characterData: true, subtree: true });
}"""
