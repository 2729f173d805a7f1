"""Every table of the database has its word in the glossary, and the glossary knows no table that is gone."""

from __future__ import annotations

import re

from django.apps import apps

from tests.guards.tree import ROOT, contract

GLOSSARY = ROOT / "docs" / "glossary.md"
ROW = re.compile(r"^\| \*\*(?P<word>[^*|]+)\*\* \| (?P<meaning>[^|]+) \| (?:`(?P<app>[\w.]+)`)? ?\|$")


def rows() -> list[str]:
    return [line for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith("| **")]


def explained() -> list[tuple[str, str]]:
    """Every word with the app that holds it; no app where it is no table."""
    return [(found["word"], found["app"] or "") for line in rows() if (found := ROW.match(line))]


def tables() -> set[tuple[str, str]]:
    """Our models with their apps."""
    house = set(contract("The house: every arrow points down")["layers"])
    ours = (config for config in apps.get_app_configs() if config.name.split(".")[0] in house)
    return {(model.__name__, config.name) for config in ours for model in config.get_models()}


def test_every_line_of_the_glossary_reads_as_word_meaning_and_app():
    wrong = [line for line in rows() if not ROW.match(line)]
    assert not wrong, f"docs/glossary.md: {wrong}"


def test_no_word_is_explained_twice():
    words = [word for word, _ in explained()]
    assert len(words) == len(set(words))


def test_every_table_is_in_the_glossary_under_its_app():
    assert ("Answer", "annotation.answers") in tables()
    missing = sorted(tables() - set(explained()))
    assert not missing, f"docs/glossary.md says nothing about {missing}"


def test_the_glossary_names_no_table_that_is_gone():
    gone = sorted({row for row in explained() if row[1]} - tables())
    assert not gone, f"docs/glossary.md explains {gone}, which are no tables"
