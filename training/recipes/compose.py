"""One LoRA adapter out of several that learnt apart: exactly the mean of what each adds to the base.

    python -m training.recipes.compose target-folder adapter-folder adapter-folder ...

Each adapter adds s_i B_i A_i to a layer. All A_i one below the other and all (w_i s_i) B_i one beside the other are
matrices whose product is the sum of w_i s_i B_i A_i, here with w_i = 1/S: an adapter of rank r_1 + ... + r_S that peft
loads as any other. (Adding the A_i and the B_i themselves, as peft's "linear" does, is no mean of anything.)

Where each adapter learnt from other people's words, taking one out is composing the rest: nothing of it is left, and
nothing is trained. The same adapters give the same bytes, in whatever order they are named.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from training.recipes.journal import write_json
from training.recipes.report import sha256_of_tensors

# What two adapters must have in common to stand for one; rank and alpha may differ.
COMMON = ("base_model_name_or_path", "peft_type", "task_type", "target_modules", "fan_in_fan_out")
# What makes an adapter more than s B A: it cannot be composed like this.
PLAIN: dict[str, tuple[Any, ...]] = {
    "bias": ("none",),
    "use_dora": (False, None),
    "modules_to_save": (None, []),
    "trainable_token_indices": (None,),
}

Matrices = dict[str, Tensor]


class CannotCompose(ValueError):
    """The adapters are no plain LoRAs of one base; the message says which and why."""


def compose(folders: Sequence[Path], target: Path) -> str:
    """Write the mean of the adapters as one adapter into a new folder; its hash. Raises CannotCompose, OSError."""
    if not folders:
        raise CannotCompose("There is nothing to compose.")
    read = [(_about(folder), load_file(folder / "adapter_model.safetensors")) for folder in folders]
    first = read[0][0]
    for folder, (about, _) in zip(folders, read, strict=True):
        require_plain(folder, about)
        if odd := [name for name in COMMON if about.get(name) != first.get(name)]:
            raise CannotCompose(f"{folder} and {folders[0]} differ in {odd[0]}.")
    if any(matrices.keys() != read[0][1].keys() for _, matrices in read):
        raise CannotCompose("The adapters have matrices at different layers.")
    read.sort(key=lambda one: sha256_of_tensors(one[1]))
    whole = mean_of([(matrices, scaling_of(about)) for about, matrices in read])
    rank = sum(about["r"] for about, _ in read)
    target.mkdir(parents=True)
    save_file(whole, target / "adapter_model.safetensors", metadata={"format": "pt"})
    # The scalings are in the matrices, so alpha = rank says "times one".
    plain = {"r": rank, "lora_alpha": rank, "use_rslora": False, "lora_dropout": 0.0}
    write_json(target / "adapter_config.json", first | plain)
    return sha256_of_tensors(whole)


def mean_of(adapters: Sequence[tuple[Matrices, float]]) -> Matrices:
    """The matrices of the mean of some adapters, each with its scaling; the scaling of what comes out is one."""
    whole = {}
    for name in adapters[0][0]:
        if ".lora_A." in name:
            whole[name] = torch.cat([matrices[name].float() for matrices, _ in adapters], dim=0)
        elif ".lora_B." in name:
            parts = [matrices[name].double() * (scaling / len(adapters)) for matrices, scaling in adapters]
            whole[name] = torch.cat(parts, dim=1).float().contiguous()
        else:
            raise CannotCompose(f"{name} is no matrix of a LoRA on a linear layer.")
    return whole


def scaling_of(about: dict[str, Any]) -> float:
    """What an adapter multiplies B A with: alpha / r, or alpha / sqrt(r) where it says so (rsLoRA)."""
    rank = float(about["r"])
    return float(about["lora_alpha"]) / (math.sqrt(rank) if about.get("use_rslora") else rank)


def _about(folder: Path) -> dict[str, Any]:
    about: dict[str, Any] = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    return about


def require_plain(folder: Path, about: dict[str, Any]) -> None:
    """Raise CannotCompose for an adapter that is more than s B A beside some layers."""
    odd = [name for name, plain in PLAIN.items() if name in about and about[name] not in plain]
    odd += [name for name in ("rank_pattern", "alpha_pattern") if about.get(name)]
    if about.get("peft_type") != "LORA" or odd:
        raise CannotCompose(f"{folder} is no plain LoRA: {', '.join(odd) or 'peft_type'}.")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Make one adapter that is the mean of several.")
    parser.add_argument("target", type=Path)
    parser.add_argument("adapters", type=Path, nargs="+")
    given = parser.parse_args()
    try:
        print(compose(given.adapters, given.target))  # noqa: T201
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
