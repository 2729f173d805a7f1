"""Training again with other seeds, for measurement alone: what a run came to, and how far that depends on chance.

The run's own training comes last and is as it is without this. Of the others nothing is kept but figures and the hash
of what was learnt. What they leave on the way lies in `checkpoints/`, and goes with that.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import torch

from training.recipes.comparison import measure_alone
from training.recipes.configuration import Configuration
from training.recipes.devices import is_first, measures
from training.recipes.fsdp import learnt_by
from training.recipes.journal import Journal, write_json
from training.recipes.report import sha256_of_tensors
from training.recipes.stages import RecipeError, fingerprint, train
from training.recipes.text import Example, read_rows

if TYPE_CHECKING:
    from training.recipes.loop import Method

LARGEST = 2**31


def train_other_seeds(
    config: Configuration, journal: Journal, method: Method, tokenizer: Any, examples: dict[str, list[Example]]
) -> list[dict[str, Any]]:
    """What each further seed came to, on the held-out rows on which the run itself is measured. Raises Stopped."""
    found = []
    for number in range(1, config.evaluation.seeds):
        seed = (config.recipe.seed + number) % LARGEST
        with _apart(journal, seed):
            found.append(_train_one(seed, config, journal, method, tokenizer, examples))
    return found


@contextmanager
def _apart(journal: Journal, seed: int) -> Iterator[None]:
    """What is logged meanwhile names the seed; random numbers go on afterwards as if nothing had been drawn."""
    journal.about = {"other_seed": seed}
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        yield
    # Not where it was stopped or failed: the log's last line then says in which training.
    journal.about = {}


def _train_one(
    seed: int,
    config: Configuration,
    journal: Journal,
    method: Method,
    tokenizer: Any,
    examples: dict[str, list[Example]],
) -> dict[str, Any]:
    folder = config.folder / "checkpoints" / f"seed-{seed}"
    own = replace(config, folder=folder, recipe=replace(config.recipe, seed=seed, shard_control=False))
    stages = method.stages(own, tokenizer, examples)
    made_for = {"training": fingerprint(own, stages, examples["validation"]), "evaluation": asdict(config.evaluation)}
    kept = folder.with_suffix(".json")
    if kept.is_file() and (known := json.loads(kept.read_text(encoding="utf-8")))["made_for"] == made_for:
        found: dict[str, Any] = known["found"]
        return found
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = method.prepare(own, journal)
    journal.phase("training")
    try:
        train(model, stages, examples["validation"], own, journal, method)
    except RecipeError as error:
        found = {"seed": seed, "failure": str(error)}
    else:
        if not measures():
            return {}
        journal.phase("evaluating")
        method.after_training(model, own)
        model.eval()
        method.before_reading(model, own)
        # In the order of the run's own seed, so that all are measured on the same rows.
        figures = measure_alone(model, tokenizer, examples["test"], read_rows(config.data.test), config, journal)
        found = {"seed": seed, "adapter_sha256": sha256_of_tensors(learnt_by(method, model)), **figures}
    if is_first():
        write_json(kept, {"made_for": made_for, "found": found})
        shutil.rmtree(folder)
    return found
