"""Runs, what they make, and what they learn from beside their release. One file for each subject."""

from training.runs.models.additions import Addition
from training.runs.models.runs import Adapter, AdapterEvent, AdapterReading, GateBounds, Grid, Run, RunEvent, Schedule

__all__ = [
    "Adapter",
    "AdapterEvent",
    "AdapterReading",
    "Addition",
    "GateBounds",
    "Grid",
    "Run",
    "RunEvent",
    "Schedule",
]
