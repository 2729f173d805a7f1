"""QLoRA (Dettmers et al. 2023): LoRA beside a frozen base in 4-bit NormalFloat.

    python -m training.recipes.qlora run-folder/config.toml

W is kept as 4-bit places in a table of sixteen normal quantiles, with one scale for 64 numbers, the scales in 8 bits
themselves: 4.127 bits a number. It is unpacked for each product; the adapter and its gradient stay in float32.

`training/recipes/loop.py` says what every recipe does, `training/recipes/lora.py` what an adapter is.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from training.recipes import loop
from training.recipes.configuration import Configuration
from training.recipes.four_bits import load_in_4_bits
from training.recipes.journal import Journal
from training.recipes.lora import Lora


class Qlora(Lora):
    """A LoRA on a base in 4 bits."""

    name = "qlora"

    def load_base(self, config: Configuration, journal: Journal) -> Any:
        """The base model with its linear layers in NF4, quantisation constants quantised too."""
        journal.phase("quantising")
        return load_in_4_bits(config.base.path)


def main(path: Path) -> int:
    """Train, evaluate and report; returns the exit code."""
    return loop.main(path, Qlora())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
