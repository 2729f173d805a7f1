"""Ending early, learning from a part, and going on with less memory: each to the same bytes."""

import json
import math

import pytest
import torch
from transformers import AutoTokenizer

from tests.recipes.conftest import write_run
from training.recipes import loop
from training.recipes.configuration import Configuration
from training.recipes.devices import is_out_of_memory
from training.recipes.journal import load_checkpoint
from training.recipes.lora import Lora
from training.recipes.text import within_budget

# A rate at which the tiny model soon gets worse again on what it does not learn from.
HASTY = {"learning_rate": 0.08, "epochs": 12, "validate_every": 2, "patience": 2, "checkpoint_every": 3}


def events(config, kind):
    lines = (config.parent / "log.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == kind]


def report_of(config):
    return json.loads((config.parent / "report.json").read_text())


@pytest.fixture(scope="module")
def hasty(tiny_base, tmp_path_factory):
    """An uninterrupted run that ends early; its config.toml."""
    config = write_run(tmp_path_factory.mktemp("hasty") / "run", tiny_base, method="lora", **HASTY)
    assert loop.main(config, Lora()) == 0
    return config


def test_it_ends_after_so_many_measurements_without_a_better_one_and_keeps_the_best(hasty):
    measured = {event["step"]: event["bpb"] for event in events(hasty, "validation")}
    (stage,) = report_of(hasty)["stages"]
    best = min(measured, key=measured.__getitem__)
    assert (stage["kept_step"], stage["kept_bpb"]) == (best, measured[best])
    assert stage["last_step"] == report_of(hasty)["steps"] == max(measured) == best + 2 * HASTY["validate_every"]
    assert stage["last_step"] < events(hasty, "step")[-1]["steps"]
    checkpoint = load_checkpoint(hasty.parent)
    assert all(torch.equal(value, checkpoint["best"]["learnt"][name]) for name, value in checkpoint["learnt"].items())


@pytest.mark.parametrize("when", ["before", "at the end"])
def test_killed_it_ends_at_the_same_step_with_the_same_bytes(hasty, tiny_base, tmp_path, monkeypatch, when):
    whole = report_of(hasty)
    (stage,) = whole["stages"]
    config = write_run(tmp_path / "run", tiny_base, method="lora", **HASTY)
    # Between the best and the end a checkpoint holds a best and a count.
    kill_at = stage["kept_step"] + 1 if when == "before" else None

    class Killed(Lora):
        def before_step(self, model, config, step):
            if step == kill_at:
                raise KeyboardInterrupt

        def also_evaluate(self, *args):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.main(config, Killed())
    torch.manual_seed(99)
    assert loop.main(config, Lora()) == 0
    assert report_of(config)["adapter_sha256"] == whole["adapter_sha256"]
    assert (report_of(config)["steps"], report_of(config)["stages"]) == (whole["steps"], whole["stages"])


def test_without_patience_the_last_step_is_kept_and_nothing_is_said_of_a_best(tiny_base, tmp_path):
    config = write_run(tmp_path / "run", tiny_base, method="lora", epochs=1, validate_every=2)
    assert loop.main(config, Lora()) == 0
    assert "kept_step" not in report_of(config)["stages"][0]
    assert not events(config, "kept")


def test_small_budgets_are_among_large_ones_and_hang_on_no_order_of_the_rows(tiny_base, tmp_path):
    path = write_run(tmp_path / "run", tiny_base)
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)

    def learnt_from(**settings):
        config = Configuration.read(write_run(tmp_path / "run", tiny_base, **settings), "lora")
        examples = loop.load_examples(config, tokenizer, "train")
        kept = within_budget(examples[::-1], config.recipe)
        assert {one.id for one in kept} == {one.id for one in within_budget(examples, config.recipe)}
        return {one.id for one in kept}, sum(len(one.tokens) for one in kept)

    whole, tokens = learnt_from()
    assert (len(whole), path.is_file()) == (24, True)
    sizes = [learnt_from(token_share=share) for share in (0.25, 0.5, 0.75)]
    assert sizes[0][0] < sizes[1][0] < sizes[2][0] < whole
    assert all(
        share * tokens - 150 < found <= share * tokens
        for share, (_, found) in zip((0.25, 0.5, 0.75), sizes, strict=True)
    )
    assert learnt_from(token_budget=sizes[1][1])[0] == sizes[1][0]
    assert learnt_from(token_share=0.25, seed=8)[0] != sizes[0][0]
    assert len(learnt_from(token_budget=1)[0]) == 1


def test_a_budget_is_what_the_report_says_was_learnt_from(tiny_base, tmp_path):
    config = write_run(tmp_path / "run", tiny_base, method="lora", epochs=1, token_share=0.5)
    assert loop.main(config, Lora()) == 0
    report = report_of(config)
    assert report["data"]["train"]["used"] < report["data"]["train"]["rows"] == 24
    assert report["stages"][0]["learnt_from"]["own"] == report["data"]["train"]["used"]


def test_fewer_tokens_at_once_add_up_to_the_same_adapter_within_rounding(tiny_base, tmp_path):
    made = {}
    for at_once in (768, 192):
        config = write_run(tmp_path / str(at_once), tiny_base, method="lora", epochs=1, tokens_at_once=at_once)
        assert loop.main(config, Lora()) == 0
        made[at_once] = load_checkpoint(config.parent)["learnt"], events(config, "step")
    assert made[192][1][-1]["loss"] == pytest.approx(made[768][1][-1]["loss"], abs=2e-5)
    apart = max(float((made[192][0][name] - value).abs().max()) for name, value in made[768][0].items())
    assert 0 < apart < 1e-5


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA"), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_a_process_that_runs_out_of_memory_says_so_by_its_code(tiny_base, tmp_path, error):
    class Full(Lora):
        def before_step(self, model, config, step):
            raise error

    config = write_run(tmp_path / "run", tiny_base, method="lora")
    assert is_out_of_memory(error)
    assert loop.main(config, Full()) == loop.OUT_OF_MEMORY
    assert events(config, "error")
    assert not is_out_of_memory(RuntimeError(math.pi))


def test_a_run_of_one_step_learns_something(tiny_base, tmp_path):
    config = Configuration.read(write_run(tmp_path / "run", tiny_base, method="lora", max_steps=1), "lora")
    assert config.recipe.warmup > 0
    assert loop.main(config.folder / "config.toml", Lora()) == 0
    learnt = load_checkpoint(config.folder)["learnt"]
    assert any(float(matrix.abs().max()) > 0 for name, matrix in learnt.items() if ".lora_B." in name)
