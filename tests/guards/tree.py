"""The files that belong to the checkout, as git knows them."""

from __future__ import annotations

import subprocess
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# The folders from which Python finds our packages.
SOURCES = (ROOT, ROOT / "platform")
CACHES = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".import_linter_cache"}
NOT_OURS = {".git", ".venv", "var", *CACHES}


@cache
def files() -> tuple[Path, ...]:
    """Every file of the checkout that git tracks or would track; without git, all but what is made by running it."""
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        listed = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")]
    known = (ROOT / name for name in listed if name and not NOT_OURS & set(Path(name).parts))
    return tuple(sorted(path for path in known if path.is_file()))


@cache
def contract(name: str) -> dict[str, Any]:
    """One contract of import-linter, by the name it has in pyproject.toml."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    named = {row["name"]: row for row in settings["contracts"]}
    assert name in named, f"pyproject.toml has no import contract {name!r} any more"
    return dict(named[name])


def pure_packages() -> list[str]:
    """Packages that know no framework, as the contract lists them."""
    return list(contract("Pure packages know no framework and no app")["source_modules"])


def python_files() -> list[Path]:
    """Our Python but for migrations, which Django writes."""
    return [path for path in files() if path.suffix == ".py" and "migrations" not in path.parts]


def shipped_python() -> list[Path]:
    """The same without tests."""
    return [path for path in python_files() if ROOT / "tests" not in path.parents]


def shown(path: Path) -> str:
    """The path as one names it in a sentence."""
    return path.relative_to(ROOT).as_posix()


def module_of(path: Path) -> str:
    """The dotted name under which Python imports the file; empty for files that are not in one of our packages."""
    below = path.relative_to(ROOT / "platform" if ROOT / "platform" in path.parents else ROOT).with_suffix("")
    parts = below.parts[:-1] if below.name == "__init__" else below.parts
    return ".".join(parts) if len(below.parts) > 1 else ""


def is_pure(module: str) -> bool:
    """Whether the module belongs to one of the pure packages."""
    return any(module == package or module.startswith(f"{package}.") for package in pure_packages())


def rooms() -> set[str]:
    """Folders with a job of their own: apps, pure packages, desks, the project itself, and what is beside the code."""
    apps = {shown(path.parent) for path in files() if path.name in {"models.py", "services.py"}}
    pure = {package.replace(".", "/") for package in pure_packages()}
    desks = {f"frontend/{path.parent.name}" for path in files() if path.match("frontend/*/urls.py")}
    return apps | pure | desks | {"platform/wordhearth"}
