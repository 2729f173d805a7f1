"""A project in which words of made-up sentences were labelled, by one speaker, and accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from annotation.answers.models import Answer
from annotation.projects.models import Project
from annotation.projects.services import open_project
from care.models import Policy
from care.services import give_consent
from people.models import Community, Person
from tests.common import kept
from tests.conftest import NOW, TRAINING
from tests.stored import store_answer, store_approvals

LABELS = {"labels": ["LOC", "PER"], "gazetteer": {}}


@kept
def labelling(community: Community, aroha: Person, sources: list[Any]) -> Project:
    """A labelling project over twelve sentences "frase N del texto D"."""
    return open_project(
        community=community,
        created_by=aroha,
        sources=sources,
        now=NOW,
        title="Names in sentences",
        kind="label",
        settings=LABELS,
        source_language_name="Spanish",
        source_language_tag="es",
    )


def mark(text: str, words: str, label: str) -> dict[str, Any]:
    """A span on the first place of some words."""
    start = text.index(words)
    return {"start": start, "end": start + len(words), "label": label}


@kept
def labelled(
    labelling: Project, policy: Policy, ben: Person, chen: Person, filipa: Person, goran: Person
) -> list[Answer]:
    """Twelve validated answers that mark "texto" as LOC; the last two differ: PER, and nothing."""
    for person in (ben, chen, filipa, goran):
        give_consent(person=person, policy=policy, purposes=TRAINING, now=NOW)
    answers = []
    for number, task in enumerate(labelling.tasks.order_by("item__source", "item__position")):
        text = task.item.text
        label = "PER" if number == 10 else "LOC"
        spans = [mark(text, "texto", label)] if number != 11 else [mark(text, "frase", "PER")]
        answers.append(store_answer(task, ben, payload={"spans": spans}, now=NOW))
    store_approvals(answers, [filipa, goran], now=NOW)
    for answer in answers:
        answer.refresh_from_db()
        assert answer.state == Answer.State.VALIDATED
    return answers


@pytest.fixture
def states() -> Callable[[Project], dict[Any, Any]]:
    """states(project): every answer with its state, text, payload and version, to compare before and after."""

    def look(project: Project) -> dict[Any, Any]:
        rows = Answer.objects.filter(task__project=project)
        return {row.pk: (row.state, row.text, row.payload, row.version) for row in rows}

    return look
