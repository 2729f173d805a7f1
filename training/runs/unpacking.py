"""Reading a zip that somebody sent, file by file: only what is expected, no larger than it may be, nowhere else."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import IO

from people.refusals import Invalid

# What a run leaves, with the most bytes of each. An adapter of a large model has some hundred megabytes.
EXPECTED = {
    "report.json": 20_000_000,
    "log.jsonl": 50_000_000,
    "README.md": 1_000_000,
    "adapter/adapter_model.safetensors": 1_000_000_000,
    "adapter/adapter_config.json": 100_000,
    "adapter/README.md": 1_000_000,
}


def unpack(file: IO[bytes], target: Path) -> None:
    """Write the zip's files into a folder, under the names that are expected and no others.

    All of them may lie in one folder. Raises Invalid where one is missing, unknown, twice there or too large, and for
    what is no zip.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            found = _places([entry for entry in archive.infolist() if not entry.is_dir()])
            for name, entry in found.items():
                path = target / name
                path.parent.mkdir(exist_ok=True)
                # No more is read than the entry says, which was compared with what is allowed.
                with archive.open(entry) as content, path.open("wb") as written:
                    shutil.copyfileobj(content, written, 1 << 20)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise Invalid("This is no zip that can be read. Pack it again, without a password.", field="file") from error


def _places(entries: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    first = {entry.filename.partition("/")[0] for entry in entries}
    in_folder = len(first) == 1 and not {"adapter", *EXPECTED} & first
    found: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = entry.filename.partition("/")[2] if in_folder else entry.filename
        if name not in EXPECTED or name in found:
            raise Invalid(
                "The zip holds %(name)s. Send adapter, report.json, log.jsonl and README.md alone.",
                field="file",
                name=entry.filename[:100],
            )
        if entry.file_size > EXPECTED[name]:
            raise Invalid("%(name)s is larger than it may be.", field="file", name=name)
        found[name] = entry
    if missing := [name for name in EXPECTED if name not in found]:
        raise Invalid("The zip lacks %(name)s.", field="file", name=missing[0])
    return found
