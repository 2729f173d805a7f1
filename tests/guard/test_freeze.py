"""A freeze keeps somebody from writing and checking, counts their open votes out, and can be undone."""

import threading
from uuid import uuid4

import pytest
from django.db import connection

from annotation.answers.models import Answer
from annotation.answers.reviews import next_review, review_answer
from annotation.answers.services import appeal, edit_answer, withdraw_answer
from annotation.conflicts.services import adjudicate
from annotation.guard.services import freeze_person, unfreeze_person
from annotation.projects.services import lease_packet, lease_task
from annotation.rewards.models import Point
from annotation.rewards.services import score_changes
from annotation.standing.models import StandingEvent
from annotation.standing.services import Frozen
from ledger.models import Entry
from people.models import Role
from people.refusals import Conflicting, Invalid, NotAllowed, Refusal
from people.services import LastSteward, grant_role
from people.tenants import every_community
from tests.conftest import NOW


@pytest.fixture
def freeze(community, aroha):
    return lambda person, by=aroha, reason="many empty verdicts": freeze_person(
        person=person, community=community, frozen_by=by, reason=reason, now=NOW
    )


@pytest.fixture
def unfreeze(community, aroha):
    return lambda person: unfreeze_person(
        person=person, community=community, unfrozen_by=aroha, reason="we talked", now=NOW
    )


def test_open_votes_are_counted_out_and_settled_answers_stay(speakers, answered, verdict, freeze, unfreeze):
    ben, filipa, goran = speakers
    settled, begun, disputed = answered(ben), answered(ben), answered(ben)
    for person in (filipa, goran):
        verdict(settled, person)
    verdict(begun, filipa)
    for person, word in ((filipa, "approve"), (goran, "unsure")):
        verdict(disputed, person, word)
    Answer.objects.filter(pk=disputed.pk).update(state="disputed")
    assert freeze(filipa).requeued == 2
    states = {row.pk: row.state for row in Answer.objects.all()}
    assert states == {settled.pk: "validated", begun.pk: "submitted", disputed.pk: "submitted"}
    assert not begun.reviews.counting().exists()
    assert settled.reviews.counting().count() == 2
    unfreeze(filipa)
    assert begun.reviews.counting().count() == 1


def test_a_frozen_person_neither_writes_nor_checks_but_takes_words_back(
    speakers, answered, verdict, freeze, project, chen, unfreeze
):
    ben, filipa, _goran = speakers
    mine, other = answered(filipa), answered(ben)
    lease = lease_task(project=project, person=filipa, now=NOW)
    freeze(filipa)
    acts = [
        lambda: lease_task(project=project, person=filipa, now=NOW),
        lambda: lease_packet(project=project, person=filipa, size=2, now=NOW),
        lambda: next_review(project=project, person=filipa, now=NOW),
        lambda: verdict(other, filipa),
        lambda: edit_answer(answer=mine, author=filipa, text="otra", version=1, now=NOW),
    ]
    for act in acts:
        with pytest.raises(Frozen, match="Ask a steward"):
            act()
    assert lease.state == "leased"
    assert not Answer.objects.reviewable_by(filipa, NOW).exists()
    withdraw_answer(answer=mine, author=filipa, now=NOW)
    mine.refresh_from_db()
    assert mine.state == "withdrawn"
    unfreeze(filipa)
    assert lease_task(project=project, person=filipa, now=NOW) == lease
    assert verdict(other, filipa).pk


def test_a_frozen_author_still_asks_an_expert(speakers, answered, freeze):
    row = answered(speakers[1])
    Answer.objects.filter(pk=row.pk).update(state="rejected")
    freeze(speakers[1])
    assert appeal(answer=row, author=speakers[1], note="please", now=NOW).state == "disputed"


def test_a_frozen_expert_decides_nothing(speakers, answered, freeze, chen):
    row = answered(speakers[0])
    Answer.objects.filter(pk=row.pk).update(state="disputed")
    freeze(chen)
    with pytest.raises(Frozen):
        adjudicate(answer=row, expert=chen, decision="accept", reason="fine", now=NOW)


def test_an_appeal_waits_for_its_expert_whatever_becomes_of_votes(speakers, answered, verdict, freeze):
    ben, filipa, goran = speakers
    row = answered(ben)
    for person in (filipa, goran):
        verdict(row, person, "reject", reason="spelling")
    row.refresh_from_db()
    appeal(answer=row, author=ben, note="", now=NOW)
    freeze(filipa)
    row.refresh_from_db()
    assert row.state == "disputed"


def test_points_follow_a_freeze_and_come_back(speakers, answered, verdict, freeze, unfreeze):
    ben, filipa, _ = speakers
    verdict(answered(ben), filipa)

    def points():
        score_changes(now=NOW)
        return sum(line.points for line in Point.objects.filter(person=filipa))

    assert points() == 1
    freeze(filipa)
    assert points() == 0
    unfreeze(filipa)
    assert points() == 1
    assert [line.points for line in Point.objects.filter(person=filipa).order_by("pk")] == [1, -1, 1]


def test_a_freeze_is_written_down_and_has_a_reason(speakers, freeze, unfreeze, aroha):
    filipa = speakers[1]
    with pytest.raises(Invalid):
        freeze(filipa, reason=" ")
    freeze(filipa)
    with pytest.raises(Conflicting):
        freeze(filipa)
    unfreeze(filipa)
    with pytest.raises(Conflicting):
        unfreeze(filipa)
    assert [(e.kind, e.reason, e.actor) for e in StandingEvent.objects.order_by("pk")] == [
        ("frozen", "many empty verdicts", aroha),
        ("unfrozen", "we talked", aroha),
    ]
    actions = Entry.objects.filter(subject=f"person:{filipa.pk}").order_by("sequence").values_list("action", flat=True)
    assert list(actions)[-2:] == ["person.frozen", "person.unfrozen"]
    assert not any("many empty" in str(entry.details) for entry in Entry.objects.all())


def test_only_stewards_freeze_and_nobody_freezes_themselves_or_the_last_steward(
    speakers, freeze, aroha, community, ben, dana
):
    for wrong in (lambda: freeze(ben, by=speakers[1]), lambda: freeze(aroha), lambda: freeze(dana)):
        with pytest.raises(NotAllowed):
            wrong()
    grant_role(person=ben, community=community, role=Role.STEWARD, granted_by=aroha, now=NOW)
    freeze(ben)
    with pytest.raises(LastSteward):
        freeze(aroha, by=ben)


def test_a_freeze_ends_in_one_community_only(speakers, freeze, aroha, answered):
    freeze(speakers[1])
    assert answered(speakers[0]).state == "submitted"
    assert list(speakers[1].standings.filter(is_frozen=True).values_list("community__slug", flat=True)) == [
        "test-otomi"
    ]


@pytest.mark.django_db(transaction=True)
def test_a_verdict_at_the_moment_of_a_freeze_counts_or_is_refused_never_half(speakers, answered, freeze, verdict):
    ben, filipa, goran = speakers
    rows = [answered(ben) for _ in range(4)]
    for row in rows:
        verdict(row, goran)
    start = threading.Barrier(2)

    @every_community()
    def vote():
        try:
            start.wait()
            for row in rows:
                try:
                    review_answer(answer=row, reviewer=filipa, verdict="approve", version=1, client_id=uuid4(), now=NOW)
                except Refusal:
                    continue
        finally:
            connection.close()

    thread = threading.Thread(target=vote)
    thread.start()
    start.wait()
    freeze(filipa)
    thread.join()
    for row in rows:
        row.refresh_from_db()
        was_heard = row.reviews.filter(reviewer=filipa).exists()
        assert row.state == ("validated" if was_heard else "submitted")
