"""The picture in the documents is the table that the services obey."""

from pathlib import Path

import pytest

from care import states
from care.models import Decision, Proposal, Suspension

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "decisions-and-votes.md"


def test_the_document_holds_the_machines_as_they_are():
    assert DOCUMENT.read_text(encoding="utf-8").endswith(states.drawn() + "\n")


@pytest.mark.parametrize("model", [Proposal, Decision, Suspension])
def test_every_state_of_a_table_is_reached_and_no_other(model):
    assert set(states.states(states.MACHINES[model.__name__])) == set(model.State.values)


def test_a_step_that_is_not_in_the_table_is_impossible():
    assert states.after(states.DECISION, "in_force", "suspend") == "suspended"
    with pytest.raises(states.ImpossibleStep):
        states.after(states.DECISION, "revoked", "lift")


def test_nothing_leads_from_suspended_to_in_force_but_the_community_and_time():
    ways = {step.who for step in states.DECISION if (step.before, step.after) == ("suspended", "in_force")}
    assert ways == {"a decision of the community", "time, when nobody ratified it"}
