"""Reading an upload line by line: TSV, CSV or JSON Lines, with a message for every line that cannot be used."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from annotation.text.clean import MAXIMUM_CHARACTERS, UnusableText, clean_text
from annotation.worded import Worded

COLUMNS = ("text", "reference", "document", "variety")
# What some kinds of task ask about; a task kind names those it needs.
EXTRA_COLUMNS = ("option_a", "option_b", "candidate")
MAXIMUM_BYTES = 20_000_000
MAXIMUM_ROWS = 200_000
FORMATS = ("tsv", "csv", "jsonl")


class UnreadableFile(Worded):
    """The file as a whole cannot be read; the message says why and what to do."""


# {"line", "message"}, and for translation the message's template with its values.
Problem = dict[str, Any]


def problem(line: int, why: Worded) -> Problem:
    """What is kept of a line that cannot be used as it is."""
    return {"line": line, "message": str(why), "template": why.message, "values": why.values}


@dataclass(frozen=True)
class Row:
    """One usable line: cleaned text, an optional translation, document, variety code, and extra columns."""

    line: int
    text: str
    reference: str = ""
    document: str = ""
    variety: str = ""
    extra: dict[str, str] = field(default_factory=dict)


@dataclass
class Reading:
    """The usable rows of a file and, for each line left out or read otherwise than it may be meant, its number (from 1)
    and the reason."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, line: int, message: str, **values: object) -> None:
        """Note what is wrong with a line: a template that the catalogues know, and its values."""
        self.problems.append(problem(line, Worded(message, **values)))


def format_of(name: str) -> str:
    """The format by the file's name. Raises UnreadableFile for anything else."""
    suffix = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    suffix = {"ndjson": "jsonl", "txt": "tsv", "tab": "tsv"}.get(suffix, suffix)
    if suffix not in FORMATS:
        raise UnreadableFile("Send a .tsv, .csv or .jsonl file. Spreadsheets can be saved as CSV (UTF-8).")
    return suffix


def read_rows(name: str, content: bytes) -> Reading:
    """Read an upload. Lines with mixed or wrong encoding are named one by one; the others are kept.

    Raises:
        UnreadableFile: empty, too big, of another type, binary, or without a `text` column.
    """
    kind = format_of(name)
    if not content.strip():
        raise UnreadableFile("The file is empty.")
    if len(content) > MAXIMUM_BYTES:
        raise UnreadableFile("The file is larger than %(most)s MB. Please split it.", most=MAXIMUM_BYTES // 1_000_000)
    if content.startswith((b"PK\x03\x04", b"\x89PNG", b"%PDF", b"\xd0\xcf\x11\xe0", b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFile("This is not plain UTF-8 text. Spreadsheets can be saved as CSV (UTF-8).")
    reading = Reading()
    raw_rows = _json_rows(content, reading) if kind == "jsonl" else _table_rows(content, kind, reading)
    for line, values in raw_rows:
        if len(reading.rows) >= MAXIMUM_ROWS:
            raise UnreadableFile("The file has more than %(most)s lines. Please split it.", most=MAXIMUM_ROWS)
        try:
            reading.rows.append(_row(line, values))
        except UnusableText as error:
            reading.problems.append(problem(line, error))
    reading.problems.sort(key=lambda row: row["line"])
    return reading


def _row(line: int, values: dict[str, str]) -> Row:
    return Row(
        line=line,
        text=clean_text(values.get("text", "")),
        reference=_cleaned(values, "reference"),
        document=_cleaned(values, "document", maximum=300),
        variety=_cleaned(values, "variety", maximum=32),
        extra={name: clean_text(values[name]) for name in EXTRA_COLUMNS if values.get(name, "").strip()},
    )


def _cleaned(values: dict[str, str], name: str, maximum: int = MAXIMUM_CHARACTERS) -> str:
    """What may be left empty."""
    given = values.get(name, "").strip()
    return clean_text(given, maximum=maximum) if given else ""


def _decoded_lines(content: bytes, reading: Reading) -> Iterator[tuple[int, str]]:
    content = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for line, raw in enumerate(content.split(b"\n"), start=1):
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            reading.refuse(
                line, "Not UTF-8 (byte %(byte)s). Save the file as UTF-8 and send it again.", byte=error.start + 1
            )
            continue
        if "\0" in text:
            reading.refuse(line, "Holds a null byte.")
        elif text.strip():
            yield line, text


def _json_rows(content: bytes, reading: Reading) -> Iterator[tuple[int, dict[str, str]]]:
    for line, text in _decoded_lines(content, reading):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            reading.refuse(line, "Not a JSON object.")
            continue
        if not isinstance(value, dict) or not isinstance(value.get("text"), str):
            reading.refuse(line, 'Needs a JSON object with a string "text".')
            continue
        yield line, {key: value[key] for key in (*COLUMNS, *EXTRA_COLUMNS) if isinstance(value.get(key), str)}


def _table_rows(content: bytes, kind: str, reading: Reading) -> Iterator[tuple[int, dict[str, str]]]:
    lines = list(_decoded_lines(content, reading))
    if not lines:
        raise UnreadableFile("No line of the file is readable UTF-8 text.")
    delimiter = "\t" if kind == "tsv" else ","
    header = [name.strip().lower() for name in next(csv.reader([lines[0][1]], delimiter=delimiter))]
    if "text" not in header:
        found = ", ".join(header[:6])[:120]
        raise UnreadableFile(
            "The first line must name the columns, with one called text. Found: %(found)s.", found=found
        )
    for first, last, values in _records(lines, delimiter, len(header), reading):
        line = lines[first][0]
        if len(values) != len(header):
            reading.refuse(
                line,
                "Has %(found)s columns where the first line names %(wanted)s.",
                found=len(values),
                wanted=len(header),
            )
            continue
        if last > first:
            # Somebody may have meant it; whoever forgot a quotation mark must see it.
            reading.refuse(
                line,
                "Was read as one sentence with the lines up to %(last)s: they stand in the same quotation marks.",
                last=lines[last][0],
            )
        yield line, dict(zip(header, values, strict=True))


def _records(
    lines: Sequence[tuple[int, str]], delimiter: str, columns: int, reading: Reading
) -> Iterator[tuple[int, int, list[str]]]:
    """The cells of each record below the header, and which of the lines it begins and ends with.

    A quotation mark that is not closed costs the line in which it opens and no other: reading goes on with the next.
    """
    quoting: Literal[0, 3] = csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
    first = 1
    while first < len(lines):
        rest = (lines[number][1] + "\n" for number in range(first, len(lines)))
        # Strict: otherwise a mark left open takes in all up to the next one, or to the end of the file.
        reader = csv.reader(rest, delimiter=delimiter, quoting=quoting, strict=True)
        before, is_open, why = first, False, ""
        try:
            for values in reader:
                last = before + reader.line_num - 1
                is_open = last > first and len(values) != columns
                if is_open:
                    break
                yield first, last, values
                first = last + 1
        except csv.Error as error:
            why = str(error)
            is_open = before + reader.line_num - 1 > first or why == "unexpected end of data"
        if is_open:
            reading.refuse(lines[first][0], "A quotation mark opens in this line and is not closed.")
        elif why:
            reading.refuse(lines[first][0], "Cannot be split into columns (%(why)s).", why=why)
        first += 1
