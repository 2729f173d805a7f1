"""Reading for a purpose: whatever is read inside, the database gives only what may be used for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from care.models import Purpose

SETTING = "wordhearth.purpose"
COUNTER_EXAMPLES = "wordhearth.counter_examples"


@contextmanager
def reading_for(purpose: str, *, counter_examples: bool = False) -> Iterator[None]:
    """Let the database refuse every answer that may not be used for the purpose, whatever the query forgets.

    For code that hands people's words on: releases, exports, readings by models. With `counter_examples` it gives those
    too that were turned down for what they say. Inside another one, what was asked for outside comes back afterwards.
    Raises ValueError for a purpose that nobody knows.
    """
    Purpose(purpose)
    both = "SELECT set_config(%s, %s, true), set_config(%s, %s, true)"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s, true), current_setting(%s, true)", [SETTING, COUNTER_EXAMPLES])
        before, took = (value or "" for value in cursor.fetchone())
        cursor.execute(both, [SETTING, purpose, COUNTER_EXAMPLES, "on" if counter_examples else ""])
        try:
            yield
        finally:
            # An error that broke the transaction takes the setting with it.
            if not connection.needs_rollback:
                cursor.execute(both, [SETTING, before, COUNTER_EXAMPLES, took])
