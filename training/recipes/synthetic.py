"""Rows that a machine wrote: where they come from, which may be trained on, and that they die with their parents.

A line of a file of synthetic rows is

    {"id": ..., "how": "back_translation" | "paraphrase" | "label", "parents": [ids of training rows],
     "made_by": hash of the adapter that wrote it, "lesson": {"system", "request", "completion"}}

Only training reads them; no held-out split ever does. A row is used while all its parents are training rows of the
release, so that words which are taken back take with them what was made of them; and there are never more synthetic
rows than the share that was asked for.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from annotation.text.duplicates import normal_key
from training.evaluation.contamination import Pair, find_leaks
from training.evaluation.scores import sentence_chrf
from training.recipes.rows import Row, UnusableLine, lines_of, row_of

HOW = ("back_translation", "paraphrase", "label")
# A row is kept when what comes back from it is this like what it was made of, in points of chrF++.
LEAST_ROUND_TRIP = 70.0
# A sentence this much longer or shorter than a person's is lost.
MOST_STRETCHED = 3.0


@dataclass(frozen=True)
class Synthetic:
    """A row that a machine wrote, and the training rows that it was made of."""

    row: Row
    how: str
    parents: tuple[str, ...]
    made_by: str


@dataclass(frozen=True)
class Chosen:
    """The synthetic rows that are trained on, and how many were left out, and why."""

    rows: list[Row]
    without_parents: int
    over_the_share: int


def read_synthetic(path: Path | str) -> list[Synthetic]:
    """The rows of a file. Raises UnusableLine."""
    found = []
    for value, where in lines_of(path):
        row, parents, how = row_of(value, where), value.get("parents"), value.get("how")
        if how not in HOW or not isinstance(parents, list) or not parents or "made_by" not in value:
            raise UnusableLine("Line %(line)s of %(file)s is no synthetic row: it needs parents and a way.", **where)
        found.append(Synthetic(row, how, tuple(str(one) for one in parents), str(value["made_by"])))
    return found


def as_line(one: Synthetic) -> dict[str, Any]:
    """The row as its file holds it."""
    row = one.row
    return {
        "id": row.id,
        "how": one.how,
        "parents": list(one.parents),
        "made_by": one.made_by,
        "lesson": {"system": row.system, "request": row.request, "completion": row.completion},
    }


def choose(synthetic: Sequence[Synthetic], trained: Collection[str], share: float) -> Chosen:
    """Those whose parents all are training rows, in the order of the file, up to `share` of all that is trained on."""
    living = [one for one in synthetic if set(one.parents) <= set(trained)]
    most = math.floor(len(trained) * share / (1 - share))
    return Chosen([one.row for one in living[:most]], len(synthetic) - len(living), max(0, len(living) - most))


def refused(text: str, like: str, returned: str, original: str) -> str:
    """Why a text that a machine wrote is not kept; empty when it is.

    `like` is a text of the same sort that a person wrote, by which its length is judged; `returned` is what a model
    made of `text` that should be `original` again.
    """
    if not text.strip():
        return "empty"
    if not 1 / MOST_STRETCHED <= len(text) / max(1, len(like)) <= MOST_STRETCHED:
        return "length"
    if _repeats(text):
        return "repeats"
    return "meaning" if sentence_chrf(returned, original) < LEAST_ROUND_TRIP else ""


def copies(texts: Sequence[str], written: Sequence[str]) -> set[int]:
    """Places of texts that are (nearly) one that people wrote, or the same as one before them."""
    known = {normal_key(one) for one in written}
    found = set()
    for place, text in enumerate(texts):
        if (key := normal_key(text)) in known:
            found.add(place)
        known.add(key)
    leaks = find_leaks(
        [Pair(str(place), "", text) for place, text in enumerate(written)],
        [Pair(str(place), "", text) for place, text in enumerate(texts)],
    )
    return found | {int(leak.held_out) for leak in leaks}


def _repeats(text: str) -> bool:
    """Whether it says one thing over and over, as models do that are lost."""
    words = text.split()
    return len(words) >= 6 and len(set(words)) <= len(words) / 3
