"""The checkout is laid out so that nothing hides anything, and the README's map is the tree's."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from pathlib import Path

from tests.guards.tree import ROOT, SOURCES, files, is_pure, module_of, python_files, rooms, shown

LARGEST_BINARY = 1_000_000
VAGUE = {"utils", "util", "helpers", "helper"}
# Folders of the map that hold no Python room, and are there all the same.
BESIDE_THE_CODE = {"tests", "script", "docs", "docker"}


def our_top_level_names() -> set[str]:
    """What `import` finds in our source folders."""
    names = {
        path.relative_to(source).parts[0].removesuffix(".py")
        for source in SOURCES
        for path in python_files()
        if source in path.parents
    }
    return names - {"platform", "tests", "manage"}


def installed_top_level_names() -> set[str]:
    """What the installed distributions put on the import path."""
    return set(importlib.metadata.packages_distributions())


def test_platform_is_a_source_folder_and_not_a_package():
    assert not (ROOT / "platform" / "__init__.py").exists(), "it would hide the standard library's `platform`"


def test_no_package_of_ours_hides_one_of_the_standard_library():
    assert our_top_level_names() >= {"wordhearth", "people", "care", "ledger", "annotation", "training", "frontend"}
    assert not our_top_level_names() & sys.stdlib_module_names


def test_no_package_of_ours_hides_an_installed_one():
    assert "django" in installed_top_level_names()
    assert not our_top_level_names() & installed_top_level_names()


def test_every_folder_of_tests_is_a_package():
    inside = [path for path in python_files() if ROOT / "tests" in path.parents]
    folders = {folder for path in inside for folder in path.parents if ROOT in folder.parents}
    missing = sorted(shown(folder) for folder in folders if not (folder / "__init__.py").exists())
    assert not missing, f"without __init__.py a test folder hides the room of the same name: {missing}"


def test_no_folder_of_tests_is_named_platform():
    assert not (ROOT / "tests" / "platform").exists()


def test_every_folder_with_python_is_a_package():
    holding = {path.parent for path in python_files() if module_of(path)}
    missing = sorted(shown(folder) for folder in holding if not (folder / "__init__.py").exists())
    assert not missing, f"without __init__.py setuptools, mypy and Celery overlook it: {missing}"


def test_no_file_has_a_vague_name():
    vague = [shown(path) for path in files() if path.stem.lower() in VAGUE or path.parent.name.lower() in VAGUE]
    assert not vague, f"name a file after what is in it: {vague}"


def test_no_binary_is_larger_than_a_megabyte():
    large = [shown(path) for path in files() if path.stat().st_size > LARGEST_BINARY and _is_binary(path)]
    assert not large


def test_no_file_names_the_place_of_this_checkout():
    places = [rb"/(?:home|Users)/[a-z]"]
    if len(ROOT.parts) > 2:  # a checkout in /app or the like cannot be told from a path of a container
        places.append(re.escape(str(ROOT).encode()) + rb"(?![\w.-])")
    here = re.compile(b"|".join(places))
    found = [shown(path) for path in files() if here.search(path.read_bytes())]
    assert not found, f"an absolute path holds on one machine only: {found}"


def test_the_map_in_the_readme_names_only_what_is_there():
    gone = sorted(name for name in mapped() if not (ROOT / name).is_dir())
    assert not gone, f"README.md names {gone}, and there is no such folder"


def test_every_room_is_on_the_map_in_the_readme():
    assert {"annotation/answers", "frontend/speaker", "training/recipes"} <= rooms()
    missing = sorted((rooms() | BESIDE_THE_CODE) - mapped())
    assert not missing, f"README.md says nothing about {missing}"


def test_pure_packages_are_where_the_guards_look_for_them():
    pure = {shown(path.parent) for path in python_files() if is_pure(module_of(path))}
    assert {"annotation/aggregation", "annotation/text", "training/recipes", "training/evaluation"} <= pure


def mapped() -> set[str]:
    """The folders in the first column of the README's map."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    first_cells = [line.split("|")[1] for line in lines if line.startswith("| ") and line.count("|") == 3]
    return {name.rstrip("/") for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)}


def _is_binary(path: Path) -> bool:
    with path.open("rb") as file:
        return b"\0" in file.read(8192)
