"""One migrated database that every process of a test run copies, instead of migrating one of its own."""

from __future__ import annotations

import hashlib
import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import django
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader

PREFIX = "wordhearth_migrated_"
LOCK = 20_260_302  # any number, as long as nothing else in the server takes it


def _fingerprint() -> str:
    """Changes with every migration that is written, changed or deleted."""
    migrations = MigrationLoader(None).disk_migrations.values()
    files = sorted(inspect.getfile(type(migration)) for migration in migrations)
    hashed = hashlib.sha256(django.__version__.encode())
    for file in files:
        hashed.update(file.encode() + Path(file).read_bytes())
    return hashed.hexdigest()[:16]


def migrated_once() -> str:
    """The name of the database to copy. The first process makes it while the others wait; it outlives the run."""
    name = PREFIX + _fingerprint()
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{PREFIX}%"])
        found = {row[0] for row in cursor.fetchall()}
        if name not in found:
            for old in found | {"being_migrated"}:
                cursor.execute(f'DROP DATABASE IF EXISTS "{old}"')
            cursor.execute("CREATE DATABASE being_migrated")
            _migrate("being_migrated")
            cursor.execute(f'ALTER DATABASE being_migrated RENAME TO "{name}"')
    return name


@contextmanager
def a_copy(name: str) -> Iterator[str]:
    """The address of another copy, for a process of its own; gone afterwards."""
    template = migrated_once()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    address = urlsplit(os.environ["DATABASE_URL"])
    yield address._replace(path=f"/{name}").geturl()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _migrate(name: str) -> None:
    own = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own
