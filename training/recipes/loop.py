"""The way every recipe goes: load, train, evaluate, report. What a method has of its own is a `Method`.

Read it from `main` down. The run's folder gets log.jsonl (live), checkpoints/, adapter/, report.json and README.md. The
same configuration on the same machine gives the same adapter, bit by bit, whether or not it was interrupted.

Exit codes: 0 finished, 1 failed (the log says why), 75 stopped on request after a checkpoint.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer, get_cosine_schedule_with_warmup

from training.evaluation.likelihood import completion_loss, sentence_losses
from training.evaluation.scores import bits_per_byte
from training.recipes.base_model import sha256_of_file
from training.recipes.card import card_of
from training.recipes.comparison import compare
from training.recipes.configuration import Configuration, ConfigurationError
from training.recipes.journal import Journal, Stopped, load_checkpoint, peak_memory_mb, save_checkpoint, write_json
from training.recipes.report import build_report
from training.recipes.text import (
    TOKENS_AT_ONCE,
    Example,
    batches_of,
    encode,
    ordered,
    pack,
    parts_of,
    read_rows,
)

STOPPED = 75  # EX_TEMPFAIL


class RecipeError(RuntimeError):
    """The run cannot go on; the message is meant for people."""


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
    journal = Journal(path.parent)
    try:
        run(Configuration.read(path, method.name), journal, method)
    except Stopped:
        journal.write("stopped")
        return STOPPED
    except (ConfigurationError, RecipeError) as error:
        journal.write("error", message=str(error))
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except Exception as error:
        journal.write("error", message=f"{type(error).__name__}: {error}"[:1000])
        raise
    return 0


def run(config: Configuration, journal: Journal, method: Method) -> None:
    """The whole recipe."""
    if config.recipe.method != method.name:
        # What is shown must be what ran.
        raise RecipeError(f"This config.toml is for training.recipes.{config.recipe.method}.")
    journal.watts = config.energy.watts
    torch.set_num_threads(config.recipe.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.manual_seed(config.recipe.seed)

    journal.phase("loading")
    tokenizer = AutoTokenizer.from_pretrained(config.base.path)
    examples = {split: load_examples(config, tokenizer, split) for split in ("train", "validation", "test")}
    check_base(config)
    check_release(config)
    model = method.prepare(config, journal)

    journal.phase("training")
    training = train(model, examples, config, journal, method)

    journal.phase("evaluating")
    model.eval()
    method.before_reading(model, config)
    more = method.also_evaluate(model, validation_part(examples["validation"], config), config, journal)
    rows = read_rows(config.data.test)
    evaluation = compare(model, tokenizer, examples["test"], rows, config, journal, method.base_of)

    journal.phase("saving")
    report = build_report(config, model, method.learnt(model), examples, training, evaluation, journal) | more
    save(method, model, config, card_of(report))
    write_json(config.folder / "report.json", report)
    journal.phase("finished")


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
    """Raise RecipeError when the training file is not one of the release that config.toml names by hash."""
    if not config.release.sha256:
        return
    train = Path(config.data.train)
    manifest = train.parent.parent / "manifest.json"
    if not manifest.is_file() or sha256_of_file(manifest) != config.release.sha256:
        raise RecipeError("The manifest beside the data is not that of the release the run was made for.")
    stated = json.loads(manifest.read_text(encoding="utf-8"))["files"].get(f"data/{train.name}", {})
    if stated.get("sha256") != sha256_of_file(train):
        raise RecipeError("The training file is not the one that the release's manifest names.")


@dataclass
class Training:
    """Everything that changes from step to step, as a checkpoint keeps it."""

    method: Method
    model: Any
    optimiser: Any
    schedule: Any
    made_for: str
    step: int = 0
    tokens: int = 0
    busy: float = 0.0  # seconds spent in steps
    worked: float = 0.0  # seconds of processor time spent in steps, all threads together

    @property
    def tokens_per_second(self) -> float:
        """Tokens read per second of stepping."""
        return round(self.tokens / self.busy, 1)

    def remember(self, folder: Path) -> None:
        """Write a checkpoint."""
        state = {
            "made_for": self.made_for,
            "step": self.step,
            "tokens": self.tokens,
            "busy": self.busy,
            "worked": self.worked,
            "learnt": self.method.learnt(self.model),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        save_checkpoint(folder, self.step, state)

    def recall(self, folder: Path) -> bool:
        """Go on from the newest checkpoint; False when there is none. Raises RecipeError for a stranger's."""
        state = load_checkpoint(folder)
        if state is None:
            return False
        if state.get("made_for") != self.made_for:
            raise RecipeError("The checkpoint here belongs to other data or settings; remove it to begin again.")
        self.method.restore(self.model, state["learnt"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["rng"])
        torch.cuda.set_rng_state_all(state["cuda_rng"])
        self.step, self.tokens = state["step"], state["tokens"]
        self.busy, self.worked = state["busy"], state["worked"]
        return True


def fingerprint(config: Configuration, examples: Sequence[Example]) -> str:
    """SHA-256 of all that decides the adapter's bytes: settings, base model, training tokens."""
    settings = asdict(config.recipe)
    for watching in ("validate_every", "checkpoint_every"):
        del settings[watching]
    facts = [settings, config.base.sha256, [(row.id, row.tokens, row.prompt) for row in examples]]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def train(
    model: Any, examples: dict[str, list[Example]], config: Configuration, journal: Journal, method: Method
) -> dict[str, Any]:
    """Train from the newest checkpoint, or from the beginning; returns the report's figures about it.

    A second of a processor is the same whatever else the machine does; with one thread, methods compare by it.
    """
    recipe = config.recipe
    per_epoch = math.ceil(len(examples["train"]) / recipe.batch_size)
    steps = min(recipe.epochs * per_epoch, recipe.max_steps or sys.maxsize)
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = get_cosine_schedule_with_warmup(optimiser, math.ceil(recipe.warmup * steps), steps)
    state = Training(method, model, optimiser, schedule, made_for=fingerprint(config, examples["train"]))
    if state.recall(config.folder):
        journal.write("resumed", step=state.step, steps=steps)

    model.train()
    while state.step < steps:
        epoch, position = divmod(state.step, per_epoch)
        order = ordered(examples["train"], seed=recipe.seed, epoch=epoch)
        for batch in batches_of(order, recipe.batch_size)[position:]:
            if journal.stop_asked:
                state.remember(config.folder)
                raise Stopped
            rate, began, work_began = schedule.get_last_lr()[0], time.monotonic(), time.process_time()
            method.before_step(model, config, state.step)
            loss, norm = one_step(model, batch, optimiser, trainable, recipe.clip)
            schedule.step()
            state.busy += time.monotonic() - began
            state.worked += time.process_time() - work_began
            state.step += 1
            state.tokens += sum(len(example.tokens) for example in batch)
            journal.write(
                "step",
                step=state.step,
                steps=steps,
                epoch=epoch + 1,
                loss=round(loss, 5),
                learning_rate=rate,
                grad_norm=round(norm, 4),
                tokens=state.tokens,
                tokens_per_second=state.tokens_per_second,
                seconds_left=round((steps - state.step) * state.busy / state.step),
            )
            if state.step % recipe.validate_every == 0 or state.step == steps:
                method.before_reading(model, config)
                validate(model, examples["validation"], config, journal, state.step)
            if state.step % recipe.checkpoint_every == 0:
                state.remember(config.folder)
            if state.step == steps:
                break
    state.remember(config.folder)
    return {
        "steps": steps,
        "tokens": state.tokens,
        "tokens_per_second": state.tokens_per_second,
        "tokens_per_processor_second": round(state.tokens / state.worked, 1),
        "training_memory_mb": round(peak_memory_mb()),
    }


def one_step(
    model: Any, batch: list[Example], optimiser: Any, trainable: list[Any], clip: float
) -> tuple[float, float]:
    """One optimiser step on one batch: mean loss in nats per completion token, and the gradient's norm."""
    completion_tokens = sum(len(example.tokens) - example.prompt for example in batch)
    total = 0.0
    for part in parts_of(batch, TOKENS_AT_ONCE):
        tensors = {name: value.to(model.device) for name, value in pack(part).items()}
        # Every token of the batch weighs the same, in whichever part it is.
        loss = completion_loss(model, tensors) / completion_tokens
        if not torch.isfinite(loss):
            raise RecipeError("The loss is not a number any more; try a lower learning rate.")
        loss.backward()  # type: ignore[no-untyped-call]
        total += float(loss.detach())
    norm = torch.nn.utils.clip_grad_norm_(trainable, clip)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return total, float(norm)


def validation_part(examples: Sequence[Example], config: Configuration) -> list[Example]:
    """The part of the validation split that is measured."""
    return ordered(examples, seed=config.recipe.seed, epoch=-1)[: max(1, config.evaluation.max_items // 2)]


def validate(model: Any, examples: list[Example], config: Configuration, journal: Journal, step: int) -> None:
    """Bits per byte on part of the validation split, for the curve."""
    model.eval()
    part = validation_part(examples, config)
    nats = [loss for some in parts_of(part, TOKENS_AT_ONCE) for loss in losses_of(model, some)]
    tokens = sum(len(example.tokens) - example.prompt for example in part)
    journal.write(
        "validation",
        step=step,
        bpb=round(bits_per_byte(nats, [example.target_bytes for example in part]), 5),
        loss=round(math.fsum(nats) / tokens, 5),
        items=len(part),
    )
    model.train()


def losses_of(model: Any, part: Sequence[Example]) -> list[float]:
    """Summed loss in nats of each example's completion."""
    return sentence_losses(model, {name: value.to(model.device) for name, value in pack(part).items()})


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
