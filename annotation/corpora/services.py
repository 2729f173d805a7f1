"""Bringing text in, with its provenance."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from annotation.corpora.models import Import, Item, Source
from annotation.corpora.packaged import PackagedRow
from annotation.corpora.readers import Problem, Row, UnreadableFile, problem, read_rows
from annotation.text.clean import UnusableText, clean_text, sha256_of
from annotation.text.scripts import is_in_script
from annotation.worded import Worded
from ledger.services import append_entry
from people.models import Community, Person, Role, Variety
from people.refusals import Invalid, said
from people.services import require_role

KEPT_PROBLEMS = 500


class UnusableFile(Invalid):
    """The upload as a whole cannot be read."""


@dataclass(frozen=True)
class Line:
    """One item to be stored, and the document that it belongs to."""

    number: int
    text: str
    title: str
    reference: str = ""
    document_reference: str = ""
    variety: Variety | None = None
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def sha256(self) -> str:
        """Of all that is asked: the same sentence with other wordings to compare is another item."""
        return sha256_of(canonical([self.text, self.extra]) if self.extra else self.text)


def canonical(value: object) -> str:
    """JSON with sorted keys."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def import_upload(
    *,
    community: Community,
    imported_by: Person,
    name: str,
    content: bytes,
    licence: str,
    title: str,
    language_tag: str,
    now: datetime,
) -> Import:
    """Import a TSV, CSV or JSON Lines file; lines that cannot be used are named in `Import.problems`.

    Rows without a document of their own belong to one called `title`. Raises UnusableFile.
    """
    require_role(imported_by, community, Role.STEWARD)
    name = name.replace("\0", "")[-150:]
    if not licence.strip():
        raise Invalid("Say on what terms the text may be used.", field="licence")
    try:
        reading = read_rows(name, content)
        title = clean_text(title, maximum=300)
    except (UnreadableFile, UnusableText) as error:
        raise UnusableFile(error.message, field="file", **error.values) from error
    varieties = {variety.code: variety for variety in community.varieties.all()}
    lines: list[Line] = []
    rows = len(reading.rows) + len(reading.problems)
    for row in reading.rows:
        if row.variety and row.variety not in varieties:
            known = ", ".join(sorted(varieties)) or "–"
            reading.refuse(
                row.line,
                "The variety %(variety)s is not one of this community (%(known)s).",
                variety=row.variety,
                known=known,
            )
        else:
            lines.append(_from_row(row, title, varieties))
    if not lines:
        raise _nothing_usable(reading.problems)
    return store_lines(
        community=community,
        imported_by=imported_by,
        origin=name,
        licence=licence.strip(),
        sha256=hashlib.sha256(content).hexdigest(),
        language_tag=language_tag,
        lines=lines,
        rows=rows,
        problems=reading.problems,
        now=now,
    )


def _nothing_usable(problems: Sequence[Problem]) -> UnusableFile:
    if not problems:
        return UnusableFile("No line of the file can be used.", field="file")
    first = problems[0]
    why = said(first["template"], first["values"])
    return UnusableFile(
        "No line of the file can be used. Line %(line)s: %(why)s", field="file", line=first["line"], why=why
    )


def import_packaged(
    *,
    community: Community,
    imported_by: Person,
    rows: Sequence[PackagedRow],
    origin: str,
    licence: str,
    language_tag: str,
    now: datetime,
) -> Import:
    """Import rows of a corpus that an installed package carries, keeping document, variety and licence."""
    require_role(imported_by, community, Role.STEWARD)
    varieties = {variety.iso_639_3: variety for variety in community.varieties.all() if variety.iso_639_3}
    lines: list[Line] = []
    problems: list[Problem] = []
    for number, row in enumerate(rows, start=1):
        try:
            text, reference = clean_text(row.text), clean_text(row.translation)
        except UnusableText as error:
            problems.append(problem(number, error))
            continue
        if text == reference:
            problems.append(problem(number, Worded("The translation repeats the source; kept without it.")))
            reference = ""
        lines.append(
            Line(
                number=number,
                text=text,
                reference=reference,
                title=row.document,
                document_reference=row.document_id,
                variety=varieties.get(row.variety),
            )
        )
    content = json.dumps([[row.text, row.translation, row.document_id] for row in rows], ensure_ascii=False)
    return store_lines(
        community=community,
        imported_by=imported_by,
        origin=origin,
        licence=licence,
        sha256=hashlib.sha256(content.encode()).hexdigest(),
        language_tag=language_tag,
        lines=lines,
        rows=len(rows),
        problems=problems,
        now=now,
    )


def _from_row(row: Row, title: str, varieties: dict[str, Variety]) -> Line:
    return Line(
        number=row.line,
        text=row.text,
        reference=row.reference,
        title=row.document or title,
        document_reference="",
        variety=varieties.get(row.variety),
        extra=row.extra,
    )


@transaction.atomic
def store_lines(
    *,
    community: Community,
    imported_by: Person,
    origin: str,
    licence: str,
    sha256: str,
    language_tag: str,
    lines: Sequence[Line],
    rows: int,
    problems: list[Problem],
    now: datetime,
) -> Import:
    """Write sources and items; a sentence that its document already holds is counted, not stored twice.

    A document stays under the terms and in the language that it came in with. Raises Invalid when it comes in again
    under others.
    """
    record = Import.objects.create(
        community=community,
        imported_by=imported_by,
        origin=origin,
        licence=licence,
        file_sha256=sha256,
        imported_at=now,
    )
    by_document: dict[tuple[str, str, Variety | None], list[Line]] = {}
    for line in lines:
        by_document.setdefault((line.title, line.document_reference, line.variety), []).append(line)
    added = 0
    for (title, reference, variety), members in by_document.items():
        source, _ = Source.objects.get_or_create(
            community=community,
            origin=origin,
            title=title,
            reference=reference,
            variety=variety,
            defaults={"licence": licence, "language_tag": language_tag, "created_at": now},
        )
        _check_same(source, licence, language_tag)
        added += _add_items(source, record, members, problems, community.script)
    record.rows, record.added, record.repeated = rows, added, len(lines) - added
    record.problems = sorted(problems, key=lambda row: row["line"])[:KEPT_PROBLEMS]
    record.save(update_fields=["rows", "added", "repeated", "problems"])
    append_entry(
        action="corpus.imported",
        subject=f"import:{record.pk}",
        community=community.slug,
        actor=str(imported_by.pk),
        now=now,
        details={"added": added, "sha256": sha256},
        private={"origin": origin, "licence": licence},
    )
    return record


def _check_same(source: Source, licence: str, language_tag: str) -> None:
    """Items say nothing of terms: what is added to a document comes under the document's own."""
    if source.licence != licence:
        raise Invalid(
            "“%(title)s” came in under “%(licence)s” before. Give the new one another title, or its file another name.",
            field="licence",
            title=source.title,
            licence=source.licence,
        )
    if source.language_tag.lower() != language_tag.lower():
        raise Invalid(
            "“%(title)s” came in as “%(tag)s” before. Give the new one another title, or its file another name.",
            field="language_tag",
            title=source.title,
            tag=source.language_tag,
        )


def _add_items(source: Source, record: Import, lines: list[Line], problems: list[Problem], script: str) -> int:
    known = set(source.items.values_list("text_sha256", flat=True))
    position = source.items.aggregate(last=Max("position"))["last"] or 0
    items: list[Item] = []
    for line in lines:
        sha256 = line.sha256
        if sha256 in known:
            continue
        known.add(sha256)
        position += 1
        reference = line.reference
        if reference and not is_in_script(reference, script):
            why = Worded("The translation is not in %(script)s; kept without it.", script=script)
            problems.append(problem(line.number, why))
            reference = ""
        items.append(
            Item(
                source=source,
                imported=record,
                position=position,
                text=line.text,
                text_sha256=sha256,
                reference=reference,
                extra=line.extra,
            )
        )
    Item.objects.bulk_create(items, batch_size=1000)
    return len(items)
