"""An adapter beside the one in service, read by a worker on sentences that neither of them learnt from."""

from __future__ import annotations

import hashlib
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from annotation.answers.models import Answer
from care.models import Purpose
from care.purposes import reading_for
from training.evaluation.scores import bits_per_byte, difference_interval
from training.releases.leaks import leaks_between
from training.releases.services import folder_of as release_folder
from training.releases.splits import TEST, TRAIN, VALIDATION
from training.runs.artefacts import adapter_folder
from training.runs.base_models import find_base_model
from training.runs.models import Adapter
from training.runs.processes import ENDED, ProcessEnded, json_lines, recipe_environment
from training.runs.promotion import in_service

SILENCE_SECONDS = 600.0
MOST_SENTENCES = 400


def compare_with_service(adapter: Adapter) -> dict[str, Any]:
    """Measure the adapter and the one in service on the same sentences, and keep what was found with the adapter.

    The sentences are the held-out ones of both releases, without those that the other adapter learnt from, nearly or
    to the letter, and those that may not measure models now: so neither is flattered, and what was measured earlier is
    not forgotten. Empty where nothing is in service. Raises ProcessEnded, OSError.
    """
    served = in_service(adapter.run.release.project)
    if served is None or served.pk == adapter.pk or adapter.is_whole_model:
        return {}
    rows = rows_for(adapter, served)
    if not rows:
        return {}
    first, second = (_losses(one, rows) for one in (served, adapter))
    # A sentence that is too long for one of them is read by neither.
    rows = [row for row in rows if row["id"] in first and row["id"] in second]
    sizes = [len(row["completion"].encode()) for row in rows]
    before, after = ([nats[row["id"]] for row in rows] for nats in (first, second))
    interval = difference_interval(before, after, sizes)
    found = {
        "with": served.sha256,
        "run": served.run.number,
        "sentences": len(rows),
        "before": bits_per_byte(before, sizes),
        "after": bits_per_byte(after, sizes),
        "low": interval.low,
        "high": interval.high,
    }
    Adapter.objects.filter(pk=adapter.pk).update(comparison=found)
    return found


def rows_for(adapter: Adapter, served: Adapter) -> list[dict[str, str]]:
    """The sentences for both, in an order that follows from their ids alone; no more than are read in some minutes."""
    mine, theirs = adapter.run.release, served.run.release
    # What validated one of them may have decided when it stopped, so it counts as learnt.
    seen = [(release, split) for release in (mine, theirs) for split in (TRAIN, VALIDATION)]
    trained = {row["id"]: row for release, split in seen for row in _split(release, split)}
    held_out = {row["id"]: row for release in (mine, theirs) for row in _split(release, TEST)}
    held_out = {name: row for name, row in held_out.items() if name not in trained}
    splits = {**dict.fromkeys(trained, TRAIN), **dict.fromkeys(held_out, TEST)}
    for leak in leaks_between([*trained.values(), *held_out.values()], splits, mine.project.task_kind):
        del held_out[leak.held_out]
    with reading_for(Purpose.EVALUATE_MODELS):
        usable = Answer.objects.filter(pk__in=held_out).eligible_for(Purpose.EVALUATE_MODELS)
        names = {str(pk) for pk in usable.values_list("pk", flat=True)}
    ordered = sorted(names & set(held_out), key=lambda name: hashlib.sha256(name.encode()).digest())
    wanted = ("system", "request", "completion")
    return [{"id": name, **{key: held_out[name]["lesson"][key] for key in wanted}} for name in ordered[:MOST_SENTENCES]]


def _split(release: Any, split: str) -> list[dict[str, Any]]:
    content = (release_folder(release) / "data" / f"{split}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in content.split("\n") if line]


def _losses(adapter: Adapter, rows: list[dict[str, str]]) -> dict[str, float]:
    """Nats of each row's completion, by its id. Raises ProcessEnded."""
    base = find_base_model(adapter.run.base_model)
    if base is None:
        raise ProcessEnded(gettext_noop("The base model is not on this worker."))
    # The file holds people's words, and goes with the folder.
    with tempfile.TemporaryDirectory(dir=settings.RUNS_DIR) as folder:
        file = Path(folder) / "rows.jsonl"
        file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
        command = [sys.executable, "-m", "training.recipes.probe", str(file)]
        with subprocess.Popen(
            [*command, "--base", str(base.folder), "--adapter", str(adapter_folder(adapter))],
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            env=recipe_environment(),
        ) as process:
            try:
                readings = [reading for reading in json_lines(process, silence=SILENCE_SECONDS) if reading]
            finally:
                process.kill()
    sizes = {row["id"]: len(row["completion"].encode()) for row in rows}
    found = {
        reading["id"]: reading["adapter"]["loss"] * math.log(2) * sizes[reading["id"]]
        for reading in readings
        if not reading.get("skipped")
    }
    if len(readings) < len(rows):
        raise ProcessEnded(ENDED)
    return found
