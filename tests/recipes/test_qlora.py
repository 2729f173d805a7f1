"""The recipe as a process of its own: it learns, says so, and can be stopped; and what every method's steps promise."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partialmethod
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from transformers import AutoTokenizer

from tests.forking import RealPopen
from tests.recipes.conftest import lesson, write_run
from training.metering.grid import table
from training.metering.power import ESTIMATED, Meter
from training.recipes import loop, qlora, stages
from training.recipes.base_model import sha256_of_file
from training.recipes.configuration import Configuration
from training.recipes.journal import Journal, load_checkpoint

ROOT = Path(__file__).resolve().parents[2]


def start(config):
    """A process from its very beginning, as outside of tests."""
    return RealPopen(
        [sys.executable, "-m", "training.recipes.qlora", str(config)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def events(config):
    lines = (config.parent / "log.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def finished(tiny_base, tmp_path_factory):
    config = write_run(tmp_path_factory.mktemp("whole"), tiny_base)
    before = sha256_of_file(tiny_base / "model.safetensors")
    assert qlora.main(config) == 0
    assert sha256_of_file(tiny_base / "model.safetensors") == before
    return config


def test_it_learns_and_says_so(finished):
    report = json.loads((finished.parent / "report.json").read_text())
    evaluation = report["evaluation"]
    assert evaluation["adapter_bpb"] < evaluation["base_bpb"]
    assert evaluation["bpb_difference_ci95"][1] < 0
    assert evaluation["items"] == 6
    assert len(evaluation["samples"]) == 2
    assert report["data"]["train"] == {**report["data"]["train"], "used": 24, "rows": 24}
    # Seven linear layers in each of two blocks, none on the output layer.
    assert report["parameters"]["trainable"] == 2 * 4 * sum(
        (64 + 64, 64 + 32, 64 + 32, 64 + 64, 64 + 128, 64 + 128, 128 + 64)
    )
    assert report["energy"]["source"] == ESTIMATED
    assert report["energy"]["wh_high"] == pytest.approx(60 * report["seconds"] / 3600, rel=0.05)
    assert 0 < report["energy"]["wh_low"] < report["energy"]["wh"] < report["energy"]["wh_high"]
    assert report["steps"] == 12
    assert report["tokens_per_second"] > 0
    grid = table()["KEN"]
    assert report["energy"]["grid"] == grid.facts()
    assert report["energy"]["grams_co2"] == pytest.approx(report["energy"]["wh"] * 0.070492, abs=0.001)
    assert report["adapter_sha256"] in (finished.parent / "README.md").read_text()


def test_the_hub_reads_its_card(finished):
    card = ModelCard.load(finished.parent / "adapter" / "README.md")
    report = json.loads((finished.parent / "report.json").read_text())
    assert card.data.co2_eq_emissions["emissions"] == report["energy"]["grams_co2"]
    assert card.data.co2_eq_emissions["geographical_location"] == "KEN"
    assert {result.metric_type for result in card.data.eval_results} == {"bits_per_byte", "chrf"}
    assert card.data.library_name == "peft"


def test_measuring_changes_no_byte_of_the_adapter(finished, tiny_base, tmp_path, monkeypatch):
    monkeypatch.setattr(Meter, "start", partialmethod(Meter.start, every=0.001))
    config = write_run(tmp_path / "run", tiny_base)
    assert qlora.main(config) == 0
    first, second = (json.loads((one.parent / "report.json").read_text()) for one in (finished, config))
    assert second["adapter_sha256"] == first["adapter_sha256"]


def test_nothing_that_leaves_the_machine_tells_its_folders(finished, tiny_base):
    for path in (*(finished.parent / "adapter").glob("*.[jm]*"), finished.parent / "report.json"):
        assert str(tiny_base) not in path.read_text()


def test_the_log_tells_phases_steps_and_validation(finished):
    seen = events(finished)
    phases = [event["phase"] for event in seen if event["event"] == "phase"]
    assert phases == ["loading", "quantising", "training", "evaluating", "saving", "finished"]
    steps = [event for event in seen if event["event"] == "step"]
    assert [event["step"] for event in steps] == list(range(1, 13))
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert {event["step"] for event in seen if event["event"] == "validation"} == {5, 10, 12}


@pytest.mark.slow
def test_a_process_that_was_stopped_and_went_on_in_another_makes_the_same_adapter(finished, tiny_base, tmp_path):
    config = write_run(tmp_path / "run", tiny_base)
    process = start(config)
    log = config.parent / "log.jsonl"
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and (not log.exists() or '"event": "step"' not in log.read_text()):
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=180)
    assert process.returncode == 75
    assert events(config)[-1]["event"] == "stopped"
    stopped_at = load_checkpoint(config.parent)["step"]
    assert 0 < stopped_at < 12
    assert qlora.main(config) == 0
    assert {"event": "resumed", "step": stopped_at}.items() <= next(
        event for event in events(config) if event["event"] == "resumed"
    ).items()
    first = json.loads((finished.parent / "report.json").read_text())
    second = json.loads((config.parent / "report.json").read_text())
    assert second["adapter_sha256"] == first["adapter_sha256"]
    assert second["evaluation"]["adapter_bpb"] == first["evaluation"]["adapter_bpb"]


def test_another_base_model_is_refused_with_a_message(tiny_base, tmp_path):
    config = write_run(tmp_path / "run", tiny_base)
    config.write_text(config.read_text().replace(sha256_of_file(tiny_base / "model.safetensors"), "0" * 64))
    assert qlora.main(config) == 1
    assert "not the ones the run was made for" in events(config)[-1]["message"]


def test_a_checkpoint_made_with_other_settings_is_refused(finished, tiny_base):
    before = finished.read_text()
    finished.write_text(before.replace("rank = 4", "rank = 5"))
    code = qlora.main(finished)
    finished.write_text(before)
    assert code == 1
    assert "belongs to other data or settings" in events(finished)[-1]["message"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("rank = 4", "rnak = 4", "unknown setting rnak"),
        ("train.jsonl", "gone.jsonl", "which is not there"),
        ("max_items = 6", "max_items = 0", "max_items must be from 1"),
        ('"KEN"', '"KENYA"', "No grid is known for 'KENYA'"),
    ],
)
def test_a_wrong_configuration_ends_the_run_with_a_line_in_the_log(tiny_base, tmp_path, old, new, message):
    config = write_run(tmp_path / "run", tiny_base)
    config.write_text(config.read_text().replace(old, new))
    assert qlora.main(config) == 1
    assert message in events(config)[-1]["message"]
    assert events(config)[-1]["event"] == "error"


def test_a_row_that_says_nothing_is_named(tiny_base, tmp_path):
    config = write_run(tmp_path / "run", tiny_base)
    rows = [{"id": "1", "lesson": lesson("a", "b")}, {"id": "2", "lesson": lesson("a", "")}]
    (config.parent / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert qlora.main(config) == 1
    assert "Line 2 of test.jsonl" in events(config)[-1]["message"]


@pytest.fixture
def adapted(tiny_base, tmp_path):
    config = Configuration.read(write_run(tmp_path / "run", tiny_base), "qlora")
    torch.manual_seed(1)
    return qlora.Qlora().prepare(config, Journal(tmp_path)), AutoTokenizer.from_pretrained(tiny_base), config


def trainable_of(model):
    return [value for value in model.parameters() if value.requires_grad]


def test_a_step_moves_the_adapter_and_leaves_the_base_alone(adapted):
    model, tokenizer, config = adapted
    before = {name: value.clone() for name, value in model.named_parameters()}
    batch = loop.load_examples(config, tokenizer, "train")[:4]
    optimiser = torch.optim.AdamW(trainable_of(model), lr=0.01)
    losses = [stages.one_step(model, batch, optimiser, trainable_of(model), 1.0)[0] for _ in range(5)]
    changed = {name for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert changed
    assert all("lora_" in name for name in changed)
    assert losses[-1] < losses[0]


def test_a_batch_read_in_parts_gives_the_same_gradient(adapted, monkeypatch):
    model, tokenizer, config = adapted
    batch = loop.load_examples(config, tokenizer, "train")[:8]
    still = torch.optim.SGD(trainable_of(model), lr=0.0)
    whole = stages.one_step(model, batch, still, trainable_of(model), 1.0)
    monkeypatch.setattr(stages, "TOKENS_AT_ONCE", 250)
    assert len(stages.parts_of(batch, 250)) > 2
    assert stages.one_step(model, batch, still, trainable_of(model), 1.0) == pytest.approx(whole, rel=1e-4)


def test_looking_at_the_validation_split_changes_no_gradient(adapted, tmp_path):
    model, tokenizer, config = adapted
    batch = loop.load_examples(config, tokenizer, "train")[:4]
    still = torch.optim.SGD(trainable_of(model), lr=0.0)
    # The B matrices begin at zero, where most gradients vanish.
    for parameter in trainable_of(model):
        torch.nn.init.normal_(parameter, std=0.1)
    model.train()
    before = stages.one_step(model, batch, still, trainable_of(model), 1.0)
    weights = {name: value.clone() for name, value in model.named_parameters()}
    stages.validate(model, loop.load_examples(config, tokenizer, "validation"), config, Journal(tmp_path), 1)
    assert stages.one_step(model, batch, still, trainable_of(model), 1.0) == before
    assert all(torch.equal(value, weights[name]) for name, value in model.named_parameters())


def test_a_loss_that_is_no_number_is_an_error(adapted, monkeypatch):
    model, tokenizer, config = adapted
    monkeypatch.setattr(stages, "completion_loss", lambda model, batch: torch.tensor(float("nan")))
    batch = loop.load_examples(config, tokenizer, "train")[:2]
    optimiser = torch.optim.SGD(trainable_of(model), lr=0.1)
    with pytest.raises(loop.RecipeError, match="lower learning rate"):
        stages.one_step(model, batch, optimiser, trainable_of(model), 1.0)
