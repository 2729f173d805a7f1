"""What the house does with its database once the tables are there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db.models.signals import post_migrate

from people.row_security import bind, unbound_tables


class People(AppConfig):
    """PEOPLE: accounts, communities, roles; and communities kept apart."""

    name = "people"

    def ready(self) -> None:
        """Bind every table after migrating, and say so where one is not bound: `manage.py check --database default`."""
        post_migrate.connect(bind, sender=self)
        register(check_tables_are_bound, Tags.database)


def check_tables_are_bound(databases: Iterable[str] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of tables whose policy is missing or is not the one that it should be; a table gets it when it is made."""
    if "default" not in (databases or ()) or not (unbound := unbound_tables()):
        return []
    return [
        Warning(
            f"Communities are not kept apart in {', '.join(unbound)}.",
            hint="Run manage.py migrate (docs/operations.md).",
            id="people.W001",
        )
    ]
