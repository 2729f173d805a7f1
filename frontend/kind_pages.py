"""What the templates of a task's kind need, on every desk that shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext

from annotation.answers.models import Answer
from annotation.answers.suggestions import asked_with_suggestions
from annotation.kinds.contract import Written
from annotation.projects.models import Task
from annotation.text.characters import character_row, key_and_variants, shown
from people.models import Orthography

if TYPE_CHECKING:
    from collections.abc import Mapping


def kind_context(task: Task, *, given: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """What the templates of a task's kind need: what is asked, and the payload as it was given so far."""
    project = task.project
    return {
        **project.task_kind.arrange(asked_with_suggestions(task), given, seed),
        "kind": project.task_kind,
        "project": project,
        "item": task.item,
        "source": task.item.source,
        "given": given,
        "keys": keys_of(project.orthography),
    }


def shown_of(answer: Answer) -> dict[str, Any]:
    """An answer as its kind exports it, for the template that shows it."""
    return answer.task.project.task_kind.export(answer.task.asked, Written(answer.text, answer.payload))


def in_short(answer: Answer) -> str:
    """What an answer says, on one line: its words, or what is marked and as what."""
    if "spans" not in answer.payload:
        return answer.said
    marks = [f"{span['label']}: {span['words']}" for span in shown_of(answer)["spans"]]
    return " · ".join(marks) or gettext("Nothing is marked.")


def keys_of(orthography: Orthography | None) -> list[dict[str, Any]]:
    """The character row: what each key writes, how it is shown, and its variants likewise."""
    entries = map(key_and_variants, character_row(orthography.characters)) if orthography else []
    return [
        {"writes": key, "shown": shown(key), "variants": [{"writes": one, "shown": shown(one)} for one in variants]}
        for key, variants in entries
    ]
