"""The way every recipe goes: load, train, evaluate, report. What a method has of its own is a `Method`.

Read it from `main` down. The run's folder gets log.jsonl (live), checkpoints/, adapter/, report.json and README.md. The
same configuration on the same machine gives the same adapter, bit by bit, whether or not it was interrupted.

Exit codes: 0 finished, 1 failed (the log says why), 71 out of memory, 75 stopped on request after a checkpoint.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer

from training.evaluation.seeds import over_seeds
from training.metering.grid import UnknownGrid
from training.metering.power import meter_of_machine
from training.recipes.base_model import sha256_of_file
from training.recipes.card import card_of
from training.recipes.comparison import compare, figures_of
from training.recipes.configuration import SPLITS, Configuration, ConfigurationError
from training.recipes.devices import is_first, is_out_of_memory, join, leave, measures
from training.recipes.fsdp import LaunchError, check_launcher, whole
from training.recipes.journal import Journal, Stopped, write_json
from training.recipes.mixing import lessons_of
from training.recipes.report import build_report
from training.recipes.seeds import train_other_seeds
from training.recipes.stages import Completions, RecipeError, Stage, train, validation_part
from training.recipes.text import Example, encode, read_rows, within_budget

STOPPED = 75  # EX_TEMPFAIL
OUT_OF_MEMORY = 71  # EX_OSERR


class Method(ABC):
    """One way of training: how the base is loaded, what of it trains, and what is kept of it."""

    name: str
    """The module's name in training/recipes, and `recipe.method` in config.toml."""

    @abstractmethod
    def prepare(self, config: Configuration, journal: Journal) -> Any:
        """The model to train; whatever requires a gradient is trained."""

    @abstractmethod
    def learnt(self, model: Any) -> dict[str, Tensor]:
        """What training changes, by name: a checkpoint keeps it, and its hash names the result."""

    @abstractmethod
    def restore(self, model: Any, learnt: dict[str, Tensor]) -> None:
        """Put back what `learnt` gave."""

    @abstractmethod
    def base_of(self, model: Any, config: Configuration) -> AbstractContextManager[Any]:
        """The base model as it was, to be compared with."""

    @abstractmethod
    def save(self, model: Any, folder: Path, config: Configuration) -> None:
        """Write what was learnt as safetensors, and what its readers need, into a new folder."""

    def stages(self, config: Configuration, tokenizer: Any, examples: dict[str, list[Example]]) -> Sequence[Stage]:
        """What is trained, one after the other: here the training split's completions, and what is mixed with them.

        Raises RecipeError.
        """
        lessons, counts = lessons_of(config, tokenizer, examples["train"])
        return [Completions(lessons, config.recipe.epochs, config.recipe.learning_rate, notes={"learnt_from": counts})]

    def as_wanted(self, config: Configuration) -> Method:
        """The method that the settings want: this one."""
        return self

    def after_training(self, model: Any, config: Configuration) -> None:  # noqa: B027 - few have to
        """Called once all stages are over, before anything is measured."""

    def before_step(self, model: Any, config: Configuration, step: int) -> None:  # noqa: B027 - few have to
        """Called before each step; they count from 0. What it does may depend on nothing else."""

    def before_reading(self, model: Any, config: Configuration) -> None:  # noqa: B027 - few have to
        """Called before the model is measured, after steps."""

    def also_evaluate(
        self, model: Any, validation: Sequence[Example], config: Configuration, journal: Journal
    ) -> dict[str, Any]:
        """What the report says beyond what all reports say. It never sees the test split, so it may choose."""
        return {}


def main(path: Path, method: Method) -> int:
    """Train, evaluate and report; returns the exit code."""
    join()
    journal = Journal(path.parent, is_muted=not is_first())
    try:
        run(Configuration.read(path, method.name), journal, method)
        leave()
    except Stopped:
        journal.write("stopped")
        return STOPPED
    except (ConfigurationError, LaunchError, RecipeError) as error:
        journal.write("error", message=str(error))
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except Exception as error:
        journal.write("error", message=f"{type(error).__name__}: {error}"[:1000])
        if is_out_of_memory(error):
            return OUT_OF_MEMORY
        raise
    finally:
        journal.meter.stop()
    return 0


def run(config: Configuration, journal: Journal, method: Method) -> None:
    """The whole recipe."""
    if config.recipe.method != method.name:
        # What is shown must be what ran.
        raise RecipeError(f"This config.toml is for training.recipes.{config.recipe.method}.")
    check_launcher()
    method = method.as_wanted(config)
    measure_energy(config, journal)
    torch.set_num_threads(config.recipe.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.manual_seed(config.recipe.seed)

    journal.phase("loading")
    tokenizer = AutoTokenizer.from_pretrained(config.base.path)
    examples = {split: load_examples(config, tokenizer, split) for split in SPLITS}
    examples["train"] = within_budget(examples["train"], config.recipe)
    check_base(config)
    check_release(config)
    others = train_other_seeds(config, journal, method, tokenizer, examples)
    model = method.prepare(config, journal)

    journal.phase("training")
    stages = method.stages(config, tokenizer, examples)
    training = train(model, stages, examples["validation"], config, journal, method)

    if not measures():
        return
    journal.phase("evaluating")
    method.after_training(model, config)
    model.eval()
    method.before_reading(model, config)
    more = method.also_evaluate(model, validation_part(examples["validation"], config), config, journal)
    rows = read_rows(config.data.test)
    evaluation = compare(model, tokenizer, examples["test"], rows, config, journal, method.base_of, examples["train"])

    journal.phase("saving")
    with whole(model):
        if not is_first():
            return
        report = build_report(config, model, method.learnt(model), examples, training, evaluation, journal) | more
        if others:
            evaluation["seeds"] = over_seeds([own_figures(report), *others])
        save(method, model, config, card_of(report))
    write_json(config.folder / "report.json", report)
    journal.phase("finished")


def measure_energy(config: Configuration, journal: Journal) -> None:
    """Begin to measure; where several processes train on this machine, the first does for all. Raises RecipeError."""
    try:
        config.energy.grid()
    except UnknownGrid as error:
        raise RecipeError(str(error)) from error
    if not is_first():
        return
    together = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    journal.meter = meter_of_machine(watts=config.energy.watts, overhead=config.energy.pue, processes=together)
    journal.meter.start()
    journal.write("energy", energy_source=journal.meter.name)


def own_figures(report: dict[str, Any]) -> dict[str, Any]:
    """What the run's own training came to, as `train_other_seeds` has it of others."""
    evaluation = report["evaluation"]
    found = {"seed": report["recipe"]["seed"], "adapter_sha256": report["adapter_sha256"]}
    return found | figures_of(evaluation["adapter_bpb"], evaluation["scores"])


def load_examples(config: Configuration, tokenizer: Any, split: str) -> list[Example]:
    """One split as tokens; rows longer than `max_length` are left out and counted in the report."""
    try:
        rows = read_rows(getattr(config.data, split))
    except ValueError as error:
        raise RecipeError(str(error)) from error
    encoded = (encode(tokenizer, row, max_length=config.recipe.max_length) for row in rows)
    kept = [example for example in encoded if example is not None]
    if not kept:
        raise RecipeError(f"The {split} split holds no sentence of at most {config.recipe.max_length} tokens.")
    return kept


def check_base(config: Configuration) -> None:
    """Raise RecipeError when the base model's weights are not those that config.toml names by hash."""
    weights = Path(config.base.path) / "model.safetensors"
    if config.base.sha256 and sha256_of_file(weights) != config.base.sha256:
        raise RecipeError("The base model's weights are not the ones the run was made for.")


def check_release(config: Configuration) -> None:
    """Raise RecipeError when a training file is not one of the release that config.toml names by hash."""
    if not config.release.sha256:
        return
    train = Path(config.data.train)
    manifest = train.parent.parent / "manifest.json"
    if not manifest.is_file() or sha256_of_file(manifest) != config.release.sha256:
        raise RecipeError("The manifest beside the data is not that of the release the run was made for.")
    stated = json.loads(manifest.read_text(encoding="utf-8"))["files"]
    for path in (train, *([Path(config.data.judged_train)] if config.data.judged_train else [])):
        if stated.get(f"data/{path.name}", {}).get("sha256") != sha256_of_file(path):
            raise RecipeError("The training file is not the one that the release's manifest names.")


def save(method: Method, model: Any, config: Configuration, card: str) -> None:
    """Write adapter/ whole or not at all, and the card in it and beside it."""
    building, folder = config.folder / ".adapter", config.folder / "adapter"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    method.save(model, building, config)
    (building / "README.md").write_text(card, encoding="utf-8")
    # safetensors writes for the owner only, but web server and worker may be different users.
    for weights in building.glob("*.safetensors"):
        weights.chmod(0o644)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(building, folder)
    (config.folder / "README.md").write_text(card, encoding="utf-8")
