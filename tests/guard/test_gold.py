"""Gold comes by chance, looks like any other answer, and shows care without settling anything."""

from uuid import uuid4

import pytest
from django.test import Client

from annotation.aggregation.skill import gold_chance
from annotation.answers.gold import chance_of, use_as_gold
from annotation.answers.models import Answer, GoldOffer, Review
from annotation.answers.reviews import AlreadySettled, next_review, review_answer
from annotation.projects.models import Project
from people.refusals import Conflicting, Invalid, NotAllowed
from tests.conftest import NOW
from tests.guard.conftest import GOLD_NOW, NO_GOLD


def test_gold_comes_by_chance_and_stays_until_it_is_judged(speakers, answered, decided, project, verdict):
    ben, filipa, _goran = speakers
    gold, waiting = decided(ben, "reject"), answered(ben)
    assert next_review(project=project, person=filipa, now=NOW, chance=NO_GOLD) == waiting
    assert next_review(project=project, person=filipa, now=NOW, chance=GOLD_NOW) == gold
    assert next_review(project=project, person=filipa, now=NOW, chance=NO_GOLD) == gold
    review = verdict(gold, filipa, "reject", reason="spelling")
    assert (review.is_gold, review.gold_is_right) == (True, False)
    assert next_review(project=project, person=filipa, now=NOW, chance=GOLD_NOW) == waiting
    gold.refresh_from_db()
    assert gold.state == "rejected"


def test_the_chance_of_a_vote_is_the_same_at_every_reload_and_hangs_on_the_secret_key(community, ben, filipa, settings):
    drawn = [chance_of(ben, community, votes).random() for votes in range(40)]
    assert drawn == [chance_of(ben, community, votes).random() for votes in range(40)]
    assert drawn != [chance_of(filipa, community, votes).random() for votes in range(40)]
    settings.SECRET_KEY = "another one"
    assert drawn != [chance_of(ben, community, votes).random() for votes in range(40)]


def test_early_gold_is_a_quarter_and_later_gold_a_twentieth(community, ben):
    early = [
        chance_of(ben, community, votes).random() < gold_chance(votes=votes, gold=0, has_shown_care=False)
        for votes in range(4000)
    ]
    later = [
        chance_of(ben, community, votes).random() < gold_chance(votes=votes, gold=votes // 20, has_shown_care=True)
        for votes in range(4000)
    ]
    assert sum(early) / 4000 == pytest.approx(0.25, abs=0.03)
    assert sum(later) / 4000 == pytest.approx(0.05, abs=0.015)


def test_half_of_the_gold_is_wrong_where_there_is_wrong_gold(speakers, answered, decided, project):
    ben, filipa, goran = speakers
    right, wrong = decided(ben, "accept"), decided(ben, "reject")
    answered(ben)

    class First:
        def __init__(self, second):
            self.numbers = [0.0, second]

        def random(self):
            return self.numbers.pop(0)

        def randrange(self, stop):
            return stop - 1

    assert next_review(project=project, person=filipa, now=NOW, chance=First(0.4)) == wrong
    assert next_review(project=project, person=goran, now=NOW, chance=First(0.6)) == right


def test_gold_never_comes_to_its_author_its_reviewers_or_its_expert(
    speakers, answered, decided, project, chen, consenting, verdict
):
    ben, filipa, goran = speakers
    consenting(chen)
    gold, _waiting = decided(ben, "reject"), answered(filipa)
    assert next_review(project=project, person=ben, now=NOW, chance=GOLD_NOW) != gold
    assert next_review(project=project, person=chen, now=NOW, chance=GOLD_NOW) != gold
    Review.objects.create(
        answer=gold,
        author_id_of_answer=ben.pk,
        reviewer=goran,
        version=1,
        verdict="unsure",
        client_id=uuid4(),
        created_at=NOW,
    )
    assert not Answer.objects.gold_for(goran).exists()
    assert Answer.objects.gold_for(filipa).get() == gold


def test_a_settled_answer_that_was_not_given_as_gold_takes_no_verdict(speakers, decided, verdict):
    ben, filipa, _ = speakers
    gold = decided(ben, "accept")
    with pytest.raises(AlreadySettled):
        verdict(gold, filipa)
    assert not Review.objects.exists()


def test_without_the_guard_no_gold_comes(speakers, answered, decided, project):
    ben, filipa, _ = speakers
    decided(ben, "reject")
    waiting = answered(ben)
    Project.objects.update(rule={"guard": False})
    project.refresh_from_db()
    assert next_review(project=project, person=filipa, now=NOW, chance=GOLD_NOW) == waiting


def test_a_correction_of_gold_is_read_like_any_other_and_enters_nowhere(speakers, decided, answered, project):
    ben, filipa, _ = speakers
    gold, _waiting = decided(ben, "reject"), answered(ben)
    next_review(project=project, person=filipa, now=NOW, chance=GOLD_NOW)
    count = Answer.objects.count()
    fields = {"answer": gold, "reviewer": filipa, "verdict": "fix", "version": 1, "now": NOW}
    with pytest.raises(Invalid, match="same as the answer"):
        review_answer(**fields, client_id=uuid4(), fixed_text=gold.text)
    review = review_answer(**fields, client_id=uuid4(), fixed_text="otra cosa")
    assert (review.is_gold, review.fix, Answer.objects.count()) == (True, None, count)


def test_an_expert_confirms_a_settled_answer_as_gold(speakers, answered, verdict, chen, project):
    ben, filipa, goran = speakers
    row = answered(ben)
    with pytest.raises(Conflicting, match="not settled"):
        use_as_gold(answer=row, expert=chen, verdict="approve", now=NOW)
    verdict(row, filipa, "reject", reason="spelling")
    verdict(row, goran, "reject", reason="spelling")
    with pytest.raises(Conflicting, match="the other way"):
        use_as_gold(answer=row, expert=chen, verdict="approve", now=NOW)
    with pytest.raises(Invalid):
        use_as_gold(answer=row, expert=chen, verdict="perhaps", now=NOW)
    with pytest.raises(NotAllowed):
        use_as_gold(answer=row, expert=filipa, verdict="reject", now=NOW)
    first = use_as_gold(answer=row, expert=chen, verdict="reject", now=NOW)
    assert use_as_gold(answer=row, expert=chen, verdict="reject", now=NOW) == first
    assert Answer.objects.gold().get() == row
    assert not Answer.objects.gold_for(filipa).exists()


def test_the_api_shows_gold_as_any_answer_that_waits(speakers, answered, decided, project, esi):
    ben, filipa, _ = speakers
    gold, waiting = decided(ben, "accept"), answered(ben)
    GoldOffer.objects.create(answer=gold, person=filipa, offered_at=NOW)
    client = Client()
    client.force_login(filipa)
    offered = client.get(f"/api/v1/answers/next-review/{project.pk}/").json()
    assert offered["id"] == str(gold.pk)
    for shown in (offered, client.get(f"/api/v1/answers/{gold.pk}/").json()):
        plain = client.get(f"/api/v1/answers/{waiting.pk}/").json()
        told_apart = {name for name in plain if shown[name] != plain[name]}
        assert told_apart <= {"id", "source", "text", "client_id", "receipt", "created_at", "changed_at", "document"}
    listed = client.get("/api/v1/answers/?state=validated").json()["results"]
    assert str(gold.pk) not in {row["id"] for row in listed}
    listed = client.get("/api/v1/answers/?state=submitted").json()["results"]
    assert {row["id"] for row in listed} == {str(gold.pk), str(waiting.pk)}
    client.force_login(esi)
    assert client.get(f"/api/v1/answers/{gold.pk}/").json()["state"] == "validated"


def test_the_review_page_of_gold_differs_only_in_its_words(speakers, answered, decided, project):
    ben, filipa, goran = speakers
    gold, waiting = decided(ben, "accept"), answered(ben)
    GoldOffer.objects.create(answer=gold, person=filipa, offered_at=NOW)

    def page(person):
        client = Client()
        client.force_login(person)
        return client.get(f"/c/test-otomi/speak/review/{project.pk}/").content.decode()

    Project.objects.update(rule={"guard": False})
    plain = page(goran)
    Project.objects.update(rule={})
    shown = page(filipa)
    assert str(gold.pk) in shown
    assert str(waiting.pk) in plain
    lines = zip(shown.splitlines(), plain.splitlines(), strict=True)
    differing = [(one, other) for one, other in lines if one != other]
    changing = (
        "csrfmiddlewaretoken",
        "client_id",
        str(gold.pk),
        gold.text,
        gold.task.item.text,
        "filipa",
        "outbox-status",
        # The link to report it holds its id, signed.
        "/report/about/",
    )
    assert [pair for pair in differing if not any(word in pair[0] for word in changing)] == []
