"""Asking people again about what is settled."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from annotation.answers.models import Answer
from annotation.answers.notes import HARD
from annotation.conflicts.queue import conflicts_among
from annotation.conflicts.reasons import Why
from annotation.projects.models import Project, Task
from annotation.revision.again import MOST_MORE, ask_experts, ask_for_more
from people.models import Person
from people.refusals import NotAllowed
from tests.conftest import NOW
from training.releases.services import selected_answers

pytestmark = pytest.mark.django_db


def test_experts_get_validated_answers_with_the_reason(validated_corpus: list[Answer], esi: Person) -> None:
    first, second, third, *_ = validated_corpus
    Answer.objects.filter(pk=third.pk).update(version=2)
    versions = {one.pk: one.version for one in (first, second, third)}

    assert ask_experts(versions=versions, asked_by=esi, note=HARD, now=NOW) == 2

    disputed = Answer.objects.disputed()
    assert {one.pk for one in disputed} == {first.pk, second.pk}
    assert {why for one in conflicts_among(disputed) for why in one.whys} == {Why.HARD}
    assert ask_experts(versions=versions, asked_by=esi, note=HARD, now=NOW) == 0


def test_one_answer_more_stands_beside_the_first(
    validated_corpus: list[Answer],
    project: Project,
    esi: Person,
    filipa: Person,
    ben: Person,
    goran: Person,
    chen: Person,
    consenting: Callable[..., object],
    answered: Callable[..., Answer],
    verdict: Callable[..., object],
) -> None:
    first = next(one for one in validated_corpus if one.author_id == ben.pk)
    consenting(chen)
    assert ask_for_more(tasks=[first.task_id], asked_by=esi, now=NOW) == 1
    assert Task.objects.get(pk=first.task_id).state == Task.State.OPEN

    more = answered(filipa, "otra traducción ñäʼ")
    assert more.task_id == first.task_id
    for reader in (goran, chen):
        more.refresh_from_db()
        verdict(more, reader)
    assert set(Answer.objects.filter(task=first.task_id).values_list("state", flat=True)) == {"validated"}
    assert Task.objects.get(pk=first.task_id).state == Task.State.DONE
    chosen = selected_answers(project, "train_noncommercial").values_list("pk", flat=True)
    assert {first.pk, more.pk} <= set(chosen)


def test_where_one_alone_is_right_nobody_is_asked_for_more(
    validated_corpus: list[Answer], project: Project, esi: Person
) -> None:
    tasks = [one.task_id for one in validated_corpus]
    Project.objects.update(kind="label", settings={"labels": [{"name": "A", "words": ""}]})
    assert ask_for_more(tasks=tasks, asked_by=esi, now=NOW) == 0
    Project.objects.update(kind="translate", settings={})
    Task.objects.update(more=MOST_MORE)
    assert ask_for_more(tasks=tasks, asked_by=esi, now=NOW) == 0


def test_speakers_do_not_send_words_back(validated_corpus: list[Answer], ben: Person) -> None:
    first = validated_corpus[0]
    with pytest.raises(NotAllowed):
        ask_experts(versions={first.pk: first.version}, asked_by=ben, note=HARD, now=NOW)
    with pytest.raises(NotAllowed):
        ask_for_more(tasks=[first.task_id], asked_by=ben, now=NOW)
