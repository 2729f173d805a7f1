"""The cast with consent, and people who have shown care or carelessness."""

from datetime import timedelta

import pytest

from annotation.answers.models import Answer
from annotation.conflicts.services import adjudicate
from annotation.standing.models import Standing
from people.models import Role
from people.services import grant_role
from tests.conftest import NOW, make_person

DAY = timedelta(days=1)


class Foreseen:
    """A source of chance that a test has written down: the same number again and again, and the first of a list."""

    def __init__(self, number):
        self.number = number

    def random(self):
        return self.number

    def randrange(self, stop):
        return 0


GOLD_NOW, NO_GOLD = Foreseen(0.0), Foreseen(0.999)


@pytest.fixture
def speakers(ben, filipa, goran, consenting):
    for person in (ben, filipa, goran):
        consenting(person)
    return ben, filipa, goran


@pytest.fixture
def careful(community, consenting):
    """careful(number) makes so many speakers who have shown care."""

    def make(number):
        people = []
        for index in range(number):
            person = make_person(f"careful-{index}")
            grant_role(person=person, community=community, role=Role.SPEAKER, granted_by=person, now=NOW)
            consenting(person)
            Standing.objects.create(person=person, community=community, has_shown_care=True)
            people.append(person)
        return people

    return make


@pytest.fixture
def decided(answered, chen, verdict):
    """decided(author, "accept" | "reject", *unsure) makes an answer that Chen decided after three unsure peers."""

    def make(author, decision, now=NOW):
        answer = answered(author)
        Answer.objects.filter(pk=answer.pk).update(state="disputed")
        adjudicate(answer=answer, expert=chen, decision=decision, reason="because", now=now)
        answer.refresh_from_db()
        return answer

    return make
