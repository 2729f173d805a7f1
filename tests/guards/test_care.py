"""docs/care.md names all twelve sub-principles of CARE, each with tests that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from tests.guards.tree import ROOT

PAGE = ROOT / "docs" / "care.md"
NAMES = ("C1", "C2", "C3", "A1", "A2", "A3", "R1", "R2", "R3", "E1", "E2", "E3")
LINK = re.compile(r"\]\((\.\./[^)#]+)#?([^)]*)\)")


def rows() -> dict[str, str]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return {found[1]: line for line in lines if (found := re.match(r"\| ([CARE]\d) \|", line))}


@cache
def named_in(file: Path) -> set[str]:
    """The test functions that a file defines, those in classes included."""
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def missing(text: str) -> list[str]:
    """Links to files that are not there, and to tests that name no function of their file."""
    wrong = []
    for address, name in LINK.findall(text):
        file = (PAGE.parent / address).resolve()
        is_test = file.is_relative_to(ROOT / "tests")
        if not file.exists() or (is_test and name not in named_in(file)):
            wrong.append(f"{address}#{name}")
    return wrong


def test_every_sub_principle_has_a_record_a_screen_and_a_check() -> None:
    assert tuple(rows()) == NAMES
    for name, line in rows().items():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == 5, name
        assert all(cells), name
        assert "](../tests/" in cells[4], name
        assert missing(cells[4]) == []


def test_every_link_leads_somewhere() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert len(LINK.findall(text)) >= len(NAMES)
    assert missing(text) == []


def test_a_test_that_is_not_there_is_found() -> None:
    assert missing(
        "[a](../tests/guards/test_care.py#test_nothing), [b](../tests/guards/test_care.py), [c](../gone)"
    ) == [
        "../tests/guards/test_care.py#test_nothing",
        "../tests/guards/test_care.py#",
        "../gone#",
    ]
