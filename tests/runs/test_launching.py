"""A worker that trains as several processes: how they begin, and that none outlives their launcher."""

import json
import subprocess
import sys

import psutil

from training.runs import supervisor
from training.runs.models import Run

BEGINS_ANOTHER = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True).pid, flush=True)
time.sleep(60)
"""


def test_a_worker_starts_its_recipes_as_its_setting_says(settings, tmp_path):
    run = Run(method="lora")
    recipe = ["training.recipes.lora", str(tmp_path / "config.toml")]
    assert supervisor.command_of(run, tmp_path) == [sys.executable, "-m", *recipe]
    settings.TRAINING_LAUNCH = ["--use_fsdp", "--num_processes", "2"]
    launcher = ["accelerate.commands.launch", "--use_fsdp", "--num_processes", "2", "-m"]
    assert supervisor.command_of(run, tmp_path) == [sys.executable, "-m", *launcher, *recipe]


def test_what_a_launcher_began_ends_with_it(tmp_path):
    launcher = subprocess.Popen([sys.executable, "-c", BEGINS_ANOTHER], stdout=subprocess.PIPE, text=True)
    began = psutil.Process(int(launcher.stdout.readline()))
    facts = {"pid": launcher.pid, "started": psutil.Process(launcher.pid).create_time()}
    (tmp_path / "process.json").write_text(json.dumps(facts))

    supervisor._end_leftover(tmp_path)

    began.wait(timeout=10)
