"""script/setup says what is missing: the right Python, room on the disk, a network."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "dirname", "cat", "cksum", "tr", "awk", "grep", "mkdir", "cp")
# It makes a .venv with itself in it, and installs nothing.
PYTHON = """#!/bin/sh
case "$*" in
    *"import sys, venv"*) exit "${OLD:-0}" ;;
    --version) echo "Python 3.12.1" ;;
    *"-m venv"*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    *"import torch"*) [ -n "${TORCH:-}" ]; exit ;;
    *"-m pip"*) echo "ERROR: pip: $*" >&2; echo full > "${FILLS:-/dev/null}"; exit 1 ;;
esac
"""
DF = """#!/bin/sh
[ -e full ] && GB=0
echo "Filesystem 1024-blocks Used Available Capacity Mounted"
echo "/dev/disk 0 0 $((GB * 1048576)) 1% /"
"""
UNAME = "#!/bin/sh\necho ${SYSTEM:-Linux}\n"


@pytest.fixture
def setup(tmp_path: Path) -> Callable[..., str]:
    """Run a copy of script/setup where nothing is real but the tools of POSIX; what it said when it gave up."""
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    (tmp_path / "script").mkdir()
    for name in ("requirements.txt", "script/setup", "script/lib.sh"):
        shutil.copy(ROOT / name, tmp_path / name)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).symlink_to(str(shutil.which(name)))
    for name, text in (("python3", PYTHON), ("df", DF), ("uname", UNAME)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)

    def run(**environment: str) -> str:
        shutil.rmtree(tmp_path / ".venv", ignore_errors=True)
        done = subprocess.run(
            [str(tmp_path / "script" / "setup")],
            env={"PATH": str(tools), "GB": "20", **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1, done.stderr
        assert not (tmp_path / ".venv" / "stamp").exists()
        return done.stderr

    return run


def test_without_a_python_that_is_new_enough_it_says_which(setup: Callable[..., str]) -> None:
    said = setup(OLD="1")
    assert "Python 3.11 or newer with venv is needed" in said
    assert "apt-get install python3" in said
    assert "WORDHEARTH_PYTHON=" in said


def test_it_asks_for_as_much_room_as_will_be_taken(setup: Callable[..., str]) -> None:
    said = setup(GB="9")
    assert "About 10 GB of free disk are needed here; there are 9 GB." in said
    assert "WORDHEARTH_TORCH_INDEX=https://download.pytorch.org/whl/cpu" in said
    for small in ({"WORDHEARTH_TORCH_INDEX": "https://example.org/cpu"}, {"SYSTEM": "Darwin"}):
        said = setup(GB="3", **small)
        assert "About 4 GB of free disk are needed here; there are 3 GB." in said
        assert "WORDHEARTH_TORCH_INDEX" not in said
        assert "ERROR: pip" in setup(GB="4", **small)


def test_where_torch_is_there_already_it_needs_less(setup: Callable[..., str], tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "tools", tmp_path / ".venv" / "bin", symlinks=True)
    (tmp_path / ".venv" / "bin" / "python3").rename(tmp_path / ".venv" / "bin" / "python")
    environment = {"PATH": str(tmp_path / "tools"), "GB": "4", "TORCH": "1"}
    done = subprocess.run(["script/setup"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert "ERROR: pip" in done.stderr
    assert "torch==" not in done.stderr


def test_without_a_network_it_says_what_to_set(setup: Callable[..., str]) -> None:
    said = setup()
    assert "ERROR: pip: -m pip" in said
    assert said.index("ERROR: pip") < said.index("Installing failed; the lines above say at which package")
    assert "PIP_INDEX_URL or PIP_PROXY" in said
    assert "The disk is full" not in said


def test_a_disk_that_became_full_is_said_before_anything_about_the_network(setup: Callable[..., str]) -> None:
    said = setup(FILLS="full")
    assert "The disk is full: less than 1 GB is left here." in said
    assert "PIP_INDEX_URL" not in said


def test_the_readme_says_how_much() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "about 4 GB of disk" in readme
    assert "about 10 GB" in readme
