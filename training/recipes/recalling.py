"""What a model knows by heart: its training rows and held-out rows, each read after its own request and after others.

Nothing is made up: every alternative is an answer of the release after a request of the release. Whatever is drawn
follows from the seed and the rows' ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from training.evaluation.likelihood import Tree, tree_recalls
from training.evaluation.memorisation import ALTERNATIVES, Recall, memorised
from training.recipes.configuration import Configuration
from training.recipes.text import TOKENS_AT_ONCE, Example, ordered


def measure_memorised(
    model: Any,
    trained: Sequence[Example],
    held_out: Sequence[Example],
    config: Configuration,
    tick: Callable[[int], None] = lambda done: None,
) -> dict[str, Any] | None:
    """`memorised` of the model for rows that it learnt from and rows that it did not; None where it is not wanted or
    nothing can be told. `tick` is told how many rows were done."""
    found = []
    for rows in (trained, held_out):
        drawn = ordered(rows, seed=config.recipe.seed, epoch=-8)[: config.evaluation.memorised]
        found.append(recalls_of(model, drawn, tick))
    return memorised(*found)


def recalls_of(model: Any, rows: Sequence[Example], tick: Callable[[int], None] = lambda done: None) -> list[Recall]:
    """Each row as the model knows it, among the requests of the others. Requests are read once, with all the answers
    that are tried after them, which takes a quarter of the time."""
    elsewhere = [alternatives(rows, place) for place in range(len(rows))]
    after = [[place, *(row for row in range(len(rows)) if place in elsewhere[row])] for place in range(len(rows))]
    trees = [
        Tree(row.tokens[: row.prompt], [rows[other].tokens[rows[other].prompt :] for other in tried])
        for row, tried in zip(rows, after, strict=True)
    ]
    nats: dict[tuple[int, int], tuple[float, bool]] = {}
    for part in parts_of_trees(trees):
        for place, read in zip(part, tree_recalls(model, [trees[one] for one in part]), strict=True):
            nats |= {(row, place): one for row, one in zip(after[place], read, strict=True)}
        tick(len(part))
    return [
        Recall(nats[place, place][0], [nats[place, other][0] for other in others], nats[place, place][1])
        for place, others in enumerate(elsewhere)
    ]


def alternatives(rows: Sequence[Example], place: int) -> list[int]:
    """The places of the next `ALTERNATIVES` rows, round about, that ask and answer something else, each once."""
    row, found = rows[place], []
    asked = {row.tokens[: row.prompt]}
    for other in (*range(place + 1, len(rows)), *range(place)):
        request, answer = rows[other].tokens[: rows[other].prompt], rows[other].tokens[rows[other].prompt :]
        if request not in asked and answer != row.tokens[row.prompt :]:
            asked.add(request)
            found.append(other)
    return found[:ALTERNATIVES]


def parts_of_trees(trees: Sequence[Tree]) -> list[list[int]]:
    """The places of the trees, in parts of at most `TOKENS_AT_ONCE` tokens; a longer one is a part alone."""
    parts: list[list[int]] = []
    size = 0
    for place, tree in enumerate(trees):
        if not parts or size + len(tree) > TOKENS_AT_ONCE:
            parts.append([])
            size = 0
        parts[-1].append(place)
        size += len(tree)
    return parts
