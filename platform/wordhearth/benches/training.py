"""`script/bench training`: how fast, how small and how good the recipes are, beside each other and other programs.

Every program reads the same sentences of the packaged Otomí corpus once, with the same adapter and settings, in a
process of its own: our recipes as runs start them, transformers' Trainer with peft, and TRL's SFTTrainer as it comes
(the first sixteen sentences only, for it is slow).
They use one thread and are timed by the processor's clock, so that other work on the machine changes no figure.
Then single ideas of the recipes beside doing without (`training/recipes/part_speed.py`), and LoRA and full fine-tuning
once more with the fewest tokens at once. `docs/methods.md` says what the figures mean. Takes a quarter of an hour where
nothing else runs.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomli_w
from django.conf import settings
from django.core.management.base import CommandError
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from annotation.corpora.packaged import PackagedRow, read_tsunkua
from annotation.kinds.contract import Asked
from annotation.kinds.translate.kind import KIND
from training.recipes.configuration import METHODS, SEVERAL_STAGES
from training.runs.base_models import DEFAULT, find_base_model
from training.runs.processes import recipe_environment

NEEDS_SITE = False

STEPS, BATCH = 6, 8
HELD_OUT = 16
RECIPE = {
    "rank": 16,
    "alpha": 32,
    "epochs": 1,
    "batch_size": BATCH,
    "warmup": 0.05,
    "threads": 1,
    "validate_every": STEPS,
}
RATES = {"full": 1e-4}
USUAL_RATE = 1e-3
OTHERS = ("plain_hf", "trl_default")
PARTS = ("head", "reference", "intruders")
# About a sentence: a step reads its sentences one by one, and what is kept for the way back is least.
FEWEST_AT_ONCE = 64
# What is asked of each figure (acceptance in the plan of this house): at least, or at most.
AT_LEAST = {
    "vs_trl_default": 2.0,
    "vs_plain_hf": 1.8,
    "qlora_vs_lora": 0.8,
    "qlora_gain_share": 0.95,
    "lora_vs_full": 1.3,
    "completions_only_speedup": 1.08,
    "cached_reference_speedup": 1.25,
    "intruders_vs_peft": 3.0,
}
AT_MOST = {
    "nf4_memory_ratio": 0.135,
    "nf4_footprint_ratio": 0.33,
    "nf4_base_bpb_ratio": 1.03,
    "lora_memory_vs_full": 0.5,
    "lora_memory_vs_full_in_small_parts": 0.5,
    "lora_trainable_share": 0.037,
    "dylora_vs_sweep": 0.3,
}

Facts = dict[str, Any]


def run() -> Facts:
    """Train with every program and say how they compare."""
    if importlib.util.find_spec("trl") is None:
        raise CommandError("TRL is not installed; it comes with requirements/dev.txt, as script/setup installs it.")
    with tempfile.TemporaryDirectory() as place:
        folder, base = Path(place), prepared_base()
        data = write_data(folder)
        config = write_config(folder / "others", "lora", base, data)
        others = {
            name: json_of("training.recipes.speed", name, str(config)) for name in (*OTHERS, "products", "memory")
        }
        parts = {name: json_of("training.recipes.part_speed", name, str(config)) for name in PARTS}
        ours = {
            method: train(folder / method, method, base, data) for method in METHODS if method not in SEVERAL_STAGES
        }
        small = {
            method: train(folder / f"{method}-small", method, base, data, tokens_at_once=FEWEST_AT_ONCE)
            for method in ("lora", "full")
        }
    shown_of = {name: shown(report) for name, report in ours.items()}
    return {**figures(ours, others, parts, small), "methods": shown_of, **others, **parts}


def figures(
    ours: dict[str, Facts], others: dict[str, Facts], parts: dict[str, Facts], small: dict[str, Facts]
) -> Facts:
    """The ratios, from reports of our recipes, what the other programs said, what single ideas save, and reports of
    runs with the fewest tokens at once."""
    speed = {name: report["tokens_per_processor_second"] for name, report in ours.items()}
    bits = {name: report["evaluation"] for name, report in ours.items()}
    gain = {name: found["base_bpb"] - found["adapter_bpb"] for name, found in bits.items()}
    lora, memory, products = ours["lora"], others["memory"], others["products"]
    # Forward and back through frozen layers is four operations a number and token. The output layer works on completion
    # tokens only and is left out, as are attention and the adapter: the share is a little too low.
    done = 4 * products["linear_numbers"] * speed["lora"]
    return {
        "vs_trl_default": round(speed["lora"] / others["trl_default"]["tokens_per_processor_second"], 2),
        "vs_plain_hf": round(speed["lora"] / others["plain_hf"]["tokens_per_processor_second"], 2),
        "qlora_vs_lora": round(speed["qlora"] / speed["lora"], 2),
        "qlora_gain_share": round(gain["qlora"] / gain["lora"], 3),
        "lora_vs_full": round(speed["lora"] / speed["full"], 2),
        "lora_memory_vs_full": round(lora["training_memory_mb"] / ours["full"]["training_memory_mb"], 2),
        "lora_memory_vs_full_in_small_parts": round(
            small["lora"]["training_memory_mb"] / small["full"]["training_memory_mb"], 2
        ),
        "lora_trainable_share": round(lora["parameters"]["trainable"] / lora["parameters"]["total"], 4),
        "nf4_memory_ratio": round(memory["nf4_linear_bytes"] / memory["float32_linear_bytes"], 4),
        "nf4_footprint_ratio": round(memory["nf4_footprint"] / memory["float32_footprint"], 3),
        "nf4_base_bpb_ratio": round(bits["qlora"]["base_bpb"] / bits["lora"]["base_bpb"], 4),
        # One run instead of one for each of the five ranks, each as fast as the one that was timed.
        "dylora_vs_sweep": round(speed["lora"] / speed["dylora"] / 5, 2),
        "share_of_matmul_rate": round(done / 1e9 / products["gflops"], 2),
        "gflops": round(products["gflops"], 1),
        "completions_only_speedup": round(parts["head"]["ratio"], 2),
        "cached_reference_speedup": round(parts["reference"]["ratio"], 2),
        "intruders_vs_peft": round(parts["intruders"]["ratio"], 1),
        "tokens": lora["tokens"],
    }


def shown(report: Facts) -> Facts:
    """What the table says of one of our runs."""
    evaluation = report["evaluation"]
    return {
        "tokens_per_processor_second": report["tokens_per_processor_second"],
        "training_memory_mb": report["training_memory_mb"],
        "trainable": report["parameters"]["trainable"],
        "base_bpb": round(evaluation["base_bpb"], 4),
        "adapter_bpb": round(evaluation["adapter_bpb"], 4),
        **({"ranks": report["ranks"]} if "ranks" in report else {}),
    }


def prepared_base() -> Path:
    """The default base model, prepared now if no worker did. Raises CommandError."""
    if find_base_model(DEFAULT) is None:
        start("training.recipes.base_model", "--models", str(settings.MODELS_DIR), "--name", DEFAULT)
    found = find_base_model(DEFAULT)
    if found is None:
        raise CommandError("The base model could not be prepared.")
    return found.folder


def write_data(folder: Path, *, train: int = STEPS * BATCH, held_out: int = HELD_OUT) -> dict[str, str]:
    """So many lessons of the corpus, and as many to validate and to test with as are held out; the files' paths. Whole
    documents are for training or held out, so that no text is in both."""
    rows = list(lessons(read_tsunkua()))
    documents = list(dict.fromkeys(row["document"] for row in rows))
    held = set(documents[::3])
    for_training = spread([row for row in rows if row["document"] not in held], train)
    kept = spread([row for row in rows if row["document"] in held], 2 * held_out)
    parts = {"train": for_training, "validation": kept[::2], "test": kept[1::2]}
    paths = {}
    for split, some in parts.items():
        path = folder / f"{split}.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in some), encoding="utf-8")
        paths[split] = str(path)
    return paths


def spread(rows: list[Facts], count: int) -> list[Facts]:
    """So many of the rows, from all over them."""
    return rows[:: max(1, len(rows) // count)][:count]


def lessons(rows: list[PackagedRow]) -> Iterator[Facts]:
    """The pairs as a release has them."""
    if KIND.lesson is None:
        raise CommandError("Translations teach no lesson any more.")
    for number, row in enumerate(rows):
        asked = Asked(text=row.text, source_language_name="Spanish", language_name="Otomi")
        yield {
            "id": str(number),
            "source": row.text,
            "document": row.document_id,
            "lesson": {
                "system": KIND.lesson.system,
                "request": KIND.lesson.request(asked),
                "completion": row.translation,
            },
        }


def write_config(folder: Path, method: str, base: Path, data: dict[str, str], **recipe: int) -> Path:
    """A run folder's config.toml; `recipe` are other settings than the usual ones."""
    folder.mkdir()
    path = folder / "config.toml"
    config = {
        "base": {"path": str(base)},
        "data": data,
        "language": {"source_name": "Spanish", "target_name": "Otomi"},
        "recipe": {**RECIPE, "method": method, "learning_rate": RATES.get(method, USUAL_RATE), **recipe},
        # Only what the other programs do as well.
        "mixing": {"replay": 0.0},
        "evaluation": {"max_items": HELD_OUT, "generate_items": 1, "max_new_tokens": 4, "shots": 0},
    }
    path.write_text(tomli_w.dumps(config), encoding="utf-8")
    return path


def train(folder: Path, method: str, base: Path, data: dict[str, str], **recipe: int) -> Facts:
    """Run one of our recipes; its report."""
    start(f"training.recipes.{method}", str(write_config(folder, method, base, data, **recipe)))
    report: Facts = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    # What it learnt is not measured, and a whole model takes half a gigabyte, its checkpoint three times that.
    for path in (*(folder / "checkpoints").glob("*"), *(folder / "adapter").glob("*.safetensors")):
        path.unlink()
    return report


def start(module: str, *arguments: str) -> str:
    """Run a module in a process of its own; what it printed. Raises CommandError with its last words."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=settings.BASE_DIR,
        # Seconds of the processor are compared; threads that wait for each other count, too.
        env={**recipe_environment(), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CommandError(f"{module} {' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def json_of(module: str, *arguments: str) -> Facts:
    """The JSON object on the last line of what a module prints."""
    facts: Facts = json.loads(start(module, *arguments).strip().splitlines()[-1])
    return facts


def table(facts: Facts) -> Group:
    """Methods and programs, then the ratios with what is asked of them."""
    methods = Table(
        "method",
        *("tokens/s of one core", "memory MB", "trained", "base bits/byte", "after"),
        box=box.SIMPLE_HEAD,
        title_justify="left",
    )
    for name, row in facts["methods"].items():
        methods.add_row(
            METHODS[name],
            f"{row['tokens_per_processor_second']:.1f}",
            str(row["training_memory_mb"]),
            f"{row['trainable']:,}",
            f"{row['base_bpb']:.3f}",
            f"{row['adapter_bpb']:.3f}",
        )
    for name in OTHERS:
        methods.add_row(
            name, f"{facts[name]['tokens_per_processor_second']:.1f}", str(facts[name]["peak_memory_mb"]), "", "", ""
        )
    ratios = Table("figure", "measured", "asked", box=box.SIMPLE_HEAD)
    for name, value in facts.items():
        if isinstance(value, int | float):
            asked = f"≥ {AT_LEAST[name]}" if name in AT_LEAST else f"≤ {AT_MOST[name]}" if name in AT_MOST else ""
            ratios.add_row(name, f"{value}", asked)
    return Group(methods, ratios, Text(f"{STEPS} steps of {BATCH} sentences, {facts['tokens']} tokens, one thread."))
