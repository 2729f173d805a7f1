"""Databases of older versions: of the migrations that one replaces, all must have run, or none."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error
from django.db import connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils.module_loading import module_has_submodule


def check_no_version_is_skipped(databases: Iterable[str] | None, **kwargs: Any) -> list[CheckMessage]:
    """An error where a database has stopped between two versions; of that Django would speak in riddles."""
    if "default" not in (databases or ()):
        return []
    applied = set(MigrationRecorder(connections["default"]).applied_migrations())
    replaced = _replaced()
    if not (missing := replaced - applied) or missing == replaced:
        return []
    return [
        Error(
            f"This database is of a version before 28 November 2026 and lacks {_named(missing)}.",
            hint="Start the version of that day on it once, then this one (docs/operations.md, Upgrade).",
            id="wordhearth.E001",
        )
    ]


def _replaced() -> set[tuple[str, str]]:
    """What our migrations replace. Read without Django's loader, which refuses such a database."""
    found: set[tuple[str, str]] = set()
    for config in apps.get_app_configs():
        if not module_has_submodule(config.module, "migrations"):
            continue
        package = import_module(f"{config.name}.migrations")
        for module in iter_modules(package.__path__):
            migration = import_module(f"{package.__name__}.{module.name}").Migration
            found.update(migration.replaces)
    return found


def _named(migrations: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{app}.{name}" for app, name in sorted(migrations))
