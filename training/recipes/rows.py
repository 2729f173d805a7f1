"""What files of lessons and texts hold, line by line, with an error that names the line.

No torch here, so that the site reads what it is given just as a recipe will.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.worded import Worded


class UnusableLine(Worded):
    """A line that cannot be learnt from; the message names it."""


@dataclass(frozen=True)
class Row:
    """One lesson of a release: what the model is told it is, what it is asked, and what it should say."""

    id: str
    system: str
    request: str
    completion: str
    source: str = ""
    """The sentence alone, for people who look at samples; empty where the request is the sentence."""
    variety: str = ""
    orthography: str = ""


def lines_of(path: Path | str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each line's JSON object, and its number and the file's name as an error tells them. Raises UnusableLine."""
    name = Path(path).name
    # Not splitlines(): a sentence may hold U+2028 and its like, which JSON leaves as they are.
    for number, raw in enumerate(Path(path).read_bytes().split(b"\n"), start=1):
        where = {"line": number, "file": name}
        try:
            line = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UnusableLine("Line %(line)s of %(file)s is not UTF-8.", **where) from error
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UnusableLine("Line %(line)s of %(file)s is not JSON.", **where) from error
        if not isinstance(value, dict):
            raise UnusableLine("Line %(line)s of %(file)s is no JSON object.", **where)
        yield value, where


def read_rows(path: Path | str) -> list[Row]:
    """The rows of a release's JSON Lines file. Raises UnusableLine, which names the line of a row it cannot use."""
    return [row_of(value, where) for value, where in lines_of(path)]


def row_of(value: dict[str, Any], where: dict[str, Any]) -> Row:
    """A line as a lesson. Raises UnusableLine."""
    try:
        lesson = value["lesson"]
        row = Row(
            id=str(value["id"]),
            system=lesson["system"],
            request=lesson["request"],
            completion=lesson["completion"],
            source=str(value.get("source") or value.get("text") or ""),
            variety=str(value.get("variety") or ""),
            orthography=str(value.get("orthography") or ""),
        )
    except (KeyError, TypeError) as error:
        raise UnusableLine(
            "Line %(line)s of %(file)s is no lesson: it needs an id, and a lesson with system, request and completion.",
            **where,
        ) from error
    if not all(isinstance(part, str) for part in (row.system, row.request, row.completion)) or not row.completion:
        raise UnusableLine("Line %(line)s of %(file)s has nothing to say.", **where)
    return row


def read_related(path: Path | str) -> list[tuple[str, Row]]:
    """(language, lesson) of each line of a file of lessons in other languages: JSON Lines as those of a release, with
    `language` beside `lesson`. Raises UnusableLine."""
    found = []
    for value, where in lines_of(path):
        if not isinstance(language := value.get("language"), str) or not language:
            raise UnusableLine("Line %(line)s of %(file)s does not say its language.", **where)
        found.append((language, row_of(value, where)))
    return found


def read_texts(path: Path | str) -> list[tuple[str, str]]:
    """(text, id) of each line of a file of plain text: JSON Lines with `id` and `text`. Raises UnusableLine."""
    found = []
    for value, where in lines_of(path):
        if "id" not in value or "text" not in value:
            raise UnusableLine("Line %(line)s of %(file)s is no text with an id.", **where)
        text = value["text"]
        if not isinstance(text, str) or not text.strip():
            raise UnusableLine("Line %(line)s of %(file)s has nothing to read.", **where)
        found.append((text, f"text:{value['id']}"))
    return found
