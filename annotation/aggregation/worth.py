"""In which order conflicts are worth an expert's time. The formula and its reasons are in docs/adjudication.md."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, log2


def uncertainty(counts: Sequence[int]) -> float:
    """How open it is, 0 to 1: the entropy of how often each outcome was said, as a share of the most there could be.

    Every outcome is counted once more than it was said (Laplace's rule of succession), so that few voices leave more
    open than many, and nothing is certain. There are two outcomes at least: what was said, and anything else.

    Raises:
        ValueError: a count below zero.
    """
    if any(count < 0 for count in counts):
        raise ValueError("Nothing is said less often than never.")
    padded = [count + 1 for count in counts] + [1] * (2 - len(counts))
    total = sum(padded)
    return -sum(count / total * log(count / total) for count in padded) / log(len(padded))


def worth(*, open_to: float, alike: int, done: int, tasks: int) -> float:
    """The expected value of a decision: uncertainty × how often the pattern occurs × need.

    `open_to` is the `uncertainty`; `alike` how many conflicts of the queue show the same pattern, this one included,
    of which each doubling adds one (a decision is a precedent); `done` of the project's `tasks` are validated, and
    what is left is the need: a project that can release little needs its conflicts more.

    Raises:
        ValueError: fewer than one alike, or more done than there are.
    """
    if alike < 1 or not 0 <= done <= tasks:
        raise ValueError(f"{alike} alike and {done} of {tasks} done cannot be.")
    return open_to * (1 + log2(alike)) * (tasks - done + 1) / (tasks + 1)
