"""Finding a Chromium for benches and browser tests."""

from __future__ import annotations

import os
import shutil

from django.core.management.base import CommandError
from playwright.sync_api import Browser, Error, Playwright

# The first has no window to draw, and needs a third less processor time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nothing in the background may talk to another host, or weigh in a measurement.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """Path of an installed Chromium (WORDHEARTH_CHROMIUM first); None leaves it to playwright's own."""
    given = os.environ.get("WORDHEARTH_CHROMIUM")
    return given or next((path for name in NAMES if (path := shutil.which(name))), None)


def launch(playwright: Playwright) -> Browser:
    """Start it. Raises CommandError, with what to install, where none starts."""
    try:
        return playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
    except Error as error:
        raise CommandError(
            f"No Chromium starts here: {error.message.splitlines()[0]}\n"
            "Install one (Debian: apt-get install chromium; else: .venv/bin/python -m playwright install chromium),\n"
            "or name one: WORDHEARTH_CHROMIUM=/path/to/chromium"
        ) from error
