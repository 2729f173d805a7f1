"""What `script/bench training` sets beside our recipes: the same run by other programs, and what this machine can do.

    python -m training.recipes.speed NAME run-folder/config.toml

NAME is `plain_hf` (transformers' Trainer and peft: drawn order, padded to the longest, float32), `trl_default` (TRL's
SFTTrainer as it comes, on a CPU), `products` (matrix products at the model's shapes) or `memory` (NF4 beside float32).
One JSON object on the last line. TRL is in requirements/dev.txt.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from bitsandbytes.nn.modules import Linear4bit
from peft import LoraConfig, get_peft_model
from torch import Tensor
from torch.utils.data import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainerCallback, TrainingArguments

from training.recipes.configuration import Configuration, RecipeSettings
from training.recipes.journal import peak_memory_mb
from training.recipes.loop import load_examples
from training.recipes.qlora import load_in_4_bits
from training.recipes.text import IGNORED, TOKENS_AT_ONCE, Example

Facts = dict[str, Any]


class Padded(Dataset[Example]):
    """Examples for a Trainer, which draws and batches them itself."""

    column_names = ("input_ids", "labels")

    def __init__(self, examples: list[Example]) -> None:
        self._examples = examples

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, place: int) -> Example:
        return self._examples[place]


def pad(examples: list[Example], filler: int) -> dict[str, Tensor]:
    """Right-padded to the longest: input_ids, attention_mask, and labels on completions."""
    length = max(len(example.tokens) for example in examples)
    rows = [[*example.tokens, *[filler] * (length - len(example.tokens))] for example in examples]
    masks = [[int(place < len(example.tokens)) for place in range(length)] for example in examples]
    labels = [
        [token if example.prompt <= place < len(example.tokens) else IGNORED for place, token in enumerate(row)]
        for example, row in zip(examples, rows, strict=True)
    ]
    return {
        "input_ids": torch.tensor(rows),
        "attention_mask": torch.tensor(masks),
        "labels": torch.tensor(labels),
    }


class Watch(TrainerCallback):  # type: ignore[misc]
    """Adds up the processor's seconds between the beginnings and ends of steps, as our loop does; keeps the losses."""

    def __init__(self) -> None:
        self.worked, self._began = 0.0, 0.0
        self.losses: list[float] = []

    def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
        """A step begins."""
        self._began = time.process_time()

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:
        """It ends."""
        self.worked += time.process_time() - self._began

    def on_log(self, *args: Any, logs: dict[str, float] | None = None, **kwargs: Any) -> None:
        """A loss is told."""
        if logs and "loss" in logs:
            self.losses.append(logs["loss"])


def lora_of(recipe: RecipeSettings) -> LoraConfig:
    """The same adapter as our recipes'."""
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules="all-linear",
    )


def arguments_of(recipe: RecipeSettings, folder: str) -> Facts:
    """What both trainers are told alike; the rest is their own default."""
    return {
        "output_dir": folder,
        "use_cpu": True,
        "num_train_epochs": recipe.epochs,
        "max_steps": recipe.max_steps or -1,
        "per_device_train_batch_size": recipe.batch_size,
        "learning_rate": recipe.learning_rate,
        "seed": recipe.seed,
        "logging_steps": 1,
        "report_to": "none",
        "save_strategy": "no",
        "disable_tqdm": True,
    }


def plain_hf(config: Configuration) -> Facts:
    """transformers' Trainer with a peft model, as its documentation shows it."""
    tokenizer = AutoTokenizer.from_pretrained(config.base.path)
    examples = load_examples(config, tokenizer, "train")
    model = get_peft_model(
        AutoModelForCausalLM.from_pretrained(config.base.path, dtype=torch.float32), lora_of(config.recipe)
    )
    watch = Watch()
    with TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(**arguments_of(config.recipe, folder), remove_unused_columns=False),
            train_dataset=Padded(examples),
            data_collator=lambda some: pad(some, tokenizer.pad_token_id),
            callbacks=[watch],
        )
        trainer.train()
    return _told(watch, examples, config.recipe)


def trl_default(config: Configuration) -> Facts:
    """TRL's SFTTrainer: bf16 and gradient checkpointing, because these are its defaults.

    A processor without bf16 instructions needs minutes for what others do in seconds, so it reads two batches only.
    """
    tokenizer = AutoTokenizer.from_pretrained(config.base.path)
    examples = load_examples(config, tokenizer, "train")[: 2 * config.recipe.batch_size]
    trl, watch = import_module("trl"), Watch()
    with TemporaryDirectory() as folder:
        trainer = trl.SFTTrainer(
            # In float32, as TRL loads a model that it is given by name.
            model=AutoModelForCausalLM.from_pretrained(config.base.path, dtype=torch.float32),
            args=trl.SFTConfig(**arguments_of(config.recipe, folder)),
            train_dataset=trl_rows(examples),
            processing_class=tokenizer,
            peft_config=lora_of(config.recipe),
            callbacks=[watch],
        )
        trainer.train()
    return _told(watch, examples, config.recipe)


def trl_rows(examples: list[Example]) -> Any:
    """Our tokens and labels as the rows TRL reads, so that both train on the same."""
    rows = [
        {"input_ids": list(one.tokens), "labels": [IGNORED] * one.prompt + list(one.tokens[one.prompt :])}
        for one in examples
    ]
    return import_module("datasets").Dataset.from_list(rows)


def _told(watch: Watch, examples: list[Example], recipe: RecipeSettings) -> Facts:
    """Only for runs that read every row equally often, whatever their order."""
    tokens = recipe.epochs * sum(len(example.tokens) for example in examples)
    return {
        "tokens": tokens,
        "tokens_per_processor_second": round(tokens / watch.worked, 1),
        "losses": watch.losses,
        "peak_memory_mb": round(peak_memory_mb()),
    }


def products(config: Configuration) -> Facts:
    """GFLOP in a processor's second of float32 products x W.T, over the shapes of the linear layers; best of three."""
    model: Any = AutoModelForCausalLM.from_pretrained(config.base.path, dtype=torch.float32)
    weights = [layer.weight for name, layer in model.named_modules() if is_inner(name, layer)]
    shapes = {tuple(weight.shape): weight.detach() for weight in weights}
    counts = {shape: sum(tuple(weight.shape) == shape for weight in weights) for shape in shapes}
    seconds = work = 0.0
    with torch.no_grad():
        for shape, weight in shapes.items():
            x = torch.randn(TOKENS_AT_ONCE, shape[1])
            seconds += counts[shape] * min(_seconds_of(x, weight) for _ in range(3))
            work += counts[shape] * 2 * TOKENS_AT_ONCE * shape[0] * shape[1]
    head = model.get_output_embeddings().weight
    return {
        "gflops": work / seconds / 1e9,
        "linear_numbers": sum(weight.numel() for weight in weights),
        "head_numbers": head.numel(),
    }


def _seconds_of(x: Tensor, weight: Tensor, times: int = 5) -> float:
    began = time.process_time()
    for _ in range(times):
        torch.nn.functional.linear(x, weight)
    return (time.process_time() - began) / times


def memory(config: Configuration) -> Facts:
    """Bytes of the linear layers but the output layer, in NF4 with all its scales and in float32; and of the models."""
    whole: Any = AutoModelForCausalLM.from_pretrained(config.base.path, dtype=torch.float32)
    full = sum(layer.weight.nbytes for name, layer in whole.named_modules() if is_inner(name, layer))
    small = load_in_4_bits(config.base.path)
    packed = sum(bytes_of_4_bits(layer) for layer in small.modules() if isinstance(layer, Linear4bit))
    return {
        "nf4_linear_bytes": packed,
        "float32_linear_bytes": full,
        "nf4_footprint": small.get_memory_footprint(),
        "float32_footprint": whole.get_memory_footprint(),
    }


def is_inner(name: str, layer: Any) -> bool:
    """A linear layer that gets an adapter: every one but the output layer."""
    return isinstance(layer, torch.nn.Linear) and not name.endswith("lm_head")


def bytes_of_4_bits(layer: Any) -> int:
    """Packed numbers, their scales, and the scales of the scales."""
    state = layer.weight.quant_state
    kept = [layer.weight, state.absmax, state.code, state.offset, state.state2.absmax, state.state2.code]
    return sum(tensor.numel() * tensor.element_size() for tensor in kept)


MEASURES = {"plain_hf": plain_hf, "trl_default": trl_default, "products": products, "memory": memory}


def main() -> int:
    """Command line."""
    name, path = sys.argv[1], Path(sys.argv[2])
    config = Configuration.read(path, "lora")
    torch.set_num_threads(config.recipe.threads)
    torch.manual_seed(config.recipe.seed)
    facts = MEASURES[name](config)
    print(json.dumps(facts))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
