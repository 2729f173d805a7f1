"""Guidelines in versions, and what has changed for whom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from annotation.answers.models import Answer
from annotation.conflicts.models import Example
from annotation.conflicts.services import adjudicate, make_example, reopen
from annotation.projects.guidelines import GuidelinesChanged, mark_read, news_for, number_of, write_guidelines
from annotation.projects.models import Guideline, Project
from people.refusals import Conflicting, NotAllowed
from tests.annotation.conflicting import THREE, contest
from tests.conftest import NOW
from tests.kinds.opening import open_kind

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def old(project):
    """A project that was opened with guidelines."""
    project.guidelines = "Write as you speak."
    project.save()
    return project


@pytest.fixture
def decided(community, aroha, ben, filipa, goran, chen, consenting):
    """A decision on three people's labels, in a project without guidelines."""
    people = [ben, filipa, goran]
    for person in people:
        consenting(person)
    rows = contest(open_kind(community, aroha, "label", rule=THREE), people)
    return adjudicate(answer=rows[0], expert=chen, decision="accept", reason="It is.", now=NOW)


def write(project, person, text, number, now=LATER):
    return write_guidelines(project=project, text=text, number=number, written_by=person, now=now)


def test_a_first_change_keeps_what_the_project_was_opened_with(old, aroha):
    assert number_of(old) == 1
    write(old, aroha, "Write as your grandmother spoke.\n\nKeep names.", 1)
    kept = dict(Guideline.objects.values_list("number", "text"))
    assert kept == {1: "Write as you speak.", 2: "Write as your grandmother spoke.\n\nKeep names."}
    assert Project.objects.get(pk=old.pk).guidelines == kept[2]


def test_the_first_words_of_a_project_without_any_are_version_one(project, aroha):
    assert number_of(project) == 0
    assert write(project, aroha, "Keep names.", 0).number == 1


def test_writing_on_an_older_version_is_refused_and_the_same_again_is_nothing(old, aroha):
    made = write(old, aroha, "Keep names.", 1)
    with pytest.raises(GuidelinesChanged):
        write(old, aroha, "Keep no names.", 1)
    assert write(old, aroha, "Keep names.", 1) == made
    assert Guideline.objects.count() == 2


def test_only_stewards_write_them(old, chen):
    with pytest.raises(NotAllowed):
        write(old, chen, "Mine.", 1)


def test_who_answered_before_is_told_until_they_have_read_it(old, aroha, ben, filipa, consenting, answered):
    consenting(ben)
    answered(ben)
    write(old, aroha, "Keep names.", 1)
    news = news_for(project=old, person=ben)
    assert (news.is_new, news.seen, news.number, news.before) == (True, 1, 2, "Write as you speak.")
    assert not news_for(project=old, person=filipa).is_new

    mark_read(project=old, person=ben, number=2, now=LATER)
    mark_read(project=old, person=ben, number=1, now=LATER)
    assert not news_for(project=old, person=ben).is_new
    write(old, aroha, "Keep all names.", 2)
    assert news_for(project=old, person=ben).before == "Keep names."


def test_nobody_has_read_what_is_not_written_yet(old, aroha, ben):
    mark_read(project=old, person=ben, number=99, now=NOW)
    write(old, aroha, "Keep names.", 1)
    assert news_for(project=old, person=ben).is_new


def test_a_decision_becomes_an_example_once_and_a_version_of_its_own(decided, chen, ben):
    project = decided.answer.task.project
    made = make_example(adjudication=decided, expert=chen, now=LATER)
    assert make_example(adjudication=decided, expert=chen, now=LATER) == made
    assert (number_of(project), made.guideline.number) == (1, 1)
    assert news_for(project=project, person=ben).is_new is False
    assert list(Example.objects.visible_to(ben)) == [made]


def test_an_example_is_gone_with_its_decision(decided, chen, ben):
    make_example(adjudication=decided, expert=chen, now=LATER)
    reopen(adjudication=decided, expert=chen, reason="Too fast.", now=LATER)
    assert not Example.objects.visible_to(ben).exists()


def test_only_experts_make_examples_and_only_of_what_is_accepted(decided, chen, aroha):
    with pytest.raises(NotAllowed):
        make_example(adjudication=decided, expert=aroha, now=LATER)
    reopen(adjudication=decided, expert=chen, reason="Too fast.", now=LATER)
    decided.refresh_from_db()
    with pytest.raises(Conflicting):
        make_example(adjudication=decided, expert=chen, now=LATER)
    answer = Answer.objects.get(pk=decided.answer_id)
    turned_down = adjudicate(answer=answer, expert=chen, decision="reject", reason="No.", now=LATER)
    with pytest.raises(Conflicting, match="accepted"):
        make_example(adjudication=turned_down, expert=chen, now=LATER)
