"""Which group of contributors a row belongs to: a function of the row alone, so that whoever leaves moves nobody. And
the name of a set of rows. No torch here."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Placed:
    """A row's shard, from 1 on, and whose words are in it, by pseudonym."""

    shard: int
    contributors: tuple[str, ...]


def shard_of(contributors: Collection[str], *, shards: int, seed: int) -> int:
    """The shard of a row, from 1 to `shards`: that of the first of its contributors, drawn by a keyed hash of the name.

    A row with words of several people is with the first of them, so somebody who corrects others may be in several
    shards. Raises ValueError for a row of nobody.
    """
    if not contributors:
        raise ValueError("A sentence does not say who contributed it, so it belongs to no group.")
    drawn = hmac.new(f"shard:{seed}".encode(), min(contributors).encode(), hashlib.sha256).digest()
    return 1 + int.from_bytes(drawn[:8], "big") % shards


def placed(path: Path | str, *, shards: int, seed: int) -> dict[str, Placed]:
    """The rows of a release's file, by id. Raises ValueError, OSError."""
    found = {}
    for line in Path(path).read_text(encoding="utf-8").split("\n"):
        if line.strip():
            row = json.loads(line)
            people = tuple(sorted(map(str, row.get("contributors", ()))))
            found[str(row["id"])] = Placed(shard_of(people, shards=shards, seed=seed), people)
    return found


def sha256_of_ids(ids: Iterable[str]) -> str:
    """SHA-256 over the sorted ids, a line each: equal for equal sets of rows, in whatever order they lie."""
    return hashlib.sha256("".join(f"{one}\n" for one in sorted(ids)).encode()).hexdigest()
