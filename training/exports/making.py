"""The processes that make an adapter's file, and the zip that they end in."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from training.exports.models import Export
from training.exports.services import ranks_of, subject_of_export
from training.releases.archives import DATE
from training.runs.artefacts import adapter_folder, folder_of
from training.runs.processes import last_facts

# Merging and measuring a model of this size takes minutes on a slow machine, and nothing is said meanwhile.
SILENCE_SECONDS = 3600.0
GGUF = (Export.Form.F16, Export.Form.Q8_0)


@dataclass(frozen=True)
class Made:
    """A zip that is ready, its hash, and what was measured of what is in it."""

    file: Path
    sha256: str
    facts: dict[str, Any]


@contextmanager
def make(export: Export, goes_on: Callable[[], bool], *, now: datetime) -> Iterator[Made | None]:
    """The export's zip, in a folder that goes afterwards; None once `goes_on` says that this worker is to stop.

    Raises ProcessEnded, OSError.
    """
    export.file.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=export.file.parent) as place:
        content = Path(place) / "content"
        if export.form in GGUF:
            content.mkdir()
        facts: dict[str, Any] | None = {}
        if export.form == Export.Form.ADAPTER and export.rank is None:
            shutil.copytree(adapter_folder(export.adapter), content)
        else:
            for command in commands(export, Path(place), content):
                facts = last_facts(command, goes_on, silence=SILENCE_SECONDS)
                if facts is None:
                    yield None
                    return
        if (card := Path(place) / "merged" / "README.md").is_file():
            shutil.copyfile(card, content / "README.md")
        _write(content / "PROVENANCE.json", provenance(export, now))
        file = Path(place) / "export.zip"
        pack(content, file, export.file_name.removesuffix(".zip"))
        yield Made(file, _sha256(file), facts or {})


def commands(export: Export, place: Path, content: Path) -> list[list[str]]:
    """What is run, one after the other; `content` is what is packed in the end."""
    run = folder_of(export.adapter.run)
    rank = ["--rank", str(export.rank)] if export.rank else []
    config, recipes = str(run / "config.toml"), "training.recipes"
    if export.form == Export.Form.ADAPTER and export.is_pruned:
        return [[f"{recipes}.prune", config, str(export.rank), str(content)]]
    if export.form == Export.Form.ADAPTER:
        return [[f"{recipes}.ranks", str(run / "adapter"), str(export.rank), str(content)]]
    merged = content if export.form == Export.Form.MERGED else place / "merged"
    merging = [f"{recipes}.merge", config, str(merged), *rank]
    if export.form not in GGUF:
        return [merging]
    return [merging, [f"{recipes}.to_gguf", config, str(merged), str(content / "model.gguf"), "--kind", export.form]]


def provenance(export: Export, now: datetime) -> dict[str, Any]:
    """What lies beside the file: what it was made of, under which decision it may be had, and what that obliges to."""
    adapter, release = export.adapter, export.adapter.run.release
    return {
        "community": adapter.community.slug,
        "adapter": adapter.pk,
        "adapter_sha256": adapter.sha256,
        "form": export.form,
        "rank": export.rank or adapter.report.get("recipe", {}).get("rank"),
        **({"nearest_to_rank": ranks_of(adapter)[-1]} if export.is_pruned else {}),
        "run": adapter.run.number,
        "release": release.number,
        "release_manifest_sha256": release.sha256,
        "learnt_beside": [
            {"what": one.told, "sha256": one.sha256}
            for one in adapter.run.additions.select_related("made_by__release").order_by("kind")
        ],
        "contributors": release.counts.get("contributors"),
        "purposes": sorted({release.purpose, "release_adapter"}),
        "decided_on": subject_of_export(adapter),
        "check": adapter.check_command,
        "made_at": now.isoformat(),
        "obligations": [
            "Use it only for these purposes, and pass it on only with this file and the same obligations.",
            "When words that it learnt from are withdrawn, delete it and every copy. Ask the community.",
            "What it writes is unverified and no evidence of how the language is spoken.",
        ],
    }


def pack(folder: Path, target: Path, name: str) -> None:
    """A zip of the folder's files under one folder called `name`; weights do not become smaller, so nothing is
    compressed."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(f"{name}/{path.relative_to(folder).as_posix()}", date_time=DATE)
            entry.external_attr = 0o644 << 16
            with path.open("rb") as content, archive.open(entry, "w", force_zip64=True) as packed:
                shutil.copyfileobj(content, packed, 1 << 20)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


__all__ = ["Made", "commands", "make", "pack", "provenance"]
