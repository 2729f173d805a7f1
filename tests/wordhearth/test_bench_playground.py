"""The bench of the playground reckons what eight models would take from two, and its parts measure what they say."""

import io

from rich.console import Console

from training.recipes import serving_speed
from training.recipes.tiny_base import make_base
from wordhearth.benches import playground

FOUND = {
    "adapters": {"adapter_bytes": 20 << 20},
    "shelf": {"shelf_mb": 900.0},
    "models": {"one_mb": 800.0, "two_mb": 1400.0},
    "alone": {"process_mb": 750.0, "process_seconds": 12.0},
    "turns": {"warm_turn_seconds": 0.01, "cold_turn_seconds": 1.5, "cold_turn_median_seconds": 0.5},
    "mixed": {
        "mixed_tokens_per_second": 20.0,
        "single_adapter_tokens_per_second": 25.0,
        "one_row_tokens_per_second": 5.0,
    },
    "many": {"one_by_one_seconds": 30.0, "at_once_seconds": 10.0, "asked": 10, "same": 9},
}


def test_the_figures_follow_from_what_was_measured():
    facts = playground.figures(FOUND)
    assert (facts["model_mb"], facts["eight_models_mb"]) == (600, 800 + 7 * 600)
    assert (facts["memory_ratio"], facts["mixed_batch_ratio"]) == (0.18, 0.8)
    assert (facts["memory_ratio_of_processes"], facts["process_seconds"]) == (0.15, 12.0)
    assert (facts["at_once_speedup"], facts["asked_at_once"], facts["same_answers"]) == (3.0, 10, 9)
    page = io.StringIO()
    Console(file=page, width=100).print(playground.table(facts))
    assert "≤ 0.2" in page.getvalue()


def test_each_part_measures_on_real_adapters(tmp_path, monkeypatch):
    base = str(make_base(tmp_path / "base"))
    monkeypatch.setattr(serving_speed, "NEW_TOKENS", 4)
    found = {part: serving_speed.PARTS[part](base, tmp_path / "adapters") for part in playground.PARTS}
    assert found["shelf"]["kept"] == playground.ADAPTERS == serving_speed.ADAPTERS
    assert found["many"]["same"] == found["many"]["asked"]
    assert all(value > 0 for value in found["mixed"].values())
    last = tmp_path / "adapters" / "7" / "adapter_model.safetensors"
    assert last.stat().st_size == found["adapters"]["adapter_bytes"]
