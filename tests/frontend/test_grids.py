"""The researcher's pages of grids, of runs beside each other, and of what training takes."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Answer
from people.models import Community, Person
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run, report
from tests.runs.adding import related, uploaded
from training.releases.models import Release
from training.runs.grids import plan_of, start_grid
from training.runs.models import Grid, Run
from training.runs.services import finish_run, folder_of, queue_run
from training.runs.withdrawals import withdraw_answer


@pytest.fixture
def researcher(client: Client, esi: Person) -> Client:
    client.force_login(esi)
    return client


@pytest.fixture
def release(validated_corpus: list[Answer], esi: Person) -> Release:
    return make_release(validated_corpus[0].task.project, esi)


def grid_report(bpb: float, tokens: int) -> dict[str, Any]:
    made = report()
    made["evaluation"]["adapter_bpb"] = bpb
    return {**made, "data": {"train": {"tokens": tokens}}, "steps": 4, "recipe": {"batch_size": 8}}


@pytest.fixture
def grid(release: Release, esi: Person) -> Grid:
    """Two methods on two amounts, of which one cell is done, one has one run to go, and one run has failed."""
    plan = plan_of(methods=["lora", "dylora"], ranks=[4], budgets=["50%", "100%"], seeds=3, given={})
    made = start_grid(release=release, plan=plan, started_by=esi, now=NOW)
    for number, run in enumerate(made.runs.order_by("pk")):
        share = run.settings["recipe"]["token_share"]
        if number == 11:
            continue
        if number == 6:
            Run.objects.filter(pk=run.pk).update(state="failed", failure="The disk is full.")
            continue
        finish_run(run=run, report=grid_report(2 - share / 2 + number / 100, int(share * 1000)), now=NOW)
    return made


def url(name: str, community: Community, pk: int | None = None) -> str:
    return reverse(f"researcher:{name}", args=[community.slug, *([] if pk is None else [pk])])


def filled(client: Client, community: Community, release: Release, **more: Any) -> dict[str, Any]:
    form = client.get(url("start-grid", community, release.pk)).context["form"]
    return {**{name: field.initial for name, field in form.fields.items()}, **more}


def test_one_form_says_first_what_it_would_be_and_then_starts_it(
    researcher: Client, community: Community, release: Release, esi: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[Grid] = []
    monkeypatch.setattr("frontend.researcher.views.grids.ring_grid", rung.append)
    values = filled(researcher, community, release, ranks="4, 16", budgets="25%, 300")
    address = url("start-grid", community, release.pk)

    told = researcher.post(address, values)

    assert "That is 48 runs." in told.text
    assert "No earlier run here says how long they take." in told.text
    assert not Grid.objects.exists()
    # Whoever changes something is told anew.
    again = researcher.post(address, {**values, "seeds": 4, "told": told.context["plan"]})
    assert "That is 64 runs." in again.text

    page = researcher.post(address, {**values, "told": told.context["plan"]}, follow=True)

    assert rung == [Grid.objects.get()]
    assert "48 runs wait. Other runs go before them." in page.text
    assert "0 of 48 runs are over." in page.text
    assert url("grid", community, Grid.objects.get().pk) in researcher.get(url("home", community)).text


def test_its_runs_learn_from_what_is_chosen_beside_the_release(
    researcher: Client, community: Community, release: Release, esi: Person
) -> None:
    assert "What else it learns from" not in researcher.get(url("start-grid", community, release.pk)).text
    lessons, text = related(community, esi), uploaded(community, esi, title="Passages")
    address = url("start-grid", community, release.pk)
    empty = researcher.get(address).text
    assert lessons.name in empty
    # No method of a grid reads plain text.
    assert text.name not in empty
    values = filled(researcher, community, release, methods=["lora"], budgets="100%")
    values = {name: value for name, value in values.items() if value is not None}
    told = researcher.post(address, values).context["plan"]
    again = researcher.post(address, {**values, "related": lessons.pk, "told": told})
    assert "That is 3 runs." in again.text
    page = researcher.post(address, {**values, "related": lessons.pk, "told": again.context["plan"]}, follow=True)
    assert lessons.name in page.text
    assert {tuple(run.additions.all()) for run in Run.objects.all()} == {(lessons,)}


def test_with_an_earlier_run_it_says_about_how_long(
    researcher: Client, community: Community, release: Release, esi: Person
) -> None:
    finish_run(run=make_run(release, esi), report=grid_report(1.5, 1000), now=NOW)

    text = researcher.post(
        url("start-grid", community, release.pk), filled(researcher, community, release, methods=["lora"])
    ).text

    assert "Going by earlier runs here, they take about" in text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ranks": "a few"}, "Write whole numbers, with commas between them."),
        ({"ranks": "0"}, "recipe.rank must be from 1 to 256"),
        ({"budgets": "half"}, "Write shares of the tokens such as 25% or numbers of tokens such as 20000, not “half”."),
        ({"seeds": 1}, "Each is trained from 3 to 20 times."),
        ({"learning_rate": 9}, "recipe.learning_rate"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    researcher: Client, community: Community, release: Release, wrong: dict[str, Any], said: str
) -> None:
    values = filled(researcher, community, release, epochs=17, **wrong)

    response = researcher.post(url("start-grid", community, release.pk), values)

    assert response.status_code == 422
    assert said in response.text.replace("&#x27;", "'")
    assert 'value="17"' in response.text
    assert not Grid.objects.exists()


def test_the_page_has_a_table_of_means_a_picture_and_the_failed_one(
    researcher: Client, community: Community, grid: Grid
) -> None:
    text = researcher.get(url("grid", community, grid.pk)).text

    assert "11 of 12 runs are over." in text
    assert "1 failed" in text
    assert "3 of 3 finished" in text
    assert text.count("2 of 3 finished") == 2
    # Cells are visited seed by seed: these are runs 0, 4 and 8 of the first one.
    assert "1.790" in text
    assert text.count('<g class="line s') == 2
    assert text.count("<circle") == 4
    assert 'hx-trigger="every 5s"' in text
    assert "Stop all of them" in text
    assert "kWh" in text


def test_the_live_part_ends_with_the_last_run(researcher: Client, community: Community, grid: Grid) -> None:
    going = researcher.get(url("grid-live", community, grid.pk))
    researcher.post(url("grid-cancel", community, grid.pk))
    over = researcher.get(url("grid-live", community, grid.pk))

    assert "<html" not in going.text
    assert (over.status_code, over["HX-Refresh"]) == (286, "true")
    again = researcher.post(url("grid-cancel", community, grid.pk))
    assert (again.status_code, "No run of this grid waits or runs." in again.text) == (409, True)


def test_the_figures_are_a_file_with_a_line_for_each_run(researcher: Client, community: Community, grid: Grid) -> None:
    response = researcher.get(url("grid-file", community, grid.pk))

    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert len(rows) == 12
    assert [row["state"] for row in rows].count("finished") == 10
    assert {row["method"] for row in rows} == {"lora", "dylora"}
    assert rows[0]["adapter_bpb"] == "1.75"
    assert rows[6]["adapter_bpb"] == ""


def test_a_grid_is_started_estimated_read_and_stopped_over_the_api(
    researcher: Client, release: Release, esi: Person
) -> None:
    asked = {"release": release.pk, "methods": ["lora"], "ranks": [4], "budgets": ["50%", "100%"], "seeds": 3}

    def post(path: str) -> Any:
        return researcher.post(f"/api/v1/grids/{path}", json.dumps(asked), content_type="application/json")

    asked["additions"] = [0]
    assert post("").status_code == 404
    asked |= {"additions": [], "base_model": "nowhere"}
    assert (post("").status_code, Grid.objects.count()) == (422, 0)
    del asked["base_model"]
    asked["additions"] = [related(release.community, esi).pk]
    assert post("estimate/").json() == {"runs": 6, "seconds": None}
    made = post("").json()
    assert made["states"] == {"queued": 6}
    assert {run.additions.get().pk for run in Run.objects.all()} == set(asked["additions"])
    cells = researcher.get(f"/api/v1/grids/{made['id']}/cells/").json()
    assert [(cell["token_share"], len(cell["runs"]), cell["bpb"]) for cell in cells] == [(0.5, 3, None), (1.0, 3, None)]
    assert post(f"{made['id']}/cancel/").json()["states"] == {"cancelled": 6}
    assert post(f"{made['id']}/cancel/").status_code == 409


def test_several_runs_are_one_picture_and_two_are_told_apart(
    researcher: Client, community: Community, release: Release, esi: Person
) -> None:
    first = make_run(release, esi)
    make_adapter(first)
    second = queue_run(release=release, started_by=esi, now=NOW, given={"recipe": {"rank": 4, "patience": 2}})
    for run in (first, second):
        folder_of(run).mkdir(parents=True, exist_ok=True)
        events = [
            *({"event": "step", "step": step, "loss": 4 / step} for step in range(1, 9)),
            *({"event": "validation", "step": step, "bpb": 2 + step / 100} for step in (4, 8)),
            {"event": "kept", "kept_step": 4},
        ]
        (folder_of(run) / "log.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))

    text = researcher.get(url("compare", community), {"run": [first.pk, second.pk, "x"]}).text

    assert 'hx-select="#live" hx-trigger="every 5s"' in text
    assert text.count('<svg class="curve" ') == 2
    assert text.count('<g class="line s0">') == text.count('<g class="line s1">') == 2
    table = text[text.index("Where they differ") :]
    assert '<th scope="row">rank</th><td class="number">16</td><td class="number">4</td>' in table
    assert '<th scope="row">alpha' not in table
    assert "bits per byte, adapter" in text
    page = researcher.get(url("run", community, second.pk)).text
    assert "It went back to step 4, its best on the validation sentences." in page
    assert "stroke-dasharray" in page


def test_a_runs_folder_is_handed_out_as_long_as_its_words_are(
    researcher: Client, community: Community, release: Release, esi: Person, validated_corpus: list[Answer]
) -> None:
    run = make_run(release, esi)
    make_adapter(run)
    folder = folder_of(run)
    (folder / "config.toml").write_text("[recipe]\n")
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "step-1.pt").write_bytes(b"x")
    (folder / "process.json").write_text("{}")
    (folder / "exports").mkdir()
    (folder / "exports" / "1.zip").write_bytes(b"x")

    response = researcher.get(url("run-download", community, run.pk))

    with zipfile.ZipFile(io.BytesIO(response.getvalue())) as archive:
        names = archive.namelist()
    assert names == [f"run-{run.number}/config.toml"]
    withdraw_answer(answer=validated_corpus[0], author=validated_corpus[0].author, now=NOW)
    refused = researcher.get(url("run-download", community, run.pk))
    assert (refused.status_code, refused["Content-Type"][:9]) == (409, "text/html")


def test_what_training_takes_is_computed_from_what_is_here_and_beside_what_was_measured(
    researcher: Client, community: Community, release: Release, esi: Person
) -> None:
    empty = researcher.get(url("hardware", community)).text
    for words in ("No base model is ready yet.", "qwen3-0-6b", "596,042,752", "5,552", "Apache-2.0"):
        assert words in empty
    for name, family in (("known", "llama"), ("unknown", "bloom")):
        folder = Path(settings.MODELS_DIR) / name
        folder.mkdir(parents=True)
        (folder / "model.json").write_text(json.dumps({"sha256": "0" * 64, "licence": "Apache-2.0", "revision": "abc"}))
        config = {
            **{"model_type": family, "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30},
            **{"num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152, "tie_word_embeddings": True},
        }
        (folder / "config.json").write_text(json.dumps(config))
    run = make_run(release, esi)
    Run.objects.filter(pk=run.pk).update(base_model="known")
    finish_run(run=run, report=report() | {"training_memory_mb": 3102}, now=NOW)

    text = researcher.get(url("hardware", community)).text

    assert "134,515,008 numbers." in text
    assert "3,102" in text
    assert "No need is computed for models of the family" in text
    assert "Apache-2.0" in text


@pytest.mark.parametrize("who", ["dana", "ben"])
def test_grids_do_not_exist_for_others(
    client: Client, community: Community, grid: Grid, who: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))
    for name in ("grid", "grid-live", "grid-file", "grid-cancel"):
        assert client.get(url(name, community, grid.pk)).status_code == 404
    assert client.get(url("compare", community)).status_code == 404
    assert client.get(url("hardware", community)).status_code == 404
