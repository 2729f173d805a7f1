"""Two processes that train one model have the loss and the adapter of one."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.recipes.conftest import write_run

ROOT = Path(__file__).parents[2]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def losses(config):
    lines = [json.loads(line) for line in (config.parent / "log.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if line["event"] == "step"]


def started(command, config):
    """A recipe as a process of its own, or as several."""
    quiet = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TORCHDYNAMO_DISABLE": "1"}
    return subprocess.run(
        [sys.executable, "-m", *command, str(config)],
        env={**os.environ, **quiet, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def launchers():
    """What begins two processes: accelerate as on two GPUs, and torch's own."""
    port = str(free_port())
    accelerate = ["--multi_gpu", "--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"]
    return {
        "accelerate": ["accelerate.commands.launch", *accelerate, "--main_process_port", port, "-m"],
        "torchrun": ["torch.distributed.run", "--nproc-per-node", "2", "--master-port", port, "-m"],
    }


@pytest.mark.parametrize(("name", "by"), [("lora", "accelerate"), ("kto", "torchrun")])
def test_two_processes_have_the_loss_of_one(name, by, tiny_base, tmp_path):
    alone, both = (write_run(tmp_path / folder, tiny_base, method=name, epochs=2) for folder in ("one", "two"))
    assert started([f"training.recipes.{name}"], alone).returncode == 0
    done = started([*launchers()[by], f"training.recipes.{name}"], both)
    assert done.returncode == 0, done.stderr[-2000:]
    assert losses(both) == pytest.approx(losses(alone), abs=1e-5)
    assert len(losses(both)) == (6 if name == "lora" else 12)
    first, second = (load_file(config.parent / "adapter" / "adapter_model.safetensors") for config in (alone, both))
    assert max(float((first[key] - second[key]).abs().max()) for key in first) < 1e-3
