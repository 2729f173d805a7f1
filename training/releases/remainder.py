"""What is left of a release when some of its sentences may not be used any more: a release like any other, made of its
files at once. Nothing is selected or split anew, so that what was learnt apart from the rest of its sentences is what
would have been learnt from this one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Max

from people.refusals import Conflicting
from training.releases.cards import described
from training.releases.drafting import replaced_by_next
from training.releases.models import Release, ReleaseItem
from training.releases.services import folder_of, labels_on
from training.releases.splits import TEST, TRAIN, VALIDATION
from training.releases.writing import data_files, manifest_of, write_folder

SPLITS = (TRAIN, VALIDATION, TEST)
# In the database alone: whoever takes words back waits for it.
COPY = f"""
INSERT INTO {ReleaseItem._meta.db_table} (release_id, answer_id, receipt_id, split, row_sha256, is_good)
SELECT %s, answer_id, receipt_id, split, row_sha256, true
FROM {ReleaseItem._meta.db_table} WHERE release_id = %s AND answer_id = ANY(%s)
"""  # noqa: S608 - the table's own name
HEAD = ("community", "project", "source_language", "target_language", "query")


class NothingIsLeft(Conflicting):
    """Without the other sentences nothing is left to learn from, or to measure with."""


def keep_rest(*, release: Release, kept: Collection[str], now: datetime) -> Release:
    """A release that holds these answers of a release and no others of it; part of the command that asks for it, whose
    transaction holds the community's row.

    The database refuses answers without live consent, as in any release. Lessons alone are kept, no judgements.
    Raises NothingIsLeft, OSError, ValueError.
    """
    rows, splits = _rows_of(release, kept)
    if set(splits.values()) != set(SPLITS):
        raise NothingIsLeft("Without the words that were taken back, nothing is left to learn from or to measure with.")
    manifest, replaced = _manifest_of(release), replaced_by_next(release.project, release.purpose)
    head = {name: manifest[name] for name in HEAD}
    head["query"] = {name: value for name, value in head["query"].items() if name != "judgements"}
    if replaced:
        head["replaces"] = replaced.sha256
    files = data_files(rows, splits)
    facts = manifest_of(head=head, rows=rows, splits=splits, files=files)
    content = (json.dumps(facts, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()
    sha256 = hashlib.sha256(content).hexdigest()
    community = release.community
    number = (Release.objects.filter(community=community).aggregate(last=Max("number"))["last"] or 0) + 1
    rest = Release.objects.create(
        community=community,
        project=release.project,
        number=number,
        purpose=release.purpose,
        note=f"what is left of release {release.number}",
        sha256=sha256,
        folder=f"{community.slug}/{number:04d}-{sha256[:12]}",
        counts=facts["counts"],
        leaks=[],
        replaces=replaced,
        created_at=now,
    )
    with connection.cursor() as cursor:
        cursor.execute(COPY, [rest.pk, release.pk, [UUID(name) for name in splits]])
    beside = described(facts, sha256, labels_on(rest), now.date())
    write_folder(folder_of(rest), files=files, manifest=content, beside=beside)
    return rest


def _manifest_of(release: Release) -> dict[str, Any]:
    """The release's manifest, which must be the one that it was frozen with."""
    content = (folder_of(release) / "manifest.json").read_bytes()
    if hashlib.sha256(content).hexdigest() != release.sha256:
        raise ValueError("The manifest is not the one that was frozen.")
    found: dict[str, Any] = json.loads(content)
    return found


def _rows_of(release: Release, kept: Collection[str]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The rows as the files hold them, and their splits."""
    rows, splits = [], {}
    for split in SPLITS:
        content = (folder_of(release) / "data" / f"{split}.jsonl").read_text(encoding="utf-8")
        for line in content.split("\n"):
            if line and (row := json.loads(line))["id"] in kept:
                rows.append(row)
                splits[str(row["id"])] = split
    return rows, splits
