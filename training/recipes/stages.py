"""The parts of a training, one after the other: what is learnt from, for how long, and what a batch teaches.

Most methods have one part, in which the completions of a release are learnt (`Completions`). What a later part learns
from may depend on the model as the part before it left it; so checkpoints keep those lessons.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from transformers import get_cosine_schedule_with_warmup

from training.evaluation.likelihood import completion_loss, sentence_losses
from training.evaluation.scores import bits_per_byte
from training.recipes import fsdp
from training.recipes.configuration import Configuration
from training.recipes.devices import add_up, any_of_us, dealt, is_first, measures, processes
from training.recipes.journal import Journal, Stopped, load_checkpoint, peak_memory_mb, save_checkpoint
from training.recipes.patience import go_back_to_best, had_enough, is_over
from training.recipes.text import TOKENS_AT_ONCE, AnyLesson, Example, Lesson, batches_of, ordered, pack, parts_of

if TYPE_CHECKING:
    from training.recipes.loop import Method


class RecipeError(RuntimeError):
    """The run cannot go on; the message is meant for people."""


class Stage(ABC):
    """A part of a training."""

    name: str
    """As the log and the report call it."""
    epochs: int
    learning_rate: float
    tokens_at_once = TOKENS_AT_ONCE
    """Most tokens that `learn` reads together."""
    may_end_early = False
    """Whether bits per byte on the validation split say when it has learnt enough."""

    @abstractmethod
    def expected(self) -> int:
        """How many lessons it will have at most, as far as is known before it begins."""

    @abstractmethod
    def begin(self, model: Any, config: Configuration, journal: Journal) -> Sequence[Lesson]:
        """What it learns from. Raises RecipeError, Stopped."""

    @abstractmethod
    def learn(self, model: Any, batch: Sequence[Any]) -> float:
        """Add a batch's gradient; returns its loss."""

    def end(self, model: Any, config: Configuration) -> None:  # noqa: B027 - few have to
        """Called when it is over, and again where a run that was killed right after goes on."""

    def kept(self, lessons: Sequence[Any]) -> list[Any]:
        """Lessons as a checkpoint keeps them: plain values; nothing where they can be made again in the middle."""
        return []

    def recalled(self, kept: Sequence[Any], model: Any, config: Configuration, journal: Journal) -> Sequence[Lesson]:
        """The lessons that it began with, from what `kept` gave; here they are made again."""
        return self.begin(model, config, journal)

    notes: dict[str, Any] = {}
    """What the report says of its beginning."""

    def steps(self, lessons: int, config: Configuration) -> int:
        """How many steps so many lessons take."""
        per_epoch = math.ceil(lessons / config.recipe.batch_size)
        return min(self.epochs * per_epoch, config.recipe.max_steps or sys.maxsize)

    def facts(self) -> list[Any]:
        """What decides about it beside the settings, for the fingerprint: its lessons as far as they are known."""
        return [self.name, self.epochs, self.learning_rate]


@dataclass
class Completions(Stage):
    """Learning to say the completions of examples: supervised fine-tuning, and reading plain text."""

    examples: list[Example]
    epochs: int
    learning_rate: float
    name: str = "completions"
    notes: dict[str, Any] = field(default_factory=dict)
    may_end_early = True

    def expected(self) -> int:
        """All of them."""
        return len(self.examples)

    def begin(self, model: Any, config: Configuration, journal: Journal) -> list[Example]:
        """The examples."""
        return self.examples

    def learn(self, model: Any, batch: Sequence[Example]) -> float:
        """See `learn_completions`."""
        return learn_completions(model, batch, self.tokens_at_once)

    def facts(self) -> list[Any]:
        """Its tokens."""
        return [*super().facts(), [(one.id, one.tokens, one.prompt) for one in self.examples]]


def learn_completions(model: Any, batch: Sequence[Example], tokens_at_once: int = 0) -> float:
    """Add the gradient of the mean loss in nats per completion token, part by part; returns that loss."""
    completion_tokens = sum(len(example.tokens) - example.prompt for example in batch)
    total = 0.0
    for part, share in shares_of(batch, tokens_at_once or TOKENS_AT_ONCE):
        # Every token of the batch weighs the same, in whichever part it is.
        loss = completion_loss(model, on_device(model, pack(part))) / completion_tokens
        total += add_gradient(share * loss)
    return total


def shares_of(batch: Sequence[AnyLesson], tokens_at_once: int) -> list[tuple[list[AnyLesson], float]]:
    """The batch in parts that fit into memory: all of them, or where several processes train, this one's; and for how
    much each counts (`dealt`)."""
    whole = sum(len(lesson.tokens) for lesson in batch)
    return dealt(parts_of(batch, min(tokens_at_once, math.ceil(whole / processes()))))


def add_gradient(loss: Any) -> float:
    """Go back from a loss, and return it. Raises RecipeError when it is not a number any more."""
    if not torch.isfinite(loss):
        raise RecipeError("The loss is not a number any more; try a lower learning rate.")
    loss.backward()
    return float(loss.detach())


def on_device(model: Any, tensors: dict[str, Any]) -> dict[str, Any]:
    """Tensors where the model is."""
    return {name: value.to(model.device) for name, value in tensors.items()}


@dataclass
class Training:
    """Everything that changes from step to step, as a checkpoint keeps it."""

    method: Method
    model: Any
    config: Configuration
    made_for: str
    stage: int = 0
    step: int = 0
    """Over all stages."""
    began_at: int = 0
    """The step at which the stage began."""
    tokens: int = 0
    busy: float = 0.0  # seconds spent in steps
    worked: float = 0.0  # seconds of processor time spent in steps, all threads together
    lessons: list[Any] = field(default_factory=list)
    """Those of the stage, where it keeps them."""
    made: list[dict[str, Any]] = field(default_factory=list)
    """The stages that are over or have begun, for the report."""
    best: dict[str, Any] = field(default_factory=dict)
    """The best measurement of a stage that may end early (`training/recipes/patience.py`)."""

    @property
    def tokens_per_second(self) -> float:
        """Tokens read per second of stepping; 0 where nothing had to be trained."""
        return round(self.tokens / self.busy, 1) if self.busy else 0.0

    def count(self, batch: Sequence[Lesson], seconds: float, worked: float) -> None:
        """Add a step that was made."""
        self.step += 1
        self.tokens += sum(len(lesson.tokens) for lesson in batch)
        self.busy += seconds
        self.worked += worked

    def remember(self, optimiser: Any, schedule: Any) -> None:
        """Write a checkpoint, whole, so that any number of processes can go on; of several the first does."""
        state = {
            **{name: getattr(self, name) for name in REMEMBERED},
            "learnt": fsdp.learnt_by(self.method, self.model),
            "optimiser": fsdp.whole_memory(optimiser),
            "schedule": schedule.state_dict(),
            "rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        if is_first():
            save_checkpoint(self.config.folder, self.step, state)

    def recall(self) -> dict[str, Any] | None:
        """Go on from the newest checkpoint, if there is one; returns it. Raises RecipeError for a stranger's."""
        state = load_checkpoint(self.config.folder)
        if state is None:
            return None
        if state.get("made_for") != self.made_for:
            raise RecipeError("The checkpoint here belongs to other data or settings; remove it to begin again.")
        fsdp.put_back(self.method, self.model, state["learnt"])
        for name in REMEMBERED:
            setattr(self, name, state[name])
        return state


REMEMBERED = ("made_for", "stage", "step", "began_at", "tokens", "busy", "worked", "lessons", "made", "best")


def fingerprint(config: Configuration, stages: Sequence[Stage], validation: Sequence[Example]) -> str:
    """SHA-256 of all that decides the adapter's bytes: settings, base model, what is learnt from, and where it may end
    early, what is measured and when."""
    settings = {name: asdict(getattr(config, name)) for name in ("recipe", "preference", "reading", "mixing")}
    for watching in ("validate_every", "checkpoint_every"):
        del settings["recipe"][watching]
    facts: list[Any] = [settings, config.base.sha256, [stage.facts() for stage in stages]]
    if config.recipe.patience:
        measured = [(one.id, one.tokens, one.prompt) for one in validation_part(validation, config)]
        facts.append([config.recipe.validate_every, measured])
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def train(
    model: Any,
    stages: Sequence[Stage],
    validation: list[Example],
    config: Configuration,
    journal: Journal,
    method: Method,
) -> dict[str, Any]:
    """Train from the newest checkpoint, or from the beginning; returns the report's figures about it.

    A second of a processor is the same whatever else the machine does; with one thread, methods compare by it.
    """
    state = Training(method, fsdp.share_out(model), config, made_for=fingerprint(config, stages, validation))
    for stage in stages:
        stage.tokens_at_once = config.recipe.tokens_at_once
    saved = state.recall()
    for number in range(state.stage, len(stages)):
        _train_stage(state, stages, number, saved if saved and number == saved["stage"] else None, validation, journal)
    return {
        "steps": state.step,
        "stages": state.made,
        "tokens": state.tokens,
        "tokens_per_second": state.tokens_per_second,
        "tokens_per_processor_second": round(state.tokens / state.worked, 1) if state.worked else 0.0,
        "training_memory_mb": round(peak_memory_mb()),
        "processes": {"number": processes(), "parameters_held": fsdp.held_parameters(state.model)},
    }


def _train_stage(
    state: Training,
    stages: Sequence[Stage],
    number: int,
    saved: dict[str, Any] | None,
    validation: list[Example],
    journal: Journal,
) -> None:
    model, config, stage = state.model, state.config, stages[number]
    recipe = config.recipe
    lessons = _lessons_of(state, stage, number, saved, journal)
    steps = stage.steps(len(lessons), config)
    last = state.began_at + steps
    of = last + sum(later.steps(later.expected(), config) for later in stages[number + 1 :])
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=stage.learning_rate, weight_decay=recipe.weight_decay)
    schedule = get_cosine_schedule_with_warmup(optimiser, _rising(recipe.warmup, steps), steps)
    if saved is not None:
        _restore(optimiser, schedule, saved)
        journal.write("resumed", step=state.step, steps=of)
    elif state.lessons:
        state.remember(optimiser, schedule)

    model.train()
    is_patient = bool(recipe.patience) and stage.may_end_early
    left = 0 if is_over(state.best) else steps
    for epoch, batch in batches_from(lessons, config, begun=state.step - state.began_at, steps=left):
        if any_of_us(journal.stop_asked):
            state.remember(optimiser, schedule)
            raise Stopped
        rate, began, work_began = schedule.get_last_lr()[0], time.monotonic(), time.process_time()
        state.method.before_step(model, config, state.step)
        loss, norm = one_step(model, batch, optimiser, trainable, recipe.clip, stage.learn)
        schedule.step()
        state.count(batch, time.monotonic() - began, time.process_time() - work_began)
        journal.write(
            "step",
            stage=stage.name,
            step=state.step,
            steps=of,
            epoch=epoch + 1,
            loss=round(loss, 5),
            learning_rate=rate,
            grad_norm=round(norm, 4),
            tokens=state.tokens,
            tokens_per_second=state.tokens_per_second,
            seconds_left=round((of - state.step) * state.busy / state.step),
        )
        if state.step % recipe.validate_every == 0 or state.step == last:
            state.method.before_reading(model, config)
            bpb = validate(model, validation, config, journal, state.step)
            if is_patient and had_enough(state, bpb):
                break
        if state.step % recipe.checkpoint_every == 0:
            state.remember(optimiser, schedule)
    if is_patient:
        go_back_to_best(state, journal)
    state.remember(optimiser, schedule)
    stage.end(model, config)


def _rising(share: float, steps: int) -> int:
    """How many steps the rate rises for. Its first one has the rate zero, so a run of one step has no warm-up."""
    return min(math.ceil(share * steps), steps - 1)


def _lessons_of(
    state: Training, stage: Stage, number: int, saved: dict[str, Any] | None, journal: Journal
) -> Sequence[Lesson]:
    """What a stage learns from: made now, or as its checkpoint keeps it."""
    if saved is not None:
        return stage.recalled(state.lessons, state.model, state.config, journal)
    lessons = stage.begin(state.model, state.config, journal)
    state.stage, state.began_at, state.lessons, state.best = number, state.step, stage.kept(lessons), {}
    begun = {"name": stage.name, "lessons": len(lessons), "from_step": state.step, **stage.notes}
    state.made = [*state.made, begun]
    return lessons


def batches_from(
    lessons: Sequence[Lesson], config: Configuration, *, begun: int, steps: int
) -> Iterator[tuple[int, list[Any]]]:
    """(epoch, batch) of each step that is left, in an order that follows from seed, epoch and the lessons' ids."""
    size = config.recipe.batch_size
    per_epoch = math.ceil(len(lessons) / size)
    while begun < steps:
        epoch, position = divmod(begun, per_epoch)
        order = ordered(lessons, seed=config.recipe.seed, epoch=epoch)
        for batch in batches_of(order, size)[position : position + steps - begun]:
            yield epoch, batch
            begun += 1


def _restore(optimiser: Any, schedule: Any, saved: dict[str, Any]) -> None:
    fsdp.restore_memory(optimiser, saved["optimiser"])
    schedule.load_state_dict(saved["schedule"])
    torch.set_rng_state(saved["rng"])
    torch.cuda.set_rng_state_all(saved["cuda_rng"])


def one_step(
    model: Any,
    batch: Sequence[Any],
    optimiser: Any,
    trainable: list[Any],
    clip: float,
    learn: Callable[[Any, Sequence[Any]], float] = learn_completions,
) -> tuple[float, float]:
    """One optimiser step on one batch: its loss, and the gradient's norm."""
    loss = add_up(trainable, learn(model, batch))
    norm = fsdp.clip_gradients(trainable, clip)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return loss, norm


def validation_part(examples: Sequence[Example], config: Configuration) -> list[Example]:
    """The part of the validation split that is measured."""
    return ordered(examples, seed=config.recipe.seed, epoch=-1)[: max(1, config.evaluation.max_items // 2)]


def validate(model: Any, examples: list[Example], config: Configuration, journal: Journal, step: int) -> float:
    """Bits per byte on part of the validation split; infinite where another of several processes measures them."""
    if not measures():
        return math.inf
    model.eval()
    part = validation_part(examples, config)
    nats = losses_of(model, part)
    tokens = sum(len(example.tokens) - example.prompt for example in part)
    bpb = bits_per_byte(nats, [example.target_bytes for example in part])
    journal.write(
        "validation",
        step=step,
        bpb=round(bpb, 5),
        loss=round(math.fsum(nats) / tokens, 5),
        items=len(part),
    )
    model.train()
    return bpb


def losses_of(model: Any, examples: Sequence[Example]) -> list[float]:
    """Summed loss in nats of each example's completion."""
    return [
        loss
        for part in parts_of(examples, TOKENS_AT_ONCE)
        for loss in sentence_losses(model, on_device(model, pack(part)))
    ]
