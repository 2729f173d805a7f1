"""docker-compose.yml: the same parts as `manage.py up`, nobody is root, no secret has a default."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from celery import Celery
from django.utils.module_loading import import_string

from wordhearth.management.commands.up import commands

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {"POSTGRES_PASSWORD": "x", "DJANGO_SECRET_KEY": "x", "WORDHEARTH_HOST": "localhost"}


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


def test_it_runs_the_parts_of_up(services):
    parts = commands(bind="127.0.0.1", port=1, threads=1, no_training=False)
    assert set(parts) <= set(services)
    for name in ("worker", "training", "playground"):
        queue = parts[name][parts[name].index("-Q") + 1]
        assert services[name]["command"][services[name]["command"].index("-Q") + 1] == queue
    assert services["web"]["deploy"]["replicas"] == 2
    reserved = services["training"]["deploy"]["resources"]["reservations"]["devices"]
    assert reserved == [{"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}]


def test_nobody_is_root(services):
    for name, service in services.items():
        owner, group = service["user"].split(":")
        assert owner.isdigit(), name
        assert int(owner) > 0 < int(group), name
    for name in ("migrate", "web", "worker", "beat", "training", "playground"):
        assert services[name]["user"] == "10001:10001"
        assert services[name]["read_only"] is True


def test_whatever_goes_on_says_whether_it_is_well(services):
    assert {name for name, service in services.items() if "healthcheck" not in service} == {"migrate"}
    assert services["migrate"]["restart"] == "no"
    for name in ("worker", "training", "playground"):
        # The name under which it is asked is the one it has.
        assert f"{services[name]['environment']['WORKER']}@%h" in services[name]["command"]


def test_the_beat_leaves_a_trace_of_each_look_at_its_schedule(services, tmp_path):
    command, schedule = services["beat"]["command"], tmp_path / "beat"
    name = command[command.index("--scheduler") + 1]
    assert f"find {command[command.index('--schedule') + 1]}.alive -mmin" in services["beat"]["healthcheck"]["test"][1]
    scheduler = import_string(name)(Celery("made up", broker="memory://"), schedule_filename=str(schedule))
    assert not (tmp_path / "beat.alive").exists()
    assert scheduler.tick() > 0
    assert (tmp_path / "beat.alive").exists()
    scheduler.close()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are not files here")
def test_a_worker_whose_recipe_is_at_work_is_well_and_nothing_takes_itself_for_one(services):
    check = services["training"]["healthcheck"]["test"]
    assert check == services["playground"]["healthcheck"]["test"]
    question = check[1].split("||")[0]
    recipe = [sys.executable, "-c", "import time; time.sleep(60)", "training.recipes.generate"]
    # Without the processes of other tests: the question is put to those of one shell.
    ours = question.replace("/proc/[0-9]*/cmdline", "/proc/$$/cmdline /proc/self/cmdline")
    assert subprocess.run(["sh", "-c", ours], check=False).returncode == 1
    with subprocess.Popen(recipe) as process:
        theirs = question.replace("[0-9]*", str(process.pid))
        assert subprocess.run(["sh", "-c", theirs], check=False).returncode == 0
        process.kill()


def test_secrets_have_no_default(services):
    text = (ROOT / "docker-compose.yml").read_text()
    for name in SECRETS:
        assert f"${{{name}:?" in text
    example = (ROOT / ".env.example").read_text()
    assert "\nPOSTGRES_PASSWORD=\n" in example
    assert "\nDJANGO_SECRET_KEY=\n" in example


def test_the_web_image_holds_no_torch():
    recipe = (ROOT / "docker" / "Dockerfile.web").read_text()
    assert "requirements/web.txt" in recipe
    assert "training.txt" not in recipe
    assert "torch" not in (ROOT / "requirements" / "web.txt").read_text().split("They never import torch.")[1]


def _answers(command: list[str]) -> bool:
    return bool(shutil.which(command[0])) and not subprocess.run(command, capture_output=True, check=False).returncode


def compose() -> list[str] | None:
    """The command of whichever docker compose is installed; it needs no engine to check a file."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if _answers([*command, "version"]):
            return command
    return None


def test_compose_accepts_the_file():
    command = compose()
    if command is None:
        message = "docker compose is not installed, so nobody checked docker-compose.yml"
        pytest.fail(message) if os.environ.get("CI") else pytest.skip(message)
    done = subprocess.run(
        [*command, "config", "-q"],
        cwd=ROOT,
        env={**os.environ, **SECRETS},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
