"""Web and worker processes never load torch: they start on machines where it is not installed."""

from __future__ import annotations

import subprocess
import sys

from tests.guards.tree import ROOT, contract, is_pure, module_of, shipped_python

CONTRACT = "Only recipes and evaluation load torch, also through chains"
LIBRARIES = ["accelerate", "bitsandbytes", "peft", "safetensors", "torch", "transformers"]

PROGRAM = """
import importlib, os, sys

class Forbidden(BaseException):
    "No `except ImportError` on the way hides it."

class Guard:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {libraries!r}:
            raise Forbidden(name)

sys.meta_path.insert(0, Guard())
sys.path[:0] = {paths!r}
os.environ["DJANGO_SETTINGS_MODULE"] = "wordhearth.settings"
import django
django.setup()
import wordhearth.urls
from wordhearth.celery import app
app.loader.import_default_modules()
for module in {modules!r}:
    importlib.import_module(module)
jobs = [name for name in app.tasks if name.endswith("_job")]
print(len(jobs), "jobs,", len({modules!r}), "modules")
"""


def start(*modules: str) -> subprocess.CompletedProcess[str]:
    """Import the modules in a new Python in which every library of training is forbidden."""
    paths = [str(ROOT / "platform"), str(ROOT)]
    program = PROGRAM.format(libraries=LIBRARIES, paths=paths, modules=list(modules))
    return subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)


def our_modules() -> list[str]:
    """Every module outside the pure packages; `manage` and the tests are no part of web or worker."""
    named = [module_of(path) for path in shipped_python()]
    return sorted(module for module in named if module and not is_pure(module))


def test_an_import_contract_forbids_it_through_chains():
    rule = contract(CONTRACT)
    sources = set(rule["source_modules"])
    assert sorted(rule["forbidden_modules"]) == LIBRARIES
    assert rule["type"] == "forbidden"
    assert not rule.get("ignore_imports")
    assert not rule.get("allow_indirect_imports")
    uncovered = [m for m in our_modules() if not any(m == s or m.startswith(f"{s}.") for s in sources)]
    assert set(uncovered) <= {"training"}, f"the contract says nothing about {uncovered}"


def test_site_workers_and_every_module_start_without_torch():
    modules = our_modules()
    assert {"wordhearth.wsgi", "training.runs.jobs", "frontend.public.playground"} <= set(modules)

    started = start(*modules)

    assert started.returncode == 0, started.stderr
    jobs, imported = started.stdout.split(" jobs, ")
    assert int(jobs) >= 5
    assert imported.strip() == f"{len(modules)} modules"


def test_the_guard_would_notice():
    started = start("training.recipes.qlora")
    assert started.returncode != 0
    assert "Forbidden" in started.stderr
