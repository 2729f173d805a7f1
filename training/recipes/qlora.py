"""QLoRA (Dettmers et al. 2023): a frozen base in 4-bit NormalFloat, and small trainable matrices beside it.

    python -m training.recipes.qlora run-folder/config.toml

Read it from `main` down. The folder gets log.jsonl (live), checkpoints/, adapter/, report.json and README.md. The
same configuration on the same machine gives the same adapter, bit by bit, whether or not it was interrupted.

Exit codes: 0 finished, 1 failed (the log says why), 75 stopped on request after a checkpoint.
"""

from __future__ import annotations

import hashlib
import math
import platform
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
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
from training.recipes.journal import (
    Journal,
    Stopped,
    load_checkpoint,
    peak_memory_mb,
    save_checkpoint,
    write_json,
)
from training.recipes.text import Example, batches_of, collate, encode, ordered, read_rows

STOPPED = 75  # EX_TEMPFAIL


def main(path: Path) -> int:
    """Train, evaluate and report; returns the exit code."""
    try:
        config = Configuration.read(path)
    except ConfigurationError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    journal = Journal(config.folder, config.energy.watts)
    try:
        run(config, journal)
    except Stopped:
        journal.write("stopped")
        return STOPPED
    except Exception as error:
        journal.write("error", message=f"{type(error).__name__}: {error}"[:1000])
        raise
    return 0


def run(config: Configuration, journal: Journal) -> None:
    """The whole recipe."""
    recipe = config.recipe
    torch.set_num_threads(recipe.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.manual_seed(recipe.seed)

    journal.phase("loading")
    tokenizer = AutoTokenizer.from_pretrained(config.base.path)
    examples = {split: load_examples(config, tokenizer, split) for split in ("train", "validation", "test")}
    model = add_lora(load_base(config), config)

    journal.phase("training")
    tokens = train(model, tokenizer, examples, config, journal)

    journal.phase("saving")
    model.save_pretrained(config.folder / "adapter")
    adapter_sha256 = sha256_of_adapter(model)

    journal.phase("evaluating")
    rows = read_rows(config.data.test)
    evaluation = compare(model, tokenizer, examples["test"], rows, config, journal)

    report = build_report(config, model, examples, tokens, adapter_sha256, evaluation, journal)
    (config.folder / "README.md").write_text(card_of(report), encoding="utf-8")
    write_json(config.folder / "report.json", report)
    journal.phase("finished")


def load_examples(config: Configuration, tokenizer: Any, split: str) -> list[Example]:
    """One split as tokens; rows longer than `max_length` are left out and counted in the report."""
    rows = read_rows(getattr(config.data, split))
    encoded = (
        encode(
            tokenizer,
            row,
            source_name=config.language.source_name,
            target_name=config.language.target_name,
            max_length=config.recipe.max_length,
        )
        for row in rows
    )
    kept = [example for example in encoded if example is not None]
    if not kept:
        raise ValueError(f"The {split} split holds no sentence of at most {config.recipe.max_length} tokens.")
    return kept


def load_base(config: Configuration) -> Any:
    """The base model with its linear layers in NF4, quantisation constants quantised too."""
    weights = Path(config.base.path) / "model.safetensors"
    if config.base.sha256 and sha256_of_file(weights) != config.base.sha256:
        raise ValueError("The base model's weights are not the ones the run was made for.")
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
    return AutoModelForCausalLM.from_pretrained(
        config.base.path,
        quantization_config=quantisation,
        device_map={"": 0 if on_gpu else "cpu"},
        dtype=compute,
    )


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


def train(
    model: Any, tokenizer: Any, examples: dict[str, list[Example]], config: Configuration, journal: Journal
) -> int:
    """Train from the newest checkpoint, or from the beginning; returns the number of tokens read."""
    recipe = config.recipe
    batches_per_epoch = math.ceil(len(examples["train"]) / recipe.batch_size)
    steps = recipe.epochs * batches_per_epoch
    steps = min(steps, recipe.max_steps) if recipe.max_steps else steps
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    schedule = get_cosine_schedule_with_warmup(optimiser, math.ceil(recipe.warmup * steps), steps)

    step, tokens = 0, 0
    if checkpoint := load_checkpoint(config.folder):
        set_peft_model_state_dict(model, checkpoint["adapter"])
        optimiser.load_state_dict(checkpoint["optimiser"])
        schedule.load_state_dict(checkpoint["schedule"])
        torch.set_rng_state(checkpoint["rng"])
        step, tokens = checkpoint["step"], checkpoint["tokens"]
        journal.write("resumed", step=step, steps=steps)

    def remember() -> None:
        save_checkpoint(
            config.folder,
            step,
            {
                "adapter": get_peft_model_state_dict(model),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "rng": torch.get_rng_state(),
                "step": step,
                "tokens": tokens,
            },
        )

    began_at, began_tokens = journal.seconds, tokens
    model.train()
    while step < steps:
        epoch, position = divmod(step, batches_per_epoch)
        batches = batches_of(ordered(examples["train"], seed=recipe.seed, epoch=epoch), recipe.batch_size)
        for batch in batches[position:]:
            rate = schedule.get_last_lr()[0]
            loss, norm = one_step(model, tokenizer, batch, optimiser, schedule, trainable, recipe.clip)
            step += 1
            tokens += sum(len(example.tokens) for example in batch)
            speed = (tokens - began_tokens) / max(journal.seconds - began_at, 1e-6)
            left = (steps - step) * (tokens / step) / speed
            journal.write(
                "step",
                step=step,
                steps=steps,
                epoch=epoch + 1,
                loss=round(loss, 5),
                learning_rate=rate,
                grad_norm=round(norm, 4),
                tokens=tokens,
                tokens_per_second=round(speed, 1),
                seconds_left=round(left),
            )
            if step % recipe.validate_every == 0 or step == steps:
                validate(model, tokenizer, examples["validation"], config, journal, step)
            if journal.stop_asked:
                remember()
                raise Stopped
            if step % recipe.checkpoint_every == 0:
                remember()
            if step == steps:
                break
    remember()
    return tokens


def one_step(
    model: Any,
    tokenizer: Any,
    batch: list[Example],
    optimiser: Any,
    schedule: Any,
    trainable: list[Any],
    clip: float,
) -> tuple[float, float]:
    """One optimiser step on one batch: mean loss in nats per completion token, and the gradient's norm."""
    tensors = {name: value.to(model.device) for name, value in collate(batch, tokenizer.pad_token_id).items()}
    loss = completion_losses(model, tensors).mean()
    if not torch.isfinite(loss):
        raise FloatingPointError("The loss is not a number any more; try a lower learning rate.")
    loss.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(trainable, clip)
    optimiser.step()
    schedule.step()
    optimiser.zero_grad(set_to_none=True)
    return float(loss.detach()), float(norm)


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
    journal.write("validation", step=step, bpb=round(bits_per_byte(nats, sizes), 5), items=len(sizes))
    model.train()


def sha256_of_adapter(model: Any) -> str:
    """SHA-256 over the sorted tensor names and their bytes: equal adapters have equal hashes."""
    digest = hashlib.sha256()
    for name, tensor in sorted(get_peft_model_state_dict(model).items()):
        digest.update(name.encode() + b"\0" + str(tuple(tensor.shape)).encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def build_report(
    config: Configuration,
    model: Any,
    examples: dict[str, list[Example]],
    tokens: int,
    adapter_sha256: str,
    evaluation: dict[str, Any],
    journal: Journal,
) -> dict[str, Any]:
    """Everything worth keeping about the run, as report.json holds it."""
    recipe, grams = config.recipe, config.energy.grams_per_kwh
    parameters = list(model.parameters())
    hours = journal.watt_hours
    splits = ("train", "validation", "test")
    return {
        "version": 1,
        "method": "qlora",
        "adapter_sha256": adapter_sha256,
        "base": {"path": Path(config.base.path).name, "sha256": config.base.sha256},
        "language": vars(config.language),
        "recipe": vars(recipe),
        "data": {
            split: {
                "used": len(examples[split]),
                "rows": len(read_rows(getattr(config.data, split))),
                "sha256": sha256_of_file(Path(getattr(config.data, split))),
            }
            for split in splits
        },
        "parameters": {
            "trainable": sum(value.numel() for value in parameters if value.requires_grad),
            # Two NF4 weights share one stored byte.
            "total": sum(value.numel() * (2 if value.dtype == torch.uint8 else 1) for value in parameters),
        },
        "tokens": tokens,
        "seconds": round(journal.seconds, 1),
        "peak_memory_mb": round(peak_memory_mb()),
        "energy": {
            "wh": round(hours, 5),
            "watts": config.energy.watts,
            "source": "stated power times seconds, not measured" if config.energy.watts else "unknown",
            "grams_co2": round(hours / 1000 * grams, 3) if grams and config.energy.watts else None,
        },
        "environment": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "device": "cuda" if torch.cuda.is_available() else "cpu",
            "threads": recipe.threads,
            **{name: version(name) for name in ("torch", "transformers", "peft", "bitsandbytes", "sacrebleu")},
        },
        "evaluation": evaluation,
    }


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
