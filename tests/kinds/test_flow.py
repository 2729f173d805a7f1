"""Projects of every kind through the services: several answers, agreement without review, exact overlap."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from annotation.answers.models import Answer
from annotation.answers.services import appeal, release_quarantined, submit_answer
from annotation.conflicts.services import adjudicate
from annotation.projects.models import Assignment, Task
from annotation.projects.services import NothingToDo, lease_packet, lease_task
from care.services import ConsentMissing, give_consent, withdraw_purposes
from people.models import Person, Role
from people.refusals import Conflicting, Invalid
from people.services import grant_role
from people.tenants import every_community
from tests.conftest import NOW, TRAINING, make_person
from tests.kinds.opening import open_kind


@pytest.fixture
def opened(community, aroha):
    return lambda kind, **fields: open_kind(community, aroha, kind, **fields)


@pytest.fixture
def speakers(ben, filipa, goran, consenting):
    for person in (ben, filipa, goran):
        consenting(person)
    return ben, filipa, goran


def answer(project, person, text="", **payload):
    lease = lease_task(project=project, person=person, now=NOW)
    return submit_answer(
        assignment=lease, author=person, client_id=uuid4(), now=NOW, text=text, payload=payload or None
    )


def test_two_equal_classifications_settle_it_and_a_third_breaks_a_tie(opened, speakers):
    ben, filipa, goran = speakers
    project = opened("classify", settings={"labels": ["glad", "sad"]})
    first, second = (answer(project, person, labels=["glad"]) for person in (ben, filipa))
    for row in (first, second):
        row.refresh_from_db()
        assert row.state == Answer.State.VALIDATED
    assert first.task.__class__.objects.get(pk=first.task_id).state == Task.State.DONE
    odd = [answer(project, ben, labels=["glad"]), answer(project, filipa, labels=["sad"])]
    assert odd[0].task_id == odd[1].task_id
    assert Task.objects.get(pk=odd[0].task_id).wanted == 3
    third = answer(project, goran, labels=["sad"])
    assert third.task_id == odd[0].task_id
    states = [Answer.objects.get(pk=row.pk).state for row in (*odd, third)]
    assert states == ["rejected", "validated", "validated"]


def test_classes_that_nobody_agrees_on_go_to_the_expert_who_settles_the_task(opened, speakers, chen, consenting):
    project = opened("classify", settings={"labels": ["a", "b", "c"]})
    rows = [answer(project, person, labels=[label]) for person, label in zip(speakers, "abc", strict=True)]
    assert Task.objects.get(pk=rows[0].task_id).state == Task.State.DISPUTED
    adjudicate(answer=rows[1], expert=chen, decision="accept", reason="It is b.", now=NOW)
    assert [Answer.objects.get(pk=row.pk).state for row in rows] == ["rejected", "validated", "rejected"]
    assert Task.objects.get(pk=rows[0].task_id).state == Task.State.DONE


def test_three_comparisons_complete_a_task_whatever_they_say(opened, speakers):
    project = opened("compare")
    rows = [answer(project, person, choice=side) for person, side in zip(speakers, ("a", "b", "tie"), strict=True)]
    assert len({row.task_id for row in rows}) == 1
    assert {Answer.objects.get(pk=row.pk).state for row in rows} == {"validated"}
    assert Task.objects.get(pk=rows[0].task_id).state == Task.State.DONE


def test_several_simplifications_may_all_be_good(opened, speakers, verdict):
    ben, filipa, goran = speakers
    project = opened("simplify", rule={"answers": 2, "concordant": 1, "most": 1})
    first, second = answer(project, ben, "más fácil"), answer(project, filipa, "muy simple")
    assert first.task_id == second.task_id
    for row in (first, second):
        verdict(row, goran)
    assert {Answer.objects.get(pk=row.pk).state for row in (first, second)} == {"validated"}
    assert Task.objects.get(pk=first.task_id).state == Task.State.DONE


def test_equal_simplifications_ask_one_more_person(opened, speakers):
    ben, filipa, goran = speakers
    project = opened("simplify", rule={"stop": "unique", "answers": 2, "at_most": 3})
    rows = [answer(project, ben, "más fácil"), answer(project, filipa, "Más fácil.")]
    assert Task.objects.get(pk=rows[0].task_id).wanted == 3
    assert answer(project, goran, "muy simple").task_id == rows[0].task_id


def test_a_rejected_answer_returns_the_source_to_the_pool(opened, speakers, verdict):
    ben, filipa, goran = speakers
    project = opened("translate")
    row = answer(project, ben, "ñu ä")
    for reviewer in (filipa, goran):
        verdict(row, reviewer, "reject", reason="spelling")
    assert Task.objects.get(pk=row.task_id).state == Task.State.OPEN
    leased = {lease_task(project=project, person=person, now=NOW).task_id for person in (filipa, goran)}
    assert row.task_id in leased


def test_the_author_appeals_once_and_the_expert_decides(opened, speakers, chen, verdict):
    ben, filipa, goran = speakers
    row = answer(opened("translate"), ben, "ñu ä")
    with pytest.raises(Conflicting):
        appeal(answer=row, author=ben, note="", now=NOW)
    for reviewer in (filipa, goran):
        verdict(row, reviewer, "reject", reason="offensive")
        row.refresh_from_db()
    review = row.reviews.first()
    assert (review.appropriate, review.acceptable, review.right_language) == (False, None, None)
    assert appeal(answer=row, author=ben, note="It is not.", now=NOW).state == Answer.State.DISPUTED
    adjudicate(answer=row, expert=chen, decision="reject", reason="It is.", now=NOW)
    with pytest.raises(Conflicting):
        appeal(answer=row, author=ben, note="", now=NOW)


def test_a_packet_stays_two_days_and_is_filled_up(opened, speakers):
    ben, filipa, _ = speakers
    project = opened("translate")
    packet = lease_packet(project=project, person=ben, size=3, now=NOW)
    assert {row.expires_at - NOW for row in packet} == {timedelta(hours=48)}
    again = lease_packet(project=project, person=ben, size=4, now=NOW)
    assert {row.task_id for row in packet} < {row.task_id for row in again}
    with pytest.raises(NothingToDo, match="Others are working"):
        lease_task(project=project, person=filipa, now=NOW)
    with pytest.raises(Invalid):
        lease_packet(project=project, person=ben, size=0, now=NOW)


def test_an_offline_answer_under_ended_consent_is_kept_apart_and_enters_review_after_a_new_one(
    opened, speakers, community, policy
):
    ben, _, _ = speakers
    project = opened("translate")
    online = lease_task(project=project, person=ben, now=NOW)
    offline = lease_packet(project=project, person=ben, size=1, now=NOW)[0]
    withdraw_purposes(person=ben, community=community, purposes=TRAINING, now=NOW)
    with pytest.raises(ConsentMissing):
        submit_answer(assignment=online, author=ben, client_id=uuid4(), now=NOW, text="ñu")
    row = submit_answer(assignment=offline, author=ben, client_id=uuid4(), now=NOW, text="ñu ä")
    assert row.state == Answer.State.QUARANTINED
    assert not Answer.objects.visible_to(speakers[1]).filter(pk=row.pk).exists()
    receipt = give_consent(person=ben, policy=policy, purposes=TRAINING, now=NOW + timedelta(minutes=1))
    assert release_quarantined(author=ben, receipt=receipt, now=NOW) == 1
    row.refresh_from_db()
    assert (row.state, row.receipt) == (Answer.State.SUBMITTED, receipt)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("people", "overlap"), [(8, 1), (8, 2), (8, 3), (32, 1), (32, 2), (32, 3)])
def test_overlap_is_exact_when_many_work_at_once(opened, community, policy, people, overlap):
    project = opened("translate", rule={"answers": overlap})
    crowd = [make_person(f"speaker-{n}") for n in range(people)]
    for person in crowd:
        grant_role(person=person, community=community, role=Role.SPEAKER, granted_by=person, now=NOW)
        give_consent(person=person, policy=policy, purposes=TRAINING, now=NOW)
    wanted = overlap * project.tasks.count()
    errors = []
    go = threading.Barrier(people)

    @every_community()
    def work(person):
        try:
            go.wait()
            for _ in range(4):
                try:
                    answer(project, Person.objects.get(pk=person.pk), f"ñu {person.pk}")
                except NothingToDo:
                    return
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(person,)) for person in crowd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert Answer.objects.count() == wanted
    assert {task.answers.count() for task in project.tasks.all()} == {overlap}
    assert not Assignment.objects.filter(state="leased").exists()
