"""LoRA (Hu et al. 2021): a frozen base, and small trainable matrices beside its linear layers.

    python -m training.recipes.lora run-folder/config.toml

A layer says W x + (alpha / rank) B A x. A is drawn at random, B begins at zero, and only these two train: 3.6 % of a
135M model's numbers at rank 16, and two thirds of full fine-tuning's work, for W needs no gradient.

`training/recipes/loop.py` says what every recipe does. This one keeps the base in 32 bits (16 on a GPU that has them).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from torch import Tensor
from transformers import AutoModelForCausalLM

from training.recipes import loop
from training.recipes.configuration import Configuration
from training.recipes.devices import compute_dtype, device_map
from training.recipes.journal import Journal, write_json
from training.recipes.shards import Sharded


class Lora(loop.Method):
    """A LoRA on a base in full precision."""

    name = "lora"

    def prepare(self, config: Configuration, journal: Journal) -> Any:
        """The base with an adapter that changes nothing yet."""
        return add_lora(self.load_base(config, journal), config)

    def as_wanted(self, config: Configuration) -> loop.Method:
        """This one, or groups of contributors apart."""
        return Sharded(self) if config.recipe.shards > 1 else self

    def load_base(self, config: Configuration, journal: Journal) -> Any:
        """The base model."""
        return AutoModelForCausalLM.from_pretrained(config.base.path, device_map=device_map(), dtype=compute_dtype())

    def learnt(self, model: Any) -> dict[str, Tensor]:
        """The adapter's matrices."""
        matrices: dict[str, Tensor] = get_peft_model_state_dict(model)
        return matrices

    def restore(self, model: Any, learnt: dict[str, Tensor]) -> None:
        """Put the matrices back."""
        set_peft_model_state_dict(model, learnt)

    @contextmanager
    def base_of(self, model: Any, config: Configuration) -> Iterator[Any]:
        """The same model, its adapter disabled."""
        with model.disable_adapter():
            yield model

    def save(self, model: Any, folder: Path, config: Configuration) -> None:
        """As peft reads it: adapter_model.safetensors and adapter_config.json."""
        model.save_pretrained(folder)
        # peft notes where the base model lay on this machine, which helps nobody elsewhere.
        about = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        about["base_model_name_or_path"] = Path(config.base.path).name
        # A set in peft: sorted, so that equal adapters have equal files.
        about["target_modules"] = sorted(about["target_modules"])
        write_json(folder / "adapter_config.json", about)


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


def main(path: Path) -> int:
    """Train, evaluate and report; returns the exit code."""
    return loop.main(path, Lora())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
