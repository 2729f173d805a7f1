"""Having answers ranked or rated by others: a project whose items quote them.

A comparison is only as free as the words in it: it is built on the receipts of those who wrote them, is never asked
of them, and goes when they take their words back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from annotation.answers.models import Answer, Quotation
from annotation.corpora.models import Import, Item, Source
from annotation.projects.models import Project, Task
from annotation.projects.services import open_project, take_out
from care.models import Purpose
from people.models import Person, Role
from people.refusals import Invalid
from people.services import require_role

COMPARE, RATE = "compare", "rate"
# All pairs of four answers; of more, each meets the two after it in a ring.
MOST_WITH_ALL_PAIRS = 4
# The place of an answer that is not shown itself: models wrote theirs to what it answers.
ASKED = "asked"


@dataclass(frozen=True)
class Judged:
    """An item of a project that judges: what was asked, what is judged, and the answers that both come from."""

    text: str
    extra: Mapping[str, str]
    quoted: Mapping[str, Answer]
    """By their places: the parts of `extra` that hold their words, or ASKED."""
    not_for: frozenset[int] = field(default_factory=frozenset)
    """People who are not asked, beside the authors of the answers."""


def _quoting(**answers: Answer) -> Judged:
    """An item that shows answers to one task."""
    asked = next(iter(answers.values())).task.item.text
    return Judged(asked, {place: answer.text for place, answer in answers.items()}, answers)


def quotable(project: Project) -> list[Answer]:
    """Validated answers of a project of words, of authors who let members read and peers judge them."""
    answers = Answer.objects.filter(task__project=project).validated()
    allowed = answers.usable_for(Purpose.DISPLAY_MEMBERS).usable_for(Purpose.PEER_REVIEW)
    return list(allowed.select_related("task__item__source").order_by("task__item__position", "created_at", "pk"))


def pairs_of(answers: Sequence[Answer]) -> list[tuple[Answer, Answer]]:
    """Which answers to one task are compared with which; never two that say the same."""
    if len(answers) <= MOST_WITH_ALL_PAIRS:
        pairs = list(combinations(answers, 2))
    else:
        ring = [*answers, *answers[:2]]
        pairs = [(ring[place], ring[place + step]) for place in range(len(answers)) for step in (1, 2)]
    return [(one, other) for one, other in pairs if one.text != other.text]


@transaction.atomic
def open_judging(
    *, project: Project, kind: str, title: str, opened_by: Person, now: datetime, **fields: Any
) -> Project:
    """Open a project that compares (`kind` compare) or rates (`rate`) the validated answers of another.

    Raises Invalid when there is nothing to judge, NotAllowed, ValidationError.
    """
    require_role(opened_by, project.community, Role.STEWARD)
    if kind not in (COMPARE, RATE) or not project.task_kind.is_text:
        raise Invalid("Answers in words can be compared or rated.", field="kind")
    by_task: dict[int, list[Answer]] = {}
    for answer in quotable(project):
        by_task.setdefault(answer.task_id, []).append(answer)
    if kind == RATE:
        rows = [_quoting(candidate=answer) for answers in by_task.values() for answer in answers]
    else:
        pairs = [pair for answers in by_task.values() for pair in pairs_of(answers)]
        rows = [_quoting(option_a=one, option_b=other) for one, other in pairs]
    if not rows:
        raise Invalid("There is nothing to judge yet: it takes accepted answers, and for comparing two to one task.")
    judging, _items = open_about(project=project, rows=rows, kind=kind, title=title, by=opened_by, now=now, **fields)
    return judging


def open_about(
    *,
    project: Project,
    rows: Sequence[Judged],
    kind: str,
    title: str,
    by: Person,
    now: datetime,
    is_machine_made: bool = False,
    roles: Sequence[Role] = (Role.STEWARD,),
    **fields: Any,
) -> tuple[Project, list[Item]]:
    """Open a project that judges what belongs to another one, in its languages; the items are in the order of the rows.

    Part of commands, which ask for rights. Raises Invalid, NotAllowed, ValidationError.
    """
    source = Source.objects.create(
        community=project.community,
        title=project.title,
        reference=f"{now.isoformat()} ({len(rows)})",
        variety=project.variety,
        language_tag=project.source_language_tag,
        licence="As each author allows",
        origin=f"{'Texts of models' if is_machine_made else 'Answers'} of project {project.pk}",
        is_machine_made=is_machine_made,
        created_at=now,
    )
    items = _quote(source, rows, by, now)
    judging = open_project(
        community=project.community,
        created_by=by,
        sources=[source],
        now=now,
        roles=roles,
        title=title,
        kind=kind,
        source_language_name=project.source_language_name,
        source_language_tag=project.source_language_tag,
        target_language_name=project.target_language_name,
        target_language_tag=project.target_language_tag,
        target_script=project.target_script,
        target_direction=project.target_direction,
        variety=project.variety,
        orthography=project.orthography,
        **fields,
    )
    _keep_from_authors(judging, items, rows)
    return judging, items


def _quote(source: Source, rows: Sequence[Judged], opened_by: Person, now: datetime) -> list[Item]:
    record = Import.objects.create(
        community=source.community,
        imported_by=opened_by,
        origin=source.origin,
        licence=source.licence,
        file_sha256="",
        rows=len(rows),
        added=len(rows),
        imported_at=now,
    )
    items = []
    for position, row in enumerate(rows, start=1):
        sha256 = hashlib.sha256("\n".join([row.text, *row.extra.values()]).encode()).hexdigest()
        made = Item(source=source, imported=record, position=position, text=row.text, text_sha256=sha256)
        made.extra = dict(row.extra)
        items.append(made)
    Item.objects.bulk_create(items, batch_size=1000)
    Quotation.objects.bulk_create(
        [
            Quotation(item=item, answer=answer, place=place)
            for item, row in zip(items, rows, strict=True)
            for place, answer in row.quoted.items()
        ],
        batch_size=1000,
    )
    return items


def _keep_from_authors(judging: Project, items: list[Item], rows: Sequence[Judged]) -> None:
    kept_from = {
        item.pk: row.not_for | {answer.author_id for answer in row.quoted.values()}
        for item, row in zip(items, rows, strict=True)
    }
    through = Task.not_for.through
    through.objects.bulk_create(
        [
            through(task_id=task.pk, person_id=person)
            for task in judging.tasks.all()
            for person in kept_from[task.item_id]
        ],
        batch_size=1000,
    )


def take_out_quotations(answers: Iterable[Answer], *, now: datetime) -> list[Answer]:
    """Ask no more about words that were taken back; returns the judgements of them, which go with them."""
    return _take_out(Quotation.objects.filter(answer__in=[answer.pk for answer in answers]), now)


def take_out_unusable_quotations(answers: QuerySet[Answer], *, now: datetime) -> None:
    """The same for those of the answers that members may no longer read, or peers judge; and what models wrote, where
    the answer may not measure models any more. Judgements that were given stay, and are as little usable as what they
    are about."""
    everywhere = Quotation.objects.filter(answer__in=answers.values("pk"))
    measuring = everywhere.filter(place=ASKED)
    for purpose, quoted in (
        (Purpose.DISPLAY_MEMBERS, everywhere),
        (Purpose.PEER_REVIEW, everywhere),
        (Purpose.EVALUATE_MODELS, measuring),
    ):
        usable = answers.usable_for(purpose)  # type: ignore[attr-defined]
        _take_out(quoted.exclude(answer__in=usable.values("pk")), now)


def _take_out(quoted: QuerySet[Quotation], now: datetime) -> list[Answer]:
    tasks = Task.objects.filter(item__in=quoted.values("item"))
    take_out(tasks, now=now)
    return list(Answer.objects.filter(task__in=tasks).exclude(state=Answer.State.WITHDRAWN))
