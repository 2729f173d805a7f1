"""Packing a run's folder for a download."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import IO

IN_MEMORY = 5_000_000
# What a worker leaves for the next one; what the run learnt, which leaves by `training.exports` alone; and what it
# learnt from, as the release is not in it either.
LEFT_OUT = ("checkpoints", "process.json", "adapter", "exports", "beside")


def zip_run(folder: Path, *, name: str) -> IO[bytes]:
    """A zip of the folder's files under one folder called `name`; on disk when it is large."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the response closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            parts = path.relative_to(folder).parts
            if path.is_file() and parts[0] not in LEFT_OUT and not parts[0].startswith("."):
                archive.write(path, f"{name}/{'/'.join(parts)}")
    file.seek(0)
    return file
