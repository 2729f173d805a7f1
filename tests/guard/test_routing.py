"""Who has not shown care gives first votes, others complete them; small communities never wait."""

from datetime import timedelta

import pytest

from annotation.answers.models import Answer
from annotation.answers.reviews import WaitsForAnother, next_review
from annotation.projects.models import Project
from annotation.standing.models import Standing
from tests.conftest import NOW
from tests.guard.conftest import DAY


def test_first_votes_of_the_unproven_are_completed_by_the_proven(speakers, careful, answered, verdict, project):
    ben, filipa, goran = speakers
    proven = careful(5)[0]
    row = answered(ben)
    verdict(row, filipa)
    assert next_review(project=project, person=goran, now=NOW) is None
    with pytest.raises(WaitsForAnother):
        verdict(row, goran)
    assert next_review(project=project, person=proven, now=NOW) == row
    verdict(row, proven)
    row.refresh_from_db()
    assert row.state == "validated"


def test_after_a_day_of_waiting_anybody_completes_it(speakers, careful, answered, verdict, project):
    ben, filipa, goran = speakers
    careful(5)
    row = answered(ben)
    verdict(row, filipa)
    assert next_review(project=project, person=goran, now=NOW + DAY - timedelta(seconds=1)) is None
    assert next_review(project=project, person=goran, now=NOW + DAY) == row


def test_before_five_have_shown_care_nobody_waits(speakers, careful, answered, verdict, project):
    ben, filipa, goran = speakers
    careful(4)
    row = answered(ben)
    verdict(row, filipa)
    verdict(row, goran)
    row.refresh_from_db()
    assert row.state == "validated"


def test_a_community_of_three_never_stalls(speakers, answered, verdict, project):
    for person in speakers:
        answered(person)
    for _ in range(6):
        for person in speakers:
            row = next_review(project=project, person=person, now=NOW)
            if row is not None:
                verdict(row, person)
    assert set(Answer.objects.values_list("state", flat=True)) == {"validated"}


def test_people_who_left_or_were_stopped_are_not_counted_among_the_careful(
    speakers, careful, answered, verdict, project, community
):
    ben, filipa, goran = speakers
    people = careful(5)
    row = answered(ben)
    verdict(row, filipa)
    assert Standing.objects.where_to_wait(goran) == {community.pk: 24}
    people[0].memberships.update(ended_at=NOW)
    assert Standing.objects.where_to_wait(goran) == {}
    people[0].memberships.update(ended_at=None)
    Standing.objects.filter(person=people[1]).update(is_frozen=True)
    assert Standing.objects.where_to_wait(goran) == {}


def test_a_project_without_the_guard_takes_any_two_votes(speakers, careful, answered, verdict, project):
    ben, filipa, goran = speakers
    careful(5)
    Project.objects.update(rule={"guard": False})
    row = answered(ben)
    verdict(row, filipa)
    verdict(row, goran)
    row.refresh_from_db()
    assert row.state == "validated"


def test_votes_on_an_earlier_wording_do_not_keep_the_unproven_from_the_new_one(speakers, careful, answered, project):
    ben, filipa, goran = speakers
    careful(5)
    row = answered(ben)
    row.reviews.create(
        author_id_of_answer=ben.pk, reviewer=goran, version=1, verdict="unsure", client_id=row.client_id, created_at=NOW
    )
    assert not Answer.objects.reviewable_by(filipa, NOW).exists()
    Answer.objects.update(version=2)
    assert Answer.objects.reviewable_by(filipa, NOW).get() == row
