"""What governs and what is pure is checked by mypy --strict: none of it is left out of its list."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tests.guards.test_commands import commands
from tests.guards.tree import ROOT, is_pure, module_of, shipped_python, shown

LISTED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]["files"]


def is_listed(path: Path) -> bool:
    """Whether the file, or a folder that it is in, is on the list."""
    return bool({shown(path), *(shown(folder) for folder in path.parents if ROOT in folder.parents)} & set(LISTED))


def test_every_command_and_every_pure_package_is_checked() -> None:
    wanted = {path for path in shipped_python() if path.name == "services.py" or is_pure(module_of(path))}
    wanted |= {path for path, _ in commands()}
    assert {"annotation/text/clean.py", "training/mining/services.py", "platform/care/hub.py"} <= {*map(shown, wanted)}
    left_out = sorted(shown(path) for path in wanted if not is_listed(path))
    assert not left_out, "pyproject.toml names them, or their folder, under [tool.mypy] files"


def test_nothing_is_listed_that_is_not_there() -> None:
    assert not [name for name in LISTED if not (ROOT / name).exists()]
