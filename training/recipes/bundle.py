"""A run to be made elsewhere: everything that it needs in one folder, and the way back.

    python -m training.recipes.bundle pack run-folder/config.toml bundle-folder
    python -m training.recipes.bundle check bundle-folder

A bundle holds the data of the run, the manifest of its release, config.toml with places inside the bundle, a batch
file for a Slurm cluster, and the same run for LLaMA-Factory and for Axolotl, as far as these can say it. The base model
is not in it, being large; its hash in config.toml says which one it must be. What comes back is checked: the report
must be of this very run and its data, and its hash must be that of the adapter beside it.

No torch here: the site packs and checks, too (`training/runs/elsewhere.py`), where it is not installed.

The words in a bundle are under the same terms as in the release: it is for a machine of the community's own choosing.
"""

from __future__ import annotations

import argparse
import hashlib
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

from annotation.worded import Worded
from training.recipes.configuration import BESIDE, SPLITS, Configuration, ConfigurationError
from training.recipes.matrices import sha256_of_matrices

DATA = ("train", "validation", "test", "judged_train", "judged_test", "text", "synthetic", "related")
# As the manifest of a release names them.
FILES = {name: f"data/{name}.jsonl" for name in DATA} | {
    f"judged_{split}": f"data/{split}.judged.jsonl" for split in ("train", "test")
}
# What the report calls each section of the settings.
SETTINGS = {
    **{name: name for name in ("recipe", "preference", "reading", "mixing", "language")},
    **{"evaluation": "measured", "release": "release"},
}
MANIFEST = "manifest.json"
FOR_THE_CARD = {("release", "labels"), ("release", "beside")}
# What would make of an adapter's matrices something else than s B A beside the layers.
MORE_THAN_A_LORA = (
    *("modules_to_save", "auto_mapping", "megatron_config", "rank_pattern", "alpha_pattern", "layer_replication"),
    *("use_dora", "use_rslora", "trainable_token_indices"),
)
# What the other programs can say as well.
ROLES = ("system", "user", "assistant")
KNOWN_ELSEWHERE = ("lora", "qlora", "full")


class NotThisRun(Worded):
    """What came back is not what the bundle asked for; the message says which part."""


def pack_run(config: Configuration, target: Path) -> list[str]:
    """Write the bundle into a new folder; the names of its files. Raises ConfigurationError, OSError."""
    (target / "data").mkdir(parents=True)
    if config.release.sha256:
        # The report says from it on which terms the words were given.
        shutil.copyfile(Path(config.data.train).parent.parent / MANIFEST, target / MANIFEST)
    places = {}
    for name in DATA:
        if path := getattr(config.data, name):
            places[name] = FILES[name]
            shutil.copyfile(path, target / places[name])
    chosen = {
        name: asdict(getattr(config, name)) for name in ("recipe", "preference", "reading", "mixing", "evaluation")
    }
    base = {"path": f"models/{Path(config.base.path).name}", "sha256": config.base.sha256}
    facts = {"base": base, "data": places, "language": asdict(config.language), "energy": asdict(config.energy)}
    if config.release.sha256:
        facts["release"] = asdict(config.release)
    (target / "config.toml").write_text(tomli_w.dumps({**facts, **chosen}), encoding="utf-8")
    (target / "run.sbatch").write_text(slurm(config), encoding="utf-8")
    for name, content in others(config).items():
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


def others(config: Configuration) -> dict[str, str]:
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
        **{f"data/{split}.chat.jsonl": _chat(Path(getattr(config.data, split))) for split in SPLITS},
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


def _chat(path: Path) -> str:
    lines = []
    for row in (json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()):
        said = (row["lesson"][part] for part in ("system", "request", "completion"))
        messages = [{"role": role, "content": content} for role, content in zip(ROLES, said, strict=True)]
        lines.append(json.dumps({"id": str(row["id"]), "messages": messages}, ensure_ascii=False) + "\n")
    return "".join(lines)


def _yaml(settings: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)


def check(bundle: Path) -> dict[str, Any]:
    """The report that came back, once everything about it holds. Raises NotThisRun, OSError, ValueError, KeyError."""
    asked = tomllib.loads((bundle / "config.toml").read_text(encoding="utf-8"))
    report = _read(bundle / "report.json")
    for name, called in SETTINGS.items():
        told = report.get(called, {})
        for key, value in asked.get(name, {}).items():
            # Words for the card; the report names by their hashes what they are about.
            if told.get(key) != value and (name, key) not in FOR_THE_CARD:
                raise NotThisRun(
                    "The report was made with another %(name)s: %(told)s.",
                    name=f"{name}.{key}",
                    told=repr(told.get(key))[:100],
                )
    if asked["base"]["sha256"] and report["base"]["sha256"] != asked["base"]["sha256"]:
        raise NotThisRun("The report is of another base model.")
    for split in SPLITS:
        if report["data"][split]["sha256"] != _sha256(bundle / asked["data"][split]):
            raise NotThisRun("The report is of another %(split)s file.", split=split)
    for kind in BESIDE:
        wanted = _sha256(bundle / asked["data"][kind]) if asked["data"].get(kind) else None
        if report["beside_the_release"].get(kind) != wanted:
            raise NotThisRun("The report is of another %(split)s file.", split=kind)
    weights = list((bundle / "adapter").glob("*.safetensors"))
    if len(weights) != 1 or sha256_of_matrices(weights[0]) != report["adapter_sha256"]:
        raise NotThisRun("The adapter is not the one that the report names by its hash.")
    for name in ("base_bpb", "adapter_bpb", "base_chrf", "adapter_chrf"):
        value = report["evaluation"][name]
        # Texts may not be measured; likelihood always is.
        if not isinstance(value, float | int) and not (value is None and name.endswith("chrf")):
            raise NotThisRun("The report says %(value)s as %(name)s.", value=repr(value)[:100], name=name)
    if (about := bundle / "adapter" / "adapter_config.json").is_file():
        _check_adapter(_read(about), asked["recipe"])
    return report


def _check_adapter(about: dict[str, Any], recipe: dict[str, Any]) -> None:
    """Raise NotThisRun where what lies beside the matrices, which no hash names, would make another adapter of them."""
    odd = [name for name in MORE_THAN_A_LORA if about.get(name)]
    if about.get("peft_type") != "LORA" or about.get("bias", "none") != "none" or odd:
        known = ", ".join(odd) or "peft_type, bias"
        raise NotThisRun("adapter_config.json is of no plain LoRA: %(odd)s.", odd=known)
    # The mean of groups has the ranks of all of them.
    if recipe["shards"] <= 1 and (about.get("r"), about.get("lora_alpha")) != (recipe["rank"], recipe["alpha"]):
        raise NotThisRun("adapter_config.json has another rank or alpha than the run.")


def _read(path: Path) -> dict[str, Any]:
    def refuse(constant: str) -> None:
        raise NotThisRun("%(file)s holds %(value)s, which is no number.", file=path.name, value=constant)

    found = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    if not isinstance(found, dict):
        raise NotThisRun("%(file)s is no report or settings.", file=path.name)
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


README = """# A run to be made elsewhere

Put the base model's folder at `{base}` (config.toml names its hash), install the project's requirements, and

    sbatch run.sbatch

or, on one machine, `python -m training.recipes.{method} config.toml`. A job that was stopped goes on when it is sent
again. What [energy] of config.toml says of power and grid is this site's: write there what holds where it runs. Nothing
else may be changed. Then check the folder, pack what is to come back, and bring it to the page of the run:

    python -m training.recipes.bundle check FOLDER
    zip -r back.zip adapter report.json log.jsonl README.md

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
