"""Answers are compared and rated by others, blindly, and only for as long as their authors allow."""

from uuid import uuid4

import pytest
from django.utils import timezone

from annotation.answers.judging import open_judging, pairs_of
from annotation.answers.models import Answer
from annotation.answers.services import submit_answer
from annotation.projects.models import Assignment, Task
from annotation.projects.services import NothingToDo, lease_task
from care.models import Purpose
from people.refusals import Conflicting, Invalid, NotAllowed
from tests.conftest import NOW, TRAINING
from tests.kinds.opening import open_kind
from training.runs.withdrawals import withdraw_answer, withdraw_consent

pytestmark = pytest.mark.django_db


@pytest.fixture
def answered(community, aroha, ben, filipa, goran, consenting):
    """A project of instructions whose first one Ben and Filipa have answered, both well."""
    for person in (ben, filipa, goran):
        consenting(person)
    project = open_kind(community, aroha, "respond", rule={"stop": "total", "answers": 2})
    for person, text in ((ben, "ñä of Ben"), (filipa, "ñä of Filipa")):
        lease = lease_task(project=project, person=person, now=NOW)
        submit_answer(assignment=lease, author=person, client_id=uuid4(), now=NOW, text=text)
    Answer.objects.update(state=Answer.State.VALIDATED)
    return project


@pytest.fixture
def comparing(answered, aroha):
    return open_judging(project=answered, kind="compare", title="Which?", opened_by=aroha, now=NOW)


def judge(project, person, **payload):
    lease = lease_task(project=project, person=person, now=NOW)
    return submit_answer(assignment=lease, author=person, client_id=uuid4(), now=NOW, payload=payload)


def test_two_answers_to_one_task_become_a_comparison(comparing):
    (task,) = comparing.tasks.all()
    assert sorted(task.item.extra) == ["option_a", "option_b"]
    assert sorted(task.item.extra.values()) == ["ñä of Ben", "ñä of Filipa"]
    assert task.item.text == "frase 1"
    assert comparing.target_language_tag == "ote"


def test_each_answer_becomes_a_rating(answered, aroha):
    rating = open_judging(project=answered, kind="rate", title="How good?", opened_by=aroha, now=NOW)
    assert sorted(task.item.extra["candidate"] for task in rating.tasks.all()) == ["ñä of Ben", "ñä of Filipa"]


def test_nobody_judges_their_own_words(comparing, ben, filipa, goran):
    for author in (ben, filipa):
        with pytest.raises(NothingToDo):
            lease_task(project=comparing, person=author, now=NOW)
    assert lease_task(project=comparing, person=goran, now=NOW)


def test_a_judgement_is_built_on_the_consent_of_those_it_is_about(comparing, ben, filipa, goran):
    judgement = judge(comparing, goran, choice="a")
    assert {receipt.person for receipt in judgement.built_on.all()} == {ben, filipa}
    withdraw_consent(person=ben, community=comparing.community, purposes=TRAINING, now=timezone.now())
    assert not Answer.objects.filter(pk=judgement.pk).usable_for(Purpose.TRAIN_NONCOMMERCIAL).exists()


def test_words_taken_back_are_judged_no_more(comparing, answered, ben, goran):
    judgement = judge(comparing, goran, choice="b")
    answer = Answer.objects.get(author=ben, task__project=answered)

    withdraw_answer(answer=answer, author=ben, now=NOW)

    judgement.refresh_from_db()
    assert judgement.state == Answer.State.WITHDRAWN
    assert Task.objects.get(project=comparing).state == Task.State.TAKEN_OUT


def test_a_judgement_that_comes_after_that_is_refused(comparing, answered, ben, goran):
    lease = lease_task(project=comparing, person=goran, now=NOW)
    withdraw_answer(answer=Answer.objects.get(author=ben), author=ben, now=NOW)
    assert Assignment.objects.get(pk=lease.pk).state == "expired"
    with pytest.raises(Conflicting, match="taken back"):
        submit_answer(assignment=lease, author=goran, client_id=uuid4(), now=NOW, payload={"choice": "a"})


def test_words_that_peers_may_no_longer_judge_are_asked_about_no_more(comparing, filipa):
    withdraw_consent(person=filipa, community=comparing.community, purposes=[Purpose.PEER_REVIEW], now=NOW)
    assert Task.objects.get(project=comparing).state == Task.State.TAKEN_OUT


def test_with_nothing_to_judge_it_says_so(community, aroha, project):
    with pytest.raises(Invalid, match="nothing to judge"):
        open_judging(project=project, kind="compare", title="Which?", opened_by=aroha, now=NOW)


def test_only_stewards_open_it(answered, ben):
    with pytest.raises(NotAllowed):
        open_judging(project=answered, kind="compare", title="Which?", opened_by=ben, now=NOW)


def test_few_answers_meet_all_others_and_many_meet_some():
    answers = [Answer(text=f"ñä {number}") for number in range(8)]
    assert len(pairs_of(answers[:4])) == 6
    pairs = pairs_of(answers)
    assert len(pairs) == 16
    assert all(sum(answer in pair for pair in pairs) == 4 for answer in answers)
    assert pairs_of([answers[0], Answer(text="ñä 0")]) == []


def test_a_steward_opens_it_from_the_project(client, aroha, answered):
    client.force_login(aroha)
    address = f"/c/test-otomi/steward/projects/{answered.pk}/judge/"
    assert "2 accepted answers" in client.get(address).content.decode()
    answer = client.post(address, {"kind": "compare", "title": "Which?"}, follow=True)
    assert "The project is open" in answer.content.decode()
