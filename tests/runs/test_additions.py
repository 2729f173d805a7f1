"""What runs learn from beside a release: brought in by people, or made by a finished run; used, taken back, deleted."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from annotation.answers.models import Answer
from care.models import Purpose
from ledger.models import Entry
from people.models import Community, Person
from people.refusals import Invalid, NotAllowed
from tests.conftest import NOW
from tests.frontend.made import finished, make_adapter, make_release, make_run
from tests.recipes.conftest import place_base
from tests.runs.adding import RELATED, TEXT, TINY, related, rows_of, uploaded
from training.lineage.tracing import taint_of
from training.recipes import certify
from training.recipes.base_model import sha256_of_file
from training.releases.models import Release
from training.releases.services import folder_of as release_folder
from training.releases.services import freeze_release
from training.runs import additions, jobs, supervisor
from training.runs.additions import (
    IsUsed,
    MakesNoRows,
    ask_for_rows,
    claim_rows,
    delete_addition,
    finish_rows,
    makers,
    renew_rows,
    ways_of,
)
from training.runs.beside import AdditionIsGone, files_beside
from training.runs.models import Adapter, Addition, Run
from training.runs.processes import ProcessEnded
from training.runs.schedule import check_schedule, set_schedule
from training.runs.services import cancel_run, claim_run, finish_run, folder_of, queue_run, resume_run
from training.runs.withdrawals import withdraw_answer

MINUTE = timedelta(minutes=1)


@pytest.fixture
def release(validated_corpus: list[Answer], esi: Person) -> Release:
    return make_release(validated_corpus[0].task.project, esi)


@pytest.fixture
def maker(release: Release, esi: Person, aroha: Person) -> Run:
    """A finished run whose adapter may be used, and learnt both directions."""
    run = queue_run(release=release, started_by=esi, now=NOW, given=TINY)
    make_adapter(run, approved_by=aroha)
    run.refresh_from_db()
    return run


@pytest.fixture
def synthetic(maker: Run, esi: Person, tmp_path: Path) -> Addition:
    """Rows that the run made."""
    addition = ask_for_rows(run=maker, how="back_translation", asked_by=esi, now=NOW)
    claimed = claim_rows(addition_id=addition.pk, owner="one", lease_until=NOW + MINUTE, now=NOW)
    assert claimed is not None
    (tmp_path / "rows.jsonl").write_bytes(rows_of(maker.release))
    assert finish_rows(addition=claimed, made=tmp_path / "rows.jsonl", dropped={"meaning": 3}, now=NOW)
    addition.refresh_from_db()
    return addition


@pytest.mark.django_db
def test_a_file_is_kept_with_where_it_is_from_and_the_record_says_so(community: Community, esi: Person) -> None:
    text = uploaded(community, esi)
    assert (text.rows, text.languages, text.is_there) == (2, ["ote"], True)
    assert text.file.read_bytes() == TEXT
    assert text.sha256 == sha256_of_file(text.file)
    plain = uploaded(community, esi, content="\ufeffuno\r\n\r\n dos\n".encode(), name="folk.TXT")
    assert [json.loads(line) for line in plain.file.read_text().splitlines()] == [
        {"id": "1", "text": "uno"},
        {"id": "3", "text": "dos"},
    ]
    other = related(community, esi)
    assert (other.rows, other.languages) == (3, ["es-MX", "nah"])
    entry = Entry.objects.get(action="addition.uploaded", subject=f"addition:{other.pk}")
    assert entry.details == {"kind": "related", "sha256": other.sha256, "rows": 3}
    assert "Nowhere" not in json.dumps(entry.details)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "content", "more", "field", "said"),
    [
        ("text", b'{"id": 1, "text": "a"}\n{"text": "b"}', {}, "file", "Line 2 of given.jsonl is no text with an id."),
        ("text", b'{"id": 1, "text": " "}', {}, "file", "Line 1 of given.jsonl has nothing to read."),
        ("text", b'\n{"id"', {}, "file", "Line 2 of given.jsonl is not JSON."),
        ("text", b'{"id": 1, "text": "\xff"}', {}, "file", "Line 1 of given.jsonl is not UTF-8."),
        ("text", b"uno\n\xff", {"name": "a.txt"}, "file", "Line 2 of a.txt is not UTF-8."),
        ("text", b"\n \n", {}, "file", "The file is empty."),
        ("text", TEXT, {"language": "Otomí"}, "language", "BCP 47"),
        ("text", TEXT, {"origin": " "}, "origin", "This is needed"),
        ("text", TEXT, {"terms": ""}, "terms", "This is needed"),
        ("text", TEXT, {"title": "x" * 201}, "title", "At most 200 letters"),
        ("text", TEXT, {"name": "../../x\0.jsonl", "content": b"[]"}, "file", "is no JSON object"),
        ("synthetic", TEXT, {}, "kind", "Choose one"),
        ("related", b'{"id": 1, "lesson": {}}', {}, "file", "Line 1 of given.jsonl does not say its language."),
        ("related", b'{"id": 1, "language": "es", "lesson": {}}', {}, "file", "Line 1 of given.jsonl is no lesson"),
        ("related", RELATED.replace(b"nah", b"N\xc3\xa1huatl"), {}, "file", "“Náhuatl” in the file is no BCP 47"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused_with_its_line(
    kind: str, content: bytes, more: dict[str, Any], field: str, said: str, community: Community, esi: Person
) -> None:
    with pytest.raises(Invalid) as refused:
        uploaded(community, esi, kind, **{"content": content, **more})
    assert said in str(refused.value)
    assert refused.value.field == field
    assert not Addition.objects.exists()


@pytest.mark.django_db
def test_a_file_has_a_largest_size(community: Community, esi: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(additions, "MOST_BYTES", 10)
    with pytest.raises(Invalid, match="larger than"):
        uploaded(community, esi)


@pytest.mark.django_db
def test_researchers_bring_files_in_and_stewards_may_delete_them(
    community: Community, esi: Person, aroha: Person, ben: Person, dana: Person, django_capture_on_commit_callbacks: Any
) -> None:
    for nobody in (aroha, ben, dana):
        with pytest.raises(NotAllowed):
            uploaded(community, nobody)
    text = uploaded(community, esi)
    seen = {person: Addition.objects.visible_to(person).count() for person in (esi, aroha, ben, dana)}
    assert seen == {esi: 1, aroha: 1, ben: 0, dana: 0}
    with pytest.raises(NotAllowed):
        delete_addition(addition=text, deleted_by=ben, now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        delete_addition(addition=text, deleted_by=aroha, now=NOW)
    delete_addition(addition=text, deleted_by=aroha, now=NOW)
    text.refresh_from_db()
    assert (text.deleted_at, text.is_there, text.file.exists()) == (NOW, False, False)
    assert Entry.objects.filter(action="addition.deleted").count() == 1


@pytest.mark.django_db
def test_a_run_takes_one_of_each_kind_that_suits_it(
    release: Release, community: Community, esi: Person, maker: Run, synthetic: Addition
) -> None:
    text, other = uploaded(community, esi), related(community, esi)

    def queued(*chosen: Addition, method: str = "continue_pretraining") -> Run:
        return queue_run(release=release, started_by=esi, now=NOW, method=method, additions=chosen)

    with pytest.raises(Invalid, match="one of each kind"):
        queued(text, uploaded(community, esi))
    with pytest.raises(Invalid, match="continued pre-training alone") as refused:
        queued(text, method="lora")
    assert refused.value.field == "text"
    waiting = ask_for_rows(run=maker, how="paraphrase", asked_by=esi, now=NOW)
    with pytest.raises(AdditionIsGone):
        queued(waiting)
    run = queued(text, other, synthetic)
    assert set(run.additions.all()) == {text, other, synthetic}
    told = supervisor.configuration_of(run, "base", "")
    assert {kind: told["data"][kind] for kind in ("text", "related", "synthetic")} == {
        kind: str(folder_of(run) / "beside" / f"{kind}.jsonl") for kind in ("text", "related", "synthetic")
    }
    assert told["release"]["beside"].splitlines() == [
        "Made-up passages (es-MX, nah). From: Nowhere. Terms: CC0.",
        f"Made by the adapter of run {maker.number} out of release {release.number} (back translation).",
        "Made-up passages (ote). From: Nowhere. Terms: CC0.",
    ]
    with pytest.raises(IsUsed, match=f"learn from it: {run.number}"):
        delete_addition(addition=text, deleted_by=esi, now=NOW)


@pytest.mark.django_db
def test_rows_of_another_project_and_files_of_another_community_are_refused(
    release: Release, esi: Person, synthetic: Addition, community: Community
) -> None:
    text = uploaded(community, esi)
    elsewhere = Release(project=type(release.project)(pk=0, community_id=0), community_id=0)
    for addition in (synthetic, text):
        assert addition not in Addition.objects.for_project(elsewhere.project)


@pytest.mark.django_db
def test_a_stopped_run_does_not_go_on_without_what_it_learnt_from(
    release: Release, community: Community, esi: Person, django_capture_on_commit_callbacks: Any
) -> None:
    other = related(community, esi)
    run = queue_run(release=release, started_by=esi, now=NOW, additions=[other])
    copy = files_beside(run)["related"]
    copy.parent.mkdir(parents=True)
    shutil.copyfile(other.file, copy)
    cancel_run(run=run, cancelled_by=esi, now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        delete_addition(addition=other, deleted_by=esi, now=NOW)
    assert not copy.exists()
    with pytest.raises(AdditionIsGone):
        resume_run(run=run, resumed_by=esi, now=NOW)


@pytest.mark.django_db
def test_the_schedule_gives_the_next_run_what_is_still_there(
    release: Release, community: Community, esi: Person, aroha: Person, validated_corpus: list[Answer]
) -> None:
    text, other = uploaded(community, esi), related(community, esi)
    chosen = {"method": "continue_pretraining", "additions": [text, other]}
    finished(queue_run(release=release, started_by=esi, now=NOW, **chosen))
    delete_addition(addition=text, deleted_by=esi, now=NOW)
    schedule = set_schedule(
        **{"project": release.project, "is_allowed": True, "minimum_new_items": 1, "cadence_hours": 1},
        **{"withdrawn_percent": 1, "changed_by": aroha, "now": NOW},
    )
    withdraw_answer(answer=validated_corpus[0], author=validated_corpus[0].author, now=NOW)
    run = check_schedule(schedule_id=schedule.pk, now=NOW + timedelta(hours=2))
    assert run is not None
    assert (run.method, list(run.additions.all())) == ("continue_pretraining", [other])


@pytest.mark.django_db
def test_only_an_adapter_that_may_be_used_makes_rows_and_only_as_it_learnt_to(
    maker: Run, release: Release, esi: Person, ben: Person, aroha: Person
) -> None:
    assert makers(maker.community, esi) == [maker]
    assert ways_of(maker) == ["back_translation", "paraphrase"]
    with pytest.raises(NotAllowed):
        ask_for_rows(run=maker, how="paraphrase", asked_by=ben, now=NOW)
    with pytest.raises(Invalid):
        ask_for_rows(run=maker, how="magic", asked_by=esi, now=NOW)
    with pytest.raises(MakesNoRows, match="cannot make such rows"):
        ask_for_rows(run=maker, how="label", asked_by=esi, now=NOW)
    addition = ask_for_rows(run=maker, how="paraphrase", asked_by=esi, now=NOW)
    assert ask_for_rows(run=maker, how="paraphrase", asked_by=esi, now=NOW) == addition
    assert Entry.objects.get(action="addition.asked").details == {"how": "paraphrase", "run": maker.pk}
    finished(make_run(release, esi))
    Adapter.objects.update(state="approved")
    assert makers(maker.community, esi) == [maker]
    Adapter.objects.update(state="candidate")
    with pytest.raises(MakesNoRows, match="may not be used"):
        ask_for_rows(run=maker, how="back_translation", asked_by=esi, now=NOW)
    assert claim_rows(addition_id=addition.pk, owner="one", lease_until=NOW, now=NOW) is None
    addition.refresh_from_db()
    assert (addition.state, addition.failure) == ("failed", additions.NO_LONGER)


@pytest.mark.django_db
def test_a_withdrawal_deletes_rows_that_were_made_of_the_words_and_stops_what_learns_from_them(
    synthetic: Addition,
    maker: Run,
    esi: Person,
    validated_corpus: list[Answer],
    django_capture_on_commit_callbacks: Any,
) -> None:
    """The runs learn from a release that never held the words, but from rows that an adapter wrote which had."""
    words = validated_corpus[0]
    project = maker.release.project
    Answer.objects.filter(pk=words.pk).update(state="disputed")
    clean, is_new = freeze_release(project=project, purpose=Purpose.TRAIN_NONCOMMERCIAL, created_by=esi, now=NOW)
    assert is_new
    Answer.objects.filter(pk=words.pk).update(state="validated")
    waits = queue_run(release=clean, started_by=esi, now=NOW, additions=[synthetic])
    being_made = ask_for_rows(run=maker, how="paraphrase", asked_by=esi, now=NOW)
    held = claim_rows(addition_id=being_made.pk, owner="one", lease_until=NOW + MINUTE, now=NOW)
    assert held is not None

    with django_capture_on_commit_callbacks(execute=True):
        withdraw_answer(answer=words, author=words.author, now=NOW)

    clean.refresh_from_db()
    assert not clean.contains_withdrawn
    reached = {(row.kind, row.key) for row in taint_of([words.pk])}
    assert {("addition", str(synthetic.pk)), ("run", str(waits.pk))} <= reached
    for addition in (synthetic, being_made):
        addition.refresh_from_db()
        assert addition.deleted_at == NOW
    assert not synthetic.file.exists()
    assert not renew_rows(addition=held, lease_until=NOW + MINUTE)
    assert [entry.details for entry in Entry.objects.filter(action="addition.deleted")] == [{"withdrawn": True}] * 2
    waits.refresh_from_db()
    assert (waits.state, waits.failure) == (
        "cancelled",
        "What it learns from beside its release was made of words that were withdrawn.",
    )
    with pytest.raises(AdditionIsGone):
        resume_run(run=waits, resumed_by=esi, now=NOW)
    with pytest.raises(AdditionIsGone):
        queue_run(release=clean, started_by=esi, now=NOW, additions=[synthetic])


@pytest.mark.django_db
def test_a_run_that_was_going_on_meanwhile_keeps_nothing_of_such_rows(
    synthetic: Addition, release: Release, esi: Person, validated_corpus: list[Answer]
) -> None:
    run = queue_run(release=release, started_by=esi, now=NOW, additions=[synthetic])
    claimed = claim_run(run_id=run.pk, owner="one", lease_until=NOW + MINUTE, now=NOW)
    assert claimed is not None
    withdraw_answer(answer=validated_corpus[0], author=validated_corpus[0].author, now=NOW)
    claimed.refresh_from_db()
    assert claimed.state == "cancelling"
    assert finish_run(run=claimed, report={}, now=NOW) is None
    claimed.refresh_from_db()
    assert claimed.state == "cancelled"


@pytest.mark.django_db
def test_work_that_is_interrupted_is_given_back_or_says_why(
    maker: Run, esi: Person, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    addition = ask_for_rows(run=maker, how="paraphrase", asked_by=esi, now=NOW)
    told: dict[str, Any] = {}

    def last_facts(command: list[str], goes_on: Any, *, silence: float) -> Any:
        told["command"] = command
        if "raises" in told:
            raise told["raises"]
        told["happens"]()
        return {"kept": 1, "dropped": {}} if goes_on() else None

    monkeypatch.setattr(jobs, "last_facts", last_facts)
    told["happens"] = lambda: Addition.objects.update(lease_owner="another")
    assert jobs.make_rows_job(addition_id=addition.pk) == "given back"
    assert told["command"][:2] == ["training.recipes.augment", "paraphrase"]
    assert jobs.make_rows_job(addition_id=addition.pk) == "not waiting"
    Addition.objects.update(lease_expires_at=NOW)
    rung: list[int] = []
    monkeypatch.setattr(jobs.make_rows_job, "delay", lambda **row: rung.append(row["addition_id"]))
    assert (jobs.recover_rows_job(), rung) == (1, [addition.pk])
    told["raises"] = ProcessEnded("The run must have learnt both directions.")
    assert jobs.make_rows_job(addition_id=addition.pk) == "failed"
    addition.refresh_from_db()
    assert (addition.state, addition.failure) == ("failed", "The run must have learnt both directions.")
    # One that is being made is stopped by deleting it.
    del told["raises"]
    again = ask_for_rows(run=maker, how="paraphrase", asked_by=esi, now=NOW)
    told["happens"] = lambda: delete_addition(addition=again, deleted_by=esi, now=NOW)
    assert jobs.make_rows_job(addition_id=again.pk) == "given back"
    assert not Addition.objects.waiting(NOW + timedelta(days=1)).exists()


@pytest.mark.django_db
@pytest.mark.slow
def test_real_runs_learn_from_each_and_say_so(
    release: Release, community: Community, esi: Person, aroha: Person, settings: Any, capsys: Any
) -> None:
    """Two runs and the making of rows by real processes of a tiny base; the second run is certified with its files."""
    base = place_base(Path(settings.MODELS_DIR))
    first = queue_run(
        **{"release": release, "started_by": esi, "now": NOW, "method": "continue_pretraining", "given": TINY},
        additions=[uploaded(community, esi), related(community, esi)],
    )
    assert supervisor.execute(first.pk) == "finished"
    report = Adapter.objects.get(run=first).report
    read = {kind: sha256_of_file(path) for kind, path in files_beside(first).items()}
    assert report["beside_the_release"] == read
    reading, lessons = report["stages"]
    assert reading["held_out"] == 0
    assert lessons["learnt_from"] | {"es-MX": 1, "nah": 2, "related_held_out": 0} == lessons["learnt_from"]
    assert "Made-up passages (ote). From: Nowhere. Terms: CC0." in (folder_of(first) / "README.md").read_text()

    Adapter.objects.update(state="approved")
    first.refresh_from_db()
    made = ask_for_rows(run=first, how="back_translation", asked_by=esi, now=NOW)
    assert jobs.make_rows_job(addition_id=made.pk) == "finished"
    made.refresh_from_db()
    # So small a model writes nothing that is worth keeping; what was dropped, and why, is kept.
    assert made.state == "finished"
    assert made.rows + sum(made.dropped.values()) == release.counts["train"]

    content = rows_of(release)
    made.file.write_bytes(content)
    Addition.objects.filter(pk=made.pk).update(rows=1, sha256=hashlib.sha256(content).hexdigest())
    made.refresh_from_db()
    second = queue_run(release=release, started_by=esi, now=NOW, method="lora", given=TINY, additions=[made])
    assert supervisor.execute(second.pk) == "finished"
    assert Adapter.objects.get(run=second).report["stages"][0]["learnt_from"]["synthetic"] == 1
    arguments = [str(release_folder(release)), str(folder_of(second)), "--base", str(base)]
    assert certify.main(arguments) == 0
    assert f"of beside/synthetic.jsonl ({made.sha256})" in capsys.readouterr().out
