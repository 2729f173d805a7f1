"""Full fine-tuning: every weight of the base trains. The control that says what an adapter's thrift costs.

    python -m training.recipes.full run-folder/config.toml

Six multiplications a weight and token instead of four, and sixteen bytes a weight for it, its gradient and AdamW's two
moments; a checkpoint takes twelve of them on disk. Rank, alpha and dropout mean nothing here, and the learning rate
should be about a tenth of an adapter's.

What changes is everything, so adapter/ holds a whole model: for measuring, not for serving. Whatever loads adapters
refuses it with a sentence. `training/recipes/loop.py` says what every recipe does.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

from training.recipes import loop
from training.recipes.configuration import Configuration
from training.recipes.devices import device_map
from training.recipes.fsdp import share_out
from training.recipes.journal import Journal


class Full(loop.Method):
    """Every weight, in float32: smaller numbers would lose the small steps."""

    name = "full"

    def prepare(self, config: Configuration, journal: Journal) -> Any:
        """The base model, all of it trainable."""
        return load(config)

    def learnt(self, model: Any) -> dict[str, Tensor]:
        """Every weight, an embedding that is the output layer too only once."""
        return {name: parameter.detach() for name, parameter in model.named_parameters()}

    @torch.no_grad()
    def restore(self, model: Any, learnt: dict[str, Tensor]) -> None:
        """Put every weight back."""
        for name, parameter in model.named_parameters():
            parameter.copy_(learnt[name])

    @contextmanager
    def base_of(self, model: Any, config: Configuration) -> Iterator[Any]:
        """The base from disk, beside the model that was trained."""
        yield share_out(load(config)).eval()

    def save(self, model: Any, folder: Path, config: Configuration) -> None:
        """As transformers reads it: model.safetensors and config.json."""
        model.save_pretrained(folder, max_shard_size="1TB")


def load(config: Configuration) -> Any:
    """The base model in float32."""
    return AutoModelForCausalLM.from_pretrained(config.base.path, device_map=device_map(), dtype=torch.float32)


def main(path: Path) -> int:
    """Train, evaluate and report; returns the exit code."""
    return loop.main(path, Full())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
