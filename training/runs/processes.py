"""What every process that loads a model has in common: its surroundings, and the lines it writes."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

SECRET = {"DATABASE_URL", "REDIS_URL", "DJANGO_SECRET_KEY", "WORDHEARTH_HUB_TOKEN"}
# Translated where it is shown, like every failure.
ENDED = gettext_noop("The model process ended unexpectedly.")
SILENT = gettext_noop("The model process did not answer in time.")


class ProcessEnded(RuntimeError):
    """The process ended before its work was done, or fell silent."""


def recipe_environment() -> dict[str, str]:
    """A recipe needs neither the database nor the secret key, so it does not get them; nor does it ask the network."""
    return {
        **{key: value for key, value in os.environ.items() if key not in SECRET},
        "PYTHONPATH": str(settings.BASE_DIR),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        # Where the pieces of spBLEU lie, if whoever keeps this machine put them there.
        "SACREBLEU": str(Path(settings.MODELS_DIR) / "sacrebleu"),
        "TOKENIZERS_PARALLELISM": "false",
        "MKL_CBWR": "AVX2",
        # Nothing here is compiled, and what the libraries load for it takes a quarter of a recipe's start.
        "TORCHDYNAMO_DISABLE": "1",
    }


def last_facts(command: Sequence[str], goes_on: Callable[[], bool], *, silence: float) -> dict[str, Any] | None:
    """The facts that a recipe's command says last, as a line of JSON; None once `goes_on` says that this worker is to
    stop. Raises ProcessEnded, with the recipe's own words where it refused."""
    facts: dict[str, Any] = {}
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=recipe_environment(),
        ) as process,
    ):
        try:
            for line in json_lines(process, silence=silence):
                if not goes_on():
                    return None
                facts = line or facts
            code = process.wait()
        finally:
            process.kill()
        if code:
            errors.seek(0)
            said = errors.read().decode(errors="replace").strip().splitlines()
            raise ProcessEnded(said[-1][:500] if said and code == 1 else ENDED)
    return facts


def json_lines(process: subprocess.Popen[bytes], *, silence: float) -> Iterator[dict[str, Any] | None]:
    """The JSON objects that a process writes, one a line, and None every few seconds in between, so that the reader
    can look at other things.

    Raises ProcessEnded when it has been silent for that many seconds; ends with the process's output.
    """
    assert process.stdout is not None  # noqa: S101 - opened as a pipe
    descriptor, rest = process.stdout.fileno(), b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        last = time.monotonic()
        while True:
            if not selector.select(timeout=2):
                if time.monotonic() - last > silence:
                    raise ProcessEnded(SILENT)
                yield None
                continue
            content = os.read(descriptor, 65536)
            if not content:
                return
            last = time.monotonic()
            *lines, rest = (rest + content).split(b"\n")
            for line in lines:
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                if isinstance(event, dict):
                    yield event
