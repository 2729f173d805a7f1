"""DyLoRA (Valipour et al. 2022): one run trains an adapter of which every smaller rank is an adapter, too.

    python -m training.recipes.dylora run-folder/config.toml

Each step draws one rank b from 1 to R, the same for all layers, and uses only the first b rows of A and columns of B:
W x + (alpha / b) B[:, :b] A[:b] x. What comes first is trained in nearly every step, so it learns what matters most.
All b rows learn (the paper's default; its frozen variant trains the b-th alone). Rows beyond b get no gradient in that
step; AdamW's memory of earlier steps still moves them, as in the authors' program.

The report measures some ranks on the validation split and names the smallest that is as good as can be told;
`python -m training.recipes.ranks` cuts adapter/ to any rank. `training/recipes/loop.py` says what every recipe does.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from training.recipes import loop
from training.recipes.configuration import Configuration
from training.recipes.journal import Journal, Stopped
from training.recipes.lora import Lora
from training.recipes.ranks import advise, bytes_at, measured_ranks
from training.recipes.stages import losses_of
from training.recipes.text import Example


class First(nn.Module):
    """A linear layer's matrix of which only the first rows (dimension 0) or columns (1) are used."""

    def __init__(self, whole: nn.Linear, dimension: int, rank: int) -> None:
        super().__init__()
        self.weight, self.dimension, self.rank = whole.weight, dimension, rank

    def forward(self, x: Tensor) -> Tensor:
        """The product with the used part."""
        return F.linear(x, self.weight.narrow(self.dimension, 0, self.rank))


class Dylora(Lora):
    """A LoRA that is trained at one drawn rank each step."""

    name = "dylora"

    def prepare(self, config: Configuration, journal: Journal) -> Any:
        """The base with an adapter whose rank can be chosen."""
        model = super().prepare(config, journal)
        for layer in adapted_layers(model):
            for matrices, dimension in ((layer.lora_A, 0), (layer.lora_B, 1)):
                matrices["default"] = First(matrices["default"], dimension, config.recipe.rank)
        return model

    def before_step(self, model: Any, config: Configuration, step: int) -> None:
        """Draw the step's rank; it follows from seed and step, so a resumed run draws the same."""
        drawn = random.Random(f"{config.recipe.seed}:{step}")  # noqa: S311 - a draw that can be repeated
        use_rank(model, drawn.randint(1, config.recipe.rank), config.recipe.alpha)

    def before_reading(self, model: Any, config: Configuration) -> None:
        """Use the whole adapter."""
        use_rank(model, config.recipe.rank, config.recipe.alpha)

    def also_evaluate(
        self, model: Any, validation: Sequence[Example], config: Configuration, journal: Journal
    ) -> dict[str, Any]:
        """Bits per byte at some ranks, and which to take."""
        recipe, rows = config.recipe, []
        sizes = [example.target_bytes for example in validation]
        for rank in measured_ranks(recipe.rank):
            use_rank(model, rank, recipe.alpha)
            rows.append((rank, losses_of(model, validation)))
            if journal.stop_asked:
                raise Stopped
        self.before_reading(model, config)
        return {"ranks": advise(rows, sizes, bytes_at_full=bytes_at(self.learnt(model)), full=recipe.rank)}


def adapted_layers(model: Any) -> Iterator[Any]:
    """The layers that have LoRA matrices."""
    return (layer for layer in model.modules() if isinstance(layer, LoraLayer))


def use_rank(model: Any, rank: int, alpha: int) -> None:
    """Let all layers use their first `rank` rows and columns."""
    for layer in adapted_layers(model):
        layer.lora_A["default"].rank = layer.lora_B["default"].rank = rank
        layer.scaling["default"] = alpha / rank


def main(path: Path) -> int:
    """Train, evaluate and report; returns the exit code."""
    return loop.main(path, Dylora())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
