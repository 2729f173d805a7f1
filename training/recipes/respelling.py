"""Held-out rows as somebody writes them whose keyboard has no accents: asked that way, and answered that way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from training.evaluation.robustness import by_group, part_of, without_marks
from training.evaluation.scores import bits_per_byte
from training.recipes.configuration import Configuration
from training.recipes.stages import losses_of
from training.recipes.text import Example, Row, encode


@dataclass(frozen=True)
class Respelt:
    """The rows that this changes, as tokens, and where they stand among the rows that were given."""

    name: str
    examples: list[Example]
    places: list[int]


def respelt(tokenizer: Any, rows: Sequence[Row], config: Configuration) -> list[Respelt]:
    """The rows with marks left out of what is asked, and of what is answered; what nothing changes in is left out."""
    found = []
    for name, change in (("request", _asked_plainly), ("answer", _answered_plainly)):
        # Shorter in letters is not shorter in tokens, so some room is left.
        changed = [(place, change(row)) for place, row in enumerate(rows)]
        encoded = [
            (place, encode(tokenizer, row, max_length=2 * config.recipe.max_length))
            for place, row in changed
            if row != rows[place]
        ]
        kept = [(place, example) for place, example in encoded if example is not None]
        found.append(Respelt(name, [example for _, example in kept], [place for place, _ in kept]))
    return [one for one in found if one.examples]


def _asked_plainly(row: Row) -> Row:
    """What surrounds the sentence, such as the name of the language, is the site's and stays."""
    wanted = row.source if row.source and row.source in row.request else row.request
    return replace(row, request=row.request.replace(wanted, without_marks(wanted)))


def _answered_plainly(row: Row) -> Row:
    # An answer that is nothing but marks has nothing left to say.
    return replace(row, completion=without_marks(row.completion) or row.completion)


def read_respelt(model: Any, some: Sequence[Respelt], tick: Callable[[int], None]) -> list[list[float]]:
    """Each row's nats; `tick` is told how many rows were done."""
    found = []
    for one in some:
        found.append(losses_of(model, one.examples))
        tick(len(one.examples))
    return found


def robustness(
    rows: Sequence[Row],
    nats: tuple[Sequence[float], Sequence[float]],
    sizes: Sequence[int],
    some: Sequence[Respelt],
    spelt: tuple[Sequence[Sequence[float]], Sequence[Sequence[float]]],
) -> dict[str, Any]:
    """The report's figures, by variety, by orthography and by spelling; nats of base model and adapter in turn.

    What is respelt also says how many bits per byte the adapter needs for the same rows as they were written.
    """
    by_names = {
        name: by_group([getattr(row, name) for row in rows], *nats, sizes) for name in ("variety", "orthography")
    }
    spelling = []
    for one, base, adapter in zip(some, *spelt, strict=True):
        as_written = bits_per_byte([nats[1][place] for place in one.places], [sizes[place] for place in one.places])
        part = part_of(one.name, base, adapter, [example.target_bytes for example in one.examples])
        spelling.append({**part, "adapter_bpb_as_written": as_written})
    return {**by_names, "spelling": spelling}
