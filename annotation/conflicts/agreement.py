"""How far the people of a project agree: on others' answers by their verdicts, and by their own answers to one task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db.models import F

from annotation.aggregation.agreement import (
    Agreement,
    by_pair,
    krippendorff_alpha,
    span_f1,
    span_gamma,
)
from annotation.aggregation.spans import SpanTask
from annotation.answers.models import Answer, Review
from annotation.projects.models import Project
from care.models import Purpose

DRAWS = 300
MOST_PAIRS = 12
# A coefficient of fewer items says nothing of two people.
LEAST_ITEMS = 5
LASTS = 600


@dataclass(frozen=True)
class Group:
    """Agreement within one part of a project."""

    about: str
    """all, label, variety, month or pair."""
    name: str
    measures: tuple[Agreement, ...]


@dataclass(frozen=True)
class Said:
    """What one person said, of what, when, in which variety."""

    item: Any
    person: int
    value: Any
    at: datetime
    variety: str


def agreement_of(project: Project) -> dict[str, list[Group]]:
    """Groups by what is compared: "verdicts" and, where a task has several answers, "answers". Kept ten minutes."""
    found: dict[str, list[Group]] = cache.get_or_set(f"agreement:{project.pk}", lambda: _measure(project), LASTS)
    return found


def _measure(project: Project) -> dict[str, list[Group]]:
    usable = Answer.objects.filter(task__project=project).usable_for(Purpose.PEER_REVIEW)
    usable = usable.exclude(state__in=[Answer.State.WITHDRAWN, Answer.State.QUARANTINED])
    verdicts = Review.objects.filter(answer__in=usable, version=F("answer__version"), is_gold=False)
    rows = verdicts.exclude(verdict=Review.Verdict.UNSURE).values_list(
        "answer", "reviewer", "verdict", "created_at", "answer__task__item__source__variety__name"
    )
    said = [Said(item, who, word == Review.Verdict.APPROVE, at, variety or "") for item, who, word, at, variety in rows]
    found = {"verdicts": _groups(said)}
    answers = _answers(project, usable)
    if answers:
        found["answers"] = answers
    return found


def _groups(said: Sequence[Said], *, level: str = "nominal") -> list[Group]:
    """All together, then by variety, by month, and pair by pair."""
    groups = [Group("all", "", (_alpha(said, level),))]
    for about, key in (("variety", _variety), ("month", _month)):
        parts: dict[str, list[Said]] = defaultdict(list)
        for one in said:
            parts[key(one)].append(one)
        if len(parts) > 1:
            groups += [Group(about, name, (_alpha(part, level),)) for name, part in sorted(parts.items()) if name]
    letters = {person: number for number, person in enumerate(sorted({one.person for one in said}))}
    pairs = by_pair(((one.item, letters[one.person], one.value) for one in said), draws=DRAWS)
    known = (pair for pair, one in pairs.items() if one.items >= LEAST_ITEMS and one.value is not None)
    often = sorted(known, key=lambda pair: -pairs[pair].items)
    return groups + [
        Group("pair", f"{_letter(one)} · {_letter(two)}", (pairs[one, two],)) for one, two in often[:MOST_PAIRS]
    ]


def _variety(one: Said) -> str:
    return one.variety


def _month(one: Said) -> str:
    return f"{one.at:%Y-%m}"


def _letter(number: int) -> str:
    """A, B, … Z, AA: names would bias whoever reads them."""
    return (_letter(number // 26 - 1) if number >= 26 else "") + chr(ord("A") + number % 26)


def _alpha(said: Iterable[Said], level: str = "nominal") -> Agreement:
    items: dict[Any, list[Any]] = defaultdict(list)
    for one in said:
        items[one.item].append(one.value)
    return krippendorff_alpha(items.values(), level=level, draws=DRAWS)


def _answers(project: Project, usable: Any) -> list[Group]:
    """Several people's answers to the same tasks, for the kinds whose answers can be equal."""
    rows = list(
        usable.filter(fixes=None).values_list(
            "task", "author", "payload", "created_at", "task__item__source__variety__name", "task__item__text"
        )
    )
    if len({row[0] for row in rows}) == len(rows):
        return []
    if project.kind == "label":
        return _span_groups(rows, [label["name"] for label in project.settings.get("labels", [])])
    if project.kind == "classify":
        said = [
            Said(task, who, "+".join(given["labels"]), at, variety or "") for task, who, given, at, variety, _ in rows
        ]
        by_label = [
            Group("label", name, (_alpha([_with(one, name in one.value.split("+")) for one in said]),))
            for name in (label["name"] for label in project.settings.get("labels", []))
        ]
        return _groups(said) + by_label
    if project.kind == "rate":
        groups = []
        for axis in project.settings.get("axes", []):
            said = [Said(task, who, given.get(axis), at, variety or "") for task, who, given, at, variety, _ in rows]
            rated = [one for one in said if one.value is not None]
            groups.append(Group("label", axis, (_alpha(rated, "ordinal"),)))
        return groups
    return []


def _with(one: Said, value: Any) -> Said:
    return Said(one.item, one.person, value, one.at, one.variety)


def _span_groups(rows: Sequence[tuple[Any, ...]], labels: Sequence[str]) -> list[Group]:
    by_task: dict[Any, tuple[str, dict[int, list[tuple[int, int, str]]]]] = {}
    for task, who, given, _at, _variety_name, text in rows:
        spans = [(span["start"], span["end"], span["label"]) for span in given.get("spans", [])]
        by_task.setdefault(task, (text, {}))[1][who] = spans

    def tasks(label: str = "") -> list[SpanTask]:
        return [
            SpanTask(task, text, {who: [s for s in own if not label or s[2] == label] for who, own in people.items()})
            for task, (text, people) in by_task.items()
        ]

    def measured(chosen: list[SpanTask]) -> tuple[Agreement, ...]:
        return (
            span_f1(chosen, draws=DRAWS),
            span_f1(chosen, partial=True, draws=DRAWS),
            span_gamma(chosen, draws=DRAWS),
        )

    return [Group("all", "", measured(tasks())), *(Group("label", name, measured(tasks(name))) for name in labels)]
