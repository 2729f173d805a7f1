"""What a release would hold: which answers, in which splits, and the files that follow from them. Stores nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from annotation.answers.models import Answer
from annotation.corpora.models import Source
from annotation.kinds.contract import Asked, Written
from annotation.projects.models import Project
from annotation.projects.services import require_combinable
from care.models import Purpose
from care.purposes import reading_for
from people.refusals import Conflicting
from training.evaluation.contamination import Leak
from training.releases.judgements import Heard, hear, judge
from training.releases.leaks import leaks_between
from training.releases.models import Release, ReleaseItem
from training.releases.pseudonyms import pseudonym
from training.releases.splits import CannotSplit, SplitRow, assign_splits
from training.releases.writing import Judged, data_files, judged_files, manifest_of

JUDGEMENTS = (
    "what people said of them, by those who held a live grant for the purpose when they said it and hold it still; "
    "and, as counter-examples, answers that they turned down for what these say, under the same consent"
)


class NothingToRelease(Conflicting):
    """There is no validated answer whose author allows the purpose, or too few to hold some out."""


@dataclass(frozen=True)
class Draft:
    """A release before it is stored: its rows, their splits, and the files that follow from them."""

    rows: list[dict[str, Any]]
    answers: dict[str, Answer]
    splits: dict[str, str]
    files: dict[str, bytes]
    manifest: dict[str, Any]
    manifest_bytes: bytes
    sha256: str
    judged: Judged | None = None


def selected_answers(project: Project, purpose: str, *, counter_examples: bool = False) -> QuerySet[Answer]:
    """The project's answers that may be used for the purpose now; none that is about texts which models wrote."""
    written = Answer.objects.filter(task__project=project, task__item__source__is_machine_made=False)
    return written.eligible_for(purpose, counter_examples=counter_examples)


def draft_release(*, project: Project, purpose: str, has_judgements: bool = False) -> Draft:
    """Select, split and lay out a release without storing anything. Raises NothingToRelease, LicencesClash.

    One that `has_judgements` holds what people said of its answers, and those that they turned down.
    """
    # Votes are read before: where the database refuses an answer, it refuses whatever was said of it, too.
    heard = hear(project, purpose) if has_judgements else None
    with reading_for(purpose, counter_examples=has_judgements):
        return _draft(project, purpose, heard)


def _draft(project: Project, purpose: str, heard: Heard | None) -> Draft:
    answers = _answers(project, purpose, heard)
    lessons = {name for name, answer in answers.items() if answer.state == Answer.State.VALIDATED}
    if not lessons:
        raise NothingToRelease("No validated sentence may be used for this purpose yet.")
    rows = [_row(answer, project) for answer in answers.values()]
    require_combinable(row["licence"] for row in rows)
    splits = _split(rows, lessons, heard, before=_splits_before(project, purpose, answers.values()))
    leaks = leaks_between(rows, splits, project.task_kind)
    splits = _without(leaks, splits, lessons)
    files = data_files([row for row in rows if row["id"] in lessons], splits)
    judged = None
    if heard is not None:
        judged = judge(project, heard, answers, [row for row in rows if row["id"] in splits])
        files |= judged_files(judged.lines, splits)
    head, replaced = _head(project, purpose, has_judgements=heard is not None), replaced_by_next(project, purpose)
    if replaced:
        head["replaces"] = replaced.sha256
    if leaks:
        head["withheld_as_copies"] = [told(leak) for leak in leaks]
    manifest = manifest_of(head=head, rows=rows, splits=splits, files=files, judged=judged)
    manifest_bytes = (json.dumps(manifest, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()
    return Draft(
        rows=rows,
        answers=answers,
        splits=splits,
        files=files,
        manifest=manifest,
        manifest_bytes=manifest_bytes,
        sha256=hashlib.sha256(manifest_bytes).hexdigest(),
        judged=judged,
    )


def _answers(project: Project, purpose: str, heard: Heard | None) -> dict[str, Answer]:
    """By their ids, in their order: the good ones, and counter-examples that somebody who is heard turned down."""
    found = (
        selected_answers(project, purpose, counter_examples=heard is not None)
        .select_related("task__item__source__variety", "task__project", "author", "from_adjudication", "suggestion")
        .prefetch_related("built_on")
        .order_by("pk")
    )
    return {
        str(answer.pk): answer
        for answer in found
        if answer.state == Answer.State.VALIDATED or (heard is not None and heard.turns_down(answer))
    }


def _splits_before(project: Project, purpose: str, answers: Iterable[Answer]) -> dict[str, str]:
    """Where the newest earlier release that held something of it had each document."""
    held = ReleaseItem.objects.filter(release__project=project, release__purpose=purpose)
    newest = held.order_by("answer__task__item__source", "-release__number").distinct("answer__task__item__source")
    by_source = dict(newest.values_list("answer__task__item__source", "split"))
    documents = {answer.task.item.source for answer in answers}
    return {_document(source): by_source[source.pk] for source in documents if source.pk in by_source}


def _document(source: Source) -> str:
    return f"{source.origin}: {source.title}"


def _split(
    rows: list[dict[str, Any]], lessons: Collection[str], heard: Heard | None, *, before: Mapping[str, str]
) -> dict[str, str]:
    names = [row["id"] for row in rows]
    measuring = Answer.objects.filter(pk__in=names).eligible_for(
        Purpose.EVALUATE_MODELS, counter_examples=heard is not None
    )
    may_test = {str(pk) for pk in measuring.values_list("pk", flat=True)}
    try:
        return assign_splits(
            [
                SplitRow(
                    row["id"],
                    row["document"],
                    tuple(row["contributors"]),
                    may_test=row["id"] in may_test,
                    is_lesson=row["id"] in lessons,
                )
                for row in rows
            ],
            before,
        )
    except CannotSplit as error:
        raise NothingToRelease(error.message, **error.values) from error


def _without(leaks: list[Leak], splits: dict[str, str], lessons: Collection[str]) -> dict[str, str]:
    """The splits without held-out rows that training rows give away. Raises NothingToRelease when no lesson is left."""
    leaking = {leak.held_out for leak in leaks}
    kept = {name: split for name, split in splits.items() if name not in leaking}
    if {split for name, split in kept.items() if name in lessons} != set(splits.values()):
        raise NothingToRelease(
            "Nothing is left to test with: %(number)s held-out sentences are nearly the same as training sentences. "
            "The first are the answers %(held_out)s and %(trained)s.",
            number=len(leaks),
            held_out=leaks[0].held_out,
            trained=leaks[0].trained,
        )
    return kept


def told(leak: Leak) -> dict[str, Any]:
    """A leak as manifests and rows keep it: ids and words out of fixed lists, no words of people."""
    return {
        "id": leak.held_out,
        "like": leak.trained,
        "side": leak.side,
        "how": leak.how,
        "alike": round(leak.alike, 3),
    }


def replaced_by_next(project: Project, purpose: str) -> Release | None:
    """The release in whose place the next one of this project and purpose is made: the newest with withdrawn words."""
    made = Release.objects.filter(project=project, purpose=purpose)
    return made.exclude(withdrawn_since=None).order_by("-number").first()


def _row(answer: Answer, project: Project) -> dict[str, Any]:
    item = answer.task.item
    source = item.source
    others = list(answer.built_on.all())
    people = {answer.author_id, *(receipt.person_id for receipt in others)}
    asked, written = answer.task.asked, Written(answer.text, answer.payload)
    return {
        "id": str(answer.pk),
        "kind": project.kind,
        **project.task_kind.export(asked, written),
        **_lesson(project, asked, written),
        "began_with": answer.suggestion.made_by if answer.suggestion else "",
        "source_language": source.language_tag,
        "target_language": project.target_language_tag,
        "variety": source.variety.code if source.variety else "",
        **({"orthography": project.orthography.name} if project.orthography else {}),
        "document": _document(source),
        "licence": source.licence,
        "contributors": sorted(pseudonym(person, project.community) for person in people),
        "receipts": sorted({str(answer.receipt_id), *(str(receipt.pk) for receipt in others)}),
    }


def _lesson(project: Project, asked: Asked, written: Written) -> dict[str, Any]:
    """What a model that learns from the answer is asked and should say; nothing for a kind that teaches no answers."""
    lesson = project.task_kind.lesson
    if lesson is None:
        return {}
    said = {"system": lesson.system, "request": lesson.request(asked), "completion": lesson.completion(asked, written)}
    return {"lesson": said}


def _head(project: Project, purpose: str, *, has_judgements: bool) -> dict[str, Any]:
    community = project.community
    return {
        "community": {
            "slug": community.slug,
            "name": community.name,
            "language_name": community.language_name,
            "language_tag": community.language_tag,
            "iso_639_3": community.iso_639_3,
            "glottocode": community.glottocode,
            "script": community.script,
            "is_demo": community.is_demo,
        },
        "project": {"id": project.pk, "title": project.title, "kind": project.kind},
        "source_language": {"name": project.source_language_name, "tag": project.source_language_tag},
        "target_language": {"name": project.target_language_name, "tag": project.target_language_tag},
        "query": {
            "project": project.pk,
            "state": "validated",
            "purpose": purpose,
            "meaning": "validated answers of the project for which the author, and everybody whose words are in "
            "them, holds a live grant for the purpose",
            **({"judgements": JUDGEMENTS} if has_judgements else {}),
        },
    }
