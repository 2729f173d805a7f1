"""Words are taken back from an adapter of groups of contributors: what answers on from then, and what does not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from django.urls import reverse

from care.services import give_consent
from ledger.models import Entry
from people.models import Role
from people.services import grant_role
from tests.conftest import NOW, TRAINING, make_person
from tests.frontend.made import GROUPED, finished, finished_in_groups, make_release
from tests.recipes.conftest import place_base
from tests.runs.adding import related, rows_of
from tests.stored import store_answer, store_approvals
from training.lineage.services import end_adapter, follow_withdrawals
from training.recipes.certify import certify
from training.recipes.grouping import shard_of
from training.releases.pseudonyms import pseudonym
from training.releases.services import folder_of as release_folder
from training.releases.services import verify_release
from training.runs import going_on, supervisor
from training.runs.additions import ask_for_rows, claim_rows, finish_rows
from training.runs.approval import used_up
from training.runs.artefacts import adapter_folder, folder_of, is_whole
from training.runs.beside import files_beside, lay_beside
from training.runs.models import Adapter, AdapterEvent, Run
from training.runs.promotion import gate_of, in_service, recommend_adapter
from training.runs.services import decide_adapter, finish_run, queue_run
from training.runs.shard_checks import checks_of_shards
from training.runs.supervisor import configuration_of
from training.runs.withdrawals import withdraw_answer, withdraw_consent

pytestmark = pytest.mark.django_db


@pytest.fixture
def hana(community):
    """A fourth speaker."""
    person = make_person("hana")
    grant_role(person=person, community=community, role=Role.SPEAKER, granted_by=person, now=NOW)
    return person


@pytest.fixture
def release(policy, project, sources, ben, filipa, goran, hana, esi):
    """One that trains on four sentences of two people, who are in different groups; two others are held out."""
    for person in (ben, filipa, goran, hana):
        give_consent(person=person, policy=policy, purposes=TRAINING, now=NOW)
    documents = [list(project.tasks.filter(item__source=source).order_by("item__position")) for source in sources]
    written = [(documents[0][n], (ben, filipa)[n % 2]) for n in range(4)]
    written += [(documents[1][n], goran) for n in range(3)] + [(documents[2][n], hana) for n in range(3)]
    answers = [store_answer(task, person, text=f"traducción {task.pk} ñäʼ", now=NOW) for task, person in written]
    store_approvals(answers, [ben, filipa, goran, hana], now=NOW)
    return make_release(project, esi)


def group_of(person, community, seed):
    return shard_of([pseudonym(person.pk, community)], shards=2, seed=seed)


@pytest.fixture
def settings_in_groups(ben, filipa, community):
    """Settings whose seed puts Ben and Filipa into different groups."""
    apart = next(n for n in range(99) if group_of(ben, community, n) != group_of(filipa, community, n))
    return {"recipe": {**GROUPED["recipe"], "seed": apart}}


def approved(adapter, esi, aroha):
    recommend_adapter(adapter=adapter, recommended_by=esi, now=NOW)
    return decide_adapter(adapter=adapter, approve=True, decided_by=aroha, note="Good.", now=NOW)


@pytest.fixture
def served(release, settings_in_groups, esi, aroha):
    """An adapter of two groups, in service."""
    run = queue_run(release=release, started_by=esi, now=NOW, given=settings_in_groups)
    return approved(finished_in_groups(run), esi, aroha)


def answer_of(release, person):
    return release.items.filter(answer__author=person).first().answer


def test_the_other_group_answers_on_in_the_same_transaction(served, release, project, ben, filipa, now):
    withdraw_answer(answer=answer_of(release, ben), author=ben, now=now)
    on = in_service(project)
    served.refresh_from_db()
    assert served.contains_withdrawn
    assert (on.goes_on_for, on.state, on.created_at) == (served, "approved", now)
    mine = group_of(ben, project.community, served.report["recipe"]["seed"])
    (beside,) = [one for one in served.report["shards"]["without"] if one["shard"] == mine]
    assert on.sha256 == beside["sha256"]
    assert is_whole(adapter_folder(on), on.sha256)
    assert (on.base_bpb, on.adapter_bpb, on.adapter_chrf) == (2.0, 1.7, None)
    assert on.report["shards"]["bpb"] == 1.7
    # Nothing of the group that lost words is anywhere in it, nor any of its sentences.
    assert [one["shard"] for one in on.report["shards"]["groups"]] == [3 - mine]
    assert sorted(path.name for path in (folder_of(on.run) / "shards").iterdir()) == [str(3 - mine), "shards.json"]
    held = on.run.release.items.all()
    assert {row.answer.author_id for row in held.filter(split="train")} == {filipa.pk}
    assert held.exclude(split="train").count() == release.items.exclude(split="train").count() == 6
    assert on.run.trigger == Run.Trigger.WITHDRAWAL
    # Its release, its report and its record are like any others.
    rest = on.run.release
    assert verify_release(rest) == []
    assert rest.replaces == release
    assert (rest.counts["train"], rest.counts["contributors"]) == (2, 3)
    kept = json.loads((folder_of(on.run) / "report.json").read_text())
    assert kept["release"]["sha256"] == rest.sha256
    files = json.loads((release_folder(rest) / "manifest.json").read_text())["files"]
    assert {split: kept["data"][split]["sha256"] for split in kept["data"]} == {
        split: files[f"data/{split}.jsonl"]["sha256"] for split in ("train", "validation", "test")
    }
    (entry,) = Entry.objects.filter(action="adapter.went_on")
    assert entry.details["instead_of"] == served.sha256
    assert entry.details["groups_left_out"] == 1
    assert AdapterEvent.objects.filter(adapter=on).values_list("kind", flat=True).get() == AdapterEvent.WENT_ON


def test_when_a_held_out_sentence_goes_all_groups_stay(served, release, project, goran, now):
    withdraw_answer(answer=answer_of(release, goran), author=goran, now=now)
    on = in_service(project)
    assert (on.goes_on_for, on.sha256) == (served, served.sha256)
    assert on.run.release.items.count() == release.items.count() - 1


def test_when_all_groups_lose_words_nothing_answers(served, project, ben, filipa, community, now):
    withdraw_consent(person=ben, community=community, purposes=TRAINING, now=now)
    first = in_service(project)
    assert first.goes_on_for == served
    withdraw_consent(person=filipa, community=community, purposes=TRAINING, now=now)
    assert in_service(project) is None
    first.refresh_from_db()
    assert first.contains_withdrawn


def test_one_that_learnt_from_everybody_is_paused_as_ever(release, settings_in_groups, project, esi, aroha, ben, now):
    run = queue_run(release=release, started_by=esi, now=NOW)
    approved(finished(run), esi, aroha)
    # And so is one of groups that nobody approved.
    finished_in_groups(queue_run(release=release, started_by=esi, now=NOW, given=settings_in_groups))
    withdraw_answer(answer=answer_of(release, ben), author=ben, now=now)
    assert in_service(project) is None
    assert Adapter.objects.count() == 2


@pytest.mark.parametrize("spoil", ["another file", "an error"])
def test_what_cannot_go_on_is_paused_and_the_words_are_taken_back(
    spoil, served, release, project, ben, now, monkeypatch
):
    answer = answer_of(release, ben)
    shards = folder_of(served.run) / "shards"
    if spoil == "another file":
        for folder in shards.glob("without-*"):
            shutil.copytree(adapter_folder(served), folder, dirs_exist_ok=True)
    else:
        monkeypatch.setattr(going_on, "keep_rest", lambda **_: (_ for _ in ()).throw(OSError("disk full")))
    withdraw_answer(answer=answer, author=ben, now=now)
    answer.refresh_from_db()
    served.refresh_from_db()
    assert (answer.state, served.contains_withdrawn, in_service(project)) == ("withdrawn", True, None)
    assert Adapter.objects.count() == 1


def test_it_falls_with_the_approval_of_the_one_in_whose_place_it_is(served, release, project, aroha, ben, now):
    withdraw_answer(answer=answer_of(release, ben), author=ben, now=now)
    on = in_service(project)
    served.refresh_from_db()
    decide_adapter(adapter=served, approve=False, decided_by=aroha, note="No more.", now=now)
    assert Adapter.objects.decided_on().filter(pk=on.pk).exists() is False
    assert in_service(project) is None


def test_it_stays_when_the_one_before_is_deleted(
    served, release, project, ben, now, django_capture_on_commit_callbacks
):
    withdraw_answer(answer=answer_of(release, ben), author=ben, now=now)
    served.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        end_adapter(adapter=served, note="", now=now)
    assert not folder_of(served.run).exists()
    on = in_service(project)
    assert is_whole(adapter_folder(on), on.sha256)


def test_the_next_run_finds_the_groups_that_stayed(served, release, project, esi, ben, settings_in_groups, now):
    first = configuration_of(served.run, "base", "")
    assert "earlier_shards" not in first["data"]
    withdraw_answer(answer=answer_of(release, ben), author=ben, now=now)
    new = make_release(project, esi)
    run = queue_run(release=new, started_by=esi, now=now, given=settings_in_groups)
    found = configuration_of(run, "base", "")["data"]["earlier_shards"]
    assert found == str(folder_of(in_service(project).run) / "shards" / "shards.json")
    (stayed,) = json.loads((folder_of(in_service(project).run) / "shards" / "shards.json").read_text())["groups"]
    assert stayed["shard"] != group_of(ben, project.community, settings_in_groups["recipe"]["seed"])


@pytest.fixture
def after(served, release, project, esi, ben, settings_in_groups, now):
    """What was trained again then."""
    withdraw_answer(answer=answer_of(release, ben), author=ben, now=now)
    follow_withdrawals(now=now)
    new = make_release(project, esi)
    run = queue_run(release=new, started_by=esi, now=now, given=settings_in_groups)
    shards = {**served.report["shards"], "trained_share": 0.5}
    named = {"adapter_sha256": "b" * 64, "release": {"sha256": new.sha256}, "shards": shards}
    return finish_run(run=run, report={**served.report, **named}, now=now)


def test_who_took_words_back_and_who_is_in_charge_read_what_went_on_and_what_was_trained(
    client, served, after, aroha, ben, esi, project
):
    on = in_service(project)
    assert after.certificate["replaces_adapters"][0]["sha256"] == served.sha256
    assert after.certificate["went_on"] == [
        {"id": on.pk, "run": on.run.number, "sha256": on.sha256, "at": on.created_at.isoformat()}
    ]
    assert after.certificate["trained_share"] == 0.5
    assert [one["shard"] for one in after.certificate["groups"]] == [1, 2]
    assert on.certificate["withdrawn"] == 1
    assert on.certificate["went_on"] == []
    assert on.certificate["seconds"] <= 2
    client.force_login(ben)
    words = client.get("/me/data/").content.decode()
    assert "The model in service went on without these words at once, in 0." in words
    assert f"the adapter of run {on.run.number}." in words
    assert f"Trained again, without the words that were taken back: the adapter of run {after.run.number}." in words
    assert "Only groups of contributors that changed were trained: 50 % of what all groups read." in words
    slug = project.community.slug
    client.force_login(aroha)
    assert "The model in service went on" in client.get(reverse("steward:withdrawals", args=[slug])).content.decode()
    words = client.get(reverse("steward:adapter", args=[slug, on.pk])).content.decode()
    assert f"This is what is left of the adapter of run {served.run.number}" in words
    # What was measured of the whole is not said of the rest.
    assert "an adapter that learnt from everybody together" not in words
    words = client.get(reverse("steward:adapter", args=[slug, after.pk])).content.decode()
    assert "approves the model without any one of these groups, too" in words
    assert "Lost by learning in groups, of what was gained" in words
    client.force_login(esi)
    words = client.get(reverse("researcher:run", args=[slug, on.run_id])).content.decode()
    assert "goes on after words were taken back" in words
    assert "I recommend this adapter" not in words
    assert f"Run {on.run.number}" in client.get(reverse("researcher:home", args=[slug])).content.decode()
    words = client.get(reverse("researcher:card", args=[slug, on.run_id])).content.decode()
    assert f"What is left of the adapter of run {served.run.number}" in words
    assert "Everybody whose words these are allowed them" in words
    beside = f"{reverse('researcher:compare', args=[slug])}?run={on.run_id}&run={after.run_id}"
    assert client.get(beside).status_code == 200
    assert "chrF" not in client.get(reverse("public:playground", args=[slug])).content.decode()
    # What went on trained nothing.
    assert "Models were trained 2 times" in client.get(reverse("public:transparency", args=[slug])).content.decode()
    assert used_up(project.community, NOW)[0] == 2


def test_the_gate_asks_of_what_would_go_on_and_says_where_the_price_is_from(served, esi, aroha):
    (tax, without) = checks_of_shards(served.report)
    assert (tax.has_passed, tax.measured, tax.told, without.measured) == (True, "4.0 %", "", "-0.200")
    gate = gate_of(served, steward=aroha)
    assert all(check.has_passed for check in gate)
    assert {tax.name, without.name} < {check.name for check in gate}
    shards = served.report["shards"]
    unknown = checks_of_shards({**served.report, "shards": {**shards, "control": None}})[0]
    assert unknown.told == "What its groups cost was not measured against an adapter that learnt from everybody."
    dear = {**shards, "control": {**shards["control"], "tax": 0.101}}
    assert checks_of_shards({**served.report, "shards": dear})[0].told == (
        "In groups it loses 10.1 % of what an adapter that learns from everybody gains; at most 10.0 % are allowed. "
        "Train it without groups."
    )
    worse = [shards["without"][0], {**shards["without"][1], "difference_ci95": [-0.2, 0.1]}]
    failed = checks_of_shards({**served.report, "shards": {**shards, "without": worse}})[1]
    assert "may be 0.100 higher" in failed.told
    earlier = checks_of_shards({**served.report, "release": {"sha256": "c" * 64}})[0]
    assert "Measured on an earlier release" in earlier.told
    no_number = {**shards, "control": {**shards["control"], "tax": float("nan")}}
    assert not checks_of_shards({**served.report, "shards": no_number})[0].has_passed
    assert checks_of_shards({"evaluation": {}}) == []


def test_the_form_offers_groups_with_their_price_and_refuses_them_to_other_methods(client, release, esi, project):
    client.force_login(esi)
    address = reverse("researcher:start", args=[project.community.slug, release.pk])
    words = client.get(address).content.decode()
    assert "Groups of contributors (shards)" in words
    assert "more than a tenth of what was gained is lost" in words
    form = client.get(address).context["form"]
    given = {name: field.initial for name, field in form.fields.items() if field.initial is not False}
    answer = client.post(address, {**given, "recipe-method": "full", "recipe-shards": 2})
    assert answer.status_code == 422
    assert "Groups of contributors can be trained apart by LoRA, QLoRA only." in answer.content.decode()
    assert client.post(address, {**given, "recipe-shards": 2}).status_code == 302
    assert Run.objects.get().settings["recipe"]["shards"] == 2


TINY = {"method": "lora", "rank": 4, "alpha": 8, "learning_rate": 0.01, "epochs": 1, "threads": 1}
LITTLE = {"max_items": 4, "generate_items": 1, "max_new_tokens": 4, "shots": 0, "samples": 0}


@pytest.mark.slow
def test_what_goes_on_is_to_the_bit_what_training_on_its_release_makes(
    release, settings_in_groups, project, esi, ben, now, settings
):
    base = place_base(Path(settings.MODELS_DIR))
    recipe = {**settings_in_groups["recipe"], **TINY, "shard_control": False}
    run = queue_run(release=release, started_by=esi, now=now, given={"recipe": recipe, "evaluation": LITTLE})
    assert supervisor.execute(run.pk) == "finished"
    adapter = Adapter.objects.get(run=run)
    Adapter.objects.filter(pk=adapter.pk).update(state=Adapter.State.APPROVED)
    AdapterEvent.objects.create(adapter=adapter, kind=Adapter.State.APPROVED, at=now)
    gone = answer_of(release, ben)
    withdraw_answer(answer=gone, author=ben, now=now)
    on = in_service(project)
    assert on.goes_on_for == adapter
    there = release_folder(on.run.release), folder_of(on.run)
    found = certify(*there, base=base, without=[str(gone.pk)], retrain=True)
    assert found.certified, found.failures
    assert "It is the mean of the 1 groups' adapters that the report names." in found.checked


def test_what_goes_on_says_what_else_it_learnt_from(
    release, settings_in_groups, project, community, esi, aroha, ben, now
):
    given = related(community, esi)
    run = queue_run(release=release, started_by=esi, now=NOW, given=settings_in_groups, additions=[given])
    lay_beside(run)
    served = approved(finished_in_groups(run), esi, aroha)
    served.report |= {"beside_the_release": {"related": given.sha256}, "beside_told": [given.told]}
    served.save()
    withdraw_answer(answer=answer_of(release, ben), author=ben, now=now)
    on = in_service(project)
    assert on.goes_on_for == served
    assert list(on.run.additions.all()) == [given]
    assert files_beside(on.run)["related"].read_bytes() == given.file.read_bytes()
    card = (folder_of(on.run) / "README.md").read_text()
    assert given.told in card
    assert given.sha256 in card


def test_nothing_goes_on_that_read_what_a_model_made_of_the_words(
    served, release, settings_in_groups, project, esi, ben, filipa, tmp_path, now
):
    """The rows may hold what the adapter had learnt of the words, and all groups may have read them."""
    Run.objects.filter(pk=served.run_id).update(settings={**served.run.settings, "mixing": {"both_directions": True}})
    maker = Run.objects.get(pk=served.run_id)
    waiting = ask_for_rows(run=maker, how="paraphrase", asked_by=esi, now=NOW)
    held = claim_rows(addition_id=waiting.pk, owner="one", lease_until=NOW, now=NOW)
    (tmp_path / "rows.jsonl").write_bytes(rows_of(release))
    assert finish_rows(addition=held, made=tmp_path / "rows.jsonl", dropped={}, now=NOW)
    later = queue_run(release=release, started_by=esi, now=NOW, given=settings_in_groups, additions=[waiting])
    second = finished_in_groups(later)
    Adapter.objects.filter(pk=served.pk).update(state="retired")
    Adapter.objects.filter(pk=second.pk).update(state="approved")
    AdapterEvent.objects.create(adapter=second, kind="approved", at=NOW)
    assert in_service(project) == second
    withdraw_answer(answer=answer_of(release, ben), author=ben, now=now)
    assert in_service(project) is None
