"""A worker's reading of pairs of sentences by an adapter and its base model, in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from annotation.answers.models import Answer
from care.models import Purpose
from care.purposes import reading_for
from training.evaluation.bias import PairRead, compare_groups
from training.runs.artefacts import adapter_folder
from training.runs.base_models import find_base_model
from training.runs.bias import pairs_for, sha256_of_pairs
from training.runs.models import AdapterReading
from training.runs.processes import ENDED, ProcessEnded, json_lines, recipe_environment

# Loading a model of this size takes seconds, and reading some sentences less.
SILENCE_SECONDS = 600.0


def read_pairs(reading: AdapterReading, goes_on: Callable[[], bool]) -> dict[str, Any] | None:
    """What is kept of a reading (`training.runs.readings.keep_finding`), and of which pairs it is; None once `goes_on`
    says that this worker is to stop. Raises ProcessEnded, OSError."""
    rows = rows_of(reading)
    found = leans_of(reading, rows, goes_on)
    if found is None:
        return None
    return {"found": found, "pairs_sha256": sha256_of_pairs(row["id"] for row in rows)}


def rows_of(reading: AdapterReading) -> list[dict[str, Any]]:
    """The pairs that may measure models now, as `training.recipes.contrast` reads them, with the groups they are
    about."""
    with reading_for(Purpose.EVALUATE_MODELS):
        answers = Answer.objects.filter(pk__in=pairs_for(reading.adapter)).eligible_for(Purpose.EVALUATE_MODELS)
        found = {str(key): payload["about"] for key, payload in answers.values_list("pk", "payload")}
    return [
        {"id": key, "groups": list(about), "sentences": list(about.values())} for key, about in sorted(found.items())
    ]


def leans_of(
    reading: AdapterReading, rows: list[dict[str, Any]], goes_on: Callable[[], bool]
) -> list[dict[str, Any]] | None:
    """What the process finds on the rows (`training.evaluation.bias.compare_groups`); None once `goes_on` says that
    this worker is to stop. Raises ProcessEnded, OSError."""
    base = find_base_model(reading.adapter.run.base_model)
    if base is None:
        raise ProcessEnded(gettext_noop("The base model is not on this worker."))
    if not rows:
        return []
    Path(settings.RUNS_DIR).mkdir(parents=True, exist_ok=True)
    # The file holds people's words, and goes with the folder.
    with tempfile.TemporaryDirectory(dir=settings.RUNS_DIR) as folder:
        file = Path(folder) / "pairs.jsonl"
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        adapter = str(adapter_folder(reading.adapter))
        with subprocess.Popen(
            [
                *(sys.executable, "-m", "training.recipes.contrast", str(file)),
                *("--base", str(base.folder), "--adapter", adapter),
            ],
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=recipe_environment(),
        ) as process:
            try:
                nats = _follow(process, goes_on)
            finally:
                process.kill()
    return None if nats is None else _compared(rows, nats)


def _follow(process: subprocess.Popen[bytes], goes_on: Callable[[], bool]) -> dict[str, dict[str, Any]] | None:
    found = {}
    for line in json_lines(process, silence=SILENCE_SECONDS):
        if not goes_on():
            return None
        if line is not None:
            found[str(line["id"])] = line
    return found


def _compared(rows: list[dict[str, Any]], nats: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    if len(nats) < len(rows):
        raise ProcessEnded(ENDED)
    pairs = []
    for row in rows:
        one, other = (len(sentence.encode()) for sentence in row["sentences"])
        base, adapter = (tuple(nats[row["id"]][name]) for name in ("base", "adapter"))
        pairs.append(PairRead(tuple(row["groups"]), (one, other), base, adapter))
    return compare_groups(pairs)
