"""What the house does with its database once the tables are there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, register
from django.db.models.signals import post_migrate


class People(AppConfig):
    """PEOPLE: accounts, communities, roles; and communities kept apart."""

    name = "people"

    def ready(self) -> None:
        """Bind every table after migrating, and say so where one is not bound: `manage.py check --database default`."""
        from people.row_security import bind  # noqa: PLC0415 - needs the models

        post_migrate.connect(bind, sender=self)
        register(check_tables_are_bound, Tags.database)


def check_tables_are_bound(databases: Iterable[str] | None, **kwargs: Any) -> list[CheckMessage]:
    """An error for each table whose policy is missing or not the one it should have."""
    from people.row_security import bound_models, bound_tables, condition_of  # noqa: PLC0415 - needs the models

    if "default" not in (databases or ()):
        return []
    found = bound_tables()
    return [
        Error(
            f"{model._meta.label} is not bound by row security.",
            hint="Run manage.py migrate (docs/operations.md).",
            id="people.E001",
        )
        for model in bound_models()
        if found.get(model._meta.db_table) != condition_of(model)
    ]
