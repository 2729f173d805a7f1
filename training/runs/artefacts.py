"""Where runs and adapters lie, and what an adapter's file holds, told without the libraries that made it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from django.conf import settings

from training.runs.models import Adapter, Run

FILE = "adapter_model.safetensors"
# Where a run keeps what groups of contributors taught apart.
SHARDS = "shards"
# A header as long as this is no header; adapters of the largest models stay far below.
LONGEST_HEADER = 50 << 20


def folder_of(run: Run) -> Path:
    """Where the run's config.toml, log.jsonl, report.json and adapter/ are."""
    return Path(settings.RUNS_DIR) / run.folder


def discard_checkpoints(run: Run) -> None:
    """Free the disk that the checkpoints of a finished run take."""
    shutil.rmtree(folder_of(run) / "checkpoints", ignore_errors=True)


def discard_learnt(run: Run) -> None:
    """Delete all that a run learnt, and what it wrote of what it learnt from: weights, checkpoints, report, output."""
    shutil.rmtree(folder_of(run), ignore_errors=True)


def adapter_folder(adapter: Adapter) -> Path:
    """Where the adapter's weights are."""
    return folder_of(adapter.run) / "adapter"


def earlier_shards(run: Run) -> Path | None:
    """The list of the groups that the newest earlier run of the project with the same groups still has, for the recipe
    to take what it would train just the same; None where there is none."""
    recipe = run.settings.get("recipe", {})
    if recipe.get("shards", 0) < 2:
        return None
    same = {f"settings__recipe__{name}": recipe[name] for name in ("method", "rank", "shards", "seed")}
    earlier = Run.objects.filter(
        release__project=run.release.project_id,
        state=Run.State.FINISHED,
        number__lt=run.number,
        **same,
    )
    lists = (folder_of(one) / SHARDS / f"{SHARDS}.json" for one in earlier.order_by("-number"))
    return next((path for path in lists if path.is_file()), None)


class Unreadable(ValueError):
    """The file is not there, or is no file of 32-bit matrices."""


def sha256_of_adapter(folder: Path) -> str:
    """The hash by which a run's report names its adapter (`training.recipes.report.sha256_of_tensors`), from the file.

    safetensors is eight bytes of length, a header in JSON, and the numbers of each matrix in little-endian order.
    Raises Unreadable.
    """
    try:
        # As a view: a slice of it is read where it lies, and not copied.
        content = memoryview((folder / FILE).read_bytes())
        length = int.from_bytes(content[:8], "little")
        if length > min(LONGEST_HEADER, len(content) - 8):
            raise Unreadable("The header is longer than the file.")
        header = json.loads(bytes(content[8 : 8 + length]))
        header.pop("__metadata__", None)
        digest = hashlib.sha256()
        for name, about in sorted(header.items()):
            if about["dtype"] != "F32":
                raise Unreadable("Adapters are kept in 32 bits.")
            first, last = (8 + length + place for place in about["data_offsets"])
            digest.update(name.encode() + b"\0" + str(tuple(about["shape"])).encode())
            digest.update(content[first:last])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(str(error)) from error
    return digest.hexdigest()


def is_whole(folder: Path, sha256: str) -> bool:
    """Whether the adapter in the folder is the one with this hash."""
    try:
        return sha256_of_adapter(folder) == sha256
    except Unreadable:
        return False
