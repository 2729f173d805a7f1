"""Two processes that train one model, each with all of it or with a part, have the loss and the adapter of one."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from tests.recipes.conftest import write_run
from training.recipes import lora
from training.recipes.devices import dealt
from training.recipes.fsdp import LaunchError, check_launcher, share_out
from training.recipes.shards import Sharded
from training.recipes.stages import RecipeError

ROOT = Path(__file__).parents[2]
# A smaller rate for all weights, as always.
RUNS = {"lora": {}, "kto": {}, "full": {"learning_rate": 1e-3}}
ONE_AFTER_THE_OTHER = "tests.recipes.one_after_the_other"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def events(config, kind):
    lines = [json.loads(line) for line in (config.parent / "log.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == kind]


def losses(config):
    return [line["loss"] for line in events(config, "step")]


def weights(config):
    (file,) = (config.parent / "adapter").glob("*.safetensors")
    return load_file(file)


def furthest(first, second):
    assert first.keys() == second.keys()
    return max(float((first[key] - second[key]).abs().max()) for key in first)


def started(command, *configs):
    """A recipe as a process of its own, or as several."""
    quiet = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TORCHDYNAMO_DISABLE": "1"}
    return subprocess.run(
        [sys.executable, "-m", *command, *map(str, configs)],
        env={**os.environ, **quiet, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def launcher(name):
    """What begins two processes: accelerate as on two GPUs, the same with the model shared out, and torch's own."""
    port, two = str(free_port()), ["--num_processes", "2", "--num_machines", "1", "--mixed_precision", "no"]
    accelerate = ["accelerate.commands.launch", *two, "--main_process_port", port]
    shared_out = ["--use_fsdp", "--fsdp_version", "2", "--fsdp_offload_params", "true"]
    return {
        "accelerate": [*accelerate, "--multi_gpu", "-m"],
        "shared out": [*accelerate, *shared_out, "-m"],
        "torchrun": ["torch.distributed.run", "--nproc-per-node", "2", "--master-port", port, "-m"],
    }[name]


@pytest.fixture(scope="module")
def alone(tiny_base, tmp_path_factory):
    """Runs that one process made, by method."""
    folder = tmp_path_factory.mktemp("alone")
    configs = {name: write_run(folder / name, tiny_base, method=name, epochs=2, **more) for name, more in RUNS.items()}
    done = started([ONE_AFTER_THE_OTHER], *configs.values())
    assert done.returncode == 0, done.stderr[-2000:]
    return configs


@pytest.mark.parametrize(("name", "by"), [("lora", "accelerate"), ("kto", "torchrun")])
def test_two_processes_have_the_loss_of_one(name, by, alone, tiny_base, tmp_path):
    both = write_run(tmp_path, tiny_base, method=name, epochs=2)
    done = started([*launcher(by), f"training.recipes.{name}"], both)
    assert done.returncode == 0, done.stderr[-2000:]
    assert losses(both) == pytest.approx(losses(alone[name]), abs=1e-5)
    assert len(losses(both)) == (6 if name == "lora" else 12)
    assert furthest(weights(both), weights(alone[name])) < 1e-3


def test_a_model_that_is_shared_out_learns_the_same(alone, tiny_base, tmp_path):
    both = {name: write_run(tmp_path / name, tiny_base, method=name, epochs=2, **more) for name, more in RUNS.items()}
    going_on = write_run(tmp_path / "going on", tiny_base, method="lora", epochs=2)
    shutil.copytree(alone["lora"].parent / "checkpoints", going_on.parent / "checkpoints")
    (going_on.parent / "checkpoints" / "step-00000006.pt").unlink()

    done = started([*launcher("shared out"), ONE_AFTER_THE_OTHER], *both.values(), going_on)

    assert done.returncode == 0, done.stderr[-2000:]
    for name, config in both.items():
        report = json.loads((config.parent / "report.json").read_text())
        expected = json.loads((alone[name].parent / "report.json").read_text())
        assert losses(config) == pytest.approx(losses(alone[name]), abs=1e-5)
        assert furthest(weights(config), weights(alone[name])) < 1e-3
        assert sorted(path.name for path in (config.parent / "adapter").iterdir()) == sorted(
            path.name for path in (alone[name].parent / "adapter").iterdir()
        )
        assert report["parameters"] == expected["parameters"]
        assert report["evaluation"]["adapter_bpb"] == pytest.approx(expected["evaluation"]["adapter_bpb"], abs=1e-4)
        # Half of the layers, and the whole embedding.
        assert report["processes"]["number"] == 2
        assert report["processes"]["parameters_held"] < 0.65 * expected["processes"]["parameters_held"]
        assert_same_checkpoint(alone[name], config)
    assert [one["step"] for one in events(going_on, "resumed")] == [4]
    assert losses(going_on) == pytest.approx(losses(alone["lora"])[4:], abs=1e-5)
    assert furthest(weights(going_on), weights(alone["lora"])) < 1e-3


def assert_same_checkpoint(first, second):
    """What two processes keep is whole, so that one alone could go on from it."""
    one, other = (
        torch.load(sorted((config.parent / "checkpoints").iterdir())[-1], weights_only=True)
        for config in (first, second)
    )
    assert furthest(one["learnt"], other["learnt"]) < 1e-3
    assert one["optimiser"]["state"].keys() == other["optimiser"]["state"].keys()
    for number, memory in one["optimiser"]["state"].items():
        assert furthest(memory, other["optimiser"]["state"][number]) < 1e-3


@pytest.fixture
def of_two(monkeypatch):
    """A process that believes that it is the second of two among which the model is shared out."""
    monkeypatch.setattr("training.recipes.devices.processes", lambda: 2)
    monkeypatch.setattr("training.recipes.devices.rank", lambda: 1)
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    monkeypatch.setenv("FSDP_VERSION", "2")
    monkeypatch.setenv("FSDP_CPU_RAM_EFFICIENT_LOADING", "true")
    return monkeypatch


def test_all_read_equally_often_where_none_can_read_alone(of_two):
    assert dealt(["a", "b", "c", "d"]) == [("b", 1.0), ("d", 1.0)]
    assert dealt(["a", "b", "c"]) == [("b", 1.0), ("a", 0.0)]
    of_two.setenv("ACCELERATE_USE_FSDP", "false")
    assert dealt(["a", "b", "c"]) == [("b", 1.0)]


@pytest.mark.parametrize(
    ("setting", "value", "why"),
    [
        ("ACCELERATE_USE_DEEPSPEED", "true", "DeepSpeed"),
        ("FSDP_VERSION", "1", "--fsdp_version 2"),
        ("FSDP_RESHARD_AFTER_FORWARD", "FULL_SHARD", "true or false"),
    ],
)
def test_what_a_launcher_may_not_ask_for_is_said(of_two, setting, value, why):
    check_launcher()
    assert os.environ["FSDP_CPU_RAM_EFFICIENT_LOADING"] == "false"
    of_two.setenv(setting, value)
    with pytest.raises(LaunchError, match=why):
        check_launcher()


def test_a_model_without_layers_is_not_shared_out(of_two):
    model = nn.Module()
    model.model = nn.Linear(2, 2)
    with pytest.raises(LaunchError, match="no list of layers"):
        share_out(model)


def test_a_recipe_that_was_launched_otherwise_says_so(tiny_base, tmp_path, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    config = write_run(tmp_path, tiny_base, method="lora")
    assert lora.main(config) == 1
    assert "DeepSpeed" in events(config, "error")[-1]["message"]


def test_groups_of_contributors_are_for_one_process(monkeypatch):
    monkeypatch.setattr("training.recipes.shards.processes", lambda: 2)
    with pytest.raises(RecipeError, match="one process only"):
        Sharded(lora.Lora())
