"""Writing to the ledger, and erasing what is sealed in it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Q

from ledger.actions import check_open
from ledger.models import Entry, Secret
from ledger.sealing import GENESIS, SALT_BYTES, commitment, seal
from ledger.verify import canonical

# Any constant: with the community's hash it names the lock under which a chain grows.
_LOCKS = 7_104_021
# In plain SQL and in one message, because others wait meanwhile. Each statement sees the rows that are there when it
# begins, so the last one sees what the one before it has waited for.
_KEEP = (
    "INSERT INTO ledger_secret (entry_id, about, salt, payload) "
    "VALUES (nextval(pg_get_serial_sequence('ledger_entry', 'id')), %s, %s, %s) RETURNING entry_id; "
)
_LOCK_AND_HEAD = (
    "SELECT pg_advisory_xact_lock(%s, hashtext(%s)); "
    "SELECT sequence, sha256 FROM ledger_entry WHERE community = %s ORDER BY sequence DESC LIMIT 1"
)


def lock_chain(community: str) -> tuple[int, str]:
    """Let nobody else write to this chain until the transaction ends, so that it has no gap and no fork.

    Returns the number and the hash of its last entry.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_AND_HEAD, [_LOCKS, community, community])
        cursor.nextset()
        return cursor.fetchone() or (0, GENESIS)


def _keep_and_lock(community: str, payload: Mapping[str, Any], salt: bytes, about: str) -> tuple[int, int, str]:
    """Keep what is sealed, under the id of the entry to come, then lock the chain; that id before what `lock_chain`
    returns."""
    with connection.cursor() as cursor:
        kept: list[Any] = [about, salt, json.dumps(payload)]
        cursor.execute(_KEEP + _LOCK_AND_HEAD, [*kept, _LOCKS, community, community])
        (entry,) = cursor.fetchone()
        cursor.nextset()
        cursor.nextset()
        return entry, *(cursor.fetchone() or (0, GENESIS))


def append_entry(
    *,
    action: str,
    subject: str,
    now: datetime,
    community: str = "",
    actor: str = "",
    details: Mapping[str, Any] | None = None,
    private: Mapping[str, Any] | None = None,
) -> Entry:
    """Append one entry inside the caller's transaction, so the act and its record stand or fall together.

    `details` are said openly and follow `ledger.actions`; names and free text go into `private`, which is sealed: the
    entry only commits to it. Call it last: the chain stays locked until the transaction ends.

    Raises NotAllowlisted; ValueError for numbers in `private` that are not whole.
    """
    rule = check_open(action=action, actor=actor, subject=subject, details=details or {})
    hidden = {"actor": actor, "subject": subject} if rule.hides_person else {}
    sealed = {**hidden, **(private or {})}
    canonical(sealed)
    salt = secrets.token_bytes(SALT_BYTES) if sealed else b""
    entry = Entry(
        community=community,
        actor="" if hidden else actor,
        action=action,
        subject="" if hidden else subject,
        details=dict(details or {}),
        at=now,
        commitment=commitment(salt, sealed) if sealed else "",
    )
    # Whatever fails from here on, the caller's act fails with it; so no savepoint, which others would wait for.
    with transaction.atomic(savepoint=False):
        if sealed:
            entry.pk, last, previous = _keep_and_lock(community, sealed, salt, _about(actor, subject))
        else:
            last, previous = lock_chain(community)
        entry.sequence, entry.previous_sha256 = last + 1, previous
        entry.sha256 = seal(previous, body_of(entry))
        entry.save(force_insert=True)
    return entry


def body_of(entry: Entry) -> dict[str, Any]:
    """What is hashed of an entry, as its line in an export shows it."""
    return {
        "sequence": entry.sequence,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "community": entry.community,
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "details": entry.details,
        "commitment": entry.commitment,
    }


@transaction.atomic
def erase_secrets(*, now: datetime, entries: Iterable[Entry] = (), about: str = "", actor: str = "") -> int:
    """Destroy salt and payload of these entries, and of all that are about one account; returns how many.

    Every chain it touches gets an entry that says how many, so that nothing can be taken away unrecorded.
    """
    chosen = Q(entry__in=[entry.pk for entry in entries])
    if about:
        chosen |= Q(about=about)
    erased = 0
    rows = Secret.objects.filter(chosen)
    for community in sorted(set(rows.values_list("entry__community", flat=True))):
        gone, _ = rows.filter(entry__community=community).delete()
        if not gone:  # somebody else erased them meanwhile
            continue
        append_entry(
            action="secrets.erased",
            subject=f"secrets:{gone}",
            community=community,
            actor=actor,
            now=now,
            details={"secrets": gone},
        )
        erased += gone
    return erased


def _about(actor: str, subject: str) -> str:
    """Whose data the sealed part is: the person it speaks of, else who wrote it."""
    kind, _, number = subject.partition(":")
    return number if kind == "person" else actor
