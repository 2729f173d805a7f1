"""Changes the code that governs in a thousand small ways, and counts how many of them its tests notice.

    python -m tests.mutation [--json]

mutmut wants its sources under `src`, so it works on a copy of the checkout in a temporary folder. Only tests that need
no database run against each change; what they cannot reach is counted as not tried. Exit 0 when each file's score is at
least its bar.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The least share of changes that must be noticed, of those that were tried.
BARS = {"care/eligibility.py": 0.9, "care/quorum.py": 0.9, "ledger/sealing.py": 0.9, "ledger/verify.py": 0.8}
TESTS = (
    "tests/care/test_rule.py",
    "tests/care/test_quorum.py",
    "tests/care/test_quorum_in_words.py",
    "tests/ledger/test_verify.py",
)
# They look at the file's own text, or start Python anew, which a change inside this process does not reach.
NOT_HERE = "not needs_only_cryptography and not runs_without_django and not no_whole_ledger"
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "var", "*_cache", "__pycache__", "mutants")
NOTICED, MISSED, NO_TEST = (1, 3), 0, 33


def config() -> str:
    """The settings of mutmut."""
    return f"""
[tool.mutmut]
source_paths = ["src"]
only_mutate = {json.dumps([f"src/{name}" for name in BARS])}
pytest_add_cli_args_test_selection = {json.dumps(TESTS)}
pytest_add_cli_args = ["-k", "{NOT_HERE}"]
also_copy = ["annotation", "training", "frontend", "tests", "docs", "manage.py", "README.md"]
"""


def copy_to(folder: Path) -> None:
    """The checkout with `platform` called `src`."""
    shutil.copytree(ROOT, folder, ignore=LEFT_OUT, dirs_exist_ok=True)
    (folder / "platform").rename(folder / "src")
    settings = folder / "pyproject.toml"
    settings.write_text(settings.read_text().replace('pythonpath = ["platform", "."]', 'pythonpath = ["src", "."]'))
    settings.write_text(settings.read_text() + config())
    plugin = folder / "tests" / "embedded_services.py"
    plugin.write_text(plugin.read_text().replace('ROOT / "platform"', 'ROOT / "src"'))


def results_in(folder: Path) -> dict[str, Counter[str]]:
    """For each file: how many changes were noticed, missed, and not tried."""
    found = {}
    for name in BARS:
        codes = json.loads((folder / "mutants" / "src" / f"{name}.meta").read_text())["exit_code_by_key"].values()
        named = ("noticed" if c in NOTICED else "missed" if c == MISSED else "not tried" for c in codes)
        found[name] = Counter(named)
    return found


def main() -> int:
    """Run it and say what was found."""
    with tempfile.TemporaryDirectory(prefix="mutation-") as place:
        folder = Path(place) / "checkout"
        copy_to(folder)
        environment = {**os.environ, "WORDHEARTH_VAR": str(Path(place) / "var")}
        environment.pop("PYTHONPATH", None)
        subprocess.run(
            [sys.executable, "-m", "mutmut", "run"], cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True
        )
        found = results_in(folder)
    rows = {}
    for name, counted in found.items():
        tried = counted["noticed"] + counted["missed"]
        rows[name] = {**counted, "score": round(counted["noticed"] / tried, 3) if tried else 0.0, "bar": BARS[name]}
    for name, row in rows.items():
        print(f"{name:24} {row['score']:.1%} of {row.get('noticed', 0) + row.get('missed', 0)} changes noticed "  # noqa: T201
              f"(bar {row['bar']:.0%}), {row.get('not tried', 0)} not tried")  # fmt: skip
    if "--json" in sys.argv:
        print(json.dumps(rows))  # noqa: T201
    return 0 if all(row["score"] >= row["bar"] for row in rows.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
