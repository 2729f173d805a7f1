"""The generating process: `python -m training.recipes.generate`, kept warm between requests."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from training.runs.base_models import BaseModel

IDLE_SECONDS = 600.0
SILENCE_SECONDS = 120.0
# Translated where it is shown, like every failure.
ENDED = gettext_noop("The model process ended unexpectedly.")


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
                for event in _events(process):
                    if event.get("id") != request["id"]:
                        continue
                    yield event
                    if event.get("event") in {"finished", "error"}:
                        return
            except OSError as error:
                self.stop()
                raise EngineFailed(ENDED) from error
            except EngineFailed:
                self.stop()
                raise
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
        secret = {"DATABASE_URL", "REDIS_URL", "DJANGO_SECRET_KEY"}
        kept = {key: value for key, value in os.environ.items() if key not in secret}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "training.recipes.generate", "--base", str(base.folder)],
            cwd=settings.BASE_DIR,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **kept,
                "PYTHONPATH": str(settings.BASE_DIR),
                "HF_HUB_OFFLINE": "1",
                "TRANSFORMERS_OFFLINE": "1",
            },
        )
        self._base = str(base.folder)
        return self._process


def _events(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    """The process's JSON lines; raises EngineFailed when it ends, or is silent for two minutes."""
    assert process.stdout is not None  # noqa: S101 - opened as a pipe
    descriptor = process.stdout.fileno()
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        last = time.monotonic()
        while True:
            if not selector.select(timeout=5):
                if time.monotonic() - last > SILENCE_SECONDS:
                    raise EngineFailed(gettext_noop("The model process did not answer in time."))
                continue
            content = os.read(descriptor, 65536)
            if not content:
                raise EngineFailed(ENDED)
            last = time.monotonic()
            *lines, rest = (rest + content).split(b"\n")
            for line in lines:
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                if isinstance(event, dict):
                    yield event


engine = Engine()
