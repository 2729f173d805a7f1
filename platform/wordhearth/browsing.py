"""Finding a Chromium for benches and browser tests."""

from __future__ import annotations

import os
import shutil

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
