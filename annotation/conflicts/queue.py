"""The experts' queue: one row for each task with a disputed answer, in the order of what a decision is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Subquery

from annotation.aggregation.worth import uncertainty, worth
from annotation.answers.models import Answer, AnswerEvent, Review
from annotation.answers.outcomes import GONE
from annotation.answers.querysets import AnswerQuerySet
from annotation.conflicts.models import Remark
from annotation.conflicts.names import code_of
from annotation.conflicts.reasons import Why, why
from annotation.kinds.contract import Written
from annotation.projects.models import Project, Task
from annotation.text.duplicates import normal_key
from annotation.text.lanes import AGREED, places_of
from annotation.text.spans import Span

# The order is reckoned over the oldest so many disputed answers: a desk with more needs more experts first.
MOST_ROWS = 2000
SAID_AGAINST = (Review.Verdict.REJECT, Review.Verdict.FIX)


@dataclass(frozen=True)
class Conflict:
    """One task that waits for an expert, with what the queue shows, chooses and orders by."""

    task: Task
    answers: tuple[Answer, ...]
    whys: frozenset[Why]
    since: datetime | None
    labels: frozenset[str]
    patterns: frozenset[tuple[Any, ...]]
    open_to: float
    verdicts: int
    people: Mapping[str, str]
    """Code to name of those who wrote the disputed answers."""
    remarks: int = 0
    alike: int = 1
    worth: float = 0.0
    reasons: tuple[str, ...] = field(default=())

    @property
    def lead(self) -> Answer:
        """The answer by whose address it is opened."""
        return self.answers[0]

    @property
    def variety(self) -> str:
        """The variety of its text, else of its project."""
        variety = self.task.item.source.variety or self.task.project.variety
        return variety.name if variety else ""


def conflicts_among(answers: AnswerQuerySet) -> list[Conflict]:
    """The conflicts that these answers (disputed ones that somebody may read) make up, the worthiest first."""
    last = AnswerEvent.objects.filter(answer_id=OuterRef("pk"), kind=Answer.State.DISPUTED).order_by("-at", "-pk")
    rows = (
        answers.select_related("task__item__source__variety", "task__project__variety", "author")
        .annotate(sent_here=Subquery(last.values("note")[:1]))
        .prefetch_related("reviews")
        .order_by("settled_at", "created_at", "pk")[:MOST_ROWS]
    )
    by_task: dict[int, list[Answer]] = {}
    for row in rows:
        by_task.setdefault(row.task_id, []).append(row)
    others = _living(by_task)
    said = dict(Remark.objects.filter(task__in=by_task).order_by().values_list("task").annotate(Count("pk")))
    found = [
        replace(_conflict(rows, others.get(task, rows)), remarks=said.get(task, 0)) for task, rows in by_task.items()
    ]
    return sorted(_weighed(found), key=lambda one: (-one.worth, one.since, one.task.pk))


def _living(by_task: Iterable[int]) -> dict[int, list[Answer]]:
    """All answers of these tasks that still count, whether disputed or not."""
    found: dict[int, list[Answer]] = {}
    for answer in Answer.objects.filter(task__in=list(by_task)).exclude(state__in=GONE).order_by("created_at", "pk"):
        found.setdefault(answer.task_id, []).append(answer)
    return found


def _conflict(rows: list[Answer], living: list[Answer]) -> Conflict:
    task = rows[0].task
    kind, community = task.project.task_kind, task.project.community_id
    keys = Counter(kind.key_of(Written(row.text, row.payload)) for row in living)
    verdicts = [[review for review in row.reviews.all() if review.version == row.version] for row in rows]
    whys = frozenset(why(row.sent_here or "") for row in rows)  # type: ignore[attr-defined]
    labels, surfaces = _contested(task, living)
    reasons = tuple(sorted({one.reason for given in verdicts for one in given if one.reason}))
    about = surfaces or [("reason", reason) for reason in reasons] or [("why", one) for one in whys]
    return Conflict(
        task=task,
        answers=tuple(rows),
        whys=whys,
        since=min(row.settled_at or row.created_at for row in rows),
        labels=frozenset(labels),
        patterns=frozenset((task.project_id, *one) for one in about),
        open_to=max(
            [_open(given) for given in verdicts] + ([uncertainty(list(keys.values()))] if len(keys) > 1 else [])
        ),
        verdicts=sum(map(len, verdicts)),
        people={code_of(row.author_id, community): row.author.name for row in rows},
        reasons=reasons,
    )


def _open(reviews: list[Review]) -> float:
    votes = Counter(review.verdict for review in reviews)
    return uncertainty([votes[Review.Verdict.APPROVE], sum(votes[word] for word in SAID_AGAINST)])


def _contested(task: Task, living: list[Answer]) -> tuple[set[str], list[tuple[str, str]]]:
    """The labels that a conflict is about, and its surfaces: the words that were marked differently, or the choices."""
    if not all("spans" in row.payload for row in living):
        chosen = {str(label) for row in living for label in row.payload.get("labels", [])}
        return chosen, [("labels", "|".join(sorted(chosen)))] if chosen else []
    lanes = [spans_of(row) for row in living]
    places = [place for place in places_of(lanes) if place.kind != AGREED]
    if len(living) == 1:
        places = places_of(lanes)
    labels = {fragment.label for place in places for fragment in place.fragments}
    return labels, [("surface", normal_key(task.item.text[place.start : place.end])) for place in places]


def spans_of(answer: Answer) -> list[Span]:
    """The labels of an answer that is labels."""
    return [Span(one["start"], one["end"], one["label"]) for one in answer.payload.get("spans", [])]


def _weighed(found: list[Conflict]) -> list[Conflict]:
    seen = Counter(pattern for one in found for pattern in one.patterns)
    projects = Project.objects.filter(pk__in={one.task.project_id for one in found}).with_progress()
    needs = {project.pk: (project.tasks_done, project.tasks_total) for project in projects}
    weighed = []
    for one in found:
        done, tasks = needs[one.task.project_id]
        alike = max((seen[pattern] for pattern in one.patterns), default=1)
        value = worth(open_to=one.open_to, alike=alike, done=done, tasks=tasks)
        weighed.append(replace(one, alike=alike, worth=value))
    return weighed


def chosen_from(conflicts: Iterable[Conflict], chosen: Mapping[str, str]) -> list[Conflict]:
    """Those that fit what was chosen: `kind`, `why`, `label`, `variety`, `person` (a code), `project` (a number),
    `discussed`. What is empty chooses nothing."""
    tests: dict[str, Callable[[Conflict, str], bool]] = {
        "kind": lambda one, value: one.task.project.kind == value,
        "why": lambda one, value: value in one.whys or value in one.reasons,
        "label": lambda one, value: value in one.labels,
        "variety": lambda one, value: one.variety == value,
        "person": lambda one, value: value in one.people,
        "project": lambda one, value: str(one.task.project_id) == value,
        "discussed": lambda one, value: bool(one.remarks),
    }
    wanted = [(tests[name], value) for name, value in chosen.items() if value and name in tests]
    return [one for one in conflicts if all(fits(one, value) for fits, value in wanted)]
