"""Releases with what people said of answers: whose votes go in, what never does, and who takes what back."""

import json

import pytest
from django.db import IntegrityError, connection, transaction

from annotation.answers.models import Answer, Gold, Review
from annotation.answers.notes import ANOTHER_ACCEPTED
from annotation.answers.outcomes import record_event
from annotation.answers.services import appeal
from annotation.conflicts.services import adjudicate
from annotation.standing.models import Standing
from care.models import Grant, Purpose, Receipt
from care.restricting import lift, place_hold
from care.services import give_consent
from ledger.models import Entry
from people.refusals import Invalid
from tests.conftest import NOW, TRAINING
from tests.frontend.made import make_adapter
from tests.releases.judged import WORST, turn_down
from training.lineage.models import Taint
from training.lineage.services import adapters_of, follow
from training.recipes.certify import Certificate, check_release
from training.recipes.judged import read_judged, read_preferred
from training.releases.models import Release, ReleaseItem
from training.releases.pseudonyms import pseudonym, voters_pseudonym
from training.releases.services import (
    NothingToRelease,
    draft_release,
    folder_of,
    freeze_release,
    not_usable_any_more,
    verify_release,
)
from training.runs.certificates import certificate_of
from training.runs.models import Run
from training.runs.promotion import gate_of
from training.runs.schedule import check_schedule, set_schedule
from training.runs.services import ReleaseIsTainted, end_run, queue_run
from training.runs.supervisor import configuration_of
from training.runs.withdrawals import change_consent, withdraw_answer, withdraw_consent

PURPOSE = Purpose.TRAIN_NONCOMMERCIAL
WITHOUT = [purpose for purpose in TRAINING if purpose != PURPOSE]


@pytest.fixture
def turned_down(project, validated_corpus, ben, filipa, goran, verdict):
    return turn_down(project, [ben, filipa, goran], verdict)


@pytest.fixture
def release(project, turned_down, esi, now):
    return freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now, has_judgements=True)[0]


def drafted(project, **more):
    return draft_release(project=project, purpose=PURPOSE, has_judgements=True, **more)


def lines(draft):
    return {line["id"]: line for line in draft.judged.lines}


def test_the_folder_holds_every_judged_answer_and_the_lessons_stay_as_they_are(release, turned_down, project, esi, now):
    folder = folder_of(release)
    taught = [json.loads(line) for path in folder.glob("data/*t*n.jsonl") for line in path.read_text().splitlines()]
    assert not {row["id"] for row in taught} & {str(answer.pk) for answer in turned_down}
    read = {split: read_judged(folder / "data" / f"{split}.judged.jsonl") for split in ("train", "validation", "test")}
    assert {split: [one.is_good for one in found].count(True) for split, found in read.items()} == dict.fromkeys(
        read, 4
    )
    assert {split: len(found) for split, found in read.items()} == dict.fromkeys(read, 6)
    # Both answers to a sentence are one group, of which a pair is made.
    assert len(read_preferred(folder / "data" / "train.judged.jsonl")) == 2
    assert {name: number for name, number in release.counts.items() if "judged" in name} == {
        "judged": 18,
        **{f"{split}_judged_{sort}": number for split in read for sort, number in (("good", 4), ("bad", 2))},
    }
    assert [release.counts[split] for split in read] == [4, 4, 4]
    manifest = json.loads((folder / "manifest.json").read_text())
    bad = [item for item in manifest["items"] if item.get("is_good") is False]
    assert {item["id"] for item in bad} == {str(answer.pk) for answer in turned_down}
    assert set(release.items.filter(is_good=False).values_list("answer", flat=True)) == {row.pk for row in turned_down}
    assert all((len(item["receipts"]), len(item["votes_under"])) == (1, 2) for item in manifest["items"])
    # A voter's receipt stands beside their own sentences, so it must not stand beside their votes.
    assert not {one for item in manifest["items"] for one in item["votes_under"]} & set(
        map(str, Receipt.objects.values_list("pk", flat=True))
    )
    assert release.items.first().voters.count() == 2
    assert "18 lines of what people said" in (folder / "README.md").read_text()
    assert Entry.objects.get(action="release.frozen").details["judgements"] is True
    assert verify_release(release) == []
    found = Certificate()
    check_release(found, folder, manifest)
    assert found.failures == []
    again = freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now, has_judgements=True)
    assert again == (release, False)


def test_without_the_tick_nothing_of_it_is_there(project, turned_down, esi, now):
    draft = draft_release(project=project, purpose=PURPOSE)
    Answer.objects.filter(state="rejected").update(state="submitted")
    assert draft_release(project=project, purpose=PURPOSE).manifest_bytes == draft.manifest_bytes
    assert set(draft.files) == {"data/train.jsonl", "data/validation.jsonl", "data/test.jsonl"}
    assert set(draft.manifest["counts"]) == {
        *("train", "validation", "test", "withheld_to_prevent_leaks", "contributors", "documents"),
    }
    assert {frozenset(item) for item in draft.manifest["items"]} == {frozenset({"id", "split", "receipts", "sha256"})}
    assert set(draft.manifest["query"]) == {"project", "state", "purpose", "meaning"}
    plain = freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now)[0]
    assert (plain.has_judgements, plain.judged) == (False, 0)
    assert not ReleaseItem.voters.through.objects.exists()


def test_a_voter_s_name_is_not_their_name_as_an_author(community, filipa):
    assert voters_pseudonym(filipa.pk, community) != pseudonym(filipa.pk, community)


def test_votes_have_a_pseudonym_a_skill_and_only_the_present_version(project, turned_down, community, filipa, goran):
    answer = turned_down[0]
    Standing.objects.filter(person=filipa).delete()
    Standing.objects.create(community=community, person=filipa, agreed=9, missed=1)
    Review.objects.filter(answer=answer, reviewer=goran).update(verdict="fix", reason="")
    unsure, earlier, gold = validated = list(Answer.objects.filter(author=answer.author, state="validated"))[:3]
    Review.objects.filter(answer=unsure).update(verdict="unsure")
    Review.objects.filter(answer=earlier, reviewer=goran).update(version=7)
    Review.objects.filter(answer=gold, reviewer=goran).update(is_gold=True)

    found = lines(drafted(project))

    assert found[str(answer.pk)] == {
        "id": str(answer.pk),
        "group": str(answer.task_id),
        "lesson": found[str(answer.pk)]["lesson"],
        "decided": None,
        "votes": sorted(
            [
                {"by": voters_pseudonym(filipa.pk, community), "good": False, "skill": 0.9},
                {"by": voters_pseudonym(goran.pk, community), "good": False, "skill": 0.75},
            ],
            key=lambda vote: vote["by"],
        ),
    }
    assert found[str(answer.pk)]["lesson"]["completion"].startswith(WORST)
    assert str(unsure.pk) not in found
    assert [vote["by"] for vote in found[str(earlier.pk)]["votes"]] == [voters_pseudonym(filipa.pk, community)]
    assert [vote["by"] for vote in found[str(gold.pk)]["votes"]] == [voters_pseudonym(filipa.pk, community)]
    assert all(str(row.pk) in drafted(project).answers for row in validated)


def test_an_expert_s_word_stands_beside_the_votes(project, turned_down, validated_corpus, chen, now):
    appealed, confirmed, *_ = turned_down
    appeal(answer=appealed, author=appealed.author, note="", now=now)
    appealed.refresh_from_db()
    adjudicate(answer=appealed, expert=chen, decision="reject", reason="It means something else.", now=now)
    Gold.objects.create(answer=confirmed, expert=chen, is_right=False, marked_at=now)
    right = validated_corpus[-1]
    Gold.objects.create(answer=right, expert=chen, is_right=True, marked_at=now)
    Review.objects.filter(answer__in=[confirmed, right]).update(verdict="unsure", reason="")

    found = lines(drafted(project))

    assert [found[str(row.pk)]["decided"] for row in (appealed, confirmed, right)] == [False, False, True]
    assert found[str(right.pk)]["votes"] == []
    assert sum(line["decided"] is None for line in found.values()) == len(found) - 3


def test_what_does_harm_or_only_made_room_is_never_a_counter_example(project, turned_down, now):
    offensive, personal, improper, made_room, *rest = turned_down
    for answer, reason in ((offensive, "offensive"), (personal, "personal_data")):
        Review.objects.filter(pk=answer.reviews.first().pk).update(reason=reason)
    Review.objects.filter(pk=improper.reviews.first().pk).update(appropriate=False)
    record_event(answer=made_room, kind="rejected", actor=None, now=now, note=ANOTHER_ACCEPTED)

    draft = drafted(project)

    assert draft.judged.counter_examples == {str(row.pk) for row in rest}
    for answer in (offensive, personal, improper, made_room):
        assert answer.text not in str(draft.files)


def test_votes_and_words_go_in_with_the_consent_of_whoever_gave_them(
    project, turned_down, community, policy, ben, filipa, goran, aroha, now
):
    mine = [str(row.pk) for row in turned_down if row.author == ben]
    hold = place_hold(community=community, kind="person", key=str(goran.pk), placed_by=aroha, note="A reason.", now=now)
    with pytest.raises(NothingToRelease):  # without Goran's document nothing is left to split
        drafted(project)
    lift(restriction=hold, lifted_by=aroha, now=now)
    # Filipa's words stay, for the test; her votes are under another receipt that does not allow it.
    earlier = Receipt.objects.create(
        person=filipa,
        community=community,
        policy=policy,
        given_at=now.replace(hour=8),
        ended_at=now,
        sha256="e" * 64,
    )
    Review.objects.filter(reviewer=filipa).update(created_at=now.replace(hour=8, minute=30))
    assert [vote["by"] for vote in lines(drafted(project))[mine[0]]["votes"]] == [voters_pseudonym(goran.pk, community)]
    Grant.objects.create(receipt=earlier, purpose=PURPOSE)
    assert len(lines(drafted(project))[mine[0]]["votes"]) == 2
    # Once nobody who may be heard turned it down, it is no counter-example.
    Review.objects.filter(answer=mine[0]).update(verdict="approve", reason="")
    assert mine[0] not in drafted(project).answers
    # And an answer is as free as everybody's words in it.
    Answer.objects.get(pk=mine[1]).built_on.add(earlier)
    assert mine[1] in drafted(project).answers
    Grant.objects.filter(receipt=earlier).update(withdrawn_at=now)
    assert mine[1] not in drafted(project).answers


def test_comparisons_are_two_options_and_the_votes_of_those_who_compared(project, validated_corpus, community):
    type(project).objects.filter(pk=project.pk).update(kind="compare", settings={})
    for answer in validated_corpus:
        item = answer.task.item
        item.extra = {"option_a": f"uno {item.pk}", "option_b": f"dos {item.pk}"}
        item.save()
    first, tie, *others = validated_corpus
    Answer.objects.update(text="", payload={"choice": "a"}, is_one_of_many=True)
    Answer.objects.filter(pk=tie.pk).update(payload={"choice": "tie"})
    Answer.objects.create(
        task=first.task,
        author=first.author,
        receipt=first.receipt,
        payload={"choice": "b"},
        state="rejected",
        is_one_of_many=True,
        client_id=first.pk,
        created_at=NOW,
        changed_at=NOW,
    )
    project.refresh_from_db()

    draft = drafted(project)

    found = [line for line in draft.judged.lines if line["options"][0] == f"uno {first.task.item_id}"]
    (line,) = found
    assert line["lesson"]["request"] == first.task.item.text
    by = voters_pseudonym(first.author_id, community)
    assert line["votes"] == [{"by": by, "first": said, "skill": 0.75} for said in (False, True)]
    assert len(draft.judged.lines) == len(others) + 1
    assert draft.manifest["counts"]["judged"] == 11
    assert len(read_preferred_of(draft)) == 10


def read_preferred_of(draft):
    """Pairs out of all three files; the two voices on one sentence cancel out."""
    found = []
    for name, content in draft.files.items():
        if name.endswith(".judged.jsonl"):
            assert all(json.loads(line)["options"] for line in content.decode().splitlines())
            found += content.decode().splitlines()
    return [line for line in found if len(json.loads(line)["votes"]) == 1]


def test_the_database_refuses_a_counter_example_as_a_good_row_and_a_vote_without_consent(
    release, turned_down, project, esi, now
):
    answer = turned_down[0]
    plain = freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now)[0]
    item = release.items.get(answer=answer)
    insert = (
        "INSERT INTO releases_releaseitem (release_id, answer_id, receipt_id, split, row_sha256, is_good) "
        "VALUES (%s, %s, %s, 'train', '', %s)"
    )

    def refused(why, statement, *values):
        with pytest.raises(IntegrityError, match=why), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)

    refused("not validated", insert, plain.pk, answer.pk, answer.receipt_id, True)
    refused("no counter-example", insert, plain.pk, answer.pk, answer.receipt_id, False)
    refused("not validated", "UPDATE releases_releaseitem SET is_good = true WHERE id = %s", item.pk)
    good = plain.items.first()
    refused("not turned down", "UPDATE releases_releaseitem SET is_good = false WHERE id = %s", good.pk)
    vote = "INSERT INTO releases_releaseitem_voters (releaseitem_id, receipt_id) VALUES (%s, %s)"
    refused("no live consent", vote, good.pk, answer.receipt_id)
    item.voters.clear()
    Grant.objects.filter(receipt=answer.receipt, purpose=PURPOSE).update(withdrawn_at=now)
    refused("no live consent", vote, item.pk, answer.receipt_id)
    release.items.filter(answer=answer).delete()
    refused("no live consent", insert, release.pk, answer.pk, answer.receipt_id, False)
    Grant.objects.update(withdrawn_at=None)
    Review.objects.filter(pk=answer.reviews.first().pk).update(reason="offensive")
    refused("no counter-example", insert, release.pk, answer.pk, answer.receipt_id, False)


def test_the_author_of_a_rejected_answer_takes_it_back_all_the_way(release, turned_down, esi, now):
    adapter = make_adapter(queue_run(release=release, started_by=esi, now=now))
    answer = turned_down[0]
    reached = withdraw_answer(answer=answer, author=answer.author, now=now)
    assert (reached.releases, reached.adapters) == ([release], [adapter])
    assert list(release.items.exclude(withdrawn_at=None).values_list("answer", flat=True)) == [answer.pk]
    follow(withdrawal=reached.case, now=now)
    assert [one.pk for one in adapters_of(reached.case)] == [adapter.pk]
    with pytest.raises(ReleaseIsTainted):
        queue_run(release=Release.objects.get(pk=release.pk), started_by=esi, now=now)


def test_whoever_voted_takes_the_votes_back_all_the_way(
    project, turned_down, community, policy, chen, esi, verdict, now
):
    # Chen only votes: none of Chen's words are in any answer.
    give_consent(person=chen, policy=policy, purposes=TRAINING, now=now)
    wrong = turned_down[0]
    Answer.objects.filter(pk=wrong.pk).update(state="submitted")
    Review.objects.filter(answer=wrong).delete()
    wrong.refresh_from_db()
    verdict(wrong, chen, "reject", reason="spelling")
    Answer.objects.filter(pk=wrong.pk).update(state="rejected")
    release = freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now, has_judgements=True)[0]
    run = queue_run(release=release, started_by=esi, now=now)
    adapter = make_adapter(run)
    assert not_usable_any_more(release) == 0

    reached = withdraw_consent(person=chen, community=community, purposes=[PURPOSE], now=now)

    assert (reached.answers, reached.releases, reached.adapters) == (0, [release], [adapter])
    release.refresh_from_db()
    adapter.refresh_from_db()
    assert release.contains_withdrawn
    assert adapter.contains_withdrawn
    assert not_usable_any_more(release) == 1
    consent = next(check for check in gate_of(adapter, steward=None) if check.name == "Sentences without consent now")
    assert not consent.has_passed
    follow(withdrawal=reached.case, now=now)
    receipt = Receipt.objects.get(person=chen)
    paths = {row.kind: row.path for row in Taint.objects.filter(withdrawal=reached.case)}
    assert paths["adapter"] == [
        f"receipt:{receipt.pk}",
        f"release:{release.pk}",
        f"run:{run.pk}",
        f"adapter:{adapter.pk}",
    ]
    assert [one.pk for one in adapters_of(reached.case)] == [adapter.pk]
    # The next one is made in its place: without the vote, and without the answer that only Chen had turned down.
    new = freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now, has_judgements=True)[0]
    assert new.replaces == release
    assert not new.items.filter(answer=wrong).exists()
    report = {"adapter_sha256": "a" * 64, "release": {"sha256": new.sha256}}
    certificate = certificate_of(release=new, report=report, now=now)
    # No sentence was taken back, and none was given again.
    assert (certificate["withdrawn"], certificate["given_again"]) == (0, 0)


def test_leaving_a_purpose_out_when_agreeing_anew_takes_votes_back_too(release, policy, filipa, now):
    change_consent(person=filipa, policy=policy, purposes=WITHOUT, now=now)
    release.refresh_from_db()
    assert release.contains_withdrawn
    voted = release.items.filter(voters__person=filipa)
    assert voted.exclude(answer__author=filipa).filter(withdrawn_at__isnull=False).count() == 12


def test_a_hold_or_an_appeal_is_seen_before_anything_is_done_with_it(
    release, turned_down, community, filipa, aroha, now
):
    assert not_usable_any_more(release) == 0
    hold = place_hold(
        community=community, kind="person", key=str(filipa.pk), placed_by=aroha, note="A reason.", now=now
    )
    assert not_usable_any_more(release) == 18  # her six answers, and the twelve that she voted on
    lift(restriction=hold, lifted_by=aroha, now=now)
    answer = turned_down[0]
    appeal(answer=answer, author=answer.author, note="", now=now)
    assert not_usable_any_more(release) == 1


def test_methods_that_learn_from_votes_need_a_release_that_holds_them(project, release, aroha, esi, now):
    plain = freeze_release(project=project, purpose=PURPOSE, created_by=esi, now=now)[0]
    for method in ("kto", "dpo"):
        with pytest.raises(Invalid, match="Freeze a release that holds it") as refusal:
            queue_run(release=plain, started_by=esi, now=now, method=method)
        assert refusal.value.field == "method"
    other = queue_run(release=plain, started_by=esi, now=now)
    assert set(configuration_of(other, "", "")["data"]) == {"train", "validation", "test"}
    end_run(run=other, state=Run.State.CANCELLED, now=now)
    now = now.replace(hour=10)
    run = queue_run(release=release, started_by=esi, now=now, given={"recipe": {"method": "kto"}})
    data = configuration_of(run, "", "")["data"]
    assert data["judged_train"] == str(folder_of(release) / "data" / "train.judged.jsonl")
    assert data["judged_test"] == str(folder_of(release) / "data" / "test.judged.jsonl")
    # And the schedule goes on as it was.
    make_adapter(run)
    schedule = set_schedule(
        project=project, is_allowed=True, minimum_new_items=1, cadence_hours=1, changed_by=aroha, now=now
    )
    Release.objects.filter(pk=release.pk).update(withdrawn_since=now)
    ReleaseItem.objects.filter(release=release, is_good=True).first().delete()
    again = check_schedule(schedule_id=schedule.pk, now=now.replace(day=9))
    assert (again.method, again.release.has_judgements) == ("kto", True)
