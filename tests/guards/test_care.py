"""docs/care.md names all twelve sub-principles of CARE, and what it links to is there."""

from __future__ import annotations

import re

from tests.guards.tree import ROOT

PAGE = ROOT / "docs" / "care.md"
NAMES = ("C1", "C2", "C3", "A1", "A2", "A3", "R1", "R2", "R3", "E1", "E2", "E3")


def rows() -> dict[str, str]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return {found[1]: line for line in lines if (found := re.match(r"\| ([CARE]\d) \|", line))}


def test_every_sub_principle_has_a_record_a_screen_and_a_check() -> None:
    assert tuple(rows()) == NAMES
    for name, line in rows().items():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert len(cells) == 5, name
        assert all(cells), name
        assert "](../tests/" in cells[4], name


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((\.\./[^)]+)\)", PAGE.read_text(encoding="utf-8"))
    assert links
    assert not [link for link in links if not (PAGE.parent / link).exists()]
