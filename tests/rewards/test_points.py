"""Points follow outcomes, whoever looks how often; boards show only those who want to be seen."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction

from annotation.answers.models import Answer
from annotation.answers.services import withdraw_answer
from annotation.rewards.models import Player, Point
from annotation.rewards.services import balanced_board, board, score_changes, set_play, standing_of
from people.refusals import Invalid
from tests.conftest import NOW


@pytest.fixture
def speakers(ben, filipa, goran, consenting):
    for person in (ben, filipa, goran):
        consenting(person)
    return ben, filipa, goran


def points(person):
    return sum(row.points for row in Point.objects.filter(person=person))


def test_an_answer_pays_when_it_is_sent_and_more_when_it_is_accepted(speakers, answered, verdict):
    ben, filipa, goran = speakers
    row = answered(ben)
    score_changes(now=NOW)
    assert points(ben) == 1
    verdict(row, filipa)
    verdict(row, goran)
    score_changes(now=NOW)
    score_changes(now=NOW)
    assert (points(ben), points(filipa), points(goran)) == (5, 3, 3)


def test_what_is_rejected_pays_nothing_and_rejecting_well_pays_like_approving(speakers, answered, verdict):
    ben, filipa, goran = speakers
    row = answered(ben)
    score_changes(now=NOW)
    verdict(row, filipa, "reject", reason="spelling")
    verdict(row, goran, "reject", reason="spelling")
    score_changes(now=NOW)
    assert (points(ben), points(filipa), points(goran)) == (0, 3, 3)
    assert [line.points for line in Point.objects.filter(person=ben)] == [1, -1]


def test_taking_words_back_gives_points_back_and_punishes_nobody(speakers, answered, verdict, community):
    ben, filipa, goran = speakers
    row = answered(ben)
    verdict(row, filipa)
    verdict(row, goran)
    score_changes(now=NOW)
    level = standing_of(person=ben, community=community, now=NOW).level
    row.refresh_from_db()
    withdraw_answer(answer=row, author=ben, now=NOW)
    score_changes(now=NOW)
    assert (points(ben), points(filipa), points(goran)) == (0, 3, 3)
    assert standing_of(person=ben, community=community, now=NOW).level == level == 1


def test_a_line_of_points_is_never_changed(speakers, answered):
    answered(speakers[0])
    score_changes(now=NOW)
    for change in (lambda: Point.objects.update(points=100), lambda: Point.objects.all()._raw_delete("default")):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()


def test_boards_by_period_share_ranks_and_leave_out_who_hides(validated_corpus, ben, filipa, goran, community):
    Answer.objects.filter(author=goran).update(created_at=NOW - timedelta(days=40))
    score_changes(now=NOW)
    rows = board(community=community, period="week", now=NOW)
    assert {row.person for row in rows} == {ben, filipa, goran}
    assert {row.rank for row in rows} == {1}
    assert {row.total for row in balanced_board(community=community)} == {4}
    set_play(person=ben, community=community, is_hidden=True, companion_name="  Little   fire ")
    assert Player.objects.get(person=ben).companion_name == "Little fire"
    for rows in (board(community=community, period="all", now=NOW, around=ben), balanced_board(community=community)):
        assert {row.person for row in rows} == {filipa, goran}
    assert board(community=community, period="day", now=NOW + timedelta(days=2)) == []
    with pytest.raises(Invalid):
        set_play(person=ben, community=community, is_hidden=False, companion_name="x" * 41)


def test_a_badge_goes_with_the_work_that_was_overturned(validated_corpus, ben, community):
    score_changes(now=NOW)
    standing = standing_of(person=ben, community=community, now=NOW)
    assert (standing.made, standing.checked, standing.stage) == (4, 8, 1)
    for row in Answer.objects.filter(author=ben):
        withdraw_answer(answer=row, author=ben, now=NOW)
    score_changes(now=NOW)
    assert standing_of(person=ben, community=community, now=NOW).badge == ""
