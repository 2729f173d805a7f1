"""Whether a release's held-out rows are in its training rows too, letter for letter or nearly."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from annotation.kinds.contract import Kind
from training.evaluation.contamination import Leak, Pair, find_leaks
from training.releases.splits import TEST, TRAIN, VALIDATION


def leaks_between(rows: Sequence[Mapping[str, Any]], splits: Mapping[str, str], kind: Kind) -> list[Leak]:
    """Held-out rows that a training row gives away, each with that row.

    Of kinds whose answers are free the questions are not compared: the same may be asked of many.
    """
    by_split: dict[bool, list[Pair]] = {True: [], False: []}
    asks_once = kind.restates or not kind.is_text
    for row in rows:
        if row["id"] in splits:
            by_split[splits[row["id"]] == TRAIN].append(_pair(row, asks_once))
    return find_leaks(by_split[True], by_split[False])


def leaks_in_files(folder: Path, kind: Kind) -> list[Leak]:
    """The same of a release that was written. Raises OSError where its files are gone."""
    rows, splits = [], {}
    for split in (TRAIN, VALIDATION, TEST):
        for line in (folder / "data" / f"{split}.jsonl").read_text(encoding="utf-8").split("\n"):
            if line:
                rows.append(json.loads(line))
                splits[rows[-1]["id"]] = split
    return leaks_between(rows, splits, kind)


def _pair(row: Mapping[str, Any], asks_once: bool) -> Pair:
    lesson = row.get("lesson") or {}
    said = lesson.get("completion") or row.get("target") or ""
    return Pair(str(row["id"]), str(row.get("source") or row.get("text") or "") if asks_once else "", str(said))
