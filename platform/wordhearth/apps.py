"""The house as a whole."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register

from wordhearth.upgrading import check_no_version_is_skipped


class Wordhearth(AppConfig):
    """What is looked at before a database is migrated."""

    name = "wordhearth"

    def ready(self) -> None:
        """`manage.py migrate` and `manage.py check --database default` look."""
        register(check_no_version_is_skipped, Tags.database)
