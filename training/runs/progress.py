"""Reading a run's log.jsonl: the newest facts for the page, and the curve of its losses."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Of every line that says them: how much electricity was used so far, in Wh, and where the figure comes from.
ENERGY = ("energy_wh", "energy_between_wh", "energy_source")


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """The log's events in order; a last line that is still being written is left for later."""
    try:
        content = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in content.splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event


class LogReader:
    """Follows a log file that grows, and keeps the newest facts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._rest = b""
        self._facts: dict[str, Any] = {}

    def progress(self) -> dict[str, Any]:
        """Phase, step, loss, speed, time left and energy, as far as the log has come."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except OSError:
            return dict(self._facts)
        self._offset += len(content)
        *lines, self._rest = (self._rest + content).split(b"\n")
        for line in lines:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            self._take(event)
        return dict(self._facts)

    def _take(self, event: dict[str, Any]) -> None:
        kind = event.pop("event", "")
        self._facts.update({key: event[key] for key in ENERGY if key in event})
        if kind == "phase":
            self._facts["phase"] = event.get("phase", "")
            for key in ("done", "of"):
                self._facts.pop(key, None)
            if event.get("other_seed") != self._facts.get("other_seed"):
                # Another training begins; what was said of the one before is not true of it.
                for key in ("other_seed", "step", "steps", "seconds_left"):
                    self._facts.pop(key, None)
                self._facts |= {key: event[key] for key in ("other_seed",) if key in event}
        elif kind in {"step", "progress"}:
            self._facts.update(event)
        elif kind == "validation":
            self._facts["validation_bpb"] = event.get("bpb")


def loss_curve(path: Path) -> dict[str, Any]:
    """Points (step, value) of the training loss in nats per token, and of the bits per byte on validation, of the run's
    own training, not of those with other seeds; and where it ended early, the step to which it went back (else None).
    """
    training: dict[int, float] = {}
    validation: dict[int, float] = {}
    kept: int | None = None
    for event in read_events(path):
        if "other_seed" in event:
            continue
        if event.get("event") == "step" and isinstance(event.get("loss"), float | int):
            if event["step"] == 1:
                # It began anew, and what was learnt before is gone.
                training, validation, kept = {}, {}, None
            training[int(event["step"])] = float(event["loss"])
        elif event.get("event") == "validation" and isinstance(event.get("bpb"), float | int):
            validation[int(event["step"])] = float(event["bpb"])
        elif event.get("event") == "kept":
            kept = int(event["kept_step"])
    return {"training": sorted(training.items()), "validation": sorted(validation.items()), "kept_step": kept}


def failure_message(folder: Path, code: int) -> str:
    """Why a recipe process failed, in one line for people."""
    errors = [event for event in read_events(folder / "log.jsonl") if event.get("event") == "error"]
    if errors:
        return str(errors[-1].get("message", ""))[:2000]
    if code < 0:
        name = signal.Signals(-code).name
        hint = " The machine may have run out of memory." if name == "SIGKILL" else ""
        return f"The training process was ended by {name}.{hint}"
    return f"The training process ended with code {code}; output.txt in the run's folder has its last words."
