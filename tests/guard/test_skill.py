"""Skill follows votes on gold and outcomes; shown carelessness stops votes, and a steward may undo it."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from annotation.answers.models import Answer, Review
from annotation.answers.reviews import next_review
from annotation.guard.services import estimate_person, estimate_skills, spare_person
from annotation.projects.models import Project
from annotation.rewards.models import Point
from annotation.rewards.services import score_changes
from annotation.standing.models import Standing
from annotation.standing.services import VotesDoNotCount
from ledger.models import Entry
from people.refusals import Conflicting, Invalid, NotAllowed
from tests.conftest import NOW
from tests.guard.conftest import DAY


@pytest.fixture
def on_gold(decided):
    """on_gold(person, author, "accept", "approve", times) writes verdicts on gold answers down."""

    def give(person, author, decision, word, times):
        for _ in range(times):
            gold = decided(author, decision)
            Review.objects.create(
                answer=gold,
                author_id_of_answer=author.pk,
                reviewer=person,
                version=1,
                verdict=word,
                reason="spelling" if word == "reject" else "",
                is_gold=True,
                gold_is_right=decision == "accept",
                client_id=uuid4(),
                created_at=NOW,
            )

    return give


def test_who_tells_right_from_wrong_has_shown_care(speakers, on_gold, community):
    ben, filipa, _ = speakers
    on_gold(filipa, ben, "accept", "approve", 5)
    on_gold(filipa, ben, "reject", "reject", 5)
    standing = estimate_person(person=filipa, community=community, now=NOW)
    assert (standing.has_shown_care, standing.is_stopped) == (True, False)
    assert (standing.gold, standing.gold_agreed, standing.checks) == (10, 10, 10)
    low, high = standing.skill.interval
    assert 0.6 < low < standing.skill.mean < high < 1


def test_an_outcome_weighs_half_and_an_unsure_verdict_nothing(speakers, answered, verdict, community):
    ben, filipa, goran = speakers
    row = answered(ben)
    verdict(row, filipa)
    verdict(row, goran)
    verdict(answered(ben), filipa, "unsure")
    assert estimate_person(person=filipa, community=community, now=NOW).evidence == 0.5


def test_an_answer_that_only_made_room_for_another_says_nothing_of_its_reviewers(
    speakers, answered, verdict, community
):
    ben, filipa, goran = speakers
    row = answered(ben)
    verdict(row, filipa)
    fix = verdict(row, goran, "fix", fixed_text="mejor así").fix
    Answer.objects.filter(pk=row.pk).update(state="submitted")
    row.events.create(kind="rejected", version=1, note="Another wording was accepted.", at=NOW)
    Answer.objects.filter(pk=row.pk).update(state="rejected")
    assert fix is not None
    assert estimate_person(person=filipa, community=community, now=NOW).checks == 0


def test_shown_carelessness_stops_votes_and_what_they_settled_waits_again(
    speakers, answered, verdict, on_gold, community, project
):
    ben, filipa, goran = speakers
    row = answered(ben)
    verdict(row, filipa)
    verdict(row, goran)
    begun = answered(ben)
    verdict(begun, filipa)
    score_changes(now=NOW)
    before = Point.objects.filter(review__reviewer=filipa).count()
    on_gold(filipa, ben, "reject", "approve", 6)
    assert estimate_skills(now=NOW) >= 2
    assert estimate_skills(now=NOW) >= 2
    standing = Standing.objects.get(person=filipa)
    assert standing.is_stopped
    assert [event.kind for event in standing.events.all()] == ["stopped"]
    row.refresh_from_db()
    assert row.state == "submitted"
    assert list(begun.reviews.counting()) == []
    with pytest.raises(VotesDoNotCount):
        next_review(project=project, person=filipa, now=NOW)
    with pytest.raises(VotesDoNotCount):
        verdict(answered(ben), filipa)
    assert answered(filipa).state == "submitted"
    score_changes(now=NOW + DAY / 24)
    lines = Point.objects.filter(review__reviewer=filipa, review__is_gold=False)
    assert before == 3
    assert sum(line.points for line in lines) == 0
    assert Entry.objects.filter(action="person.stopped", subject=f"person:{filipa.pk}").count() == 1


def test_a_steward_lets_votes_count_again_and_they_are_not_stopped_twice(
    speakers, answered, verdict, on_gold, community, aroha
):
    ben, filipa, goran = speakers
    row = answered(ben)
    verdict(row, filipa)
    verdict(row, goran)
    on_gold(filipa, ben, "reject", "approve", 6)
    estimate_skills(now=NOW)
    undo = {"person": filipa, "community": community, "now": NOW}
    with pytest.raises(NotAllowed):
        spare_person(**undo, spared_by=goran, reason="she learns")
    with pytest.raises(Invalid):
        spare_person(**undo, spared_by=aroha, reason="  ")
    spare_person(**undo, spared_by=aroha, reason="she learns")
    row.refresh_from_db()
    assert row.state == "validated"
    estimate_skills(now=NOW)
    assert not Standing.objects.get(person=filipa).is_stopped
    with pytest.raises(Conflicting):
        spare_person(**undo, spared_by=aroha, reason="again")


def test_where_the_guard_is_off_a_stopped_persons_votes_count(speakers, answered, verdict, community):
    ben, filipa, goran = speakers
    Standing.objects.create(person=filipa, community=community, is_stopped=True)
    Project.objects.update(rule={"guard": False})
    row = answered(ben)
    verdict(row, filipa)
    verdict(row, goran)
    row.refresh_from_db()
    assert row.state == "validated"


def test_what_experts_have_said_is_never_settled_anew(speakers, decided, on_gold, community, answered, verdict):
    ben, filipa, goran = speakers
    row = decided(ben, "accept")
    for reviewer in (filipa, goran):
        row.reviews.create(
            author_id_of_answer=ben.pk,
            reviewer=reviewer,
            version=1,
            verdict="reject",
            reason="spelling",
            client_id=uuid4(),
            created_at=NOW,
        )
    on_gold(filipa, ben, "reject", "approve", 6)
    estimate_skills(now=NOW)
    row.refresh_from_db()
    assert Standing.objects.get(person=filipa).is_stopped
    assert row.state == "validated"


def test_a_rival_that_made_room_waits_again_and_makes_room_again(
    speakers, answered, verdict, community, on_gold, aroha, careful
):
    ben, filipa, goran = speakers
    row = answered(ben)
    fix = verdict(row, goran, "fix", fixed_text="mejor así").fix
    for person in (filipa, careful(1)[0]):
        verdict(fix, person)

    def states():
        row.refresh_from_db()
        fix.refresh_from_db()
        return row.state, fix.state

    assert states() == ("rejected", "validated")
    on_gold(filipa, ben, "reject", "approve", 6)
    estimate_skills(now=NOW)
    assert states() == ("submitted", "submitted")
    spare_person(person=filipa, community=community, spared_by=aroha, reason="she learns", now=NOW)
    assert states() == ("rejected", "validated")


def test_who_is_spared_cannot_be_stopped_at_once(community, ben):
    with pytest.raises(IntegrityError, match="who_is_spared_is_not_stopped"), transaction.atomic():
        Standing.objects.create(person=ben, community=community, is_stopped=True, is_spared=True)
