"""The generating process: `python -m training.recipes.generate`, kept warm between requests."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from training.runs.base_models import BaseModel
from training.runs.processes import ENDED, ProcessEnded, json_lines, recipe_environment

IDLE_SECONDS = 600.0
SILENCE_SECONDS = 120.0


class EngineFailed(RuntimeError):
    """The generating process ended or fell silent."""


class Engine:
    """Owns at most one generating process, started when needed and ended when nobody asked for a while."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._base = ""
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def generate(self, base: BaseModel, request: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Send one request and yield its events until it is finished. Raises EngineFailed."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
            process = self._running(base)
            assert process.stdin is not None  # noqa: S101 - opened as a pipe below
            try:
                process.stdin.write(json.dumps(request).encode() + b"\n")
                process.stdin.flush()
                for event in json_lines(process, silence=SILENCE_SECONDS):
                    if event is None or event.get("id") != request["id"]:
                        continue
                    yield event
                    if event.get("event") in {"finished", "error"}:
                        return
                self.stop()
                raise EngineFailed(ENDED)
            except (OSError, ProcessEnded) as error:
                self.stop()
                raise EngineFailed(str(error) if isinstance(error, ProcessEnded) else ENDED) from error
            finally:
                self._timer = threading.Timer(IDLE_SECONDS, self._stop_if_idle)
                self._timer.daemon = True
                self._timer.start()

    def stop(self) -> None:
        """End the process and free its memory."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process = None

    def _stop_if_idle(self) -> None:
        if self._lock.acquire(blocking=False):
            try:
                self.stop()
            finally:
                self._lock.release()

    def _running(self, base: BaseModel) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None and self._base == str(base.folder):
            return self._process
        self.stop()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "training.recipes.generate", "--base", str(base.folder)),
                *("--keep", str(settings.PLAYGROUND_ADAPTERS)),
            ],
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=recipe_environment(),
        )
        self._base = str(base.folder)
        return self._process


engine = Engine()
