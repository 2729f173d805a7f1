"""Nothing grows so large that one cannot hold it in one's head."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guards.tree import python_files, shown

LONGEST_FUNCTION, LONGEST_CLASS, LONGEST_FILE = 60, 250, 400
# "path", "path::function" or "path::Class": why it may be longer. One line each; none is best.
EXCEPTIONS: dict[str, str] = {}


def lengths(path: Path) -> Iterator[tuple[str, int, int]]:
    """(name, lines, allowed) of the file and of each class and function in it."""
    source = path.read_text(encoding="utf-8")
    yield shown(path), source.count("\n"), LONGEST_FILE
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{shown(path)}::{node.name}", _lines(node), LONGEST_FUNCTION
        elif isinstance(node, ast.ClassDef):
            yield f"{shown(path)}::{node.name}", _lines(node), LONGEST_CLASS


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> int:
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return (node.end_lineno or first) - first + 1


def too_long() -> dict[str, str]:
    """What is longer than the house allows, with its length."""
    rows = [row for path in python_files() for row in lengths(path)]
    return {name: f"{found} lines, {allowed} allowed" for name, found, allowed in rows if found > allowed}


def test_no_file_class_or_function_is_too_long():
    surprising = {name: found for name, found in too_long().items() if name not in EXCEPTIONS}
    assert not surprising, f"split it by what it is about: {surprising}"


def test_every_exception_is_still_needed_and_has_a_reason():
    assert not set(EXCEPTIONS) - set(too_long())
    assert all(reason.strip() for reason in EXCEPTIONS.values())


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def f():\n" + "    x = 1\n" * 60, "made.py::f"),
        ("@decorated\nasync def g():\n" + "    x = 1\n" * 59, "made.py::g"),
        ("class C:\n" + "    x = 1\n" * 250, "made.py::C"),
        ("x = 1\n" * 401, "made.py"),
    ],
    ids=["function", "decorators count", "class", "file"],
)
def test_the_measure_sees_what_is_too_long(source, found, tmp_path, monkeypatch):
    (tmp_path / "made.py").write_text(source)
    monkeypatch.setattr("tests.guards.test_sizes.shown", lambda path: path.name)

    longer = [name for name, lines, allowed in lengths(tmp_path / "made.py") if lines > allowed]

    assert longer == [found]
