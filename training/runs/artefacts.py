"""Where runs and adapters lie, and whether a file is the adapter that a report names."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings

from training.recipes.matrices import Unreadable, sha256_of_matrices
from training.runs.models import Adapter, Run

FILE = "adapter_model.safetensors"
# Where a run keeps what groups of contributors taught apart.
SHARDS = "shards"


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


def sha256_of_adapter(folder: Path) -> str:
    """The hash by which a run's report names the adapter in the folder, from its file. Raises Unreadable."""
    return sha256_of_matrices(folder / FILE)


def is_whole(folder: Path, sha256: str) -> bool:
    """Whether the adapter in the folder is the one with this hash."""
    try:
        return sha256_of_adapter(folder) == sha256
    except Unreadable:
        return False
