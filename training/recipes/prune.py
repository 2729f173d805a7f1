"""A smaller adapter to download: the directions of each layer that matter least are left out.

    python -m training.recipes.prune run-folder/config.toml RANK target-folder

What an adapter adds to a layer is s B A, of rank r. Of all matrices of a smaller rank, the one that keeps its largest
singular directions is nearest to it (Eckart & Young 1936); half the rank is half the bytes. The bits per byte on the
validation split, before and after, say what that cost. An adapter of DyLoRA is better cut by
`training/recipes/ranks.py`: it was trained for it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoTokenizer

from training.evaluation.scores import bits_per_byte
from training.recipes.compose import require_plain, scaling_of
from training.recipes.configuration import Configuration, ConfigurationError
from training.recipes.intruders import load
from training.recipes.journal import write_json
from training.recipes.loop import load_examples
from training.recipes.ranks import bytes_at
from training.recipes.stages import RecipeError, losses_of, validation_part


def smaller(a: Tensor, b: Tensor, scaling: float, rank: int) -> tuple[Tensor, Tensor]:
    """A' (rank, columns) and B' (rows, rank), scaling one: the nearest to scaling B A that has this rank."""
    # B = Qb Rb and A' = Qa Ra, so B A = Qb (Rb Ra') Qa': only an r by r matrix is decomposed.
    qb, rb = torch.linalg.qr(b.double())
    qa, ra = torch.linalg.qr(a.double().T)
    u, s, vt = torch.linalg.svd(rb @ ra.T * scaling)
    root = s[:rank].sqrt()
    return (root[:, None] * (vt[:rank] @ qa.T)).float(), ((qb @ u[:, :rank]) * root).float()


def prune(folder: Path, rank: int, target: Path) -> dict[str, int]:
    """Write the adapter at a smaller rank into a new folder; bytes of numbers before and after.

    Raises ValueError, also for an adapter that is more than s B A beside some layers; OSError.
    """
    about = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    require_plain(folder, about)
    if not 1 <= rank < about["r"]:
        raise ValueError(f"The adapter has rank {about['r']}: choose a smaller rank, from 1.")
    kept, made = load_file(folder / "adapter_model.safetensors"), {}
    if odd := [name for name in kept if ".lora_A." not in name and ".lora_B." not in name]:
        raise ValueError(f"{odd[0]} is no matrix beside a layer: without it this would be another adapter.")
    for name, a in kept.items():
        if ".lora_A." in name:
            other = name.replace(".lora_A.", ".lora_B.")
            made[name], made[other] = smaller(a, kept[other], scaling_of(about), rank)
    target.mkdir(parents=True)
    save_file(
        {name: one.contiguous() for name, one in made.items()},
        target / "adapter_model.safetensors",
        metadata={"format": "pt"},
    )
    write_json(target / "adapter_config.json", about | {"r": rank, "lora_alpha": rank, "use_rslora": False})
    return {"bytes_before": bytes_at(kept), "bytes_after": bytes_at(made)}


def bpb_of(config: Configuration, folder: Path) -> float:
    """Bits per byte of an adapter on part of the run's validation split."""
    tokenizer = AutoTokenizer.from_pretrained(config.base.path)
    examples = validation_part(load_examples(config, tokenizer, "validation"), config)
    model: Any = load(config, folder)
    return bits_per_byte(losses_of(model, examples), [example.target_bytes for example in examples])


def shrink(config: Configuration, rank: int, target: Path) -> dict[str, Any]:
    """Write a finished run's adapter at a smaller rank into a new folder; its bytes, and its bits per byte on part of
    the validation split, before and after. Raises ValueError, RecipeError, OSError."""
    whole = config.folder / "adapter"
    sizes = prune(whole, rank, target)
    before, after = bpb_of(config, whole), bpb_of(config, target)
    return {**sizes, "bpb_before": before, "bpb_after": after, "bpb_ratio": after / before}


def main() -> int:
    """Command line; the figures as JSON on the last line."""
    parser = argparse.ArgumentParser(description="Write an adapter at a smaller rank, and measure what it cost.")
    parser.add_argument("config", type=Path)
    parser.add_argument("rank", type=int)
    parser.add_argument("target", type=Path)
    given = parser.parse_args()
    try:
        config = Configuration.read(given.config, "qlora")
        torch.set_num_threads(config.recipe.threads)
        facts = shrink(config, given.rank, given.target)
    except (ConfigurationError, RecipeError, OSError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(json.dumps(facts))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
