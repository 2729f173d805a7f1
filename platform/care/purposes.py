"""Reading for a purpose: whatever is read inside, the database gives only what may be used for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from care.models import Purpose

SETTING = "wordhearth.purpose"


@contextmanager
def reading_for(purpose: str) -> Iterator[None]:
    """Let the database refuse every answer that may not be used for the purpose, whatever the query forgets.

    For code that hands people's words on: releases, exports, readings by models. Inside another one, the outer purpose
    comes back afterwards. Raises ValueError for a purpose that nobody knows.
    """
    Purpose(purpose)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s, true)", [SETTING])
        before = cursor.fetchone()[0] or ""
        cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, purpose])
        try:
            yield
        finally:
            # An error that broke the transaction takes the setting with it.
            if not connection.needs_rollback:
                cursor.execute("SELECT set_config(%s, %s, true)", [SETTING, before])
