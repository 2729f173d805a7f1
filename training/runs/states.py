"""PURE: how runs and adapters go from state to state; drawn in docs/runs.md and docs/evaluation.md. Services ask it for
every step that they take."""

from __future__ import annotations

from care.states import ImpossibleStep, Step, after

RUN = (
    Step("", "queue", "queued", "a researcher, or the schedule"),
    Step("queued", "take", "running", "a training worker"),
    Step("running", "take", "running", "another worker, when the lease has run out"),
    Step("running", "give back", "queued", "its worker, when that goes down or the process died"),
    Step("queued", "stop", "cancelled", "a researcher, a steward, or whoever takes words back"),
    Step("running", "stop", "cancelling", "a researcher, a steward, or whoever takes words back"),
    Step("cancelling", "stop", "cancelling", "a researcher, a steward, or whoever takes words back"),
    Step("queued", "cancelled", "cancelled", "the worker that was to take it: words were taken back"),
    Step("running", "cancelled", "cancelled", "its worker: words were taken back"),
    Step("cancelling", "cancelled", "cancelled", "its worker, after its present step"),
    Step("queued", "failed", "failed", "the worker that was to take it: words may not be used any more"),
    Step("running", "failed", "failed", "its worker"),
    Step("cancelling", "failed", "failed", "its worker"),
    Step("running", "finished", "finished", "its worker"),
    Step("cancelling", "finished", "finished", "its worker, when it was done in that very moment"),
    Step("cancelled", "resume", "queued", "a researcher, unless words were taken back"),
    Step("failed", "resume", "queued", "a researcher, unless words were taken back"),
    Step("cancelled", "bring back", "finished", "a researcher, with what another machine made of exactly this run"),
    Step("failed", "bring back", "finished", "a researcher, with what another machine made of exactly this run"),
)
ADAPTER = (
    Step("", "make", "candidate", "its run"),
    Step("candidate", "approve", "approved", "a steward, once the gate is open and the community has decided"),
    Step("refused", "approve", "approved", "a steward, once the gate is open and the community has decided"),
    Step("retired", "approve", "approved", "a steward, once the gate is open and the community has decided"),
    Step("candidate", "refuse", "refused", "a steward, with the reason"),
    Step("approved", "refuse", "retired", "a steward, with the reason"),
    Step("approved", "roll back", "retired", "a steward, where another one was in use before it"),
    Step("candidate", "delete", "retired", "a steward, time or an erasure, after words were taken back"),
    Step("approved", "delete", "retired", "a steward, time or an erasure, after words were taken back"),
    Step("refused", "delete", "retired", "a steward, time or an erasure, after words were taken back"),
    Step("retired", "delete", "retired", "a steward, time or an erasure, after words were taken back"),
)
MACHINES = {"Run": RUN, "Adapter": ADAPTER}

__all__ = ["ADAPTER", "MACHINES", "RUN", "ImpossibleStep", "after"]
