"""Handing out a file bit by bit, for as long as whoever reads it may."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from people.refusals import NotAllowed

T = TypeVar("T")


def while_allowed(chunks: Iterable[T], still: Callable[[], bool], *, every: float = 1.0) -> Iterator[T]:
    """The parts of a file for as long as it may be handed out, which is asked again every second (`every`).

    Raises NotAllowed, which breaks the connection off: whoever has lost a role meanwhile gets no whole file.
    """
    asked = -math.inf
    for chunk in chunks:
        if time.monotonic() - asked >= every:
            if not still():
                raise NotAllowed("You may not read this any more.")
            asked = time.monotonic()
        yield chunk
