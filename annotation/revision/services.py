"""Looking a project's labels over: what disagrees with itself, and what a model that never saw it doubts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction

from annotation.answers.models import Answer
from annotation.answers.notes import DOUBTED
from annotation.consistency.classes import find_suspect_classes
from annotation.consistency.detector import Group, find_answer_groups, find_groups
from annotation.consistency.ranking import as_suspects, together
from annotation.consistency.rows import Mark, Row, cut_all, fold_apostrophes
from annotation.consistency.subsets import find_odd_subsets
from annotation.consistency.surfaces import find_surfaces
from annotation.consistency.suspects import Suspect, find_suspects
from annotation.projects.models import Project
from annotation.revision.again import ask_experts
from annotation.revision.models import Inconsistency, Scan, Suspicion, place_of
from annotation.text.duplicates import normal_key
from care.models import Purpose
from people.models import Person, Role
from people.refusals import Invalid
from people.services import require_role

MOST_GROUPS = 500
MOST_SUSPICIONS = 500
LEAST_CONFIDENCE = 0.05
# Of all subsets of a kind, those whose adjusted p-value is below this are shown.
ODD = 0.05

MARKS, CLASSES, WORDS = "marks", "classes", "words"


def looked_over(project: Project) -> str:
    """What answers of a project are to a scan: marks, one class, words; empty when it is not looked over."""
    if project.kind == "label":
        return MARKS
    if project.kind == "classify" and not project.settings.get("several"):
        return CLASSES
    return WORDS if project.task_kind.restates else ""


@transaction.atomic
def ask_for_scan(*, project: Project, expert: Person, now: datetime) -> Scan:
    """Ask for a look over a project; asking again while one waits changes nothing. Raises NotAllowed, Invalid."""
    require_role(expert, project.community, Role.EXPERT)
    if not looked_over(project):
        raise Invalid("Answers of this kind are not looked over: they may differ.")
    scan, is_new = Scan.objects.select_for_update().get_or_create(
        project=project, defaults={"asked_by": expert, "asked_at": now}
    )
    if not is_new and not scan.is_waiting:
        scan.asked_by, scan.asked_at = expert, now
        scan.save(update_fields=["asked_by", "asked_at"])
    return scan


def scan_project(*, scan: Scan, now: datetime) -> int:
    """Look a project over and put what was found in place of what an earlier scan found; returns how many groups.

    Scanning twice finds the same and keeps its rows. Answers that may not be shown to members are not looked at.
    """
    project = Project.objects.select_related("community").get(pk=scan.project_id)
    answers = list(
        Answer.objects.filter(task__project=project)
        .validated()
        .usable_for(Purpose.PEER_REVIEW)
        .usable_for(Purpose.DISPLAY_MEMBERS)
        .select_related("task__item__source", "author")
        .order_by("task__item__source", "task__item__position", "created_at", "pk")
    )
    manner = looked_over(project)
    rows = [row_of(answer, manner) for answer in answers]
    cuts = cut_all(rows, fold_apostrophes)
    suspects: list[Suspect] = []
    subsets: list[dict[str, Any]] = []
    if manner == MARKS:
        groups = find_groups(cuts, project.settings.get("gazetteer", {}))
        surfaces = find_surfaces(cuts)
        suspects = together(find_suspects(cuts), as_suspects(cuts, surfaces))
        for kind in ("annotator", "document", "batch"):
            found = find_odd_subsets(rows, surfaces, kind)
            subsets += [asdict(one) for one in found if one.adjusted < ODD]
    else:
        groups = find_answer_groups(rows, words=manner == WORDS, orthography=fold_apostrophes)
        suspects = find_suspect_classes(cuts) if manner == CLASSES else []
    with transaction.atomic():
        current = Scan.objects.select_for_update().get(pk=scan.pk)
        _keep_groups(project, answers, groups[:MOST_GROUPS], shows_words=manner != WORDS)
        _keep_suspects(project, answers, suspects)
        current.finished_at, current.answers, current.subsets = max(now, current.asked_at), len(answers), subsets
        current.save(update_fields=["finished_at", "answers", "subsets"])
    return len(groups)


def row_of(answer: Answer, manner: str) -> Row:
    """An answer as the detector reads it."""
    item = answer.task.item
    said = answer.text if manner == WORDS else "".join(answer.payload.get("labels", [])[:1])
    of = {"annotator": str(answer.author_id), "document": str(item.source_id), "batch": str(item.imported_id)}
    return Row(key=str(answer.pk), text=item.text, marks=marks_of(answer.payload), said=said, of=of)


def marks_of(payload: Mapping[str, Any]) -> tuple[Mark, ...]:
    """The marks of a payload."""
    return tuple(Mark(span["start"], span["end"], span["label"]) for span in payload.get("spans", []))


def _keep_groups(project: Project, answers: Sequence[Answer], groups: Iterable[Group], *, shows_words: bool) -> None:
    kept = []
    for group in groups:
        surface = normal_key(fold_apostrophes(group.surface))
        key = hashlib.sha256(f"{group.cause}\n{surface}".encode()).hexdigest()
        places = [place_of(answers[spot.row], spot.start, spot.end, spot.doubt) for spot in group.spots]
        fields = {
            "cause": group.cause,
            "surface": group.surface,
            "expected": group.expected if shows_words else "",
            "counts": dict(group.counts) if shows_words else {},
            "entropy": group.entropy,
            "estimate": group.estimate,
            "places": places,
        }
        Inconsistency.objects.update_or_create(project=project, key=key, defaults=fields)
        kept.append(key)
    Inconsistency.objects.filter(project=project).exclude(key__in=kept).delete()


def _keep_suspects(project: Project, answers: Sequence[Answer], suspects: Iterable[Suspect]) -> None:
    sure = [one for one in suspects if one.confidence >= LEAST_CONFIDENCE][:MOST_SUSPICIONS]
    Suspicion.objects.filter(project=project).delete()
    Suspicion.objects.bulk_create(
        Suspicion(
            project=project,
            answer=answers[one.row],
            version=answers[one.row].version,
            fault=one.fault,
            start=one.start,
            end=one.end,
            given=list(one.given) if one.given else None,
            expected=list(one.expected) if one.expected else None,
            label=one.label,
            confidence=one.confidence,
        )
        for one in sure
    )


def send_to_experts(*, suspicions: Iterable[Suspicion], expert: Person, now: datetime) -> int:
    """Put the answers of suspicions into the experts' queue, each once; returns how many went. Raises NotAllowed."""
    versions = {one.answer_id: one.version for one in suspicions}
    return ask_experts(versions=versions, asked_by=expert, note=DOUBTED, now=now)
