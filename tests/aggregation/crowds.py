"""Made-up crowds whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Row = tuple[str, str, Any]


def crowd(
    skills: Sequence[float], *, tasks: int = 300, labels: str = "ABC", each: int | None = None, seed: int = 1
) -> tuple[list[Row], dict[str, str]]:
    """(rows, truth): worker w says the truth with probability skills[w], else any other label alike.

    `each` is how many workers see a task; all of them when it is None.
    """
    chance = np.random.default_rng(seed)
    truth = {f"t{task}": labels[chance.integers(len(labels))] for task in range(tasks)}
    rows: list[Row] = []
    for task, label in truth.items():
        seen = chance.permutation(len(skills))[: each or len(skills)]
        for worker in sorted(seen.tolist()):
            others = [other for other in labels if other != label]
            said = label if chance.random() < skills[worker] else others[chance.integers(len(others))]
            rows.append((task, f"w{worker}", said))
    return rows, truth
