"""The pictures in the documents are the tables that the services obey."""

from __future__ import annotations

import pytest

from tests.diagrams import pictures, with_pictures
from tests.guards.tree import ROOT
from training.runs import states
from training.runs.models import Adapter, Run


@pytest.mark.parametrize("file", sorted(pictures()))
def test_a_document_shows_the_machines_as_they_are(file):
    text = (ROOT / "docs" / file).read_text(encoding="utf-8")
    assert with_pictures(text, pictures()[file]) == text, "python -m tests.diagrams draws them anew"


def test_another_machine_is_noticed_and_so_is_one_without_a_place():
    text = "# A\n\n### Run\n\n```mermaid\nold\n```\n\nMore.\n"
    assert with_pictures(text, {"Run": "new"}) == text.replace("old", "new")
    with pytest.raises(LookupError, match="### Adapter"):
        with_pictures(text, {"Adapter": "new"})


@pytest.mark.parametrize("model", [Run, Adapter])
def test_every_state_of_a_table_is_reached_and_no_other(model):
    assert {step.after for step in states.MACHINES[model.__name__]} == set(model.State.values)
