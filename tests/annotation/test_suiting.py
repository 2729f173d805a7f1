"""Work comes in the varieties and ways of writing that a person named as theirs."""

from uuid import uuid4

import pytest

from annotation.answers.reviews import next_review
from annotation.answers.services import submit_answer
from annotation.corpora.models import Source
from annotation.projects.models import Task
from annotation.projects.services import NothingToDo, lease_task
from people.language import set_language_profile
from tests.conftest import NOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def varieties(community):
    return {variety.code: variety for variety in community.varieties.all()}


def speaks(person, community, *varieties, writes=()):
    set_language_profile(person=person, community=community, varieties=varieties, orthographies=writes)


def test_whoever_named_nothing_gets_everything(project, ben, varieties):
    Source.objects.update(variety=varieties["ots"])
    assert Task.objects.suiting(ben).count() == Task.objects.count()


def test_texts_of_another_variety_do_not_come(project, ben, community, varieties):
    first, *_ = Source.objects.order_by("pk")
    Source.objects.filter(pk=first.pk).update(variety=varieties["ots"])
    speaks(ben, community, varieties["ote"])
    assert not Task.objects.suiting(ben).filter(item__source=first).exists()
    assert Task.objects.suiting(ben).exists()


def test_a_project_in_another_way_of_writing_says_why_there_is_nothing(project, ben, community, consenting):
    consenting(ben)
    other = community.orthographies.create(name="Other", script="Latn")
    speaks(ben, community, writes=[other])
    with pytest.raises(NothingToDo, match="other varieties or ways of writing"):
        lease_task(project=project, person=ben, now=NOW)
    speaks(ben, community, writes=[other, project.orthography])
    assert lease_task(project=project, person=ben, now=NOW)


def test_answers_in_another_variety_are_not_theirs_to_check(project, ben, filipa, community, varieties, consenting):
    for person in (ben, filipa):
        consenting(person)
    lease = lease_task(project=project, person=ben, now=NOW)
    submit_answer(assignment=lease, author=ben, client_id=uuid4(), now=NOW, text="ñä")
    project.variety = varieties["ote"]
    project.save()
    speaks(filipa, community, varieties["ots"])
    assert next_review(project=project, person=filipa, now=NOW) is None
    speaks(filipa, community, varieties["ote"])
    assert next_review(project=project, person=filipa, now=NOW) is not None
