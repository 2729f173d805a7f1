"""What a recipe writes while it works: log.jsonl line by line, time and energy so far, and checkpoints."""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from training.metering.band import Band
from training.metering.power import Meter
from training.recipes.devices import any_of_us, is_shared_out


class Stopped(Exception):
    """The process was asked to stop (SIGTERM or SIGINT); a checkpoint is there."""


class Journal:
    """Appends events to log.jsonl and adds up seconds and energy, those of earlier attempts included."""

    def __init__(self, folder: Path, *, is_muted: bool = False) -> None:
        """Muted, it writes nothing: where several processes train, one tells of it."""
        self._path, self._is_muted = folder / "log.jsonl", is_muted
        self.meter = Meter()
        """Of the electricity that is used; it knows nothing until the configuration is read."""
        self.about: dict[str, Any] = {}
        """What every line says besides, for the time being."""
        self._before, self._energy_before = self._spent_before()
        if not is_muted:
            self._mend()
        self._started = time.monotonic()
        self._stop_asked = False
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._ask_to_stop)

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop_asked = True

    @property
    def stop_asked(self) -> bool:
        """Whether the process was asked to stop; or any of them, where none can read the model alone."""
        return any_of_us(self._stop_asked) if is_shared_out() else self._stop_asked

    def _mend(self) -> None:
        """End a line that was cut when an earlier attempt was killed, so that the next event stays readable."""
        if self._path.is_file() and (content := self._path.read_bytes()) and not content.endswith(b"\n"):
            with self._path.open("ab") as file:
                file.write(b"\n")

    def _spent_before(self) -> tuple[float, Band]:
        """Seconds and watt-hours of earlier attempts: what the last readable line says."""
        try:
            lines = self._path.read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            return 0.0, Band()
        for line in reversed(lines):
            try:
                event = json.loads(line)
                energy = float(event["energy_wh"])
                low, high = event.get("energy_between_wh", (energy, energy))
                return float(event["seconds"]), Band(float(low), energy, float(high))
            except (ValueError, KeyError, TypeError):
                continue
        return 0.0, Band()

    @property
    def seconds(self) -> float:
        """Seconds of work so far, over all attempts."""
        return self._before + time.monotonic() - self._started

    @property
    def watt_hours(self) -> Band:
        """Energy so far, over all attempts; what was used after the last line of one that was killed is lost."""
        return self._energy_before + self.meter.watt_hours()

    def write(self, event: str, **facts: Any) -> None:
        """Append one event; it is on disk when this returns, so a page can show it."""
        if self._is_muted:
            return
        energy = self.watt_hours.rounded(5)
        line = {
            "event": event,
            **self.about,
            **facts,
            "seconds": round(self.seconds, 2),
            "energy_wh": energy.middle,
            "energy_between_wh": [energy.low, energy.high],
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def phase(self, name: str) -> None:
        """Say what is being done now."""
        self.write("phase", phase=name, at=datetime.now(UTC).isoformat(timespec="seconds"))


def peak_memory_mb() -> float:
    """Most resident memory of this process so far, in MiB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20) if sys.platform == "darwin" else most / 1024


def save_checkpoint(folder: Path, step: int, state: dict[str, Any]) -> None:
    """Write checkpoints/step-N whole or not at all, and keep the last two."""
    root = folder / "checkpoints"
    root.mkdir(exist_ok=True)
    building = root / f"building-{step}.tmp"
    torch.save(state, building)
    os.replace(building, root / f"step-{step:08d}.pt")
    for old in sorted(root.glob("step-*.pt"))[:-2]:
        old.unlink()


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """The newest checkpoint that can be read, if there is one."""
    for path in sorted((folder / "checkpoints").glob("step-*.pt"), reverse=True):
        try:
            state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu")
        except (OSError, RuntimeError, ValueError, EOFError):
            continue
        return state
    return None


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all."""
    building = path.with_name(f".{path.name}")
    building.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(building, path)
