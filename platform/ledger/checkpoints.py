"""Signed checkpoints, the chain as a file, and the check that anybody can make with it."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import closing
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from ledger.models import Checkpoint, Entry
from ledger.sealing import Signer, read_seed
from ledger.services import body_of, lock_chain
from ledger.verify import FORMAT, Report, Tree, verify


def signer_of(community: str) -> Signer:
    """Who signs for a chain. Raises UnusableKey."""
    return Signer(read_seed(settings.LEDGER_KEY, settings.LEDGER_KEY_FILE), community)


@transaction.atomic
def checkpoint_now(*, community: str, now: datetime) -> Checkpoint | None:
    """Sign the chain as it is; the newest checkpoint when nothing came since, None for an empty chain."""
    lock_chain(community)
    last = newest_checkpoint(community)
    tree = Tree([(leaves, bytes.fromhex(node)) for leaves, node in last.peaks] if last else ())
    size = last.size if last else 0
    entries = Entry.objects.of_community(community).filter(sequence__gt=size).order_by("sequence")
    for sha256 in entries.values_list("sha256", flat=True).iterator():
        tree.add(sha256)
        size += 1
    if not size or (last is not None and size == last.size):
        return last
    return Checkpoint.objects.create(
        community=community,
        size=size,
        peaks=[(leaves, node.hex()) for leaves, node in tree.peaks],
        note=signer_of(community).checkpoint(size, tree.root()),
        made_at=now,
    )


def checkpoint_after_commit(*, community: str, now: datetime) -> None:
    """Sign the chain once this transaction is committed; should that fail, the act stands and the hour's job signs."""
    transaction.on_commit(partial(checkpoint_now, community=community, now=now), robust=True)


def newest_checkpoint(community: str) -> Checkpoint | None:
    """The chain's last checkpoint."""
    return Checkpoint.objects.filter(community=community).order_by("-size").first()


def chains_with_news() -> list[str]:
    """The chains that have grown since their last checkpoint."""
    signed = dict(Checkpoint.objects.values_list("community").annotate(Max("size")))
    sizes = Entry.objects.order_by().values_list("community").annotate(Max("sequence"))
    return sorted(community for community, size in sizes if size > signed.get(community, 0))


def export_lines(*, community: str, with_secrets: bool) -> Generator[str, None, None]:
    """The chain as JSON lines for `ledger.verify`. Without secrets the sealed parts are left out; what was erased is
    marked either way."""
    signer = signer_of(community)
    header = {
        "format": FORMAT,
        "origin": signer.origin,
        "community": community,
        "key": signer.verifier_key,
        "secrets": "included" if with_secrets else "withheld",
    }
    yield _line(header)
    entries = Entry.objects.of_community(community).select_related("secret").order_by("sequence")
    for entry in entries.iterator(chunk_size=2000):
        line = {**body_of(entry), "previous": entry.previous_sha256, "sha256": entry.sha256}
        secret = getattr(entry, "secret", None)
        if entry.commitment and secret is None:
            line["secret"] = None
        elif secret is not None and with_secrets:
            line["secret"] = {"salt": bytes(secret.salt).hex(), "payload": secret.payload}
        yield _line(line)


def check_chain(community: str) -> Report:
    """Check the stored chain, its sealed parts and every checkpoint as `ledger.verify` does with a file.

    Raises ledger.verify.Broken.
    """
    notes = Checkpoint.objects.filter(community=community).order_by("size").values_list("note", flat=True)
    with closing(export_lines(community=community, with_secrets=True)) as lines:
        return verify(lines, notes)


def _line(row: Mapping[str, object]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
