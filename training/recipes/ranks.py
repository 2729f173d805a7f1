"""The ranks inside an adapter that DyLoRA or QDyLoRA made: which one to take, and cutting it out.

    python -m training.recipes.ranks run-folder/adapter 4 smaller-folder

The first b rows of A and columns of B, with `r` = b, are a plain LoRA that peft loads. Only adapters of these two
methods can be cut: in another one every row matters as much as the next.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from training.evaluation.scores import bits_per_byte, bits_per_byte_error
from training.recipes.journal import write_json


def measured_ranks(full: int) -> list[int]:
    """The powers of two up to a rank, and the rank itself."""
    powers = [1 << power for power in range(full.bit_length())]
    return powers if powers[-1] == full else [*powers, full]


def bytes_at(matrices: dict[str, Tensor]) -> int:
    """Bytes of an adapter's numbers."""
    return sum(matrix.numel() * matrix.element_size() for matrix in matrices.values())


def advise(
    measured: Sequence[tuple[int, Sequence[float]]], sizes: Sequence[int], *, bytes_at_full: int, full: int
) -> dict[str, Any]:
    """Bits per byte of each rank, and the smallest within one standard error of the best (Breiman et al. 1984, 3.4.3).

    `measured` are ranks with the summed nats of the same sentences, whose UTF-8 bytes are `sizes`. The standard error
    is the best rank's own, over sentences: with few of them, much cannot be told apart, and the advice is thrifty.
    """
    rows = [
        {
            "rank": rank,
            "bpb": bits_per_byte(nats, sizes),
            "standard_error": bits_per_byte_error(nats, sizes),
            "bytes": bytes_at_full * rank // full,
        }
        for rank, nats in sorted(measured)
    ]
    best = min(rows, key=lambda row: row["bpb"])
    limit = best["bpb"] + best["standard_error"]
    advised = next(row for row in rows if row["bpb"] <= limit)
    return {
        "measured": rows,
        "items": len(sizes),
        "best": best["rank"],
        "advised": advised["rank"],
        "bytes_saved": bytes_at_full - int(advised["bytes"]),
    }


def cut(folder: Path, rank: int, target: Path) -> None:
    """Write the adapter's first `rank` ranks as an adapter of its own. Raises ValueError, OSError."""
    about = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    if not 1 <= rank <= about["r"]:
        raise ValueError(f"The adapter holds the ranks 1 to {about['r']}, not {rank}.")
    matrices = load_file(folder / "adapter_model.safetensors")
    target.mkdir(parents=True)
    smaller = {
        name: (matrix[:rank] if ".lora_A." in name else matrix[:, :rank]).contiguous()
        for name, matrix in matrices.items()
    }
    save_file(smaller, target / "adapter_model.safetensors", metadata={"format": "pt"})
    write_json(target / "adapter_config.json", about | {"r": rank})


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Cut a DyLoRA adapter to a smaller rank.")
    parser.add_argument("adapter", type=Path)
    parser.add_argument("rank", type=int)
    parser.add_argument("target", type=Path)
    given = parser.parse_args()
    try:
        cut(given.adapter, given.rank, given.target)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
