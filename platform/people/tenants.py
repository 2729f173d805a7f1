"""Which communities the code that runs now may reach in the database; where nobody has said, it reaches none.

Every statement goes to PostgreSQL with this beside it (`people.postgres`), and the policies of every table that belongs
to a community ask for it (`people.row_security`). It is kept with the running code, not with the connection: a new
thread begins with nothing in view, and whoever forgets to say gets an error instead of somebody else's rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

EVERY = "*"


class InView:
    """Some communities, by their ids; more may come into view along the way."""

    def __init__(self, communities: Iterable[int] = ()) -> None:
        self.communities = set(communities)

    def ids(self) -> set[int]:
        """All of them by now."""
        return self.communities

    def said(self) -> str:
        """As PostgreSQL writes a list."""
        return "{" + ",".join(map(str, sorted(self.ids()))) + "}"


_in_view: ContextVar[InView | None] = ContextVar("communities_in_view", default=None)


class _Every(InView):
    def said(self) -> str:
        return EVERY


def said() -> str:
    """What PostgreSQL is told: `*`, a list such as `{1,2}`, or nothing, which it refuses."""
    current = _in_view.get()
    return "" if current is None else current.said()


@contextmanager
def looking_at(view: InView) -> Iterator[None]:
    """Inside, these communities are in view and no others; afterwards what was before."""
    token = _in_view.set(view)
    try:
        yield
    finally:
        _in_view.reset(token)


@contextmanager
def every_community() -> Iterator[None]:
    """For what the house does by itself: jobs, commands, migrations; and to find what a secret opens."""
    with looking_at(_Every()):
        yield


def widen(*communities: int) -> None:
    """Bring more communities into view until the end of the request: called where somebody has shown that they may.

    Where every community is in view, or none, this changes nothing.
    """
    current = _in_view.get()
    if current is not None:
        current.communities.update(communities)


def while_looking_at(view: InView, parts: Iterable[T]) -> Iterator[T]:
    """The parts of an answer that is still being made when its request is over, each made with these in view."""
    each = iter(parts)
    while True:
        with looking_at(view):
            try:
                part = next(each)
            except StopIteration:
                return
        yield part
