"""Writing to the ledger and checking its chain."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from ledger.models import Entry

GENESIS = "0" * 64
_LOCK = 7_104_021  # any constant: one writer at a time keeps the chain linear


def digest(
    *,
    sequence: int,
    community: str,
    actor: str,
    action: str,
    subject: str,
    details: dict[str, Any],
    at: datetime,
    previous: str,
) -> str:
    """SHA-256 of one entry's canonical JSON (sorted keys, no spaces, UTF-8)."""
    body = [sequence, community, actor, action, subject, details, at.isoformat(), previous]
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def append_entry(
    *,
    action: str,
    subject: str,
    now: datetime,
    community: str = "",
    actor: str = "",
    details: dict[str, Any] | None = None,
) -> Entry:
    """Append one entry inside the caller's transaction, so the act and its record stand or fall together."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    last = Entry.objects.order_by("-sequence").first()
    sequence, previous = (last.sequence + 1, last.sha256) if last else (1, GENESIS)
    fields: dict[str, Any] = {
        "sequence": sequence,
        "community": community,
        "actor": actor,
        "action": action,
        "subject": subject,
        "details": details or {},
        "at": now,
    }
    sha256 = digest(**fields, previous=previous)
    return Entry.objects.create(**fields, previous_sha256=previous, sha256=sha256)


def find_broken_entry() -> Entry | None:
    """The first entry whose hash does not follow from its content and the entry before it, if any."""
    previous, expected = GENESIS, 1
    for entry in Entry.objects.order_by("sequence").iterator():
        sha256 = digest(
            sequence=entry.sequence,
            community=entry.community,
            actor=entry.actor,
            action=entry.action,
            subject=entry.subject,
            details=entry.details,
            at=entry.at,
            previous=previous,
        )
        if entry.sequence != expected or entry.previous_sha256 != previous or entry.sha256 != sha256:
            return entry
        previous, expected = entry.sha256, expected + 1
    return None
