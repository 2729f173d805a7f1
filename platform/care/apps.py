"""What is asked of the installation before care can rely on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import connections


class Care(AppConfig):
    """CARE: consent, restrictions, decisions."""

    name = "care"

    def ready(self) -> None:
        """Ask when the database is asked about: `manage.py check --database default`."""
        register(check_row_security, Tags.database)


def check_row_security(databases: Iterable[str] | None, **kwargs: Any) -> list[CheckMessage]:
    """Warn where the role is one that row security does not bind."""
    if "default" not in (databases or ()):
        return []
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        is_unbound = cursor.fetchone()[0]
    if not is_unbound:
        return []
    return [
        Warning(
            "The database role of this site is not bound by row security.",
            hint="Use a role that is no superuser and has no BYPASSRLS (docs/operations.md).",
            id="care.W001",
        )
    ]
