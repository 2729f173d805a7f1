"""A run to be made elsewhere: everything that it needs in one folder, and the way back.

    python -m training.recipes.bundle pack run-folder/config.toml bundle-folder
    python -m training.recipes.bundle check bundle-folder

A bundle holds the data of the run, config.toml with places inside the bundle, a batch file for a Slurm cluster, and
the same run for LLaMA-Factory and for Axolotl, as far as these can say it. The base model is not in it, being large;
its hash in config.toml says which one it must be. What comes back is checked: the report must be of this very run and
its data, and its hash must be that of the adapter beside it.

The words in a bundle are under the same terms as in the release: it is for a machine of the community's own choosing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tomli_w
import yaml
from safetensors.torch import load_file

from training.recipes.base_model import sha256_of_file
from training.recipes.configuration import SPLITS, Configuration, ConfigurationError
from training.recipes.report import sha256_of_tensors
from training.recipes.text import Row, read_rows

DATA = ("train", "validation", "test", "judged_train", "judged_test", "text", "synthetic", "related")
SETTINGS = ("recipe", "preference", "reading", "mixing")
# What the other programs can say as well.
ROLES = ("system", "user", "assistant")
KNOWN_ELSEWHERE = ("lora", "qlora", "full")


class NotThisRun(ValueError):
    """What came back is not what the bundle asked for; the message says which part."""


def pack_run(config: Configuration, target: Path) -> list[str]:
    """Write the bundle into a new folder; the names of its files. Raises OSError."""
    (target / "data").mkdir(parents=True)
    places = {}
    for name in DATA:
        if path := getattr(config.data, name):
            shutil.copyfile(path, target / "data" / f"{name}.jsonl")
            places[name] = f"data/{name}.jsonl"
    chosen = {
        name: asdict(getattr(config, name)) for name in ("recipe", "preference", "reading", "mixing", "evaluation")
    }
    base = {"path": f"models/{Path(config.base.path).name}", "sha256": config.base.sha256}
    facts = {"base": base, "data": places, "language": asdict(config.language), "energy": asdict(config.energy)}
    (target / "config.toml").write_text(tomli_w.dumps({**facts, **chosen}), encoding="utf-8")
    (target / "run.sbatch").write_text(slurm(config), encoding="utf-8")
    rows = {split: read_rows(getattr(config.data, split)) for split in SPLITS}
    for name, content in others(config, rows).items():
        (target / name).write_text(content, encoding="utf-8")
    (target / "README.md").write_text(README.format(base=base["path"], method=config.recipe.method), encoding="utf-8")
    return sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())


def slurm(config: Configuration) -> str:
    """A batch file: one node, two GPUs; the numbers are to be changed for the cluster at hand."""
    return f"""#!/bin/bash
#SBATCH --job-name=wordhearth
#SBATCH --nodes=1
#SBATCH --gpus-per-node=2
#SBATCH --cpus-per-task={max(2, config.recipe.threads)}
#SBATCH --time=04:00:00
# Signals the recipe in time to write a checkpoint; sent again, the job goes on from there.
#SBATCH --signal=B:TERM@120
set -eu
cd "$SLURM_SUBMIT_DIR"
trap 'kill -TERM "$!"; wait' TERM
srun accelerate launch --multi_gpu --num_processes "${{SLURM_GPUS_ON_NODE:-1}}" \\
    -m training.recipes.{config.recipe.method} config.toml &
wait
"""


def others(config: Configuration, rows: Mapping[str, list[Row]]) -> dict[str, str]:
    """The same run for other programs: their files by name; nothing for a method that they do not have."""
    if config.recipe.method not in KNOWN_ELSEWHERE:
        return {}
    roles = {"role_tag": "role", "content_tag": "content"} | {f"{role}_tag": role for role in ROLES}
    splits = {
        split: {
            "file_name": f"{split}.chat.jsonl",
            "formatting": "sharegpt",
            "columns": {"messages": "messages"},
            "tags": roles,
        }
        for split in SPLITS
    }
    return {
        "llama_factory.yaml": _yaml(llama_factory(config)),
        "axolotl.yaml": _yaml(axolotl(config)),
        "data/dataset_info.json": json.dumps(splits, indent=1),
        **{f"data/{split}.chat.jsonl": _chat(some) for split, some in rows.items()},
    }


def llama_factory(config: Configuration) -> dict[str, Any]:
    """The run in LLaMA-Factory's words."""
    recipe = config.recipe
    return {
        "model_name_or_path": f"models/{Path(config.base.path).name}",
        "stage": "sft",
        "do_train": True,
        "finetuning_type": "full" if recipe.method == "full" else "lora",
        **({"quantization_bit": 4, "double_quantization": True} if recipe.method == "qlora" else {}),
        "lora_rank": recipe.rank,
        "lora_alpha": recipe.alpha,
        "lora_dropout": recipe.dropout,
        "lora_target": "all",
        "dataset_dir": "data",
        "dataset": "train",
        "eval_dataset": "validation",
        "cutoff_len": recipe.max_length,
        "per_device_train_batch_size": recipe.batch_size,
        "num_train_epochs": recipe.epochs,
        "lr_scheduler_type": "cosine",
        **_alike(config),
    }


def axolotl(config: Configuration) -> dict[str, Any]:
    """The run in Axolotl's words."""
    recipe = config.recipe
    chat = {"type": "chat_template", "field_messages": "messages", "split": "train"}
    data = {split: {"path": f"data/{split}.chat.jsonl", **chat} for split in ("train", "validation")}
    return {
        "base_model": f"models/{Path(config.base.path).name}",
        **({} if recipe.method == "full" else {"adapter": recipe.method}),
        "load_in_4bit": recipe.method == "qlora",
        "lora_r": recipe.rank,
        "lora_alpha": recipe.alpha,
        "lora_dropout": recipe.dropout,
        "lora_target_linear": True,
        "datasets": [data["train"]],
        "test_datasets": [data["validation"]],
        "train_on_inputs": False,
        "sequence_len": recipe.max_length,
        "micro_batch_size": recipe.batch_size,
        "gradient_accumulation_steps": 1,
        "num_epochs": recipe.epochs,
        "lr_scheduler": "cosine",
        "optimizer": "adamw_torch",
        **_alike(config),
    }


def _alike(config: Configuration) -> dict[str, Any]:
    recipe = config.recipe
    return {
        "learning_rate": recipe.learning_rate,
        "warmup_ratio": recipe.warmup,
        "max_grad_norm": recipe.clip,
        "weight_decay": recipe.weight_decay,
        **({"max_steps": recipe.max_steps} if recipe.max_steps else {}),
        "seed": recipe.seed,
        "output_dir": "adapter",
    }


def _chat(rows: list[Row]) -> str:
    lines = []
    for row in rows:
        said = (row.system, row.request, row.completion)
        messages = [{"role": role, "content": content} for role, content in zip(ROLES, said, strict=True)]
        lines.append(json.dumps({"id": row.id, "messages": messages}, ensure_ascii=False) + "\n")
    return "".join(lines)


def _yaml(settings: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)


def check(bundle: Path) -> dict[str, Any]:
    """The report that came back, once everything about it holds. Raises NotThisRun, OSError, ValueError."""
    asked = tomllib.loads((bundle / "config.toml").read_text(encoding="utf-8"))
    report: dict[str, Any] = json.loads((bundle / "report.json").read_text(encoding="utf-8"))
    for name in (*SETTINGS, "language"):
        told = report.get(name, {})
        if odd := sorted(key for key, value in asked[name].items() if told.get(key) != value):
            raise NotThisRun(f"The report was made with another {name}.{odd[0]}: {told.get(odd[0])!r}.")
    if asked["base"]["sha256"] and report["base"]["sha256"] != asked["base"]["sha256"]:
        raise NotThisRun("The report is of another base model.")
    for split in SPLITS:
        if report["data"][split]["sha256"] != sha256_of_file(bundle / asked["data"][split]):
            raise NotThisRun(f"The report is of another {split} file.")
    weights = list((bundle / "adapter").glob("*.safetensors"))
    if len(weights) != 1 or sha256_of_tensors(load_file(weights[0])) != report["adapter_sha256"]:
        raise NotThisRun("The adapter is not the one that the report names by its hash.")
    return report


README = """# A run to be made elsewhere

Put the base model's folder at `{base}` (config.toml names its hash), install the project's requirements, and

    sbatch run.sbatch

or, on one machine, `python -m training.recipes.{method} config.toml`. A job that was stopped goes on when it is sent
again. Then bring the folder back:

    python -m training.recipes.bundle check FOLDER

`llama_factory.yaml` and `axolotl.yaml`, where they are there, say the same run in these programs' words, as far as they
can: what they make has no report of ours and is not taken back. Their keys were written after their documentation and
not run by this project.

The words in here may be used for this run alone, and only while those who wrote them agree.
"""


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description="Take a run elsewhere, and check what comes back.")
    parser.add_argument("what", choices=["pack", "check"])
    parser.add_argument("place", type=Path, help="config.toml of the run, or the bundle")
    parser.add_argument("target", type=Path, nargs="?", help="a new folder")
    given = parser.parse_args()
    try:
        if given.what == "check":
            print(check(given.place)["adapter_sha256"])  # noqa: T201
        elif given.target is None:
            parser.error("pack needs a new folder")
        else:
            print("\n".join(pack_run(Configuration.read(given.place, "qlora"), given.target)))  # noqa: T201
    except (ConfigurationError, ValueError, KeyError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
