"""A batch changes exactly the chosen rows, and its undoing exactly these back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from annotation.answers.models import Answer, Review
from annotation.answers.services import submit_answer, withdraw_answer
from annotation.guard.settling import settle_anew
from annotation.projects.models import Task
from annotation.projects.services import lease_task, open_project
from annotation.revision.batches import ChangedSince, Chosen, apply_batch, undo_batch
from annotation.revision.models import Batch, Inconsistency
from annotation.revision.services import ask_for_scan, scan_project
from care.models import Purpose
from care.services import ConsentMissing, withdraw_purposes
from ledger.models import Entry
from people.models import Role
from people.refusals import Invalid, NotAllowed
from people.services import grant_role
from tests.common import kept
from tests.conftest import NOW

pytest_plugins = ["tests.revision.labelled"]


@kept
def group(labelling: Any, labelled: Any, chen: Any) -> Inconsistency:
    scan_project(scan=ask_for_scan(project=labelling, expert=chen, now=NOW), now=NOW)
    return Inconsistency.objects.get(project=labelling, surface="texto")


def chosen(group: Inconsistency, *answers: Answer) -> list[Chosen]:
    wanted = {str(answer.pk) for answer in answers}
    return [
        Chosen(Answer.objects.get(pk=place["answer"]).pk, 1, place["start"], place["end"])
        for place in group.places
        if place["answer"] in wanted
    ]


def change(group: Any, expert: Any, answers: Any, label: str = "LOC", **more: Any) -> Batch:
    given = {"reason": "A text is a place here.", "now": NOW, **more}
    return apply_batch(group=group, expert=expert, label=label, chosen=chosen(group, *answers), **given)


def test_exactly_the_chosen_rows_change_and_change_back(
    labelling: Any, labelled: Any, chen: Any, group: Any, states: Any
) -> None:
    before = states(labelling)

    batch = change(group, chen, labelled[10:])

    after = states(labelling)
    touched = {answer.pk for answer in labelled[10:]}
    assert {pk for pk in before if before[pk] != after[pk]} == touched
    assert all(after[pk] == (Answer.State.REJECTED, *before[pk][1:]) for pk in touched)
    new = {pk: row for pk, row in after.items() if pk not in before}
    corrected = {row.correction_id: row.answer.payload["spans"] for row in batch.changes.all()}
    assert set(new) == set(corrected)
    texts = {row.correction_id: row.answer.task.item.text for row in batch.changes.all()}
    for pk, (state, _, payload, _) in new.items():
        assert state == Answer.State.VALIDATED
        start = texts[pk].index("texto")
        assert {"start": start, "end": start + 5, "label": "LOC", "suggested_by": ""} in payload["spans"]
        kept = [span for span in corrected[pk] if span["label"] == "PER" and span["start"] != start]
        assert all(span in payload["spans"] for span in kept)

    assert undo_batch(batch=batch, expert=chen, now=NOW + timedelta(days=1)) == 2

    undone = states(labelling)
    assert {pk: undone[pk] for pk in before} == before
    assert {undone[pk][0] for pk in new} == {Answer.State.REJECTED}
    assert set(undone) == set(after)
    assert not Task.objects.filter(project=labelling).exclude(state=Task.State.DONE).exists()


def test_the_history_says_who_why_and_that_it_was_undone(labelled: Any, chen: Any, group: Any) -> None:
    batch = change(group, chen, labelled[10:11])
    undo_batch(batch=batch, expert=chen, now=NOW)

    events = list(labelled[10].events.order_by("pk").values_list("kind", "actor", "note"))[-2:]
    assert events[0] == ("rejected", chen.pk, "A text is a place here.")
    assert (events[1][0], "undone" in events[1][2]) == ("validated", True)
    actions = list(Entry.objects.filter(subject=f"batch:{batch.pk}").values_list("action", flat=True))
    assert sorted(actions) == ["labels.change_undone", "labels.changed_together"]
    batch.refresh_from_db()
    assert (batch.undone_by, batch.undone_at) == (chen, NOW)


def test_a_correction_is_bound_to_both_receipts(labelled: Any, chen: Any, group: Any) -> None:
    correction = change(group, chen, labelled[10:11]).changes.get().correction

    assert correction.author == chen
    assert list(correction.built_on.all()) == [labelled[10].receipt]


def test_no_label_takes_the_mark_away(labelled: Any, chen: Any, group: Any) -> None:
    correction = change(group, chen, labelled[10:11], label="").changes.get().correction

    assert correction.payload == {"spans": []}


def test_a_longer_mark_gives_way_to_the_chosen_edges(labelling: Any, labelled: Any, chen: Any, group: Any) -> None:
    text = labelled[10].task.item.text
    start = text.index("del")
    labelled[10].payload = {"spans": [{"start": start, "end": len(text), "label": "LOC"}]}
    labelled[10].save()

    correction = change(group, chen, labelled[10:11]).changes.get().correction

    at = text.index("texto")
    assert [(span["start"], span["end"]) for span in correction.payload["spans"]] == [(at, at + 5)]


def test_one_changed_answer_stops_the_whole_batch(
    labelling: Any, labelled: Any, chen: Any, ben: Any, group: Any, states: Any
) -> None:
    places = chosen(group, *labelled[10:])
    withdraw_answer(answer=labelled[11], author=ben, now=NOW)
    before = states(labelling)

    with pytest.raises(ChangedSince):
        apply_batch(group=group, expert=chen, label="LOC", chosen=places, reason="A place.", now=NOW)

    assert states(labelling) == before
    assert not Batch.objects.exists()


def test_undoing_leaves_alone_what_was_changed_since(
    labelling: Any, labelled: Any, chen: Any, ben: Any, group: Any, states: Any
) -> None:
    batch = change(group, chen, labelled[10:])
    withdraw_answer(answer=labelled[11], author=ben, now=NOW)
    before = states(labelling)

    assert undo_batch(batch=batch, expert=chen, now=NOW) == 1
    assert undo_batch(batch=batch, expert=chen, now=NOW) == 0

    after = states(labelling)
    correction = batch.changes.get(answer=labelled[10]).correction_id
    assert {pk for pk in before if before[pk] != after[pk]} == {labelled[10].pk, correction}
    assert dict(batch.changes.values_list("answer", "is_undone")) == {labelled[10].pk: True, labelled[11].pk: False}


def test_votes_that_are_counted_anew_do_not_bring_a_replaced_answer_back(
    labelling: Any, labelled: Any, chen: Any, group: Any, states: Any
) -> None:
    Answer.objects.filter(task__project=labelling).update(is_one_of_many=True)
    change(group, chen, labelled[10:11])
    before = states(labelling)

    settle_anew(reviews=Review.objects.filter(answer=labelled[10]), now=NOW)

    assert states(labelling) == before


def test_the_same_places_can_be_changed_again_after_an_undo(labelled: Any, chen: Any, group: Any) -> None:
    undo_batch(batch=change(group, chen, labelled[10:11]), expert=chen, now=NOW)

    again = change(group, chen, labelled[10:11])

    assert again.changes.get().correction.state == Answer.State.VALIDATED


@pytest.mark.parametrize(
    ("label", "reason", "message"),
    [("ORG", "A place.", "not among the labels"), ("LOC", " ", "Give the reason")],
)
def test_what_cannot_be_is_refused_with_a_sentence(
    labelled: Any, chen: Any, group: Any, label: str, reason: str, message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        change(group, chen, labelled[10:11], label=label, reason=reason)


def test_places_that_say_it_already_are_no_change(labelled: Any, chen: Any, group: Any) -> None:
    with pytest.raises(Invalid, match="already"):
        change(group, chen, labelled[:3])
    with pytest.raises(Invalid, match="at least one"):
        change(group, chen, [])
    assert change(group, chen, labelled).changes.count() == 2


def test_nobody_decides_on_their_own_words(community: Any, labelled: Any, ben: Any, group: Any) -> None:
    grant_role(person=ben, community=community, role=Role.EXPERT, granted_by=ben, now=NOW)

    with pytest.raises(NotAllowed, match="own words"):
        change(group, ben, labelled[10:11])


def test_a_speaker_changes_and_undoes_nothing(labelled: Any, filipa: Any, chen: Any, group: Any) -> None:
    with pytest.raises(NotAllowed):
        change(group, filipa, labelled[10:11])
    with pytest.raises(NotAllowed):
        undo_batch(batch=change(group, chen, labelled[10:11]), expert=filipa, now=NOW)


def test_a_correction_needs_consent(community: Any, labelled: Any, chen: Any, group: Any) -> None:
    withdraw_purposes(person=chen, community=community, purposes=list(Purpose.values), now=NOW)

    with pytest.raises(ConsentMissing):
        change(group, chen, labelled[10:11])


def test_one_correction_stands_for_all_answers_of_a_task_that_must_agree(
    community: Any, aroha: Any, ben: Any, filipa: Any, chen: Any, sources: Any, consenting: Any, states: Any
) -> None:
    project = open_project(
        community=community, created_by=aroha, sources=sources[:1], now=NOW, title="Classes", kind="classify",
        settings={"labels": ["a", "b"]}, source_language_name="Spanish", source_language_tag="es",
    )  # fmt: skip
    for person in (ben, filipa, chen):
        consenting(person)
    lease = lease_task(project=project, person=ben, now=NOW)
    other = lease_task(project=project, person=filipa, now=NOW)
    while other.task_id != lease.task_id:
        other = lease_task(project=project, person=filipa, now=NOW)
    answers = [
        submit_answer(assignment=one, author=one.person, client_id=uuid4(), now=NOW, payload={"labels": ["a"]})
        for one in (lease, other)
    ]
    group = Inconsistency.objects.create(
        project=project, cause="same_text", key="0" * 64, surface="x", entropy=1, estimate=1,
        places=[{"answer": str(one.pk), "start": 0, "end": 1, "doubt": 1} for one in answers],
    )  # fmt: skip
    before = states(project)

    batch = change(group, chen, answers, label="b")

    assert len({row.correction_id for row in batch.changes.all()}) == 1
    assert Answer.objects.get(task=lease.task_id, state="validated").payload == {"labels": ["b"]}
    assert undo_batch(batch=batch, expert=chen, now=NOW) == 2
    assert {pk: row for pk, row in states(project).items() if pk in before} == before
