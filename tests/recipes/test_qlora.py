"""The real recipe on a tiny model: it learns, it can be stopped, and it is the same every time."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.recipes.conftest import write_run
from training.recipes.base_model import sha256_of_file
from training.recipes.journal import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]


def start(config):
    return subprocess.Popen(
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
    process = start(config)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output.decode()
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
    assert report["energy"]["wh"] == pytest.approx(60 * report["seconds"] / 3600, rel=0.05)
    assert (finished.parent / "adapter" / "adapter_model.safetensors").is_file()
    assert report["adapter_sha256"] in (finished.parent / "README.md").read_text()


def test_the_log_tells_phases_steps_and_validation(finished):
    seen = events(finished)
    phases = [event["phase"] for event in seen if event["event"] == "phase"]
    assert phases == ["loading", "training", "saving", "evaluating", "finished"]
    steps = [event for event in seen if event["event"] == "step"]
    assert [event["step"] for event in steps] == list(range(1, 13))
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert {event["step"] for event in seen if event["event"] == "validation"} == {5, 10, 12}


def test_stopped_and_resumed_gives_the_same_adapter(finished, tiny_base, tmp_path):
    config = write_run(tmp_path / "run", tiny_base)
    process = start(config)
    log = config.parent / "log.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (not log.exists() or '"event": "step"' not in log.read_text()):
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 75
    assert events(config)[-1]["event"] == "stopped"
    stopped_at = load_checkpoint(config.parent)["step"]
    assert 0 < stopped_at < 12
    again = start(config)
    output, _ = again.communicate(timeout=120)
    assert again.returncode == 0, output.decode()
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
    process = start(config)
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert "not the ones the run was made for" in events(config)[-1]["message"]


def test_generation_process_answers_base_and_adapter(finished, tiny_base):
    process = subprocess.Popen(
        [sys.executable, "-m", "training.recipes.generate", "--base", str(tiny_base)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    request = {
        "id": "1",
        "adapter": str(finished.parent / "adapter"),
        "source": "uno",
        "source_name": "Spanish",
        "target_name": "Test",
        "max_new_tokens": 6,
    }
    lines = [json.dumps(request), "not json", json.dumps({**request, "id": "2", "adapter": None})]
    output, _ = process.communicate(("\n".join(lines) + "\n").encode(), timeout=60)
    assert process.returncode == 0
    seen = [json.loads(line) for line in output.decode().splitlines()]
    assert seen[0] == {"event": "ready"}
    assert {event["which"] for event in seen if event.get("id") == "1" and "which" in event} == {
        "base",
        "adapter",
    }
    assert [event["event"] for event in seen if event.get("event") in {"finished", "error"}] == [
        "finished",
        "error",
        "finished",
    ]
