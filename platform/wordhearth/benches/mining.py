"""`script/bench mining [--data RUN_FOLDER]`: whether what an adapter finds hard is what is wrong.

Every tenth answer of the release that a finished run learnt from changes its words with another of about the same
length; then the run's adapter reads all of them. `docs/mining.md` says what the figures mean. Without a folder: the
newest finished run of this installation (`script/demo` makes one).
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.management.base import CommandError
from rich import box
from rich.table import Table
from scipy.stats import rankdata

from training.runs.processes import recipe_environment

NEEDS_SITE = False
TAKES_DATA = True

SHARE = 0.1
SEED = 1
MEASURES = ("loss", "entropy")
PARTS = {"learnt": ("train",), "held_out": ("validation", "test")}

Facts = dict[str, Any]


def run(*, data: Sequence[Path] = ()) -> Facts:
    """Exchange, read, and say how well each measure tells the exchanged answers from the others."""
    folder = data[0] if data else newest_run()
    config = tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))
    rows, wrong = exchange({part: read_splits(config["data"], splits) for part, splits in PARTS.items()})
    read = probe(folder, config, [row for part in rows.values() for row in part])
    parts = {part: judge([row for row in some if row["id"] in read], wrong, read) for part, some in rows.items()}
    return {
        "share": SHARE,
        **{f"{part}_{name}": value for part, found in parts.items() for name, value in found.items()},
    }


def newest_run() -> Path:
    """The folder of the run that made an adapter last."""
    made = sorted(Path(settings.RUNS_DIR).glob("*/*/report.json"), key=lambda path: path.stat().st_mtime)
    if not made:
        raise CommandError("No run has made an adapter here yet. script/demo makes one.")
    return made[-1].parent


def read_splits(paths: dict[str, str], splits: Sequence[str]) -> list[Facts]:
    """The rows of these splits, as the probe's process is asked for them."""
    lines = [line for split in splits for line in Path(paths[split]).read_text(encoding="utf-8").split("\n") if line]
    return [{"id": row["id"], **row["lesson"]} for row in map(json.loads, lines)]


def exchange(parts: dict[str, list[Facts]]) -> tuple[dict[str, list[Facts]], set[str]]:
    """Change words between pairs of about equal length within each part; returns the parts and who was changed."""
    random_, wrong = random.Random(SEED), set()  # noqa: S311 - a draw that can be repeated, not secrecy
    for rows in parts.values():
        pairs = max(1, round(len(rows) * SHARE / 2))
        chosen = sorted(
            random_.sample(rows, min(2 * pairs, len(rows) // 2 * 2)), key=lambda row: len(row["completion"])
        )
        for one, other in zip(chosen[::2], chosen[1::2], strict=True):
            one["completion"], other["completion"] = other["completion"], one["completion"]
            wrong |= {one["id"], other["id"]}
    return parts, wrong


def probe(folder: Path, config: Facts, rows: Sequence[Facts]) -> dict[str, Facts]:
    """What the adapter makes of each row that is not too long."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "rows.jsonl"
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        module = [sys.executable, "-m", "training.recipes.probe", str(file)]
        done = subprocess.run(
            [*module, "--base", config["base"]["path"], "--adapter", str(folder / "adapter")],
            cwd=settings.BASE_DIR,
            env=recipe_environment(),
            stdout=subprocess.PIPE,
            check=True,
        )
    found = [json.loads(line) for line in done.stdout.decode().splitlines()]
    return {one["id"]: one["adapter"] for one in found if "adapter" in one}


def judge(rows: Sequence[Facts], wrong: set[str], read: dict[str, Facts]) -> Facts:
    """Area under the ROC curve of each measure, and the share of exchanged answers in the hardest tenth."""
    is_wrong = np.array([row["id"] in wrong for row in rows])
    found: Facts = {"answers": len(rows), "exchanged": int(is_wrong.sum())}
    for measure in MEASURES:
        values = np.array([read[row["id"]][measure] for row in rows])
        hardest = np.argsort(-values, kind="stable")[: max(1, int(is_wrong.sum()))]
        found |= {
            f"{measure}_auc": area_under_curve(values, is_wrong),
            f"{measure}_precision": float(is_wrong[hardest].mean()),
        }
    return found


def area_under_curve(values: np.ndarray[Any, Any], is_wrong: np.ndarray[Any, Any]) -> float:
    """The chance that an exchanged answer has a larger value than another one (Mann-Whitney U)."""
    positive, negative = int(is_wrong.sum()), int((~is_wrong).sum())
    if not positive or not negative:
        return 0.5
    ranks = rankdata(values)[is_wrong].sum()
    return float((ranks - positive * (positive + 1) / 2) / (positive * negative))


def table(facts: Facts) -> Table:
    """The same for people."""
    shown = Table(
        title=f"{facts['share']:.0%} of the answers exchanged",
        title_justify="left",
        caption="Area under the ROC curve: 0.5 is chance, 1 is perfect. Precision: exchanged ones among as many of the "
        "hardest.",
        caption_justify="left",
        box=box.SIMPLE_HEAD,
    )
    for name in ("answers", "number", "exchanged", "measure", "area", "precision"):
        shown.add_column(name, justify="left" if name in {"answers", "measure"} else "right")
    for part in PARTS:
        for measure in MEASURES:
            shown.add_row(
                part.replace("_", " "),
                str(facts[f"{part}_answers"]),
                str(facts[f"{part}_exchanged"]),
                measure,
                f"{facts[f'{part}_{measure}_auc']:.3f}",
                f"{facts[f'{part}_{measure}_precision']:.2f}",
            )
    return shown
