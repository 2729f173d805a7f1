"""`script/bench ledger`: what `ledger.verify` finds and how quickly, and how quickly many write at once.

Ten thousand random tamperings with a made-up chain, each given one earlier checkpoint; the standalone verifier on a
hundred thousand entries; eight writers on one chain. The writers use a database of their own that is dropped again,
because nothing written into this installation's ledger could be taken away.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings
from django.db import connection, connections
from django.utils import timezone
from rich.table import Table

from ledger.models import Entry
from ledger.sealing import GENESIS, SALT_BYTES, Signer, commitment, seal
from ledger.services import append_entry
from ledger.verify import FORMAT, Broken, Tree, verify

NEEDS_SITE = False

TAMPERINGS, CHAIN, UNDER_CHECKPOINT = 10_000, 40, 25
LARGE = 100_000
WRITERS, EACH = 8, 500
# What verifying may take, in seconds; and 95 of 100 entries of so many writers, in milliseconds.
MOST_SECONDS, MOST_MS = 10.0, 50.0
DATABASE = "wordhearth_bench_ledger"

Line = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """A made-up chain as an export has it, and the note of an earlier checkpoint."""

    header: Line
    entries: list[Line]
    checkpoint: str

    def lines(self, entries: list[Line] | None = None) -> list[str]:
        """The export's lines, with other entries in place of its own."""
        rows = [self.header, *(self.entries if entries is None else entries)]
        return [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]


def made_chain(*, size: int, checkpoint_at: int, seed: int = 1) -> Made:
    """A chain with open and sealed entries, always the same for a seed, signed by a key that belongs to nobody."""
    signer = Signer(_bytes(seed, 0), "made-up")
    header = {
        **{"format": FORMAT, "origin": signer.origin, "community": "made-up"},
        **{"key": signer.verifier_key, "secrets": "included"},
    }
    tree, entries, note = Tree(), list[Line](), ""
    previous = GENESIS
    for sequence in range(1, size + 1):
        entry = _made_entry(sequence, previous, seed)
        previous = entry["sha256"]
        entries.append(entry)
        tree.add(previous)
        if sequence == checkpoint_at:
            note = signer.checkpoint(sequence, tree.root())
    return Made(header, entries, note)


def _bytes(seed: int, sequence: int) -> bytes:
    return hashlib.sha256(f"{seed} {sequence}".encode()).digest()


def _made_entry(sequence: int, previous: str, seed: int) -> Line:
    salt = _bytes(seed, sequence)
    payload = {"title": f"Título {sequence} ñäʼ", "note": f"a note\n{salt[0]}"} if sequence % 3 == 0 else {}
    body: Line = {
        "sequence": sequence,
        "at": f"2026-03-{1 + sequence // 1440 % 28:02}T{sequence // 60 % 24:02}:{sequence % 60:02}:00.000000+00:00",
        "community": "made-up",
        "actor": str(1 + salt[1] % 9),
        "action": "project.opened" if payload else "membership.granted",
        "subject": f"project:{sequence}" if payload else f"person:{1 + salt[2] % 9}",
        "details": {} if payload else {"role": ("speaker", "expert")[sequence % 2]},
        "commitment": commitment(salt, payload) if payload else "",
    }
    more: Line = {"secret": {"salt": salt.hex(), "payload": payload}} if payload else {}
    return {**body, "previous": previous, "sha256": seal(previous, body), **more}


# Ways of tampering. Each changes the entries in place; `chance` says where and how.
def edit(rows: list[Line], chance: Random) -> None:
    """Change one field of one entry."""
    row = chance.choice(rows)
    name = chance.choice(["actor", "action", "subject", "at", "community", "sequence", "details", "previous", "sha256"])
    values: dict[str, Any] = {"details": {"role": "steward"}, "sequence": row["sequence"] + chance.choice([-1, 1, 7])}
    row[name] = values.get(name, f"{row[name]}{chance.randrange(10)}")


def delete(rows: list[Line], chance: Random) -> None:
    """Take out an entry, but not the last: after the newest checkpoint nothing promises that there was one more."""
    del rows[chance.randrange(len(rows) - 1)]


def insert(rows: list[Line], chance: Random) -> None:
    """Put in an entry that was never written, properly hashed after the one before it."""
    place = chance.randrange(len(rows))
    rows.insert(place, _made_entry(place + 1, rows[place]["previous"], chance.randrange(10, 99)))


def reorder(rows: list[Line], chance: Random) -> None:
    """Let two entries change places."""
    one, other = chance.sample(range(len(rows)), 2)
    rows[one], rows[other] = rows[other], rows[one]


def swap_payload(rows: list[Line], chance: Random) -> None:
    """Put the sealed part of one entry into another."""
    one, other = chance.sample([row for row in rows if "secret" in row], 2)
    one["secret"], other["secret"] = other["secret"], one["secret"]


def change_payload(rows: list[Line], chance: Random) -> None:
    """Change what was sealed, or the salt, or let it look erased, or leave it out."""
    row = chance.choice([row for row in rows if "secret" in row])
    way = chance.randrange(4)
    if way == 0:
        row["secret"]["payload"]["note"] += "!"
    elif way == 1:
        row["secret"]["salt"] = chance.randbytes(SALT_BYTES).hex()
    elif way == 2:
        row["secret"] = None
    else:
        del row["secret"]


def forge_commitment(rows: list[Line], chance: Random) -> None:
    """Seal something else, with a commitment that fits it."""
    row = chance.choice(rows)
    salt, payload = chance.randbytes(SALT_BYTES), {"note": "never written"}
    row["commitment"], row["secret"] = commitment(salt, payload), {"salt": salt.hex(), "payload": payload}


def truncate(rows: list[Line], chance: Random) -> None:
    """Cut off the end, at least what the checkpoint still covers."""
    del rows[chance.randrange(UNDER_CHECKPOINT) :]


def rewrite(rows: list[Line], chance: Random) -> None:
    """Change an entry under the checkpoint and write every hash after it anew, so that the chain itself is whole."""
    place = chance.randrange(UNDER_CHECKPOINT)
    rows[place]["subject"] = f"project:{chance.randrange(1000, 9999)}"
    if chance.random() < 0.5:
        del rows[chance.randrange(UNDER_CHECKPOINT)]
    previous = GENESIS
    for number, row in enumerate(rows, 1):
        row["sequence"], row["previous"] = number, previous
        body = {name: value for name, value in row.items() if name not in {"previous", "sha256", "secret"}}
        previous = row["sha256"] = seal(previous, body)


WAYS: tuple[Callable[[list[Line], Random], None], ...] = (
    *(edit, delete, insert, reorder, swap_payload, change_payload, forge_commitment, truncate, rewrite),
)


def tamper(*, times: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Tamper so many times with a chain; how often in which way, and what the verifier did not find."""
    chance = Random(seed)  # noqa: S311 - where to tamper is no secret
    made = made_chain(size=CHAIN, checkpoint_at=UNDER_CHECKPOINT)
    verify(made.lines(), [made.checkpoint])
    tried: Counter[str] = Counter()
    missed = []
    for number in range(times):
        rows = copy.deepcopy(made.entries)
        way = WAYS[number % len(WAYS)]
        way(rows, chance)
        tried[way.__name__] += 1
        try:
            verify(made.lines(rows), [made.checkpoint])
        except Broken:
            continue
        missed.append(f"{way.__name__} number {number}")
    return tried, missed


def run() -> dict[str, Any]:
    """Tamper, verify a long chain, write at once."""
    tried, missed = tamper(times=TAMPERINGS, seed=2)
    facts = {"tamperings": sum(tried.values()), "missed": missed, "ways": dict(tried)}
    written = _with_own_database(lambda: write_at_once(writers=WRITERS, each=EACH, pool=ProcessPoolExecutor))
    return judged({**facts, **verify_long(LARGE), **written})


def judged(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts, with a sentence in `failures` for everything that is not as it must be."""
    failures = [f"Not found: {one}." for one in facts["missed"]]
    if facts["written"] != WRITERS * EACH or facts["gaps"] or facts["forks"]:
        failures.append("The chain that many wrote at once has gaps or forks.")
    if facts["p95_ms"] > MOST_MS:
        failures.append(f"Of {WRITERS} writers one entry in twenty took {facts['p95_ms']} ms or more.")
    if facts["seconds_to_verify"] > MOST_SECONDS:
        failures.append(f"Verifying {facts['verified_entries']} entries took {facts['seconds_to_verify']} s.")
    return {**facts, "failures": failures}


def verify_long(size: int) -> dict[str, Any]:
    """Seconds that the standalone verifier takes, as whoever got a file would call it."""
    made = made_chain(size=size, checkpoint_at=size // 2)
    with tempfile.TemporaryDirectory() as folder:
        file, note = Path(folder, "ledger.jsonl"), Path(folder, "checkpoint.txt")
        file.write_text("".join(made.lines()), encoding="utf-8")
        note.write_text(made.checkpoint, encoding="utf-8")
        began = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "ledger.verify", str(file), "--checkpoint", str(note)],
            env={**os.environ, "PYTHONPATH": str(settings.BASE_DIR / "platform")},
            check=True,
            capture_output=True,
        )
        return {"verified_entries": size, "seconds_to_verify": round(time.monotonic() - began, 2)}


def write_at_once(*, writers: int, each: int, pool: type[Executor] = ThreadPoolExecutor) -> dict[str, Any]:
    """So many writers with connections of their own append to one chain; gaps, forks, and milliseconds for an entry."""
    connections.close_all()  # forked writers must not share one
    with pool(writers) as started:  # type: ignore[call-arg]
        times = sorted(one for took in started.map(_write, range(1, writers + 1), [each] * writers) for one in took)
    entries = list(
        Entry.objects.of_community("made-up").order_by("sequence").values_list("sequence", "previous_sha256")
    )
    return {
        "written": len(entries),
        "gaps": sum(sequence != place for place, (sequence, _) in enumerate(entries, 1)),
        "forks": len(entries) - len({previous for _, previous in entries}),
        "p50_ms": round(times[len(times) // 2], 1),
        "p95_ms": round(times[int(len(times) * 0.95)], 1),
    }


def _write(writer: int, each: int) -> list[float]:
    took = []
    try:
        for number in range(each):
            began = time.perf_counter()
            append_entry(
                action="project.opened",
                subject=f"project:{number}",
                community="made-up",
                actor=str(writer),
                now=timezone.now(),
                private={"title": f"Project {number}"},
            )
            took.append(1000 * (time.perf_counter() - began))
    finally:
        connections.close_all()
    return took


def _with_own_database(act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    usual = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = DATABASE
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        return act()
    finally:
        connection.creation.destroy_test_db(usual, verbosity=0)


def table(facts: dict[str, Any]) -> Table:
    """The same for people."""
    shown = Table(title="The ledger", title_justify="left", show_header=False)
    shown.add_column("what")
    shown.add_column("figure", justify="right")
    shown.add_row("tamperings found", f"{facts['tamperings'] - len(facts['missed']):,} of {facts['tamperings']:,}")
    shown.add_row("entries verified", f"{facts['verified_entries']:,}")
    shown.add_row("seconds for that", str(facts["seconds_to_verify"]))
    shown.add_row(f"entries by {WRITERS} writers at once", f"{facts['written']:,}")
    shown.add_row("gaps, forks", f"{facts['gaps']}, {facts['forks']}")
    shown.add_row("milliseconds for an entry: half below, 95 % below", f"{facts['p50_ms']}, {facts['p95_ms']}")
    return shown
