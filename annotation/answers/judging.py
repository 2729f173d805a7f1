"""Having answers ranked or rated by others: a project whose items quote them.

A comparison is only as free as the words in it: it is built on the receipts of those who wrote them, is never asked
of them, and goes when they take their words back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
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
Quoted = dict[str, Answer]


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
        quoted = [{"candidate": answer} for answers in by_task.values() for answer in answers]
    else:
        pairs = [pair for answers in by_task.values() for pair in pairs_of(answers)]
        quoted = [{"option_a": one, "option_b": other} for one, other in pairs]
    if not quoted:
        raise Invalid("There is nothing to judge yet: it takes accepted answers, and for comparing two to one task.")
    source = _source_of(project, opened_by, now, len(quoted))
    items = _quote(source, quoted, opened_by, now)
    judging = open_project(
        community=project.community,
        created_by=opened_by,
        sources=[source],
        now=now,
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
    _keep_from_authors(judging, items)
    return judging


def _source_of(project: Project, opened_by: Person, now: datetime, number: int) -> Source:
    return Source.objects.create(
        community=project.community,
        title=project.title,
        reference=f"{now.isoformat()} ({number})",
        variety=project.variety,
        language_tag=project.source_language_tag,
        licence="As each author allows",
        origin=f"Answers of project {project.pk}",
        created_at=now,
    )


def _quote(source: Source, quoted: list[Quoted], opened_by: Person, now: datetime) -> list[Item]:
    record = Import.objects.create(
        community=source.community,
        imported_by=opened_by,
        origin=source.origin,
        licence=source.licence,
        file_sha256="",
        rows=len(quoted),
        added=len(quoted),
        imported_at=now,
    )
    items = []
    for position, answers in enumerate(quoted, start=1):
        asked = next(iter(answers.values())).task.item.text
        extra = {place: answer.text for place, answer in answers.items()}
        sha256 = hashlib.sha256("\n".join([asked, *extra.values()]).encode()).hexdigest()
        items.append(
            Item(source=source, imported=record, position=position, text=asked, text_sha256=sha256, extra=extra)
        )
    Item.objects.bulk_create(items, batch_size=1000)
    Quotation.objects.bulk_create(
        [
            Quotation(item=item, answer=answer, place=place)
            for item, answers in zip(items, quoted, strict=True)
            for place, answer in answers.items()
        ],
        batch_size=1000,
    )
    return items


def _keep_from_authors(judging: Project, items: list[Item]) -> None:
    authors: dict[int, set[int]] = {}
    for item, author in Quotation.objects.filter(item__in=items).values_list("item_id", "answer__author_id"):
        authors.setdefault(item, set()).add(author)
    through = Task.not_for.through
    through.objects.bulk_create(
        [
            through(task_id=task.pk, person_id=author)
            for task in judging.tasks.all()
            for author in authors[task.item_id]
        ],
        batch_size=1000,
    )


def take_out_quotations(answers: Iterable[Answer], *, now: datetime) -> list[Answer]:
    """Ask no more about words that were taken back; returns the judgements of them, which go with them."""
    items = Quotation.objects.filter(answer__in=[answer.pk for answer in answers]).values("item")
    tasks = Task.objects.filter(item__in=items)
    take_out(tasks, now=now)
    return list(Answer.objects.filter(task__in=tasks).exclude(state=Answer.State.WITHDRAWN))


def take_out_unusable_quotations(answers: QuerySet[Answer], *, now: datetime) -> None:
    """The same for those of the answers that members may no longer read, or peers judge. Judgements that were given
    stay, and are as little usable as what they are about."""
    usable = answers.usable_for(Purpose.DISPLAY_MEMBERS).usable_for(Purpose.PEER_REVIEW)  # type: ignore[attr-defined]
    take_out_quotations(answers.exclude(pk__in=usable.values("pk")), now=now)
