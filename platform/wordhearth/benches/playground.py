"""`script/bench playground`: eight adapters on one base beside eight models and beside eight processes, taking turns,
and many questions at once.

The adapters are of the usual size with random numbers, on the default base model. Eight whole models are not loaded:
two are, and each further one is taken to cost what the second did. Nor are eight processes: one is, eight times over.
`docs/serving.md` says what the figures mean. Takes three minutes where nothing else runs.
"""

from __future__ import annotations

import tempfile
from typing import Any

from rich import box
from rich.table import Table

from wordhearth.benches.training import json_of, prepared_base

NEEDS_SITE = False

PARTS = ("adapters", "shelf", "models", "alone", "turns", "mixed", "many")
ADAPTERS = 8
# What is asked of each figure (acceptance in the plan of this house): at least, or at most.
AT_LEAST = {"mixed_batch_ratio": 0.6}
AT_MOST = {"memory_ratio": 0.2, "memory_ratio_of_processes": 0.2, "warm_turn_seconds": 1.0, "cold_turn_seconds": 1.0}

Facts = dict[str, Any]


def run() -> Facts:
    """Measure each part in a process of its own."""
    base = str(prepared_base())
    with tempfile.TemporaryDirectory() as folder:
        return figures({part: json_of("training.recipes.serving_speed", part, base, folder) for part in PARTS})


def figures(found: dict[str, Facts]) -> Facts:
    """The ratios, and what they were reckoned from."""
    shelf, models, alone, mixed, many = (found[part] for part in ("shelf", "models", "alone", "mixed", "many"))
    each = models["two_mb"] - models["one_mb"]
    eight = models["one_mb"] + (ADAPTERS - 1) * each
    return {
        "memory_ratio": round(shelf["shelf_mb"] / eight, 3),
        "memory_ratio_of_processes": round(shelf["shelf_mb"] / (ADAPTERS * alone["process_mb"]), 3),
        "shelf_mb": round(shelf["shelf_mb"]),
        "eight_models_mb": round(eight),
        "model_mb": round(each),
        "process_mb": round(alone["process_mb"]),
        "process_seconds": round(alone["process_seconds"], 1),
        "adapter_mb": round(found["adapters"]["adapter_bytes"] / (1 << 20), 1),
        "mixed_batch_ratio": round(mixed["mixed_tokens_per_second"] / mixed["single_adapter_tokens_per_second"], 2),
        **{name: round(value, 1) for name, value in mixed.items()},
        **{name: round(value, 3) for name, value in found["turns"].items()},
        "at_once_speedup": round(many["one_by_one_seconds"] / many["at_once_seconds"], 2),
        "asked_at_once": many["asked"],
        "same_answers": many["same"],
    }


def table(facts: Facts) -> Table:
    """Each figure, with what is asked of it."""
    shown = Table("figure", "measured", "asked", box=box.SIMPLE_HEAD)
    for name, value in facts.items():
        asked = f"≥ {AT_LEAST[name]}" if name in AT_LEAST else f"≤ {AT_MOST[name]}" if name in AT_MOST else ""
        shown.add_row(name, f"{value}", asked)
    return shown
