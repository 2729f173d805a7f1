"""A run is taken to another machine, and what that one made becomes its adapter where it is of exactly this run."""

from __future__ import annotations

import contextlib
import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Answer
from care.restricting import place_hold
from ledger.models import Entry
from people.models import Community, Person
from people.refusals import Invalid, NotAllowed
from tests.conftest import NOW
from tests.frontend.made import make_release
from tests.recipes.conftest import place_base
from tests.runs.adding import related
from tests.runs.test_runs import TINY
from training.recipes import lora
from training.releases.models import Download, DownloadNotice, Release
from training.runs import elsewhere, unpacking
from training.runs.artefacts import folder_of
from training.runs.beside import AdditionIsGone
from training.runs.elsewhere import NotElsewhere, bring_back, goes_elsewhere, take_elsewhere
from training.runs.models import Adapter, Addition, Run
from training.runs.promotion import gate_of
from training.runs.services import ReleaseIsTainted, cancel_run, queue_run, resume_run
from training.runs.supervisor import execute
from training.runs.withdrawals import withdraw_answer

pytestmark = pytest.mark.django_db
LORA = {"recipe": {**TINY["recipe"], "method": "lora"}, "evaluation": TINY["evaluation"]}
WEIGHTS = "adapter/adapter_model.safetensors"
ABOUT = "adapter/adapter_config.json"
BROKEN_LOG = b'{"event": "step", "step": null, "loss": 1.0}\n'


@pytest.fixture
def base(settings: Any) -> Path:
    """The tiny model as the default base model."""
    return place_base(Path(settings.MODELS_DIR))


@pytest.fixture
def release(validated_corpus: list[Answer], esi: Person) -> Release:
    """Twelve sentences."""
    return make_release(validated_corpus[0].task.project, esi)


@pytest.fixture
def run(release: Release, base: Path, esi: Person) -> Run:
    """A run that waits."""
    return queue_run(release=release, started_by=esi, now=NOW, given=LORA)


@pytest.fixture
def made(run: Run, base: Path, esi: Person, tmp_path: Path) -> dict[str, bytes]:
    """What another machine made of the run, by name."""
    return made_of(run, base, esi, tmp_path)


def made_of(run: Run, base: Path, esi: Person, tmp_path: Path) -> dict[str, bytes]:
    """Take the run to a folder that has nothing but the bundle and the base, and make it there."""
    file = take_elsewhere(run=run, taken_by=esi, now=NOW)
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path)
    away = tmp_path / f"{run.community.slug}-run-{run.number}"
    shutil.copytree(base, away / "models" / base.name)
    with contextlib.chdir(away):
        assert lora.main(Path("config.toml")) == 0
    return {name: (away / name).read_bytes() for name in unpacking.EXPECTED}


def packed(files: Mapping[str, bytes], *, folder: str = "") -> BytesIO:
    """A zip of files by name."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"{folder}{name}", content)
    file.seek(0)
    return file


def brought(run: Run, files: Mapping[str, bytes], person: Person) -> Adapter:
    return bring_back(run=run, file=packed(files), brought_by=person, now=NOW)


def test_words_that_went_along_are_to_be_deleted_there_when_they_are_taken_back(
    run: Run, base: Path, esi: Person, ben: Person
) -> None:
    take_elsewhere(run=run, taken_by=esi, now=NOW)
    taken = Download.objects.get()
    assert (taken.release, taken.run_number, taken.person) == (run.release, run.number, esi)
    assert Entry.objects.get(action="run.taken_elsewhere").details["bytes"] == taken.bytes
    withdraw_answer(answer=Answer.objects.filter(author=ben)[0], author=ben, now=NOW)
    assert DownloadNotice.objects.get().download == taken


def test_what_comes_back_is_an_adapter_like_any_other(run: Run, made: dict[str, bytes], esi: Person) -> None:
    run.refresh_from_db()
    assert (run.state, execute(run.pk)) == ("cancelled", "not waiting")
    adapter = bring_back(run=run, file=packed(made, folder="back/"), brought_by=esi, now=NOW)
    run.refresh_from_db()
    assert (run.state, run.progress["step"]) == ("finished", run.progress["steps"])
    assert run.base_sha256 == adapter.report["base"]["sha256"]
    assert adapter.state == "candidate"
    assert adapter.report["elsewhere"] == {"brought_back_on": NOW.date().isoformat()}
    assert adapter.report["release"]["sha256"] == run.release.sha256
    assert adapter.report["consent"]["contributors"] == 3
    assert adapter.report["energy"]["source"]
    assert gate_of(adapter, steward=None)
    folder = folder_of(run)
    assert {name: (folder / name).read_bytes() for name in made} == made
    assert "/data/train.jsonl" in (folder / "config.toml").read_text()
    kinds = [event.kind for event in run.events.all()]
    assert kinds == ["queued", "cancel asked", "taken elsewhere", "finished", "brought back"]
    entries = {entry.action: entry for entry in Entry.objects.filter(actor=str(esi.pk))}
    assert entries["run.taken_elsewhere"].details["release"] == run.release.sha256
    assert entries["run.brought_back"].details == {"sha256": adapter.sha256}
    assert Entry.objects.get(action="adapter.made").details["sha256"] == adapter.sha256
    with pytest.raises(NotElsewhere, match="or is over: finished"):
        brought(run, made, esi)


def test_what_it_learns_from_beside_the_release_goes_along(
    release: Release, base: Path, esi: Person, tmp_path: Path
) -> None:
    beside = related(release.community, esi)
    run = queue_run(release=release, started_by=esi, now=NOW, given=LORA, additions=[beside])
    made = made_of(run, base, esi, tmp_path)
    (away,) = tmp_path.glob("*-run-*")
    assert (away / "data" / "related.jsonl").read_bytes() == beside.file.read_bytes()
    lied = changed("report.json", f'"related": "{beside.sha256}"', f'"related": "{"0" * 64}"')(made)
    with pytest.raises(Invalid, match="another related file"):
        brought(run, lied, esi)
    adapter = brought(run, made, esi)
    assert adapter.report["beside_the_release"] == {"related": beside.sha256}
    assert beside.origin in adapter.report["beside_told"][0]
    other = queue_run(release=release, started_by=esi, now=NOW, given=LORA, additions=[beside])
    Addition.objects.update(deleted_at=NOW)
    with pytest.raises(AdditionIsGone):
        take_elsewhere(run=other, taken_by=esi, now=NOW)


def changed(name: str, old: str, new: str) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    def change(files: dict[str, bytes]) -> dict[str, bytes]:
        assert old.encode() in files[name]
        return {**files, name: files[name].replace(old.encode(), new.encode(), 1)}

    return change


def without(name: str) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda files: {one: content for one, content in files.items() if one != name}


def adding(name: str) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    return lambda files: {**files, name: b"x"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed("report.json", '"rank": 4', '"rank": 8'), "another recipe.rank"),
        (changed("report.json", '"max_items": 4', '"max_items": 1'), "another evaluation.max_items"),
        (changed("report.json", '"adapter_sha256": "', '"adapter_sha256": "0'), "not the one that the report names"),
        (changed("report.json", '"base_bpb": ', '"base_bpb": NaN, "was": '), "NaN, which is no number"),
        (changed("report.json", '"adapter_bpb": ', '"adapter_bpb": "9", "was": '), "says '9' as adapter_bpb"),
        (changed(ABOUT, '"lora_alpha": 8', '"lora_alpha": 800'), "another rank or alpha"),
        (changed(ABOUT, '"auto_mapping": null', '"auto_mapping": {"parent_library": "os"}'), "auto_mapping"),
        (
            lambda files: {**files, "log.jsonl": b'{"event": "step", "step": null, "loss": 1.0}\n'},
            "What came back cannot be read",
        ),
        (lambda files: {**files, WEIGHTS: b"\x80\x04pickle"}, "What came back cannot be read"),
        (lambda files: {**files, "report.json": b"[]"}, "no report or settings"),
        (without(ABOUT), "lacks adapter/adapter_config.json"),
        (adding("adapter/adapter_model.bin"), "holds adapter/adapter_model.bin"),
        (adding("../../outside.txt"), r"holds ../../outside.txt"),
        (adding("/etc/outside"), "holds /etc/outside"),
        (adding("config.toml"), "holds config.toml"),
    ],
)
def test_what_is_anything_else_is_refused_and_the_run_stays_as_it_was(
    run: Run, made: dict[str, bytes], esi: Person, change: Any, words: str
) -> None:
    made = change(made)
    with pytest.raises(Invalid, match=words):
        brought(run, made, esi)
    run.refresh_from_db()
    assert (run.state, run.progress) == ("cancelled", {})
    assert not Adapter.objects.exists()
    assert not (folder_of(run) / "report.json").exists()
    assert not list(folder_of(run).parents[1].glob(".elsewhere-*"))


def test_a_zip_holds_no_more_than_it_may_and_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = dict.fromkeys(unpacking.EXPECTED, b"{}")
    monkeypatch.setitem(unpacking.EXPECTED, "report.json", 1)
    with pytest.raises(Invalid, match=r"report\.json is larger"):
        unpacking.unpack(packed(files), tmp_path)
    monkeypatch.setitem(unpacking.EXPECTED, "report.json", 2)
    unpacking.unpack(packed(files), tmp_path)
    twice = BytesIO()
    with zipfile.ZipFile(twice, "w") as archive:
        for name in (*files, "log.jsonl"):
            is_there = name in archive.namelist()
            with pytest.warns(UserWarning, match="Duplicate") if is_there else contextlib.nullcontext():
                archive.writestr(name, b"{}")
    with pytest.raises(Invalid, match=r"holds log\.jsonl"):
        unpacking.unpack(twice, tmp_path)
    for content in (b"", b"no zip", packed(files).getvalue()[:-30]):
        with pytest.raises(Invalid, match="no zip that can be read"):
            unpacking.unpack(BytesIO(content), tmp_path)
    broken = packed(files).getvalue().replace(b"{}", b"[]", 1)
    with pytest.raises(Invalid, match="no zip that can be read"):
        unpacking.unpack(BytesIO(broken), tmp_path)


def test_words_that_are_taken_back_meanwhile_are_in_no_adapter(
    run: Run, made: dict[str, bytes], esi: Person, validated_corpus: list[Answer]
) -> None:
    words = validated_corpus[0]
    withdraw_answer(answer=words, author=words.author, now=NOW)
    for act in (
        lambda: brought(run, made, esi),
        lambda: take_elsewhere(run=run, taken_by=esi, now=NOW),
    ):
        with pytest.raises(ReleaseIsTainted, match="withdrawn"):
            act()
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert not Adapter.objects.exists()
    assert not (folder_of(run) / "adapter").exists()


def test_words_that_are_taken_back_while_it_is_checked_are_in_no_adapter(
    run: Run, made: dict[str, bytes], esi: Person, validated_corpus: list[Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, words = elsewhere.check, validated_corpus[0]

    def check(bundle: Path) -> dict[str, Any]:
        withdraw_answer(answer=words, author=words.author, now=NOW)
        return usual(bundle)

    monkeypatch.setattr(elsewhere, "check", check)
    with pytest.raises(ReleaseIsTainted, match="withdrawn"):
        brought(run, made, esi)
    assert not Adapter.objects.exists()
    assert not (folder_of(run) / "adapter").exists()


def test_words_that_may_not_be_used_now_do_not_leave(
    run: Run, community: Community, esi: Person, aroha: Person
) -> None:
    place_hold(community=community, kind="release", key=str(run.release_id), placed_by=aroha, note="Wait.", now=NOW)
    with pytest.raises(ReleaseIsTainted, match="may not be used"):
        take_elsewhere(run=run, taken_by=esi, now=NOW)
    run.refresh_from_db()
    assert run.state == "queued"
    assert not Entry.objects.filter(action="run.taken_elsewhere").exists()


def test_who_may_not_train_takes_nothing_and_a_run_that_goes_on_here_is_not_brought_back(
    run: Run, made: dict[str, bytes], esi: Person, ben: Person, aroha: Person
) -> None:
    for person in (ben, aroha):
        with pytest.raises(NotAllowed):
            take_elsewhere(run=run, taken_by=person, now=NOW)
        with pytest.raises(NotAllowed):
            brought(run, made, person)
    resume_run(run=run, resumed_by=esi, now=NOW)
    with pytest.raises(NotElsewhere, match="is over: waiting"):
        brought(run, made, esi)


def test_a_run_that_was_not_taken_away_has_nothing_to_bring_back(run: Run, esi: Person) -> None:
    cancel_run(run=run, cancelled_by=esi, now=NOW)
    with pytest.raises(NotElsewhere, match="not taken to another machine"):
        brought(run, {}, esi)


@pytest.mark.parametrize(
    "change", [{"method": "full"}, {"settings": {"recipe": {"shards": 2}}}, {"state": "running"}, {"state": "finished"}]
)
def test_what_another_machine_cannot_bring_back_whole_stays(run: Run, esi: Person, change: dict[str, Any]) -> None:
    Run.objects.filter(pk=run.pk).update(**change)
    run.refresh_from_db()
    assert not goes_elsewhere(run)
    with pytest.raises(NotElsewhere):
        take_elsewhere(run=run, taken_by=esi, now=NOW)


def test_without_the_base_model_nobody_could_tell_whether_it_was_this_one(run: Run, base: Path, esi: Person) -> None:
    (base / "model.json").write_text(json.dumps({"sha256": "0" * 64}))
    with pytest.raises(NotElsewhere, match="not the one that the run began with"):
        take_elsewhere(run=run, taken_by=esi, now=NOW)
    shutil.rmtree(base)
    with pytest.raises(NotElsewhere, match="No worker has prepared"):
        take_elsewhere(run=run, taken_by=esi, now=NOW)


def test_the_page_of_the_run_gives_and_takes(
    run: Run, made: dict[str, bytes], community: Community, esi: Person, aroha: Person, client: Client, monkeypatch: Any
) -> None:
    rung: list[int] = []
    monkeypatch.setattr("frontend.researcher.views.elsewhere.ring_comparison", lambda row: rung.append(row.pk))
    page = reverse("researcher:run", kwargs={"slug": community.slug, "pk": run.pk})
    client.force_login(aroha)
    assert "On another machine" not in client.get(page).text
    assert client.post(f"{page}elsewhere/").status_code == 404
    client.force_login(esi)
    assert "Bring it back" in client.get(page).text
    answer = client.post(f"{page}elsewhere/")
    with zipfile.ZipFile(BytesIO(b"".join(answer.streaming_content))) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
    assert {"config.toml", "manifest.json", "run.sbatch", "data/train.jsonl", "llama_factory.yaml"} <= names
    assert "elsewhere.zip" in answer["Content-Disposition"]
    assert client.post(f"{page}back/").status_code == 422
    wrong = SimpleUploadedFile("back.zip", packed(changed(ABOUT, '"r": 4', '"r": 3')(made)).read())
    told = client.post(f"{page}back/", {"file": wrong})
    assert told.status_code == 422
    assert "adapter_config.json has another rank or alpha than the run." in told.text
    right = SimpleUploadedFile("back.zip", packed(made).read())
    told = client.post(f"{page}back/", {"file": right}, follow=True)
    assert "The run is finished, with what the other machine made." in told.text
    assert f"brought back on {Adapter.objects.get().report['elsewhere']['brought_back_on']}" in told.text
    assert "On another machine</h2>" not in told.text
    assert reverse("researcher:run-download", kwargs={"slug": community.slug, "pk": run.pk}) in told.text
    assert rung == [Adapter.objects.get().pk]


def test_a_download_that_has_begun_ends_when_words_are_taken_back(
    run: Run, community: Community, esi: Person, client: Client, validated_corpus: list[Answer]
) -> None:
    page = reverse("researcher:run", kwargs={"slug": community.slug, "pk": run.pk})
    client.force_login(esi)
    assert "waits for no worker here any more" in client.get(page).text
    begun = client.post(f"{page}elsewhere/").streaming_content
    words = validated_corpus[0]
    withdraw_answer(answer=words, author=words.author, now=NOW)
    with pytest.raises(NotAllowed):
        next(iter(begun))
