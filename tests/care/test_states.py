"""The tables of decisions, which services obey and documents show."""

import pytest

from care import states
from care.models import Decision, Proposal, Suspension


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
