"""What a finished run says about itself: report.json, and the hash that names its adapter."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.recipes.base_model import sha256_of_file
from training.recipes.configuration import BESIDE, SPLITS, Configuration, Energy
from training.recipes.grouping import sha256_of_ids
from training.recipes.journal import Journal, peak_memory_mb
from training.recipes.metadata import consent_in
from training.recipes.text import Example, read_rows

# Files that are learnt from and are in no release.
PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate", "tokenizers", "sacrebleu")


def build_report(
    config: Configuration,
    model: Any,
    learnt: dict[str, Tensor],
    examples: dict[str, list[Example]],
    training: dict[str, Any],
    evaluation: dict[str, Any],
    journal: Journal,
) -> dict[str, Any]:
    """Everything worth keeping about the run. `learnt` is what training changed; `training` is from `loop.train`."""
    return {
        "version": 1,
        "method": config.recipe.method,
        "adapter_sha256": sha256_of_tensors(learnt),
        "base": {"path": Path(config.base.path).name, "sha256": config.base.sha256},
        "language": vars(config.language),
        "recipe": vars(config.recipe),
        "preference": vars(config.preference),
        "reading": vars(config.reading),
        "mixing": vars(config.mixing),
        "measured": vars(config.evaluation),
        "release": {"sha256": config.release.sha256},
        "consent": consent_of(config),
        "data": {split: data_of(Path(getattr(config.data, split)), examples[split]) for split in SPLITS},
        "beside_the_release": {
            name: sha256_of_file(Path(path)) for name in BESIDE if (path := getattr(config.data, name))
        },
        "beside_told": [line for line in config.release.beside.split("\n") if line],
        "parameters": parameters_of(model),
        **training,
        "seconds": round(journal.seconds, 2),
        "peak_memory_mb": round(peak_memory_mb()),
        "energy": energy_of(config.energy, journal),
        "environment": environment_of(config.recipe.threads),
        "evaluation": evaluation,
    }


def data_of(path: Path, examples: Sequence[Example]) -> dict[str, Any]:
    """How many rows of a split were used, with how many tokens, of how many; the hashes of the file and of all ids."""
    rows = read_rows(path)
    return {
        "used": len(examples),
        "tokens": sum(len(example.tokens) for example in examples),
        "rows": len(rows),
        "sha256": sha256_of_file(path),
        "items_sha256": sha256_of_ids(row.id for row in rows),
    }


def sha256_of_tensors(tensors: dict[str, Tensor]) -> str:
    """SHA-256 over the sorted names, shapes and bytes: equal adapters have equal hashes."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode() + b"\0" + str(tuple(tensor.shape)).encode())
        digest.update(tensor.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def parameters_of(model: Any) -> dict[str, int]:
    """How many numbers train, and how many there are in all, adapter included."""
    values = list(model.parameters())
    return {
        "trainable": sum(value.numel() for value in values if value.requires_grad),
        # Two NF4 weights share one stored byte.
        "total": sum(value.numel() * (2 if value.dtype == torch.uint8 else 1) for value in values),
    }


def energy_of(stated: Energy, journal: Journal) -> dict[str, Any]:
    """Energy in Wh with its bounds and where it comes from; where a grid is named, grams of CO2, with source and year.

    Without a meter and without stated watts nothing is known, and 0 Wh stand there.
    """
    spent, grid = journal.watt_hours, stated.grid()
    grams = grid.grams(spent).rounded(3) if grid and spent.middle else None
    wh = spent.rounded(5)
    return {
        "wh": wh.middle,
        "wh_low": wh.low,
        "wh_high": wh.high,
        "watts": round(3600 * spent.middle / journal.seconds, 1),
        "source": journal.meter.name,
        "pue": stated.pue,
        "grams_co2": grams.middle if grams else None,
        "grams_co2_low": grams.low if grams else None,
        "grams_co2_high": grams.high if grams else None,
        "grid": grid.facts() if grid else None,
    }


def consent_of(config: Configuration) -> dict[str, Any] | None:
    """For what the people behind the data allowed it, and on which terms, in numbers that name nobody: from the
    manifest beside the data. None for files of no release, and where the manifest does not say it."""
    if not config.release.sha256:
        return None
    manifest = json.loads((Path(config.data.train).parent.parent / "manifest.json").read_text(encoding="utf-8"))
    return consent_in(manifest, [label for label in config.release.labels.split("\n") if label])


def environment_of(threads: int) -> dict[str, Any]:
    """What the adapter's bytes may depend on: packages, processor, threads and arithmetic mode."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processor": processor_name(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": threads,
        "mkl_cbwr": os.environ.get("MKL_CBWR", ""),
        **{name: version(name) for name in PACKAGES},
    }


def processor_name() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
