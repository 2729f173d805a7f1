"""The folder of a release: data/*.jsonl and manifest.json, each a function of the rows alone."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.releases.splits import TEST, TRAIN, VALIDATION

FORMAT = "wordhearth-release/1"
SPLITS = (TRAIN, VALIDATION, TEST)


@dataclass
class Judged:
    """The lines of a release, and what its manifest says of them."""

    lines: list[dict[str, Any]]
    counter_examples: frozenset[str]
    """Ids of the rows that are not taught as they are."""
    receipts: dict[str, list[str]] = field(default_factory=dict)
    """By a row's id, under which receipts its votes stand."""
    seals: dict[str, list[str]] = field(default_factory=dict)
    """The same as keyed hashes: a receipt's own number in the manifest would tell whose votes they are, as it stands
    beside its holder's sentences, too."""

    def counts(self, splits: Mapping[str, str]) -> dict[str, int]:
        """How many lines, and of each split how many good and bad answers, or comparisons."""
        sorts = Counter(f"{splits[line['id']]}_judged_{self._sort(line)}" for line in self.lines)
        return {"judged": len(self.lines), **dict(sorted(sorts.items()))}

    def _sort(self, line: Mapping[str, Any]) -> str:
        return "compared" if "options" in line else "bad" if line["id"] in self.counter_examples else "good"


def canonical(value: Any) -> str:
    """JSON with sorted keys, no spaces and real letters: equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sha256_of_row(row: dict[str, Any]) -> str:
    """SHA-256 of the row's canonical JSON."""
    return hashlib.sha256(canonical(row).encode()).hexdigest()


def data_files(rows: Sequence[dict[str, Any]], splits: dict[str, str]) -> dict[str, bytes]:
    """The three JSON Lines files, rows in the order of their ids."""
    files: dict[str, bytes] = {}
    for split in SPLITS:
        chosen = sorted((row for row in rows if splits.get(row["id"]) == split), key=lambda row: row["id"])
        files[f"data/{split}.jsonl"] = "".join(canonical(row) + "\n" for row in chosen).encode()
    return files


def judged_files(lines: Sequence[dict[str, Any]], splits: dict[str, str]) -> dict[str, bytes]:
    """What people said of answers, beside the lessons (`training.recipes.judged` says in which form); each line in the
    split by whose id it goes."""
    files = data_files(lines, splits)
    return {name.replace(".jsonl", ".judged.jsonl"): content for name, content in files.items()}


def manifest_of(
    *,
    head: dict[str, Any],
    rows: Sequence[dict[str, Any]],
    splits: dict[str, str],
    files: dict[str, bytes],
    judged: Judged | None = None,
) -> dict[str, Any]:
    """What the release holds and why: counts, hashes, one consent receipt per item, terms, and the query.

    It names no date and no number, so that the same state of the data gives the same manifest. With `judged` the items
    name the receipts of those who voted by keyed hashes, and counter-examples say that they are none to follow.
    """
    kept = [row for row in rows if row["id"] in splits]
    bad = judged.counter_examples if judged else frozenset[str]()
    voters = judged.seals if judged else {}
    return {
        "format": FORMAT,
        **head,
        "counts": {
            **{
                split: sum(1 for row in kept if splits[row["id"]] == split and row["id"] not in bad) for split in SPLITS
            },
            **(judged.counts(splits) if judged else {}),
            "withheld_to_prevent_leaks": len(rows) - len(kept),
            "contributors": len({person for row in kept for person in row["contributors"]}),
            "documents": len({row["document"] for row in kept}),
        },
        "licences": dict(sorted(Counter(row["licence"] for row in kept).items())),
        "varieties": dict(sorted(Counter(row["variety"] or "unknown" for row in kept).items())),
        "files": {
            name: {
                "sha256": hashlib.sha256(content).hexdigest(),
                "bytes": len(content),
                "rows": content.count(b"\n"),
            }
            for name, content in sorted(files.items())
        },
        "items": [
            {
                "id": row["id"],
                "split": splits[row["id"]],
                "receipts": row["receipts"],
                "sha256": sha256_of_row(row),
                **({"votes_under": voters[row["id"]]} if voters.get(row["id"]) else {}),
                **({"is_good": False} if row["id"] in bad else {}),
            }
            for row in sorted(kept, key=lambda row: row["id"])
        ],
    }


def write_folder(folder: Path, *, files: dict[str, bytes], manifest: bytes, beside: Mapping[str, bytes]) -> None:
    """Write the folder whole or not at all, with what describes it `beside`; one that is there already is left."""
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
    try:
        building.chmod(0o755)
        (building / "data").mkdir()
        for name, content in {**files, "manifest.json": manifest, **beside}.items():
            (building / name).write_bytes(content)
        os.replace(building, folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
