"""Packing a release's folder for a download."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

IN_MEMORY = 5_000_000
# A fixed date makes two downloads of one release the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)


def zip_folder(folder: Path, *, name: str, beside: Mapping[str, bytes] | None = None) -> IO[bytes]:
    """A zip of the folder's files under one folder called `name`, with what is to lie `beside` them; on disk when it is
    large.
    """
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the response closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            _add(archive, f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes())
        for added, content in (beside or {}).items():
            _add(archive, f"{name}/{added}", content)
    file.seek(0)
    return file


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, date_time=DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)
