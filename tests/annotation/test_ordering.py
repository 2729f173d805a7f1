"""Which task comes next: document by document, or what is urgent with a share by chance."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from annotation.answers.models import Answer
from annotation.projects.models import Project, Task
from annotation.projects.ordering import hand_out_by_document, hand_out_first
from annotation.projects.services import lease_packet, lease_task
from care.models import Receipt
from ledger.models import Entry
from people.models import Person
from people.refusals import Invalid, NotAllowed
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def urgent(project: Project, esi: Person, ben: Person, consenting: Callable[..., Receipt]) -> Callable[..., list[Task]]:
    """urgent(share) makes the last eight tasks urgent, the very last most, and returns them in that order."""

    def order(share: float = 0.0) -> list[Task]:
        consenting(ben)
        tasks = list(Task.objects.filter(project=project).order_by("-pk")[:8])
        urgency = {task.pk: float(8 - place) for place, task in enumerate(tasks)}
        hand_out_first(project=project, urgency=urgency, control_share=share, changed_by=esi, now=NOW)
        project.refresh_from_db()
        return tasks

    return order


def test_the_most_urgent_comes_first_and_then_the_documents(
    project: Project, ben: Person, urgent: Callable[..., list[Task]]
) -> None:
    tasks = urgent()
    leased = [one.task for one in lease_packet(project=project, person=ben, size=12, now=NOW)]

    assert [task.pk for task in leased[:8]] == [task.pk for task in tasks]
    assert {task.arm for task in Task.objects.filter(pk__in=[task.pk for task in tasks])} == {"urgent"}
    assert {task.arm for task in leased[8:]} == {""}


def test_a_share_is_drawn_by_chance_from_the_same_tasks(
    project: Project, ben: Person, urgent: Callable[..., list[Task]]
) -> None:
    tasks = urgent(1.0)
    lease_packet(project=project, person=ben, size=8, now=NOW)

    drawn = list(project.tasks.exclude(arm="").order_by("assignments__pk"))
    assert {task.pk for task in drawn} == {task.pk for task in tasks}
    assert {task.arm for task in drawn} == {"chance"}
    assert [task.pk for task in drawn] != [task.pk for task in tasks]


def test_about_the_share_that_was_asked_for(
    project: Project, ben: Person, filipa: Person, consenting: Callable[..., Receipt], esi: Person
) -> None:
    Task.objects.update(wanted=40)
    urgency = dict.fromkeys(Task.objects.values_list("pk", flat=True), 1.0)
    hand_out_first(project=project, urgency=urgency, control_share=0.5, changed_by=esi, now=NOW)
    project.refresh_from_db()
    arms = []
    for person in (ben, filipa):
        consenting(person)
        for _ in range(12):
            lease = lease_task(project=project, person=person, now=NOW)
            arms.append(lease.task.arm)
            lease.state = "skipped"
            lease.skip_reason = "other"
            lease.save()
    assert 5 <= arms.count("chance") <= 19


def test_what_others_have_begun_keeps_its_arm(
    project: Project,
    ben: Person,
    filipa: Person,
    urgent: Callable[..., list[Task]],
    answered: Callable[..., Answer],
    consenting: Callable[..., Receipt],
    esi: Person,
) -> None:
    Task.objects.update(wanted=2)
    project.rule = {"stop": "total", "answers": 2}
    project.save()
    first, *_ = urgent()
    answered(ben)
    urgency = {first.pk: 0.0, Task.objects.order_by("pk").first().pk: 9.0}
    hand_out_first(project=project, urgency=urgency, control_share=1.0, changed_by=esi, now=NOW)
    project.refresh_from_db()
    consenting(filipa)
    lease = lease_task(project=project, person=filipa, now=NOW)
    assert lease.task_id == first.pk
    assert Task.objects.get(pk=first.pk).arm == "urgent"


def test_going_back_hands_out_by_document_and_is_on_the_record(
    project: Project, ben: Person, esi: Person, urgent: Callable[..., list[Task]]
) -> None:
    urgent()
    hand_out_by_document(project=project, changed_by=esi, now=NOW)
    project.refresh_from_db()

    assert project.control_share is None
    assert lease_task(project=project, person=ben, now=NOW).task.item.position == 1
    assert Entry.objects.filter(action="project.ordered").count() == 2


def test_only_researchers_and_stewards_order_open_tasks(project: Project, ben: Person, esi: Person) -> None:
    task = Task.objects.first()
    given = {"project": project, "urgency": {task.pk: 1.0}, "now": NOW}
    with pytest.raises(NotAllowed):
        hand_out_first(control_share=0.2, changed_by=ben, **given)
    with pytest.raises(Invalid, match="between 0 and 1"):
        hand_out_first(control_share=1.2, changed_by=esi, **given)
    Task.objects.update(state=Task.State.DONE)
    with pytest.raises(Invalid, match="open any more"):
        hand_out_first(control_share=0.2, changed_by=esi, **given)
