"""PURE: how proposals, decisions, suspensions and reports of harm go from state to state, as a table; and its picture.

Services ask `after` for every step they take, so that the pictures in docs/decisions-and-votes.md and
docs/harm-and-holds.md are what happens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class ImpossibleStep(ValueError):
    """The table knows no such step from this state."""


@dataclass(frozen=True)
class Step:
    """In state `before`, `act` leads to `after`; `who` may do it. No `before` is the beginning."""

    before: str
    act: str
    after: str
    who: str


PROPOSAL = (
    Step("", "open", "open", "a steward, an elder or a researcher"),
    Step("", "decide alone", "passed", "one steward, where the rules say so"),
    Step("open", "take back", "withdrawn", "who proposed it"),
    Step("open", "pass", "passed", "the votes"),
    Step("open", "reject", "rejected", "the votes"),
    Step("open", "miss the quorum", "no_quorum", "the votes"),
    Step("passed", "appeal", "open", "a steward, once, before it holds"),
)
DECISION = (
    Step("", "refuse", "refused", "the votes"),
    Step("", "pass", "cooling_off", "the votes"),
    Step("", "decide alone", "in_force", "one steward, where the rules say so"),
    Step("cooling_off", "begin", "in_force", "time"),
    Step("cooling_off", "appeal", "reopened", "a steward, once"),
    Step("in_force", "suspend", "suspended", "one steward, or the platform's staff"),
    Step("suspended", "lift", "in_force", "a decision of the community"),
    Step("suspended", "lapse", "in_force", "time, when nobody ratified it"),
    Step("suspended", "revoke", "revoked", "a decision of the community"),
    Step("in_force", "revoke", "revoked", "a decision of the community"),
    Step("in_force", "give up", "revoked", "one steward"),
    Step("in_force", "supersede", "superseded", "a newer decision on the same"),
    Step("in_force", "expire", "expired", "time"),
    Step("suspended", "expire", "expired", "time"),
)
SUSPENSION = (
    Step("", "suspend", "running", "one steward, or the platform's staff"),
    Step("running", "ratify", "ratified", "a decision of the community"),
    Step("running", "lapse", "ended", "time: 14 days"),
    Step("running", "lift", "ended", "a decision of the community"),
    Step("ratified", "lift", "ended", "a decision of the community"),
)
HARM_REPORT = (
    Step("", "report", "received", "anybody, with an account or without"),
    Step("received", "triage", "triaged", "one steward, within 24 hours if severe, else 72"),
    Step("triaged", "hold", "hold_applied", "one steward; a severe report has held it already"),
    Step("triaged", "let be", "no_hold", "one steward, where nothing is held"),
    Step("no_hold", "hold", "hold_applied", "one steward"),
    Step("hold_applied", "investigate", "investigating", "one steward"),
    Step("no_hold", "investigate", "investigating", "one steward"),
    Step("investigating", "decide", "decided", "one steward, with words for the reporter"),
    Step("decided", "remedy", "remedied", "one steward, who says what was done"),
    Step("remedied", "close", "closed", "one steward"),
)
MACHINES = {"Proposal": PROPOSAL, "Decision": DECISION, "Suspension": SUSPENSION}
HARM_MACHINES = {"HarmReport": HARM_REPORT}


def after(machine: Sequence[Step], before: str, act: str) -> str:
    """The state to which the act leads from `before`. Raises ImpossibleStep."""
    for step in machine:
        if (step.before, step.act) == (before, act):
            return step.after
    raise ImpossibleStep(f"no {act!r} from {before!r}")


def states(machine: Sequence[Step]) -> list[str]:
    """The states in the order in which the table reaches them."""
    return list(dict.fromkeys(step.after for step in machine))


def mermaid(machine: Sequence[Step]) -> str:
    """The machine as a Mermaid state diagram, its ends marked as such."""
    lines = ["stateDiagram-v2"]
    lines += [f"    {step.before or '[*]'} --> {step.after}: {step.act} ({step.who})" for step in machine]
    left = {step.before for step in machine}
    lines += [f"    {state} --> [*]" for state in states(machine) if state not in left]
    return "\n".join(lines)


def drawn(machines: Mapping[str, Sequence[Step]] = MACHINES) -> str:
    """These machines, as a document holds them."""
    return "\n\n".join(f"### {name}\n\n```mermaid\n{mermaid(steps)}\n```" for name, steps in machines.items())
