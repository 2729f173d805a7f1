"""Rows that most tests begin with, made once for many tests.

A test in a transaction leaves nothing behind, so what was made before the test began can serve the next one as well:
the rows stay in a transaction around the tests', each fixture's in a savepoint upon those before it, and each test gets
copies of the objects.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction

# Rows that tests took back lie about until the transaction ends, and slow down whoever reads their tables.
MOST_TESTS = 60
Build = Callable[..., Any]
ORDER: dict[Build, int] = {}


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
    ORDER[build] = len(ORDER)
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


@dataclass
class Level:
    """One fixture's rows, in a savepoint of their own, and what was there before."""

    name: str
    build: Build
    around: transaction.Atomic
    before: dict[str, Any]


class Common:
    """What is there now: fixtures upon fixtures, in a transaction that is never committed."""

    def __init__(self) -> None:
        self.levels: list[Level] = []
        self.rows: dict[str, Any] = {}
        self.tests = 0

    def of(self, builds: Mapping[str, Build]) -> dict[str, Any]:
        """Copies of the rows of exactly these fixtures, by name. Those at the bottom that were wanted before stay."""
        self.tests += 1
        if self.tests > MOST_TESTS or not self._is_whole():
            self.leave()
        wanted = in_turn(builds)
        stays = 0
        for level, (_, build) in zip(self.levels, wanted, strict=False):
            if level.build is not build:
                break
            stays += 1
        while len(self.levels) > stays:
            self._take_back()
        for name, build in wanted[stays:]:
            self._put(name, build)
        return deepcopy(self.rows)

    def leave(self) -> None:
        """Take everything back, for a test that needs an empty database or transactions of its own."""
        while self.levels:
            self._take_back()
        self.tests = 0

    def _is_whole(self) -> bool:
        return connection.in_atomic_block and not connection.closed_in_transaction and not connection.needs_rollback

    def _take_back(self) -> None:
        level = self.levels.pop()
        self.rows = level.before
        if self._is_whole():
            transaction.set_rollback(True)
            level.around.__exit__(None, None, None)

    def _put(self, name: str, build: Build) -> None:
        around = transaction.atomic()
        # What demands to be the outermost transaction is content when tests are around it.
        around._from_testcase = True  # type: ignore[attr-defined]
        self.levels.append(Level(name, build, around, deepcopy(self.rows)))
        around.__enter__()
        self.rows[name] = build(**{one: self.rows[one] for one in inspect.signature(build).parameters})
        connection.run_on_commit = []


def in_turn(builds: Mapping[str, Build]) -> list[tuple[str, Build]]:
    """Each after those that it builds on, else as they are written."""
    found: dict[str, Build] = {}

    def put(name: str) -> None:
        for needed in inspect.signature(builds[name]).parameters:
            put(needed)
        found.setdefault(name, builds[name])

    for name in sorted(builds, key=lambda name: ORDER[builds[name]]):
        put(name)
    return list(found.items())


def is_transactional(item: pytest.Item) -> bool:
    """Whether a test commits."""
    marker = item.get_closest_marker("django_db")
    asked = {"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(asked) or bool(marker and marker.kwargs.get("transaction"))


COMMON = Common()
