"""QLoRA (Dettmers et al. 2023): a frozen base in 4-bit NormalFloat, and small trainable matrices beside it.

    python -m training.recipes.qlora run-folder/config.toml

Read it from `main` down. The folder gets log.jsonl (live), checkpoints/, adapter/, report.json and README.md. The
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
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from bitsandbytes.nn.modules import Linear4bit
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    get_cosine_schedule_with_warmup,
)

from training.evaluation.likelihood import completion_losses, sentence_losses
from training.evaluation.scores import bits_per_byte
from training.recipes.base_model import sha256_of_file
from training.recipes.card import card_of
from training.recipes.comparison import compare
from training.recipes.configuration import Configuration, ConfigurationError
from training.recipes.journal import Journal, Stopped, load_checkpoint, save_checkpoint, write_json
from training.recipes.report import build_report
from training.recipes.text import Example, batches_of, collate, encode, ordered, parts_of, read_rows

STOPPED = 75  # EX_TEMPFAIL
# A step's activations are the largest part of the memory, so a larger batch is read in parts of this many tokens,
# padding included. The gradient is the same.
TOKENS_AT_ONCE = 768


class RecipeError(RuntimeError):
    """The run cannot go on; the message is meant for people."""


def main(path: Path) -> int:
    """Train, evaluate and report; returns the exit code."""
    journal = Journal(path.parent)
    try:
        run(Configuration.read(path), journal)
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


def run(config: Configuration, journal: Journal) -> None:
    """The whole recipe."""
    journal.watts = config.energy.watts
    torch.set_num_threads(config.recipe.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.manual_seed(config.recipe.seed)

    journal.phase("loading")
    tokenizer = AutoTokenizer.from_pretrained(config.base.path)
    examples = {split: load_examples(config, tokenizer, split) for split in ("train", "validation", "test")}
    check_base(config)
    journal.phase("quantising")
    model = add_lora(load_base(config), config)

    journal.phase("training")
    training = train(model, tokenizer, examples, config, journal)

    journal.phase("evaluating")
    rows = read_rows(config.data.test)
    evaluation = compare(model, tokenizer, examples["test"], rows, config, journal)

    journal.phase("saving")
    report = build_report(config, model, examples, training, evaluation, journal)
    save_adapter(model, config, card_of(report))
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


def load_base(config: Configuration) -> Any:
    """The base model with its linear layers in NF4, quantisation constants quantised too."""
    on_gpu = torch.cuda.is_available()
    # A CPU without bf16 instructions emulates them ten times slower, so it computes in float32. The GPU side of
    # these two choices follows the libraries' documentation and was not measured by this project.
    compute = torch.bfloat16 if on_gpu and torch.cuda.is_bf16_supported() else torch.float32
    quantisation: Any = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )
    model = AutoModelForCausalLM.from_pretrained(
        config.base.path,
        quantization_config=quantisation,
        device_map={"": 0 if on_gpu else "cpu"},
        dtype=compute,
    )
    # On a CPU with AVX512-bf16, bitsandbytes 0.50 repacks a layer at its first reading in eval mode, and a repacked
    # layer passes no gradient on: after the first validation, training would go on with a wrong gradient, unsaid.
    for layer in model.modules():
        if isinstance(layer, Linear4bit):
            layer.support_avx512bf16_for_cpu = False
    return model


def add_lora(model: Any, config: Configuration) -> Any:
    """Freeze the base and put LoRA matrices on every linear layer but the output layer (Dettmers 2023, 4)."""
    recipe = config.recipe
    for parameter in model.parameters():
        parameter.requires_grad = False
    lora = LoraConfig(
        task_type="CAUSAL_LM",
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules="all-linear",
        bias="none",
    )
    adapted = get_peft_model(model, lora)
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return adapted


@dataclass
class Training:
    """Everything that changes from step to step, as a checkpoint keeps it."""

    model: Any
    optimiser: Any
    schedule: Any
    made_for: str
    step: int = 0
    tokens: int = 0
    busy: float = 0.0  # seconds spent in steps

    @property
    def tokens_per_second(self) -> float:
        """Tokens read per second of stepping, padding not counted."""
        return round(self.tokens / self.busy, 1)

    def remember(self, folder: Path) -> None:
        """Write a checkpoint."""
        state = {
            "made_for": self.made_for,
            "step": self.step,
            "tokens": self.tokens,
            "busy": self.busy,
            "adapter": get_peft_model_state_dict(self.model),
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
        set_peft_model_state_dict(self.model, state["adapter"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["rng"])
        torch.cuda.set_rng_state_all(state["cuda_rng"])
        self.step, self.tokens, self.busy = state["step"], state["tokens"], state["busy"]
        return True


def fingerprint(config: Configuration, examples: Sequence[Example]) -> str:
    """SHA-256 of all that decides the adapter's bytes: settings, base model, training tokens."""
    settings = asdict(config.recipe)
    for watching in ("validate_every", "checkpoint_every"):
        del settings[watching]
    facts = [settings, config.base.sha256, [(row.id, row.tokens, row.prompt) for row in examples]]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def train(
    model: Any, tokenizer: Any, examples: dict[str, list[Example]], config: Configuration, journal: Journal
) -> dict[str, Any]:
    """Train from the newest checkpoint, or from the beginning; returns steps, tokens and tokens_per_second."""
    recipe = config.recipe
    per_epoch = math.ceil(len(examples["train"]) / recipe.batch_size)
    steps = min(recipe.epochs * per_epoch, recipe.max_steps or sys.maxsize)
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = get_cosine_schedule_with_warmup(optimiser, math.ceil(recipe.warmup * steps), steps)
    state = Training(model, optimiser, schedule, made_for=fingerprint(config, examples["train"]))
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
            rate, began = schedule.get_last_lr()[0], time.monotonic()
            loss, norm = one_step(model, tokenizer, batch, optimiser, trainable, recipe.clip)
            schedule.step()
            state.busy += time.monotonic() - began
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
                validate(model, tokenizer, examples["validation"], config, journal, state.step)
            if state.step % recipe.checkpoint_every == 0:
                state.remember(config.folder)
            if state.step == steps:
                break
    state.remember(config.folder)
    return {"steps": steps, "tokens": state.tokens, "tokens_per_second": state.tokens_per_second}


def one_step(
    model: Any, tokenizer: Any, batch: list[Example], optimiser: Any, trainable: list[Any], clip: float
) -> tuple[float, float]:
    """One optimiser step on one batch: mean loss in nats per completion token, and the gradient's norm."""
    completion_tokens = sum(len(example.tokens) - example.prompt for example in batch)
    total = 0.0
    for part in parts_of(batch, TOKENS_AT_ONCE):
        tensors = {name: value.to(model.device) for name, value in collate(part, tokenizer.pad_token_id).items()}
        # Every token of the batch weighs the same, in whichever part it is.
        loss = completion_losses(model, tensors).sum() / completion_tokens
        if not torch.isfinite(loss):
            raise RecipeError("The loss is not a number any more; try a lower learning rate.")
        loss.backward()  # type: ignore[no-untyped-call]
        total += float(loss.detach())
    norm = torch.nn.utils.clip_grad_norm_(trainable, clip)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    return total, float(norm)


def validate(
    model: Any, tokenizer: Any, examples: list[Example], config: Configuration, journal: Journal, step: int
) -> None:
    """Bits per byte on part of the validation split, for the curve."""
    model.eval()
    part = ordered(examples, seed=config.recipe.seed, epoch=-1)[: max(1, config.evaluation.max_items // 2)]
    nats: list[float] = []
    sizes: list[int] = []
    for batch in batches_of(part, config.recipe.batch_size):
        tensors = {name: value.to(model.device) for name, value in collate(batch, tokenizer.pad_token_id).items()}
        nats += sentence_losses(model, tensors)
        sizes += [example.target_bytes for example in batch]
    tokens = sum(len(example.tokens) - example.prompt for example in part)
    journal.write(
        "validation",
        step=step,
        bpb=round(bits_per_byte(nats, sizes), 5),
        loss=round(math.fsum(nats) / tokens, 5),
        items=len(sizes),
    )
    model.train()


def save_adapter(model: Any, config: Configuration, card: str) -> None:
    """Write adapter/ as peft reads it, and the card beside it and in it."""
    building, folder = config.folder / ".adapter", config.folder / "adapter"
    shutil.rmtree(building, ignore_errors=True)
    model.save_pretrained(building)
    # peft notes where the base model lay on this machine, which helps nobody elsewhere.
    about = json.loads((building / "adapter_config.json").read_text(encoding="utf-8"))
    about["base_model_name_or_path"] = Path(config.base.path).name
    # A set in peft: sorted, so that equal adapters have equal files.
    about["target_modules"] = sorted(about["target_modules"])
    write_json(building / "adapter_config.json", about)
    (building / "README.md").write_text(card, encoding="utf-8")
    (building / "adapter_model.safetensors").chmod(0o644)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(building, folder)
    (config.folder / "README.md").write_text(card, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
