"""What one conflict's page shows: answers side by side, their labels in lanes, and decided cases like it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotation.answers.findings import told
from annotation.answers.models import Answer, Review
from annotation.answers.outcomes import GONE
from annotation.conflicts.models import Adjudication
from annotation.conflicts.queue import spans_of
from annotation.conflicts.services import WAITING
from annotation.kinds.contract import Written
from annotation.projects.models import Task
from annotation.text.compare import Change, compare
from annotation.text.duplicates import resemblance
from annotation.text.lanes import AGREED, Place, places_of, tokens_of
from annotation.text.spans import Span
from frontend.kind_pages import shown_of
from people.models import Person

SIGN_OF_VERDICT = {"approve": "good", "reject": "bad", "fix": "warn", "unsure": "info"}
# Decided cases are looked through so far back, and shown when their source shares so much of its trigrams.
LOOKED_THROUGH, LEAST_ALIKE, MOST_SHOWN = 200, 0.2, 3


@dataclass
class Panel:
    """One answer of the conflict, as its page shows it."""

    answer: Answer
    name: str
    letter: str
    number: int = 0
    """The key that chooses it; 0 where it cannot be chosen."""
    shown: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, list[str]] = field(default_factory=dict)
    verdicts: list[dict[str, Any]] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    """From the first answer's words to these."""
    is_chosen: bool = False


def panels_of(
    *, answers: Sequence[Answer], names: Mapping[int, str], letters: Mapping[int, str], chosen: Collection[str]
) -> list[Panel]:
    """The answers in the order in which people came, those that can be chosen with a number."""
    ordered = sorted(answers, key=lambda row: (row.state in GONE, row.created_at, str(row.pk)))
    readable = {row.pk for row in answers}
    panels: list[Panel] = []
    first = next((row.text for row in ordered if row.text and row.state not in GONE), "")
    for row in ordered:
        can_be = row.state in {*WAITING, Answer.State.SUBMITTED}
        panels.append(
            Panel(
                answer=row,
                name=names[row.author_id],
                letter=letters[row.author_id],
                number=1 + sum(1 for one in panels if one.number) if can_be else 0,
                shown=_shown(row),
                told=told(row.warnings),
                verdicts=[_verdict(review, names, readable) for review in row.reviews.all()],
                changes=compare(first, row.text) if row.text and row.text != first else [],
                is_chosen=str(row.pk) in chosen,
            )
        )
    choosable = [panel for panel in panels if panel.number]
    if not chosen and len(choosable) == 1:
        choosable[0].is_chosen = True
    return panels


def _shown(answer: Answer) -> dict[str, Any]:
    """As its kind shows it, with its labels as the annotator takes them."""
    spans = answer.payload.get("spans")
    return {**shown_of(answer), **({} if spans is None else {"spans_json": json.dumps(spans)})}


def _verdict(review: Review, names: Mapping[int, str], readable: Collection[Any]) -> dict[str, Any]:
    """A review as the page shows it; a correction that was withdrawn stays hidden."""
    return {
        "review": review,
        "name": names[review.reviewer_id],
        "sign": SIGN_OF_VERDICT[review.verdict],
        "fix": review.fix if review.fix_id in readable else None,
    }


def agreement_of(panels: Sequence[Panel]) -> dict[str, int]:
    """How many of those who answered say the same as most: the aggregate's share."""
    kind = panels[0].answer.task.project.task_kind
    living = [panel.answer for panel in panels if panel.answer.state not in GONE and panel.answer.fixes_id is None]
    keys = Counter(kind.key_of(Written(row.text, row.payload)) for row in living)
    return {"most": max(keys.values(), default=0), "of": len(living)}


@dataclass(frozen=True)
class Cell:
    """What one lane has at one token: nothing, or a fragment that begins, goes on or ends there."""

    fragment: int | None = None
    colour: int = 0
    words: str = ""


def lanes_of(task: Task, panels: Sequence[Panel], kept: Collection[str] | None) -> dict[str, Any]:
    """One text with a lane for each person who labelled it, and the places where they differ."""
    lively = [panel for panel in panels if "spans" in panel.answer.payload and panel.answer.state not in GONE]
    marks = [spans_of(panel.answer) for panel in lively]
    colours = {one["name"]: place % 8 + 1 for place, one in enumerate(task.project.settings.get("labels", []))}
    places = places_of(marks)
    fragments = [fragment for place in places for fragment in place.fragments]
    number_of = {(one.start, one.end, one.label): number for number, one in enumerate(fragments)}
    letters, names = [panel.letter for panel in lively], [panel.name for panel in lively]
    rows = []
    for number, one in enumerate(fragments):
        value = f"{one.start}-{one.end}-{one.label}"
        is_kept = value in kept if kept is not None else 2 * len(one.lanes) > len(lively)
        rows.append(
            {
                "number": number,
                "value": value,
                "label": one.label,
                "colour": colours.get(one.label, 8),
                "words": task.item.text[one.start : one.end],
                "names": [names[lane] for lane in one.lanes],
                "is_kept": is_kept,
            }
        )
    grouped = iter(rows)
    return {
        "tokens": _tokens(task.item.text, marks, places, letters, colours, number_of),
        "places": [{"kind": place.kind, "fragments": [next(grouped) for _ in place.fragments]} for place in places],
        "names": names,
    }


def _tokens(
    text: str,
    marks: Sequence[Sequence[Span]],
    places: Sequence[Place],
    letters: Sequence[str],
    colours: Mapping[str, int],
    number_of: Mapping[tuple[int, int, str], int],
) -> list[dict[str, Any]]:
    fragments = sorted(number_of, key=lambda one: (one[0], -one[1], one[2]))
    made = []
    for token in tokens_of(text, marks):
        place = next((one for one in places if one.start <= token.start < one.end), None)
        cells = []
        for lane, index in enumerate(token.lanes):
            if index is None:
                cells.append(Cell())
                continue
            start, _end, label = fragments[index]
            words = f"{letters[lane]} · {label}" if start == token.start else ""
            cells.append(Cell(number_of[fragments[index]], colours.get(label, 8), words))
        made.append(
            {
                "text": token.text,
                "differs": place.kind if place and place.kind != AGREED and token.share < 1 else "",
                "share": "full" if token.share == 1 else "most" if token.share > 0.5 else "few",
                "is_marked": place is not None,
                "cells": cells if place else [],
            }
        )
    return made


def cases_like(task: Task, person: Person) -> list[dict[str, Any]]:
    """Decisions in the same project about the most similar sources, with words that the person may still read."""
    decided = (
        Adjudication.objects.visible_to(person)
        .final()
        .filter(answer__task__project=task.project_id)
        .exclude(answer__task=task.pk)
        .select_related("answer__task__item", "correction")[:LOOKED_THROUGH]
    )
    ranked = sorted(
        ((resemblance(task.item.text, row.answer.task.item.text), row) for row in decided), key=_by_likeness
    )
    near = [row for likeness, row in ranked if likeness >= LEAST_ALIKE][:MOST_SHOWN]
    stands = {row.pk: row.correction_id or row.answer_id for row in near}
    readable = Answer.objects.visible_to(person).in_bulk(stands.values())
    return [{"row": row, "said": readable.get(stands[row.pk])} for row in near]


def _by_likeness(entry: tuple[float, Adjudication]) -> tuple[float, int]:
    return (-entry[0], -entry[1].pk)
