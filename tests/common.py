"""Rows that most tests begin with, made once for many tests.

A test in a transaction leaves nothing behind, so what was made before the test began can serve the next one as well:
the rows stay in a transaction around the tests', and each test gets copies of the objects.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import pytest
from django.db import connection, transaction

# Rows that tests took back lie about until the transaction ends, and slow down whoever reads their tables.
MOST_TESTS = 60
Build = Callable[..., Any]


def kept(build: Build) -> Any:
    """A fixture whose rows are made once for all tests in a row that ask for the same ones. It may only ask for other
    such fixtures, and leaves nothing but rows."""
    name, wanted = build.__name__, list(inspect.signature(build).parameters)

    def fixture(common: Mapping[str, Any], db: None, **given: Any) -> Any:
        return common[name] if name in common else build(**given)

    parameters = [inspect.Parameter(one, inspect.Parameter.KEYWORD_ONLY) for one in ("common", "db", *wanted)]
    fixture.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    fixture.__doc__ = build.__doc__
    fixture.build = build  # type: ignore[attr-defined]
    return pytest.fixture(name=name)(fixture)


def kept_by(item: Any) -> dict[str, Build]:
    """The kept fixtures that a test asks for, by name; not those that build on one that is no such fixture."""
    found: dict[str, Build] = {}
    for name, definitions in item._fixtureinfo.name2fixturedefs.items():
        if build := getattr(definitions[-1].func, "build", None):
            found[name] = build
    while lacking := [
        name for name, build in found.items() if not set(inspect.signature(build).parameters) <= set(found)
    ]:
        for name in lacking:
            del found[name]
    return found


class Common:
    """What is there now, in a transaction that is never committed."""

    def __init__(self) -> None:
        self.builds: dict[str, Build] = {}
        self.rows: dict[str, Any] = {}
        self.around: transaction.Atomic | None = None
        self.tests = 0

    def of(self, builds: Mapping[str, Build]) -> dict[str, Any]:
        """Copies of the rows of exactly these fixtures, by name."""
        self.tests += 1
        if builds != self.builds or self.tests > MOST_TESTS or not self._is_whole():
            self.leave()
            self._make(dict(builds))
        return deepcopy(self.rows)

    def leave(self) -> None:
        """Take everything back, for a test that needs an empty database or transactions of its own."""
        if self.around is not None:
            if self._is_whole():
                transaction.set_rollback(True)
                self.around.__exit__(None, None, None)
            self.around, self.builds, self.rows = None, {}, {}

    def _is_whole(self) -> bool:
        return connection.in_atomic_block and not connection.closed_in_transaction and not connection.needs_rollback

    def _make(self, builds: dict[str, Build]) -> None:
        if not builds:
            return
        self.builds, self.around, self.tests = builds, transaction.atomic(), 1
        # What demands to be the outermost transaction is content when tests are around it.
        self.around._from_testcase = True  # type: ignore[attr-defined]
        self.around.__enter__()
        for name in builds:
            self._row(name)
        connection.run_on_commit = []

    def _row(self, name: str) -> Any:
        if name not in self.rows:
            build = self.builds[name]
            self.rows[name] = build(**{one: self._row(one) for one in inspect.signature(build).parameters})
        return self.rows[name]


def is_transactional(item: pytest.Item) -> bool:
    """Whether a test commits."""
    marker = item.get_closest_marker("django_db")
    asked = {"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(asked) or bool(marker and marker.kwargs.get("transaction"))
