"""`script/bench explaining [--data RUN_FOLDER]`: what explaining an adapter's answers costs, and is worth.

The run's adapter answers held-out requests, and which of their words each answer hangs on is asked twice, by two seeds.
Then words are left out one by one, those with the largest weights first, and in orders drawn by chance.
`docs/evaluation.md` says what the figures mean. Without a folder: the newest finished run of this installation.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, median
from typing import Any

from django.conf import settings
from rich import box
from rich.table import Table

from training.evaluation.explaining import MOST_WORDS, STABLE, units_of
from training.runs.processes import recipe_environment
from wordhearth.benches.mining import newest_run

NEEDS_SITE = False
TAKES_DATA = True

ANSWERS = 6
# A shorter request has no more texts without some of its words than are tried: there is no chance in it.
FEWEST_WORDS = 8

Facts = dict[str, Any]


def run(*, data: Sequence[Path] = ()) -> Facts:
    """Explain, and say how long it took, how stable the weights are and what they tell."""
    folder = data[0] if data else newest_run()
    config = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "rows.jsonl"
        file.write_text("".join(f"{json.dumps(row)}\n" for row in asked(config["data"]["test"])), encoding="utf-8")
        module = [sys.executable, "-m", "training.recipes.explain", "--check", str(file)]
        done = subprocess.run(
            [*module, "--base", config["base"]["path"], "--adapter", str(folder / "adapter")],
            cwd=settings.BASE_DIR,
            env=recipe_environment(),
            stdout=subprocess.PIPE,
            check=True,
        )
    found = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return summed(found)


def asked(path: str) -> list[Facts]:
    """The first held-out requests that are neither too short nor too long, cut into words."""
    rows = [json.loads(line) for line in Path(path).read_text(encoding="utf-8").split("\n") if line]
    found = []
    for row in rows:
        source = row.get("source") or row.get("text") or row["lesson"]["request"]
        before, _, after = row["lesson"]["request"].partition(source)
        units = units_of(source)
        if FEWEST_WORDS <= len(units) <= MOST_WORDS:
            made = {"system": row["lesson"]["system"], "before": before, "units": units, "after": after}
            found.append({"id": row["id"], **made})
    return found[:ANSWERS]


def summed(found: Sequence[Facts]) -> Facts:
    """All answers together; the ratio is that of the mean losses, None where chance cost nothing: an answer that hangs
    on no word may even be likelier without some."""
    by_weight, by_chance = (fmean(one[name] for one in found) for name in ("lost", "lost_by_chance"))
    return {
        "answers": len(found),
        "words": median(len(one["weights"]) for one in found),
        "samples": max(one["samples"] for one in found),
        "seconds": median(one["seconds"] for one in found),
        "seconds_at_most": max(one["seconds"] for one in found),
        "r2": median(one["r2"] for one in found),
        "lost": by_weight,
        "lost_by_chance": by_chance,
        "ratio": by_weight / by_chance if by_chance > 0 else None,
        "lost_more": sum(one["lost"] > one["lost_by_chance"] for one in found),
        "seeds": median(one["seeds"] for one in found),
        "seeds_at_least": min(one["seeds"] for one in found),
        "unlike": sum(one["seeds"] < STABLE for one in found),
        "flagged": sum(one["agreement"] < STABLE for one in found),
        "unlike_and_flagged": sum(one["seeds"] < STABLE and one["agreement"] < STABLE for one in found),
    }


def table(facts: Facts) -> Table:
    """The same for people."""
    shown = Table(
        title=f"{facts['answers']} answers, {facts['words']:.0f} words in the middle one's request",
        title_justify="left",
        caption="Lost: mean nats a token that the answer loses while words go one by one. Seeds: Spearman.",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for name in ("figure", "value"):
        shown.add_column(name, justify="left" if name == "figure" else "right")
    for name, value in facts.items():
        shown.add_row(name.replace("_", " "), f"{value:.3f}" if isinstance(value, float) else str(value))
    return shown
