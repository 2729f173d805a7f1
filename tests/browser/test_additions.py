"""What lies beside a release: brought in or made, looked at, chosen for a run, and deleted; also without scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from annotation.answers.models import Answer
from people.models import Community, Person
from tests.browser.gathering import SLUG, sign_in
from tests.browser.visitor import DESK, PHONE, Visitor
from tests.conftest import NOW
from tests.frontend.made import finished, make_adapter, make_release
from tests.runs.adding import TEXT, TINY, placed_base, rows_of
from training.runs.additions import ask_for_rows, claim_rows, finish_rows
from training.runs.making import place_for
from training.runs.models import Addition, Run
from training.runs.services import folder_of, queue_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(("width", "scripts"), [(PHONE, False), (DESK, True)])
def test_a_text_is_brought_in_and_a_run_is_started_with_it(
    visit: Callable[..., Visitor],
    community: Community,
    validated_corpus: list[Answer],
    esi: Person,
    aroha: Person,
    tmp_path: Path,
    width: int,
    scripts: bool,
) -> None:
    release = make_release(validated_corpus[0].task.project, esi)
    maker = queue_run(release=release, started_by=esi, now=NOW, given=TINY)
    make_adapter(maker, approved_by=aroha)
    maker.refresh_from_db()
    desk = visit("esi", width=width, scripts=scripts)
    sign_in(desk, f"/c/{SLUG}/train/")
    desk.see("Train")
    desk.click("What else runs learn from")
    desk.see("What else runs learn from")
    desk.read("Nothing is there yet. Runs learn from their release alone.")
    desk.write("Title", "Folk tales")
    desk.write("Where it is from", "A printed book")
    desk.write("Terms", "CC BY 4.0")
    bad = {"name": "tales.jsonl", "mimeType": "application/json", "buffer": b'{"id": 1, "text": "a"}\n{"id": 2}'}
    desk.page.get_by_label("File").set_input_files([bad])  # type: ignore[list-item]
    desk.click("Bring it in")
    desk.forgive(422)
    desk.read("Line 2 of tales.jsonl is no text with an id.")
    desk.look()
    desk.page.get_by_label("File").set_input_files([{**bad, "buffer": TEXT}])  # type: ignore[list-item]
    desk.click("Bring it in")
    desk.see("Folk tales")
    desk.read("A printed book", "CC BY 4.0", "un pasaje")
    desk.picture("addition")

    _made(maker, esi, tmp_path)
    desk.open(f"/c/{SLUG}/train/additions/")
    desk.see("What else runs learn from")
    desk.picture("additions")
    _reckon_a_grid(desk, maker)
    desk.open(f"/c/{SLUG}/train/releases/{release.pk}/run/")
    desk.see("Start a run")
    desk.page.get_by_label("Continued pre-training", exact=False).first.check()
    desk.click("What else it learns from")
    desk.page.get_by_label("Plain text to read first").select_option(label="Folk tales")
    desk.picture("start")
    desk.click("Start the run")
    run = Run.objects.latest("pk")
    desk.see(f"Run {run.number}")
    desk.read("Folk tales", "Where it is from: A printed book · Terms: CC BY 4.0")
    desk.picture("run")
    assert [one.title for one in run.additions.all()] == ["Folk tales"]
    desk.open(f"/c/{SLUG}/train/additions/{Addition.objects.get(kind='synthetic').pk}/")
    desk.see(f"Run {maker.number}: back-translation")
    desk.read("7: did not come back with the same meaning")
    desk.picture("synthetic")
    desk.click("Delete the file")
    desk.see("What else runs learn from")
    desk.read("The file is deleted. No run can learn from it any more.")


@pytest.mark.parametrize(("width", "scripts"), [(PHONE, False), (DESK, True)])
def test_a_base_is_given_tokens_and_a_run_is_started_on_it(
    visit: Callable[..., Visitor],
    validated_corpus: list[Answer],
    esi: Person,
    width: int,
    scripts: bool,
) -> None:
    release = make_release(validated_corpus[0].task.project, esi)
    source = queue_run(release=release, started_by=esi, now=NOW, given=TINY)
    finished(source)
    (folder_of(source) / "config.toml").write_text("", encoding="utf-8")
    desk = visit("esi", width=width, scripts=scripts)
    sign_in(desk, f"/c/{SLUG}/train/additions/")
    desk.see("What else runs learn from")
    desk.picture("tokens-form")
    desk.write("New tokens at most", "300")
    desk.click("Have them learnt")
    desk.see(f"Run {source.number}: 300 more tokens")
    desk.read("A worker learns the tokens.")
    held = claim_rows(addition_id=Addition.objects.get().pk, owner="one", lease_until=NOW, now=NOW)
    assert held is not None
    assert finish_rows(addition=held, made=placed_base(place_for(held) / "made"), dropped={}, now=NOW)
    desk.open(f"/c/{SLUG}/train/additions/{held.pk}/")
    desk.see(f"Run {source.number}: 7 more tokens")
    desk.read("Tokens per word", "10.50 bits per byte", "Choose it as the base model where you start a run.")
    desk.picture("tokens")
    desk.open(f"/c/{SLUG}/train/releases/{release.pk}/run/")
    desk.see("Start a run")
    desk.page.get_by_label("Base model", exact=True).select_option(value=held.base_model)
    desk.picture("start-on-tokens")
    desk.click("Start the run")
    run = Run.objects.latest("pk")
    desk.see(f"Run {run.number}")
    assert run.base_model == held.base_model


def _reckon_a_grid(desk: Visitor, maker: Run) -> None:
    """Its runs can learn from the rows, too."""
    desk.open(f"/c/{SLUG}/train/releases/{maker.release_id}/grid/")
    desk.see("Start a grid of runs")
    desk.click("What else it learns from")
    desk.page.get_by_label("Rows that a machine wrote").select_option(label=f"Run {maker.number}: back-translation")
    desk.click("See what that is")
    desk.read("That is 36 runs.")
    desk.picture("start-grid")
    desk.look()


def _made(maker: Run, researcher: Person, place: Path) -> None:
    """Rows of the run, as a worker leaves them."""
    waiting = ask_for_rows(run=maker, how="back_translation", asked_by=researcher, now=NOW)
    held = claim_rows(addition_id=waiting.pk, owner="one", lease_until=NOW, now=NOW)
    assert held is not None
    (place / "rows.jsonl").write_bytes(rows_of(maker.release))
    assert finish_rows(addition=held, made=place / "rows.jsonl", dropped={"meaning": 7}, now=NOW)
