"""Releases hold only validated, consented answers, leak nothing between splits, and can be made again."""

import json
from collections import defaultdict

import pytest
from django.db import IntegrityError, transaction

from annotation.answers.models import Answer
from annotation.corpora.models import Source
from annotation.projects.services import LicencesClash
from care.models import Grant, Purpose
from care.services import give_consent
from people.refusals import Invalid, NotAllowed
from training.releases.models import Release, ReleaseItem
from training.releases.services import (
    NothingToRelease,
    draft_release,
    folder_of,
    freeze_release,
    verify_release,
)
from training.releases.splits import CannotSplit, SplitRow, assign_splits
from training.runs.models import Adapter
from training.runs.services import finish_run, queue_run
from training.runs.withdrawals import withdraw_answer, withdraw_consent

PURPOSE = Purpose.TRAIN_NONCOMMERCIAL
REPORT = {
    "adapter_sha256": "a" * 64,
    "evaluation": {"base_bpb": 4.0, "adapter_bpb": 2.0, "base_chrf": 1.0, "adapter_chrf": 9.0},
}


@pytest.fixture
def release(project, validated_corpus, esi, now):
    return freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now)[0]


def test_the_folder_holds_manifest_data_and_card(release):
    folder = folder_of(release)
    manifest = json.loads((folder / "manifest.json").read_text())
    rows = [
        json.loads(line)
        for split in ("train", "validation", "test")
        for line in (folder / "data" / f"{split}.jsonl").read_text().splitlines()
    ]
    assert len(rows) == 12 == release.items.count()
    assert {item["id"] for item in manifest["items"]} == {row["id"] for row in rows}
    receipts = {str(answer.pk): [str(answer.receipt_id)] for answer in Answer.objects.all()}
    assert {item["id"]: item["receipts"] for item in manifest["items"]} == receipts
    assert "wordhearth-release/1" in manifest["format"]
    assert release.sha256 in (folder / "README.md").read_text()
    assert verify_release(release) == []


def test_a_row_says_what_a_model_is_asked_and_should_say(release):
    rows = [json.loads(line) for line in (folder_of(release) / "data" / "train.jsonl").read_text().splitlines()]

    assert rows
    for row in rows:
        assert row["lesson"]["request"] == f"Translate from Spanish to Otomí:\n{row['source']}"
        assert row["lesson"]["completion"] == row["target"]


def test_a_row_names_the_orthography_where_its_project_has_one(release, project, community):
    project.orthography = community.orthographies.create(name="Popular")
    assert {row["orthography"] for row in draft_release(project=project, purpose=PURPOSE).rows} == {"Popular"}


def test_labelled_sentences_teach_too_and_choices_do_not(project, validated_corpus, esi, now):
    settings = {"labels": [{"name": "DOC", "words": "documents"}]}
    type(project).objects.filter(pk=project.pk).update(kind="label", settings=settings)
    Answer.objects.update(text="", payload={"spans": [{"start": 0, "end": 5, "label": "DOC", "suggested_by": ""}]})
    project.refresh_from_db()
    labelled = draft_release(project=project, purpose=PURPOSE)

    assert {row["lesson"]["completion"] for row in labelled.rows} == {"DOC: frase"}

    type(project).objects.filter(pk=project.pk).update(kind="compare", settings={})
    Answer.objects.update(payload={"choice": "tie"})
    project.refresh_from_db()
    assert not any("lesson" in row for row in draft_release(project=project, purpose=PURPOSE).rows)
    chosen = freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now)[0]
    with pytest.raises(Invalid, match="No model is trained on answers of this kind"):
        queue_run(release=chosen, started_by=esi, now=now)


def test_no_document_and_no_contributor_is_in_two_splits(release):
    seen = defaultdict(set)
    for split in ("train", "validation", "test"):
        for line in (folder_of(release) / "data" / f"{split}.jsonl").read_text().splitlines():
            row = json.loads(line)
            for key in (row["document"], *row["contributors"]):
                seen[key].add(split)
    assert all(len(splits) == 1 for splits in seen.values())
    assert set.union(*seen.values()) == {"train", "validation", "test"}


def test_the_same_state_gives_the_same_hash_and_no_second_release(release, project, esi, now):
    assert draft_release(project=project, purpose=PURPOSE).sha256 == release.sha256
    assert freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now) == (release, False)
    assert Release.objects.count() == 1


def test_a_changed_file_is_found(release):
    path = folder_of(release) / "data" / "train.jsonl"
    path.write_text(path.read_text().replace("frase", "frasf", 1))
    assert verify_release(release) == ["data/train.jsonl was changed"]


def test_an_answer_without_live_consent_is_never_selected(project, validated_corpus, ben, community, esi, now):
    withdraw_consent(person=ben, community=community, purposes=[PURPOSE], now=now)
    with pytest.raises(NothingToRelease):
        freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now)
    with pytest.raises(NothingToRelease):
        freeze_release(project=project, purpose=Purpose.TRAIN_COMMERCIAL, created_by=esi, now=now)


def test_the_database_refuses_an_answer_without_live_consent(release, ben, validated_corpus):
    answer = Answer.objects.filter(author=ben).first()
    ReleaseItem.objects.filter(answer=answer).delete()
    Grant.objects.filter(receipt=answer.receipt, purpose=PURPOSE).update(withdrawn_at=release.created_at)
    with pytest.raises(IntegrityError, match="no live consent"), transaction.atomic():
        ReleaseItem.objects.create(
            release=release, answer=answer, receipt=answer.receipt, split="train", row_sha256="0" * 64
        )


def test_the_database_refuses_what_is_not_validated_or_of_another_receipt(release, ben, filipa):
    mine, other = Answer.objects.filter(author=ben).first(), Answer.objects.filter(author=filipa).first()
    ReleaseItem.objects.filter(answer=mine).delete()
    with pytest.raises(IntegrityError, match="another receipt"), transaction.atomic():
        ReleaseItem.objects.create(
            release=release, answer=mine, receipt=other.receipt, split="train", row_sha256="0" * 64
        )
    Answer.objects.filter(pk=mine.pk).update(state="submitted")
    with pytest.raises(IntegrityError, match="not validated"), transaction.atomic():
        ReleaseItem.objects.create(
            release=release, answer=mine, receipt=mine.receipt, split="train", row_sha256="0" * 64
        )


def test_a_correction_needs_the_consent_of_everybody_whose_words_are_in_it(
    project, validated_corpus, ben, filipa, policy, now
):
    answer = Answer.objects.filter(author=ben).first()
    answer.built_on.add(Answer.objects.filter(author=filipa).first().receipt)
    assert answer in Answer.objects.usable_for(PURPOSE)
    give_consent(person=filipa, policy=policy, now=now, purposes=[Purpose.DISPLAY_MEMBERS, Purpose.PEER_REVIEW])
    assert answer not in Answer.objects.usable_for(PURPOSE)


def test_withdrawing_an_answer_marks_releases_and_adapters(release, ben, esi, now, project):
    run = queue_run(release=release, started_by=esi, now=now)
    adapter = finish_run(run=run, report=REPORT, now=now)
    answer = release.items.filter(answer__author=ben).first().answer
    reached = withdraw_answer(answer=answer, author=ben, now=now)
    assert (reached.releases, reached.adapters) == ([release], [adapter])
    release.refresh_from_db()
    assert release.contains_withdrawn
    assert Adapter.objects.get().contains_withdrawn
    assert not Adapter.objects.usable().exists()
    assert answer.pk not in {row.pk for row in draft_release(project=project, purpose=PURPOSE).answers.values()}


def test_a_run_that_ends_after_the_withdrawal_makes_no_adapter(release, ben, community, esi, now):
    run = queue_run(release=release, started_by=esi, now=now)
    withdraw_consent(person=ben, community=community, purposes=list(Purpose.values), now=now)
    assert finish_run(run=run, report=REPORT, now=now) is None
    run.refresh_from_db()
    assert (run.state, Adapter.objects.count()) == ("cancelled", 0)


def test_only_researchers_and_stewards_freeze(project, validated_corpus, ben, now):
    with pytest.raises(NotAllowed):
        freeze_release(project=project, purpose=PURPOSE, created_by=ben, now=now)


def test_a_contributor_in_several_documents_has_rows_withheld_rather_than_leaked():
    rows = [
        SplitRow(f"{document}{n}", document, (person,))
        for document, person, number in (
            ("a", "x", 50),
            ("b", "y", 10),
            ("c", "z", 10),
            ("b", "x", 3),
            ("c", "x", 2),
        )
        for n in range(number * 10, number * 10 + number)
    ]
    splits = assign_splits(rows)
    assert assign_splits(rows[::-1]) == splits
    withheld = {row.id for row in rows} - set(splits)
    assert withheld == {row.id for row in rows if row.document in "bc" and row.contributors == ("x",)}


def test_too_few_documents_are_refused_with_numbers():
    with pytest.raises(CannotSplit, match="1 documents and 2 contributors among 2 sentences"):
        assign_splits([SplitRow("1", "a", ("x",)), SplitRow("2", "a", ("y",))])


def test_words_whose_licences_clash_are_not_released_together(validated_corpus, esi):
    first, second, _ = Source.objects.order_by("pk")
    Source.objects.filter(pk=first.pk).update(licence="CC BY-SA 4.0")
    Source.objects.filter(pk=second.pk).update(licence="CC BY-NC 4.0")
    with pytest.raises(LicencesClash, match="no licence suits both"):
        draft_release(project=validated_corpus[0].task.project, purpose="train_noncommercial")
