"""Rows that most tests begin with, made once for many tests.

A test in a transaction leaves nothing behind, so what was made before the test began can serve the next one as well:
the rows stay in a transaction around the tests', and each test gets copies of the objects.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

import pytest
from django.db import connection, transaction

# The fixtures whose rows are kept, by name; as `kept` registers them.
BUILDERS: dict[str, Callable[..., Any]] = {}
# Rows that tests took back lie about until the transaction ends, and slow down whoever reads their tables.
MOST_TESTS = 60


def kept(build: Callable[..., Any]) -> Any:
    """A fixture whose rows are made once for all tests in a row that ask for the same ones. It may only ask for other
    such fixtures."""
    name, wanted = build.__name__, list(inspect.signature(build).parameters)
    BUILDERS[name] = build

    def fixture(common: Mapping[str, Any], db: None, **given: Any) -> Any:
        return common[name] if name in common else build(**given)

    parameters = [inspect.Parameter(one, inspect.Parameter.KEYWORD_ONLY) for one in ("common", "db", *wanted)]
    fixture.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    fixture.__doc__ = build.__doc__
    return pytest.fixture(name=name)(fixture)


class Common:
    """What is there now, in a transaction that is never committed."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}
        self.around: transaction.Atomic | None = None
        self.tests = 0

    def of(self, names: Iterable[str]) -> dict[str, Any]:
        """Copies of the rows of exactly these fixtures, by name."""
        wanted, self.tests = set(names), self.tests + 1
        if wanted != set(self.rows) or self.tests > MOST_TESTS or not self._is_whole():
            self.leave()
            self._make(wanted)
        return deepcopy(self.rows)

    def leave(self) -> None:
        """Take everything back, for a test that needs an empty database or transactions of its own."""
        if self.around is not None:
            if self._is_whole():
                transaction.set_rollback(True)
                self.around.__exit__(None, None, None)
            self.around, self.rows = None, {}

    def _is_whole(self) -> bool:
        return connection.in_atomic_block and not connection.closed_in_transaction and not connection.needs_rollback

    def _make(self, names: set[str]) -> None:
        if not names:
            return
        self.around, self.tests = transaction.atomic(), 1
        # What demands to be the outermost transaction is content when tests are around it.
        self.around._from_testcase = True  # type: ignore[attr-defined]
        self.around.__enter__()
        for name in BUILDERS:  # in the order of the file, so that what is asked for comes first
            if name in names:
                build = BUILDERS[name]
                self.rows[name] = build(**{one: self.rows[one] for one in inspect.signature(build).parameters})
        connection.run_on_commit = []


def kept_by(request: pytest.FixtureRequest) -> set[str]:
    """The kept fixtures that a test asks for; not those that its file or folder has redefined, or that build on such."""
    fixtures = request._pyfuncitem._fixtureinfo.name2fixturedefs

    def is_ours(name: str) -> bool:
        found = fixtures.get(name)
        if not found or found[-1].baseid != "tests":
            return False
        return all(is_ours(one) for one in inspect.signature(BUILDERS[name]).parameters)

    return {name for name in BUILDERS if is_ours(name)}


def is_transactional(item: pytest.Item) -> bool:
    """Whether a test commits."""
    marker = item.get_closest_marker("django_db")
    asked = {"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(asked) or bool(marker and marker.kwargs.get("transaction"))
