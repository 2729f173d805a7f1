"""`script/bench consistency [--data FOLDER]`: which of the planted wrong labels are found, and what repairing gains.

FOLDER (or a file) holds .jsonl files with {"tokens", "spans": [[first, last + 1, label]]} or
{"text", "gold": [[start, end, label]]} on each line; other lines are passed over. Without one the text is made up.
`docs/consistency.md` says what was measured and what it does not show.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from rich import box
from rich.table import Table

from annotation.consistency.rows import Mark, Row
from annotation.consistency.trial import made_up, try_once
from wordhearth.benches.rating import mean_and_interval

NEEDS_SITE = False
TAKES_DATA = True

SHARE = 0.05
SEEDS = range(100, 105)
# What CroAno's authors report for revising two public data sets with theirs; their noise was real, and unknown.
PUBLISHED = (1.96, 2.57)
WAYS = {
    "random": "marks in random order",
    "majority": "plain surface majority",
    "detector": "detector",
    "suspects": "suspect labels",
    "together": "both together",
}
TAUGHT = {
    "noisy": "as planted",
    "random": "repaired at random",
    "majority": "repaired by surface majority",
    "together": "repaired by both together",
    "right": "without planted errors",
}
MADE_UP = "made-up text"

Facts = dict[str, Any]


def run(*, data: Sequence[Path] = ()) -> Facts:
    """Plant, search and repair in every set with every seed, and sum up over the seeds."""
    sets = {name: rows for path in data for name, rows in read_sets(path)}
    if data and not sets:
        raise CommandError("No file there has lines with tokens and spans, or with text and gold.")
    sets = sets or {MADE_UP: made_up(rows=1500, seed=1)}
    jobs = list(product(sets, SEEDS))
    with ProcessPoolExecutor(max_workers=os.cpu_count()) as pool:
        tried = list(pool.map(_try, *zip(*((sets[name], seed) for name, seed in jobs), strict=True)))
    measured = {
        name: summarise([facts for (of, _), facts in zip(jobs, tried, strict=True) if of == name]) for name in sets
    }
    return {
        "sets": measured,
        "means": {
            f"{way}_{what}": sum(one[f"{way}_{what}"]["mean"] for one in measured.values()) / len(measured)
            for way in WAYS
            for what in ("precision", "recall")
        },
        "share": SHARE,
        "seeds": len(SEEDS),
        "gain_published": list(PUBLISHED),
    }


def _try(rows: list[Row], seed: int) -> dict[str, float]:
    return try_once(rows, share=SHARE, seed=seed)


def summarise(tried: Sequence[dict[str, float]]) -> Facts:
    """Mean and 95 % interval of every figure over the seeds, and the gains by repairing, in points of F1."""
    for one in tried:
        for way in ("random", "majority", "together"):
            one[f"gain_{way}"] = 100 * (one[f"f1_{way}"] - one["f1_noisy"])
        one["gain_possible"] = 100 * (one["f1_right"] - one["f1_noisy"])
    return {name: mean_and_interval([one[name] for one in tried]) for name in tried[0]}


def read_sets(path: Path) -> Iterator[tuple[str, list[Row]]]:
    """The sets of a folder: one for each file that has lines of this kind, named after its folder and itself."""
    if not path.exists():
        raise CommandError(f"There is no {path}.")
    for file in [path] if path.is_file() else sorted(path.rglob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            rows = [row for number, line in enumerate(lines) if (row := _row(str(number), json.loads(line)))]
        if rows and any(row.marks for row in rows):
            yield f"{file.parent.name}/{file.stem}", rows


def _row(key: str, read: dict[str, Any]) -> Row | None:
    if {"tokens", "spans"} <= read.keys():
        starts = [0]
        for token in read["tokens"]:
            starts.append(starts[-1] + len(token) + 1)
        marks = tuple(Mark(starts[first], starts[last] - 1, label) for first, last, label in read["spans"])
        return Row(key=key, text=" ".join(read["tokens"]), marks=marks)
    if {"text", "gold"} <= read.keys() and isinstance(read["gold"], list):
        return Row(key=key, text=read["text"], marks=tuple(Mark(*mark) for mark in read["gold"]))
    return None


def table(facts: Facts) -> Table:
    """The same for people: mean ± half of the 95 % interval."""
    shown = Table(
        title=f"{facts['share']:.0%} of the marks made wrong; means over {facts['seeds']} seeds with 95 % intervals",
        title_justify="left",
        caption="Precision of the first 100 places shown; recall with as many places as errors were planted; both in %."
        "\nF1: of a tagger on a fifth of the texts that nothing was planted in, after an expert saw 5 % of the texts."
        f"\nCroAno's authors report +{facts['gain_published'][0]} and +{facts['gain_published'][1]} for other sets, "
        "with real errors, all of which they revised.",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        padding=0,
    )
    for name in ("set, way", "precision", "recall", "F1", "gain"):
        shown.add_column(name, justify="left" if name == "set, way" else "right", no_wrap=True)
    for name, measured in facts["sets"].items():
        planted, marks = measured["planted"]["mean"], measured["marks"]["mean"]
        shown.add_row(f"[bold]{name}[/]: {planted:.0f} of {marks:.0f} marks planted")
        for way, words in WAYS.items():
            shown.add_row(f"  {words}", *(_cell(measured[f"{way}_{what}"]) for what in ("precision", "recall")))
        for taught, words in TAUGHT.items():
            gained = "gain_possible" if taught == "right" else f"gain_{taught}"
            gain = _cell(measured[gained], times=1, digits=2) if gained in measured else ""
            shown.add_row(f"  {words}", "", "", _cell(measured[f"f1_{taught}"]), gain)
    return shown


def _cell(figure: Facts, times: int = 100, digits: int = 1) -> str:
    low, high = figure["interval"]
    return f"{times * figure['mean']:.{digits}f} ±{times * (high - low) / 2:.{digits}f}"
