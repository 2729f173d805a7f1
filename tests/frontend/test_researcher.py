"""The researcher's desk: releases, runs and what they made."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Answer
from annotation.projects.models import Project
from care.models import Purpose
from people.models import Community, Person
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run, part, report
from training.recipes.configuration import FROM_VOTES, METHODS
from training.releases.models import Release
from training.releases.services import folder_of
from training.runs.models import Adapter, Run
from training.runs.services import finish_run
from training.runs.services import folder_of as folder_of_run
from training.runs.supervisor import configuration_of
from training.runs.withdrawals import withdraw_answer


@pytest.fixture
def researcher(client: Client, esi: Person) -> Client:
    client.force_login(esi)
    return client


@pytest.fixture
def release(validated_corpus: list[Answer], project: Project, esi: Person) -> Release:
    return make_release(project, esi)


@pytest.fixture
def run(release: Release, esi: Person) -> Run:
    return make_run(release, esi)


def url(name: str, community: Community, pk: int | None = None) -> str:
    more = {} if pk is None else {"pk": pk}
    return reverse(f"researcher:{name}", kwargs={"slug": community.slug, **more})


@pytest.fixture
def live_run(run: Run) -> Run:
    """A run in the middle of its training, with a log."""
    folder = folder_of_run(run)
    folder.mkdir(parents=True)
    events: list[dict[str, Any]] = [{"event": "step", "step": step, "loss": 4 / step} for step in range(1, 21)]
    events.append({"event": "validation", "step": 20, "bpb": 1.75})
    (folder / "log.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    Run.objects.filter(pk=run.pk).update(state="running", progress={
        "phase": "training", "step": 20, "steps": 80, "loss": 0.2, "tokens_per_second": 310.4,
        "seconds_left": 95, "energy_wh": 1.25, "validation_bpb": 1.75,
    })  # fmt: skip
    return Run.objects.get(pk=run.pk)


def test_the_desk_counts_what_each_purpose_may_use(
    researcher: Client, community: Community, validated_corpus: list[Answer]
) -> None:
    response = researcher.get(url("home", community))

    (row,) = response.context["projects"]
    assert row.validated == 12
    assert [number for _, number in row.usable] == [12, 0]


def test_a_release_is_frozen_once_and_then_found_again(
    researcher: Client, community: Community, project: Project, validated_corpus: list[Answer]
) -> None:
    form = {"project": project.pk, "purpose": Purpose.TRAIN_NONCOMMERCIAL.value, "note": ""}

    first = researcher.post(url("freeze", community), form, follow=True)
    second = researcher.post(url("freeze", community), form, follow=True)

    release = Release.objects.get()
    assert "Release 1 is frozen." in first.text
    assert "Nothing changed since release 1." in second.text
    assert release.sha256 in second.text


def test_nothing_to_release_is_said_beside_the_form(researcher: Client, community: Community, project: Project) -> None:
    response = researcher.post(
        url("freeze", community),
        {"project": project.pk, "purpose": Purpose.TRAIN_COMMERCIAL.value, "note": "my own note"},
    )

    assert response.status_code == 409
    assert "No validated sentence may be used for this purpose yet." in response.text
    assert "my own note" in response.text


def test_a_release_shows_counts_terms_hash_and_card(researcher: Client, community: Community, release: Release) -> None:
    text = researcher.get(url("release", community, release.pk)).text

    assert release.sha256 in text
    assert "CC0" in text
    assert "withheld" in text
    assert "Manifest SHA-256" in text


def test_checking_finds_a_changed_file(researcher: Client, community: Community, release: Release) -> None:
    whole = researcher.get(url("verify", community, release.pk)).text
    (folder_of(release) / "data" / "train.jsonl").write_text("{}\n")
    broken = researcher.get(url("verify", community, release.pk)).text

    assert "the database agree" in whole
    assert "data/train.jsonl was changed" in broken


def test_the_download_holds_the_release_folder(researcher: Client, community: Community, release: Release) -> None:
    response = researcher.get(url("download", community, release.pk))

    with zipfile.ZipFile(io.BytesIO(response.getvalue())) as archive:
        names = {name.split("/", 1)[1] for name in archive.namelist()}
        manifest = archive.read(next(name for name in archive.namelist() if name.endswith("manifest.json")))
    assert {"manifest.json", "README.md", "data/train.jsonl", "data/test.jsonl"} <= names
    assert manifest == (folder_of(release) / "manifest.json").read_bytes()


def test_a_release_with_withdrawn_words_is_not_handed_out(
    researcher: Client, community: Community, release: Release
) -> None:
    item = release.items.select_related("answer__author").first()
    assert item is not None
    withdraw_answer(answer=item.answer, author=item.answer.author, now=NOW)

    page = researcher.get(url("release", community, release.pk))
    download = researcher.get(url("download", community, release.pk))

    assert "Words in it were withdrawn." in page.text
    assert url("start", community, release.pk) not in page.text
    assert download.status_code == 409
    assert download["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("name", ["release", "verify", "download"])
@pytest.mark.parametrize("who", ["dana", "ben", "chen"])
def test_releases_do_not_exist_for_others(
    client: Client, community: Community, release: Release, name: str, who: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))

    assert client.get(url(name, community, release.pk)).status_code == 404


def test_a_run_is_started_with_the_chosen_settings_and_the_bell_is_rung(
    researcher: Client,
    community: Community,
    release: Release,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    form = researcher.get(url("start", community, release.pk)).context["form"]
    values = {name: field.initial for name, field in form.fields.items()}

    with django_capture_on_commit_callbacks() as bells:
        response = researcher.post(url("start", community, release.pk), {**values, "recipe-rank": 4}, follow=True)

    run = Run.objects.get()
    assert run.settings["recipe"]["rank"] == 4
    assert run.settings["recipe"]["alpha"] == values["recipe-alpha"]
    assert len(bells) == 1
    assert response.redirect_chain[-1][0] == url("run", community, run.pk)


@pytest.mark.parametrize(
    ("method", "name"), [("qdylora", "QDyLoRA"), ("full", "Full fine-tuning"), ("lora", "LoRA"), ("dylora", "DyLoRA")]
)
def test_the_method_that_is_chosen_is_the_one_that_runs_and_is_named(
    researcher: Client, community: Community, release: Release, method: str, name: str
) -> None:
    form = researcher.get(url("start", community, release.pk)).context["form"]
    values = {name: field.initial for name, field in form.fields.items()}
    assert values["recipe-method"] == "qlora"
    assert [value for value, _ in form.fields["recipe-method"].choices] == [
        one for one in METHODS if one not in FROM_VOTES
    ]

    page = researcher.post(url("start", community, release.pk), {**values, "recipe-method": method}, follow=True)

    run = Run.objects.get()
    assert (run.method, run.settings["recipe"]["method"]) == (method, method)
    assert configuration_of(run, "base", "0" * 64)["recipe"] == run.settings["recipe"]
    assert f'<p class="lead">{name} ·' in page.text


def test_a_method_that_is_not_there_is_refused(researcher: Client, community: Community, release: Release) -> None:
    form = researcher.get(url("start", community, release.pk)).context["form"]
    values = {name: field.initial for name, field in form.fields.items()}

    assert researcher.post(url("start", community, release.pk), {**values, "recipe-method": "x"}).status_code == 422
    assert not Run.objects.exists()


def test_the_ranks_inside_an_adapter_are_shown_with_the_advice(
    researcher: Client, community: Community, run: Run
) -> None:
    rows = [{"rank": rank, "bpb": 2 + 1 / rank, "standard_error": 0.3, "bytes": 1000 * rank} for rank in (1, 4, 16)]
    ranks = {"measured": rows, "items": 30, "best": 16, "advised": 4, "bytes_saved": 12_000}
    adapter = make_adapter(run)
    Adapter.objects.filter(pk=adapter.pk).update(report={**adapter.report, "ranks": ranks})

    text = researcher.get(url("run", community, run.pk)).text

    assert "Rank 4 is as good as the best, as far as 30 validation sentences can tell" in text
    assert text.count('<td class="number">2.') >= 3


def test_a_setting_out_of_bounds_is_named_and_nothing_is_lost(
    researcher: Client, community: Community, release: Release
) -> None:
    form = researcher.get(url("start", community, release.pk)).context["form"]
    values = {name: field.initial for name, field in form.fields.items()}

    response = researcher.post(url("start", community, release.pk), {**values, "recipe-rank": 0, "recipe-seed": 4242})

    assert response.status_code == 422
    assert "rank" in response.text
    assert 'value="4242"' in response.text
    assert not Run.objects.exists()


def test_a_steward_reads_runs_but_starts_none(
    client: Client, aroha: Person, community: Community, release: Release, run: Run
) -> None:
    client.force_login(aroha)

    assert client.get(url("run", community, run.pk)).status_code == 200
    assert client.get(url("start", community, release.pk)).status_code == 404


def test_a_live_run_shows_how_far_it_is(researcher: Client, community: Community, live_run: Run) -> None:
    text = researcher.get(url("run", community, live_run.pk)).text

    assert "step 20 of 80" in text
    assert '<progress class="progress" value="20" max="80"' in text
    assert "1 min" in text
    assert "1.25 Wh" in text
    assert text.count('<svg class="curve"') == 2
    assert "nats per token" in text
    assert "bits per byte" in text


def test_the_live_part_refreshes_itself_until_the_run_is_over(
    researcher: Client, community: Community, live_run: Run
) -> None:
    going = researcher.get(url("live", community, live_run.pk))
    Run.objects.filter(pk=live_run.pk).update(state="failed", failure="The disk is full.")
    over = researcher.get(url("live", community, live_run.pk))
    page = researcher.get(url("run", community, live_run.pk)).text

    assert 'hx-trigger="every 3s"' in going.text
    assert "<html" not in going.text
    assert (over.status_code, over["HX-Refresh"]) == (286, "true")
    assert "hx-trigger" not in page
    assert "The disk is full." in page


def test_a_run_is_stopped_and_goes_on(researcher: Client, community: Community, run: Run) -> None:
    researcher.post(url("cancel", community, run.pk))
    run.refresh_from_db()
    assert run.state == Run.State.CANCELLED

    researcher.post(url("resume", community, run.pk))
    run.refresh_from_db()
    assert run.state == Run.State.QUEUED


def test_stopping_what_is_over_is_refused_on_the_page(researcher: Client, community: Community, run: Run) -> None:
    researcher.post(url("cancel", community, run.pk))

    response = researcher.post(url("cancel", community, run.pk))

    assert response.status_code == 409
    assert "This run is over" in response.text


def test_a_finished_run_compares_base_and_adapter(
    researcher: Client, community: Community, run: Run, validated_corpus: list[Answer]
) -> None:
    make_adapter(run, sample=validated_corpus[0].pk)

    text = researcher.get(url("run", community, run.pk)).text

    assert "Better than the base model" in text
    assert "lower is better" in text
    assert "higher is better" in text
    assert "2.000" in text
    assert "1.500" in text
    assert "-0.600 … -0.400" in text
    assert "adapter writes" in text


def test_what_it_knows_by_heart_whom_it_serves_and_other_seeds_are_told(
    researcher: Client, community: Community, run: Run
) -> None:
    made = report()
    spelling = {**part("request", says="worse", low=0.1, high=0.2), "adapter_bpb_as_written": 1.234}
    made["evaluation"]["robustness"] = {
        "variety": [part("ots"), part("", sentences=4, says="few")],
        "orthography": [part("Popular", says="unsure", low=-0.1, high=0.1)],
        "spelling": [spelling],
    }
    measured = [{"seed": 7, "bpb": 1.5, "score_name": "chrF++", "score": 21.5}, {"seed": 8, "failure": "No number."}]
    over = {"number": 2, "mean": 3.1234, "deviation": 0.0214, "low": 3.0, "high": 3.2}
    made["evaluation"]["seeds"] = {"measured": measured, "bpb": over, "score": {"name": "chrF++", **over}}
    finish_run(run=run, report=made, now=NOW)
    text = researcher.get(url("run", community, run.pk)).text
    for told in (
        "0.50 (-0.30 … 1.30)",
        "12 %",
        "<bdi>ots</bdi>",
        "too few to say",
        "<bdi>Popular</bdi>",
        "not surely different",
        "Asked without accents",
        "the adapter, as written: 1.234",
        "Bits per byte over 2 seeds: 3.123 ± 0.021",
        "chrF++: 3.12 ± 0.02.",
        "No number.",
    ):
        assert told in text, told


def test_a_worse_adapter_is_called_so(researcher: Client, community: Community, run: Run) -> None:
    make_adapter(run, better=False)

    assert "It stays a candidate." in researcher.get(url("run", community, run.pk)).text


def test_a_sample_disappears_when_its_words_are_withdrawn(
    researcher: Client, community: Community, run: Run, validated_corpus: list[Answer]
) -> None:
    answer = validated_corpus[0]
    make_adapter(run, sample=answer.pk)
    withdraw_answer(answer=answer, author=answer.author, now=NOW)

    text = researcher.get(url("run", community, run.pk)).text

    assert "el texto humano" not in text
    assert "Words it learnt from were withdrawn." in text


def test_the_card_is_shown_when_there_is_one(researcher: Client, community: Community, run: Run) -> None:
    assert researcher.get(url("card", community, run.pk)).status_code == 404

    folder_of_run(run).mkdir(parents=True)
    (folder_of_run(run) / "README.md").write_text("# An adapter <b>")

    assert "# An adapter &lt;b&gt;" in researcher.get(url("card", community, run.pk)).text


@pytest.mark.parametrize("name", ["run", "live", "card", "cancel", "resume"])
def test_runs_do_not_exist_for_outsiders(
    client: Client, dana: Person, community: Community, run: Run, name: str
) -> None:
    client.force_login(dana)

    assert client.get(url(name, community, run.pk)).status_code == 404
    assert client.post(url(name, community, run.pk)).status_code == 404
