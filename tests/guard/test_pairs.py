"""Two who approve each other far above chance get each other's answers no more, and nothing else happens."""

from uuid import uuid4

import pytest

from annotation.answers.models import Answer, Review
from annotation.answers.reviews import WaitsForAnother
from annotation.answers.services import create_answer
from annotation.guard.services import find_pairs
from annotation.kinds.contract import Written
from annotation.projects.models import Task
from annotation.standing.models import KeptApart
from care.models import Receipt
from tests.conftest import NOW


@pytest.fixture
def pair(speakers, project, careful):
    """Ben and Filipa, who approve each other's rejected answers and reject everybody else's."""
    ben, filipa, goran = speakers
    others = [goran, *careful(3)]
    tasks = list(Task.objects.filter(project=project))

    def write(author, votes, number, state="rejected"):
        receipt = Receipt.objects.get(person=author)
        answer = create_answer(
            task=tasks[number % len(tasks)],
            author=author,
            receipt=receipt,
            written=Written(f"texto {author.pk} {number}", {}),
            now=NOW,
        )
        for person, word in votes:
            Review.objects.create(
                answer=answer,
                author_id_of_answer=author.pk,
                reviewer=person,
                version=1,
                verdict=word,
                reason="spelling" if word == "reject" else "",
                client_id=uuid4(),
                created_at=NOW,
            )
        Answer.objects.filter(pk=answer.pk).update(state=state)
        return answer

    for number in range(12):
        write(ben, [(filipa, "approve"), (others[0], "reject"), (others[1], "reject")], number)
        write(filipa, [(ben, "approve"), (others[0], "reject"), (others[1], "reject")], number)
        for other in others:
            write(other, [(ben, "reject"), (filipa, "reject")], number)
    return ben, filipa


def test_a_pair_is_found_once_and_both_ways(pair):
    ben, filipa = pair
    assert find_pairs(now=NOW) == 1
    assert find_pairs(now=NOW) == 0
    assert {(row.reviewer, row.author) for row in KeptApart.objects.all()} == {(ben, filipa), (filipa, ben)}
    row = KeptApart.objects.get(reviewer=ben)
    assert (row.approved, row.votes) == (12, 12)
    assert row.expected < 6


def test_who_is_kept_apart_from_an_author_gets_none_of_their_answers(speakers, answered, verdict, community, project):
    ben, filipa, goran = speakers
    KeptApart.objects.create(
        community=community, reviewer=filipa, author=ben, approved=9, votes=9, expected=3, found_at=NOW
    )
    theirs, other = answered(ben), answered(goran)
    assert list(Answer.objects.reviewable_by(filipa, NOW)) == [other]
    assert theirs in Answer.objects.reviewable_by(goran, NOW)
    with pytest.raises(WaitsForAnother):
        verdict(theirs, filipa)


def test_votes_between_them_count_no_more_and_all_others_do(pair):
    ben, filipa = pair
    given = Review.objects.filter(reviewer=ben)
    before = given.counting().count()
    find_pairs(now=NOW)
    assert before - given.counting().count() == 12
    assert not given.counting().filter(author_id_of_answer=filipa.pk).exists()


def test_honest_people_are_not_kept_apart(validated_corpus):
    assert find_pairs(now=NOW) == 0
