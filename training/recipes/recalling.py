"""What a model knows by heart: its training rows and held-out rows, each read after its own request and after others.

Nothing is made up: every alternative is an answer of the release after a request of the release. Whatever is drawn
follows from the seed and the rows' ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from training.evaluation.likelihood import shared_recalls
from training.evaluation.memorisation import ALTERNATIVES, Recall
from training.recipes.configuration import Configuration
from training.recipes.text import TOKENS_AT_ONCE, Example, ordered


def drawn(rows: Sequence[Example], config: Configuration) -> list[Example]:
    """The rows by which is measured what is known by heart."""
    return ordered(rows, seed=config.recipe.seed, epoch=-8)[: config.evaluation.memorised]


def recalls_of(model: Any, rows: Sequence[Example], tick: Callable[[int], None] = lambda done: None) -> list[Recall]:
    """Each row as the model knows it, among the requests of the others. Each request is read once, with all the answers
    that are tried after it, which takes a fifth of the time."""
    elsewhere = [alternatives(rows, place) for place in range(len(rows))]
    after = [[place, *(row for row in range(len(rows)) if place in elsewhere[row])] for place in range(len(rows))]
    read: dict[tuple[int, int], tuple[float, bool]] = {}
    for part in _parts(rows, after):
        tried = [(row, place) for place in part for row in after[place]]
        examples = [(_request(rows[place]) + _answer(rows[row]), rows[place].prompt) for row, place in tried]
        read |= dict(zip(tried, shared_recalls(model, examples), strict=True))
        tick(len(part))
    return [
        Recall(read[place, place][0], [read[place, other][0] for other in others], read[place, place][1])
        for place, others in enumerate(elsewhere)
    ]


def alternatives(rows: Sequence[Example], place: int) -> list[int]:
    """The places of the next `ALTERNATIVES` rows, round about, that ask and answer something else, each once."""
    row, found = rows[place], []
    asked = {_request(row)}
    for other in (*range(place + 1, len(rows)), *range(place)):
        if _request(rows[other]) not in asked and _answer(rows[other]) != _answer(row):
            asked.add(_request(rows[other]))
            found.append(other)
    return found[:ALTERNATIVES]


def _request(row: Example) -> tuple[int, ...]:
    return row.tokens[: row.prompt]


def _answer(row: Example) -> tuple[int, ...]:
    return row.tokens[row.prompt :]


def _parts(rows: Sequence[Example], after: Sequence[Sequence[int]]) -> list[list[int]]:
    """The places of the requests, in parts of at most `TOKENS_AT_ONCE` tokens; a longer one is a part alone."""
    parts: list[list[int]] = []
    size = 0
    for place, tried in enumerate(after):
        tokens = rows[place].prompt + sum(len(_answer(rows[row])) for row in tried)
        if not parts or size + tokens > TOKENS_AT_ONCE:
            parts.append([])
            size = 0
        parts[-1].append(place)
        size += tokens
    return parts
