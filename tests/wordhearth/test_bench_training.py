"""The bench of the recipes compares like with like; the programs themselves are tried in tests/recipes."""

import io
import json
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from rich.console import Console

from training.recipes.configuration import METHODS, Configuration
from wordhearth.benches import training


def report(speed, base, after, memory=1000):
    return {
        "tokens_per_processor_second": speed,
        "training_memory_mb": memory,
        "tokens": 3000,
        "parameters": {"trainable": 36, "total": 1000},
        "evaluation": {"base_bpb": base, "adapter_bpb": after},
    }


OURS = {name: report(100.0, 4.0, 3.0) for name in METHODS} | {
    "qlora": report(90.0, 4.1, 3.2),
    "dylora": report(80.0, 4.0, 3.1),
    "full": report(50.0, 4.0, 2.0, memory=4000),
}
OTHERS = {
    "plain_hf": {"tokens_per_processor_second": 40.0, "peak_memory_mb": 2000},
    "trl_default": {"tokens_per_processor_second": 10.0, "peak_memory_mb": 2000},
    "products": {"linear_numbers": 100_000_000, "head_numbers": 1, "gflops": 80.0},
    "memory": {
        "nf4_linear_bytes": 13,
        "float32_linear_bytes": 100,
        "nf4_footprint": 31,
        "float32_footprint": 100,
    },
}
PARTS = {"head": {"ratio": 1.2}, "reference": {"ratio": 1.36}, "intruders": {"ratio": 3.64}}
SMALL = {"lora": report(90.0, 4.0, 3.0), "full": report(45.0, 4.0, 2.0, memory=2500)}


def test_ratios_are_of_the_right_things():
    found = training.figures(OURS, OTHERS, PARTS, SMALL)
    assert found == {
        "vs_trl_default": 10.0,
        "vs_plain_hf": 2.5,
        "qlora_vs_lora": 0.9,
        "qlora_gain_share": 0.9,
        "lora_vs_full": 2.0,
        "lora_memory_vs_full": 0.25,
        "lora_memory_vs_full_in_small_parts": 0.4,
        "lora_trainable_share": 0.036,
        "nf4_memory_ratio": 0.13,
        "nf4_footprint_ratio": 0.31,
        "nf4_base_bpb_ratio": 1.025,
        "dylora_vs_sweep": 0.25,
        # Four operations for each of 100 million numbers, 100 tokens a second: 40 of 80 GFLOP/s.
        "share_of_matmul_rate": 0.5,
        "gflops": 80.0,
        "completions_only_speedup": 1.2,
        "cached_reference_speedup": 1.36,
        "intruders_vs_peft": 3.6,
        "tokens": 3000,
    }
    facts = {**found, "methods": {name: training.shown(row) for name, row in OURS.items()}, **OTHERS, **PARTS}
    page = io.StringIO()
    Console(file=page, width=120).print(training.table(facts))
    assert all(name in page.getvalue() for name in (*METHODS.values(), "plain_hf", "≥ 2.0", "≤ 0.135"))


def test_all_programs_read_whole_batches_of_documents_that_are_not_held_out(tmp_path, tiny_model):
    data = training.write_data(tmp_path)
    rows = {
        split: [json.loads(line) for line in Path(path).read_text(encoding="utf-8").split("\n") if line]
        for split, path in data.items()
    }
    assert {split: len(some) for split, some in rows.items()} == {"train": 48, "validation": 16, "test": 16}
    documents = {split: {row["document"] for row in some} for split, some in rows.items()}
    assert not documents["train"] & (documents["validation"] | documents["test"])
    for method in METHODS:
        path = training.write_config(tmp_path / method, method, tiny_model, data)
        assert Configuration.read(path, "").recipe.method == method


@pytest.fixture
def tiny_model(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"")
    return tmp_path


def test_without_trl_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CommandError, match=r"requirements/dev\.txt"):
        training.run()


def test_a_program_that_fails_is_quoted():
    with pytest.raises(CommandError, match="failed"):
        training.start("training.recipes.nothing_of_this_name")
