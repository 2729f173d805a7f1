"""An adapter leaves the house only by everybody's consent and a decision on just that, and its files end with it."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Answer
from care.deciding import DecisionNeeded
from care.models import Decision
from care.restricting import put_label
from ledger.models import Entry
from people.models import Community, Person
from people.refusals import Invalid, NotAllowed
from tests.care.deciding import adopt, closed, make_stewards, opened, voted
from tests.conftest import NOW
from tests.frontend.made import made_export, make_adapter, make_release, make_run, publishing
from tests.recipes.conftest import place_base, with_merges, write_run
from tests.runs.adding import uploaded
from training.exports import jobs, making
from training.exports.jobs import export_job, recover_exports_job
from training.exports.management.commands import push_export
from training.exports.models import Export
from training.exports.services import (
    NotHandedOut,
    NotMade,
    ask_for_export,
    download_export,
    ranks_of,
    require_going_out,
)
from training.lineage.services import end_adapter
from training.lineage.tracing import taint_of
from training.recipes import lora, qdylora
from training.runs.artefacts import folder_of
from training.runs.models import Adapter, Run
from training.runs.processes import ProcessEnded
from training.runs.services import decide_adapter
from training.runs.withdrawals import withdraw_answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def adapter(validated_corpus: list[Answer], aroha: Person, esi: Person) -> Adapter:
    """Approved for use, learnt from people who do not publish models."""
    return make_adapter(make_run(make_release(validated_corpus[0].task.project, esi), esi), approved_by=aroha)


@pytest.fixture
def published(adapter: Adapter) -> Adapter:
    """The same, of people who do."""
    publishing(adapter.run.release)
    return adapter


def asked(adapter: Adapter, person: Person, form: str = "merged", rank: int | None = None) -> Export:
    return ask_for_export(adapter=adapter, form=form, rank=rank, asked_by=person, now=NOW)


def test_only_what_everybody_allows_to_be_published_leaves(
    adapter: Adapter, aroha: Person, esi: Person, ben: Person, community: Community
) -> None:
    with pytest.raises(NotAllowed):
        asked(adapter, ben)
    with pytest.raises(NotHandedOut, match="Not everybody"):
        asked(adapter, aroha)
    publishing(adapter.run.release)
    with pytest.raises(DecisionNeeded):
        asked(adapter, esi)
    with pytest.raises(Invalid, match=r"^Choose one\.$"):
        asked(adapter, aroha, form="onnx")
    with pytest.raises(Invalid, match="ranks"):
        asked(adapter, aroha, rank=2)
    assert not Export.objects.exists()
    # One steward decides here, and her asking is the decision; from then on the researcher may, too.
    export = asked(adapter, aroha)
    decision = Decision.objects.get(subject=f"publish:{adapter.pk}")
    assert (decision.state, decision.proposal.purposes) == ("in_force", ["release_adapter"])
    assert asked(adapter, esi).pk == export.pk
    entry = Entry.objects.get(action="adapter.export_asked")
    assert (entry.actor, entry.details) == (str(aroha.pk), {"form": "merged", "decision": decision.pk})
    put_label(
        **{"community": community, "kind": "adapter", "key": str(adapter.pk), "code": "tknv"},
        **{"placed_by": aroha, "now": NOW},
    )
    with pytest.raises(NotHandedOut, match="held back"):
        asked(adapter, esi)


def test_where_a_community_votes_using_an_adapter_is_not_letting_it_out(
    published: Adapter, aroha: Person, esi: Person, community: Community
) -> None:
    people = [aroha, *make_stewards(community)]
    adopt(community, aroha, cooling_off_hours=0)
    with pytest.raises(DecisionNeeded):
        asked(published, aroha)
    proposal = opened(community, esi, subject=f"publish:{published.pk}", purposes=["release_adapter"])
    voted(proposal, people)
    closed(proposal)
    require_going_out(adapter=published, person=esi, now=proposal.closes_at)


def test_out_of_use_it_stays_in(published: Adapter, aroha: Person) -> None:
    made = made_export(published, aroha)
    asked(published, aroha)
    decide_adapter(adapter=published, approve=False, decided_by=aroha, note="Enough.", now=NOW)
    published.refresh_from_db()
    for act in (lambda: asked(published, aroha), lambda: download_export(export=made, person=aroha, now=NOW)):
        with pytest.raises(NotHandedOut, match="not approved"):
            act()


def test_a_withdrawal_shuts_the_door_at_once_and_the_files_end_with_the_adapter(
    published: Adapter, aroha: Person, validated_corpus: list[Answer]
) -> None:
    waiting, made = asked(published, aroha, form="f16"), made_export(published, aroha)
    assert download_export(export=made, person=aroha, now=NOW).read_bytes() == b"zip!"
    details = Entry.objects.get(action="adapter.exported").details
    assert (details["form"], details["sha256"], details["bytes"]) == ("q8_0", "e" * 64, 4)
    words = validated_corpus[0]
    withdraw_answer(answer=words, author=words.author, now=NOW)
    with pytest.raises(NotHandedOut, match="withdrawn"):
        download_export(export=made, person=aroha, now=NOW)
    assert export_job(export_id=waiting.pk) == "not waiting"
    waiting.refresh_from_db()
    assert (waiting.state, waiting.failure) == ("failed", "This adapter may no longer be used.")
    reached = {(row.kind, row.key) for row in taint_of([words.pk])}
    assert {("export", str(made.pk)), ("export", str(waiting.pk))} <= reached
    published.refresh_from_db()
    end_adapter(adapter=published, note="Enough.", ended_by=aroha, now=NOW)
    assert not Export.objects.exists()


class Interrupted:
    """A making during which something happens."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, happening: Any) -> None:
        def run(command: list[str], goes_on: Any, *, silence: float) -> dict[str, Any] | None:
            happening()
            Path(command[2]).mkdir()
            return {"kept_bpb": 1.0} if goes_on() else None

        monkeypatch.setattr(making, "last_facts", run)


def test_what_is_withdrawn_while_a_file_is_made_is_in_no_file(
    published: Adapter, aroha: Person, validated_corpus: list[Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    export, words = asked(published, aroha), validated_corpus[0]
    Interrupted(monkeypatch, lambda: withdraw_answer(answer=words, author=words.author, now=NOW))
    assert export_job(export_id=export.pk) == "not kept"
    export.refresh_from_db()
    assert export.state == "failed"
    assert not list(export.file.parent.iterdir())


def test_a_worker_that_leaves_gives_the_work_back_and_one_that_fails_says_why(
    published: Adapter, aroha: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = asked(published, aroha)
    Interrupted(monkeypatch, lambda: Export.objects.update(lease_owner="another"))
    assert export_job(export_id=export.pk) == "given back"
    export.refresh_from_db()
    assert (export.state, export.lease_owner) == ("running", "another")
    rung = []
    monkeypatch.setattr(jobs.export_job, "delay", lambda **row: rung.append(row["export_id"]))
    Export.objects.update(lease_expires_at=NOW)
    assert (recover_exports_job(), rung) == (1, [export.pk])

    def fails() -> None:
        raise ProcessEnded("It needs 1.5 times the bits per byte.")

    Interrupted(monkeypatch, fails)
    assert export_job(export_id=export.pk) == "failed"
    export.refresh_from_db()
    assert (export.state, export.failure) == ("failed", "It needs 1.5 times the bits per byte.")
    with pytest.raises(NotMade):
        download_export(export=export, person=aroha, now=NOW)
    assert asked(published, aroha).state == "queued"


def test_what_comes_out_of_real_processes_names_its_origin(
    published: Adapter, aroha: Person, esi: Person, settings: Any, tmp_path: Path
) -> None:
    """A merged model as GGUF, the first ranks of an adapter and the whole of it, from a real run of a tiny base."""
    folder = folder_of(published.run)
    config = write_run(folder, with_merges(place_base(tmp_path), tmp_path / "base"), method="qdylora", max_steps=3)
    assert qdylora.main(config) == 0
    published.run.method = "qdylora"
    published.run.save()
    published.report |= {"ranks": {"measured": [{"rank": 1}, {"rank": 2}, {"rank": 4}]}}
    published.save()
    given = uploaded(published.community, esi)
    published.run.additions.set([given])
    found = {}
    for form, rank in (("q8_0", 2), ("adapter", 2), ("adapter", None)):
        export = asked(published, aroha, form=form, rank=rank)
        assert export_job(export_id=export.pk) == "finished"
        export.refresh_from_db()
        path = download_export(export=export, person=aroha, now=NOW)
        root = export.file_name.removesuffix(".zip")
        with zipfile.ZipFile(path) as archive:
            names = {name.removeprefix(f"{root}/") for name in archive.namelist()}
            about = json.loads(archive.read(f"{root}/PROVENANCE.json"))
        found[form, rank] = names
        assert (about["release_manifest_sha256"], about["rank"]) == (published.run.release.sha256, rank)
        assert about["adapter_sha256"] == published.sha256
        assert about["learnt_beside"] == [{"what": given.told, "sha256": given.sha256}]
        assert export.bytes == path.stat().st_size
    assert found["q8_0", 2] == {"model.gguf", "model.json", "README.md", "PROVENANCE.json"}
    assert found["adapter", 2] == {"adapter_model.safetensors", "adapter_config.json", "PROVENANCE.json"}
    assert "README.md" in found["adapter", None]
    facts = Export.objects.get(form="q8_0").facts
    assert facts["gguf"]["bpb_ratio"] == pytest.approx(1, abs=0.02)
    assert not [path for path in (folder / "exports").iterdir() if path.suffix != ".zip"]


def test_another_methods_adapter_goes_out_at_half_its_rank_with_the_price(
    published: Adapter, community: Community, aroha: Person, settings: Any, tmp_path: Path, client: Client
) -> None:
    folder = folder_of(published.run)
    config = write_run(folder, place_base(tmp_path), method="lora", max_steps=3)
    assert lora.main(config) == 0
    published.run.method = "lora"
    published.run.settings = {"recipe": {"method": "lora", "rank": 4}}
    published.run.save()
    assert ranks_of(published) == [1, 2, 4]
    export = asked(published, aroha, form="adapter", rank=2)
    assert export_job(export_id=export.pk) == "finished"
    export.refresh_from_db()
    assert export.price["bytes_after"] == export.price["bytes_before"] / 2
    assert export.price["bpb_before"] != export.price["bpb_after"]
    with zipfile.ZipFile(export.file) as archive:
        root = export.file_name.removesuffix(".zip")
        about = json.loads(archive.read(f"{root}/PROVENANCE.json"))
        made = json.loads(archive.read(f"{root}/adapter_config.json"))
    assert (about["rank"], about["nearest_to_rank"], made["r"]) == (2, 4, 2)
    client.force_login(aroha)
    text = client.get(reverse("researcher:exports", kwargs={"slug": community.slug, "pk": published.run_id})).text
    assert "was not trained for it" in text
    assert f"{export.price['bpb_after']:.3f}" in text.split("bits per byte at this rank")[1]


def test_what_is_more_than_one_lora_goes_out_at_its_own_rank_only(
    published: Adapter, community: Community, aroha: Person, client: Client
) -> None:
    address = reverse("researcher:exports", kwargs={"slug": community.slug, "pk": published.run_id})
    client.force_login(aroha)
    assert ranks_of(published) == [4, 8, 16]
    assert 'value="4"' in client.get(address).text
    for change in ({"method": "reward"}, {"method": "full"}, {"settings": {"recipe": {"rank": 16, "shards": 2}}}):
        Run.objects.filter(pk=published.run_id).update(**{"method": "qlora", **change})
        current = Adapter.objects.get(pk=published.pk)
        assert ranks_of(current) == []
        with pytest.raises(Invalid, match="its own rank only"):
            asked(current, aroha, rank=8)
    text = client.get(address).text
    assert "its own rank only" in text
    assert 'name="rank"' not in text


def test_a_push_is_a_download_that_needs_a_token_and_the_decision(
    adapter: Adapter, aroha: Person, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sent: list[list[str]] = []

    def run(command: list[str], **how: Any) -> Any:
        sent.append([*command[2:], how["env"]["WORDHEARTH_HUB_TOKEN"], how["env"]["HF_HUB_OFFLINE"]])
        assert (Path(command[3]) / "PROVENANCE.json").is_file()
        return SimpleNamespace(returncode=0, stdout="there\n")

    monkeypatch.setattr(push_export.subprocess, "run", run)
    made = made_export(adapter, aroha)
    with zipfile.ZipFile(made.file, "w") as archive:
        archive.writestr("name/PROVENANCE.json", "{}")
    arguments = ("push_export", str(made.pk), "community/adapter", "--by", "aroha")
    monkeypatch.delenv("WORDHEARTH_HUB_TOKEN", raising=False)
    with pytest.raises(CommandError, match="no token"):
        call_command(*arguments)
    monkeypatch.setenv("WORDHEARTH_HUB_TOKEN", "secret")
    with pytest.raises(CommandError, match="Not everybody"):
        call_command(*arguments)
    assert sent == []
    publishing(adapter.run.release)
    call_command(*arguments)
    assert capsys.readouterr().out == "there\n"
    assert [sent[0][0], *sent[0][2:]] == [
        *("training.recipes.push", "community/adapter", "--endpoint", "https://huggingface.co", "secret", "0")
    ]
    assert Entry.objects.filter(action="adapter.exported", actor=str(aroha.pk)).count() == 1


def test_the_page_says_what_keeps_it_in_then_lets_it_out(
    adapter: Adapter, community: Community, aroha: Person, esi: Person, ben: Person, client: Client
) -> None:
    where = {"slug": community.slug, "pk": adapter.run_id}
    address = reverse("researcher:exports", kwargs=where)
    client.force_login(aroha)
    assert "Not everybody whose words it learnt from" in client.get(address).text
    publishing(adapter.run.release)
    assert "you decide it, for the community" in client.get(address).text
    client.force_login(esi)
    text = client.get(address).text
    assert f"first: Letting the adapter of run {adapter.run.number} out, as files." in text
    assert f"subject=publish%3A{adapter.pk}" in text
    assert client.post(address, {"form": "merged"}).status_code == 403
    client.force_login(aroha)
    assert client.post(address, {}).status_code == 422
    done = client.post(address, {"form": "merged"}, follow=True)
    assert "A worker makes this file now." in done.text
    assert "waiting for the training worker" in done.text
    made = made_export(adapter, aroha)
    client.force_login(esi)
    download = reverse("researcher:export", kwargs={**where, "number": made.pk})
    assert download in client.get(address).text
    answer = client.get(download)
    assert BytesIO(b"".join(answer.streaming_content)).read() == b"zip!"
    assert f"{community.slug}-run-{adapter.run.number}-q8_0.zip" in answer["Content-Disposition"]
    begun = client.get(download).streaming_content
    Adapter.objects.update(withdrawn_since=NOW)
    with pytest.raises(NotAllowed):
        next(iter(begun))
    Adapter.objects.update(withdrawn_since=None)
    made.file.unlink()
    assert client.get(download).status_code == 409
    client.force_login(ben)
    assert client.get(address).status_code == 404
    assert client.get(download).status_code == 404
