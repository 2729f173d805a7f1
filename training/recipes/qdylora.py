"""QDyLoRA (Rajabzadeh et al. 2024): DyLoRA beside a frozen base in 4-bit NormalFloat.

    python -m training.recipes.qdylora run-folder/config.toml

`training/recipes/dylora.py` says how all ranks train at once, `training/recipes/qlora.py` how the base is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

from training.recipes import loop
from training.recipes.dylora import Dylora
from training.recipes.qlora import Qlora


class Qdylora(Dylora, Qlora):
    """DyLoRA's training on QLoRA's base."""

    name = "qdylora"


def main(path: Path) -> int:
    """Train, evaluate and report; returns the exit code."""
    return loop.main(path, Qdylora())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
