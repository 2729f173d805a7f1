"""Bringing in a base model that somebody downloaded: one that is on a list, and nothing in it that could run.

    python -m training.recipes.adopt_base FOLDER qwen3-0-6b --models var/models [--list bases.toml]

The list (`bases.toml` beside this file, or another of the same form) names source, revision and licence of each base.
Taken are the weights as safetensors, the configuration and the tokenizer, under names that are known; whatever else
lies in the folder stays there: pickled weights and code are never opened. What is taken must be what the list says:
the sizes in config.json, every tensor by name and shape, a tokenizer of the library's own with a chat template.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from training.recipes.base_list import LIST, REVISION, BadList, listed
from training.recipes.base_model import BaseModelError, known, put_in_place, sha256_of_file

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
TAKEN = (
    *("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"),
    *("added_tokens.json", "vocab.json", "merges.txt", "chat_template.jinja", "LICENSE"),
)
# Keys by which a configuration has the library load code, kernels, or weights in another form.
NEVER = (
    *("auto_map", "quantization_config", "kernels", "custom_pipelines", "custom_generate"),
    *("attn_implementation", "_attn_implementation", "experts_implementation", "_experts_implementation"),
)


def adopt(folder: Path, name: str, models: Path, *, path: Path = LIST) -> dict[str, Any]:
    """Make models/<name> of a downloaded folder; its facts. Raises BadList, BaseModelError, OSError."""
    bases = listed(path)
    if name not in bases:
        raise BaseModelError(f"{name!r} is not on the list. It has: {', '.join(bases)}.")
    about = bases[name]
    if (models / name / "model.json").is_file():
        raise BaseModelError(f"{name} is there already; remove its folder first.")
    _require_revision(folder, about["revision"])
    models.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".preparing-", dir=models))
    try:
        for file in TAKEN:
            if (folder / file).is_file():
                shutil.copyfile(folder / file, building / file)
        _require_plain(building, about["config"])
        _take_weights(folder, building)
        parameters = _require_whole(building)
        facts = {
            "name": name,
            **{key: about[key] for key in ("source", "revision", "licence")},
            "parameters": parameters,
            "sha256": sha256_of_file(building / WEIGHTS),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        put_in_place(building, models / name, facts)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return known(models / name)


def _require_revision(folder: Path, revision: str) -> None:
    """Raise BaseModelError where the download says of itself that it is another revision: by the name that the hub's
    cache gives a folder, or by what its command writes beside the files."""
    told = {folder.resolve().name} if REVISION.fullmatch(folder.resolve().name) else set()
    for note in (folder / ".cache" / "huggingface" / "download").glob("*.metadata"):
        told |= set(note.read_text(encoding="utf-8").split("\n")[:1])
    if told - {revision}:
        raise BaseModelError(f"The folder is revision {', '.join(sorted(told))}, the list has {revision}.")


def _require_plain(folder: Path, sizes: Mapping[str, Any]) -> None:
    """Raise BaseModelError where a configuration names code to load, or sizes are not those of the list."""
    for path in folder.glob("*.json"):
        content = _read(path)
        odd = sorted({key for key in _keys(content) if key in NEVER or key.endswith("_internal")})
        if odd:
            raise BaseModelError(f"{path.name} has {', '.join(odd)}, which is not allowed.")
    config = _read(folder / "config.json")
    if not isinstance(config, dict):
        raise BaseModelError("config.json is missing, or is no configuration.")
    for key, value in sizes.items():
        if config.get(key, False if value is False else None) != value:
            raise BaseModelError(f"config.json has {key} {config.get(key)!r}, the list has {value!r}.")


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise BaseModelError(f"{path.name} is no JSON.") from error


def _keys(content: Any) -> set[str]:
    if isinstance(content, dict):
        return set(content) | {key for value in content.values() for key in _keys(value)}
    if isinstance(content, list):
        return {key for value in content for key in _keys(value)}
    return set()


def _take_weights(folder: Path, target: Path) -> None:
    """One file of safetensors, copied or joined. Raises BaseModelError."""
    if (folder / WEIGHTS).is_file():
        shutil.copyfile(folder / WEIGHTS, target / WEIGHTS)
    else:
        index = _read(folder / INDEX)
        names = sorted(set(index["weight_map"].values())) if isinstance(index, dict) and "weight_map" in index else []
        if not names:
            raise BaseModelError(f"There are no weights as safetensors: neither {WEIGHTS} nor {INDEX}.")
        if odd := [name for name in names if not isinstance(name, str) or not SHARD.fullmatch(name)]:
            raise BaseModelError(f"{INDEX} names {odd[0]!r}, which is no part of safetensors.")
        tensors: dict[str, torch.Tensor] = {}
        for name in names:
            try:
                tensors |= load_file(folder / name)
            except (SafetensorError, FileNotFoundError) as error:
                raise BaseModelError(f"{name} cannot be read: {error}.") from error
        save_file(tensors, target / WEIGHTS, metadata={"format": "pt"})
    # safetensors writes for the owner only, but web server and worker may be different users.
    (target / WEIGHTS).chmod(0o644)


def _require_whole(folder: Path) -> int:
    """How many parameters it has. Raises BaseModelError where a tensor is missing, too much or of another shape, or the
    tokenizer cannot be used."""
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        with torch.device("meta"):
            empty = AutoModelForCausalLM.from_config(config)
        wanted = {key: tuple(one.shape) for key, one in empty.state_dict().items()}
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            found = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 - no mapping
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (SafetensorError, ImportError, ValueError, KeyError, OSError, TypeError) as error:
        raise BaseModelError(f"The folder cannot be read as a model: {error}") from error
    if config.tie_word_embeddings:
        wanted.pop("lm_head.weight", None)
        found.pop("lm_head.weight", None)
    odd = sorted(key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key))
    if odd:
        raise BaseModelError(f"{len(odd)} tensors are not those of such a model, {odd[0]} first.")
    if not tokenizer.is_fast or not tokenizer.chat_template:
        raise BaseModelError("The tokenizer needs tokenizer.json and a chat template. Take the model for instructions.")
    if len(tokenizer) > config.vocab_size:
        raise BaseModelError("The tokenizer has more tokens than the model.")
    return sum(torch.Size(shape).numel() for shape in found.values())


def main() -> int:
    """Command line; prints the model's facts as JSON on the last line."""
    parser = argparse.ArgumentParser(description="Bring in a base model that was downloaded.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("name", help="as the list calls it")
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--list", type=Path, default=LIST)
    given = parser.parse_args()
    try:
        facts = adopt(given.folder, given.name, given.models, path=given.list)
    except (BadList, BaseModelError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    print(json.dumps(facts))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
