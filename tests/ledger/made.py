"""What tests of the ledger share."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

TABLES = ("ledger_entry", "ledger_checkpoint")


@contextmanager
def as_owner() -> Iterator[None]:
    """What only the owner of the tables can do: take the right back and switch the triggers off."""
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"GRANT UPDATE, DELETE, TRUNCATE ON {table} TO CURRENT_USER")
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM CURRENT_USER")
