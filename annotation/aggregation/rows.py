"""Votes as JSON lines, told apart by what they hold, each mistake refused with its line."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Any

from annotation.aggregation.pairs import Choices
from annotation.aggregation.ratings import Ratings
from annotation.aggregation.spans import Span, SpanTask
from annotation.aggregation.votes import Votes

# More different numbers than these are values on a scale.
MOST_CLASSES = 10


class BadRow(ValueError):
    """A line or a file that cannot be used; the message says which line and why."""


class Kind(Enum):
    """What rows hold."""

    LABELS = "labels"
    SPANS = "spans"
    PAIRS = "pairs"
    TEXTS = "texts"


@dataclass
class Rows:
    """The rows of one file, all of one kind."""

    kind: Kind
    number: int = 0
    columns: tuple[list[Any], list[Any], list[Any]] = field(default_factory=lambda: ([], [], []))
    """Tasks, workers, and labels or texts."""
    spans: list[SpanTask] = field(default_factory=list)
    compared: list[tuple[Any, Any, Any, Any]] = field(default_factory=list)

    @cached_property
    def votes(self) -> Votes:
        """Of labels."""
        return Votes.of_columns(*self.columns)

    @cached_property
    def ratings(self) -> Ratings:
        """Of labels that are numbers. Raises BadRow."""
        try:
            return Ratings.of(zip(*self.columns, strict=True))
        except (TypeError, ValueError) as error:
            raise BadRow(f"Ratings must be numbers: {error}") from error

    @cached_property
    def choices(self) -> Choices:
        """Of pairs."""
        return Choices.of(self.compared)

    @property
    def look_like_ratings(self) -> bool:
        """Whether the labels are so many different numbers that they are values and no classes."""
        labels = set(self.columns[2])
        if len(labels) <= MOST_CLASSES:
            return False
        try:
            return all(isfinite(float(label)) for label in labels)
        except ValueError:
            return False

    @property
    def texts(self) -> Iterator[tuple[Any, Any, str]]:
        """Of texts."""
        return zip(*self.columns, strict=True)


def read_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line's number and object; empty lines are passed over. Raises BadRow, OSError."""
    with sys.stdin if str(path) == "-" else path.open(encoding="utf-8") as file:
        try:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    row = json.loads(line)
                except json.JSONDecodeError as error:
                    raise BadRow(f"Line {number} is no JSON: {error.msg}.") from error
                if not isinstance(row, dict):
                    raise BadRow(f"Line {number} is no JSON object.")
                yield number, row
        except UnicodeDecodeError as error:
            raise BadRow("The file is not UTF-8 text.") from error


def kind_of(row: dict[str, Any]) -> Kind | None:
    """What a row holds, by its keys."""
    if "spans" in row:
        return Kind.SPANS
    if "left" in row and "right" in row:
        return Kind.PAIRS
    if "label" in row:
        return Kind.LABELS
    return Kind.TEXTS if "text" in row else None


def read_rows(path: Path) -> Rows:
    """Read a file of votes. Raises BadRow with the line's number, OSError."""
    rows: Rows | None = None
    marked: dict[Any, tuple[str, dict[Any, list[Span]]]] = {}
    for number, row in read_objects(path):
        kind = kind_of(row)
        if kind is None:
            raise BadRow(f"Line {number} has neither label, spans, left and right, nor text.")
        rows = rows or Rows(kind)
        if kind is not rows.kind:
            raise BadRow(f"Line {number} holds {kind.value}, the lines before it {rows.kind.value}.")
        task, worker = (_name(row, key, number) for key in ("task", "worker"))
        rows.number += 1
        if kind is Kind.SPANS:
            text, by = marked.setdefault(task, (_text(row, number), {}))
            if text != row["text"]:
                raise BadRow(f"Line {number}: the text of task {task!r} was another one before.")
            by[worker] = [*by.get(worker, []), *checked_spans(row["spans"], text, number)]
        elif kind is Kind.PAIRS:
            left, right, winner = row["left"], row["right"], row.get("winner")
            if left == right or winner not in (left, right, None):
                raise BadRow(f"Line {number}: the winner must be one of two different things, or null.")
            rows.compared.append((worker, left, right, winner))
        else:
            value = _text(row, number) if kind is Kind.TEXTS else _name(row, "label", number)
            for column, entry in zip(rows.columns, (task, worker, value), strict=True):
                column.append(entry)
    rows = rows or Rows(Kind.LABELS)
    rows.spans = [SpanTask(task, text, by) for task, (text, by) in marked.items()]
    return rows


def checked_spans(given: Any, text: str, number: int) -> list[Span]:
    """Spans within the text, none of them empty. Raises BadRow."""
    found = []
    for span in given if isinstance(given, list) else [given]:
        match span:
            case [int(start), int(end), str(label)] if 0 <= start < end <= len(text):
                found.append((start, end, label))
            case _:
                raise BadRow(f"Line {number}: {span!r} is no span [start, end, label] within its text.")
    return found


def _name(row: dict[str, Any], key: str, number: int) -> Any:
    value = row.get(key)
    if isinstance(value, str | int | float):
        return value
    raise BadRow(f"Line {number} has no {key}, or one that is no text and no number.")


def _text(row: dict[str, Any], number: int) -> str:
    if isinstance(row.get("text"), str):
        return str(row["text"])
    raise BadRow(f"Line {number} has no text.")
