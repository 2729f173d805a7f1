"""Looking for words in everything that a site keeps: a dump of its database, files, the broker, its servers' logs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from training.playground.stream import connect
from wordhearth.drills.restore import EVERYTHING
from wordhearth.embedded import var_folder
from wordhearth.embedded.postgres import Postgres

READ = {
    b"string": lambda client, key: [client.get(key)],
    b"list": lambda client, key: client.lrange(key, 0, -1),
    b"set": lambda client, key: client.smembers(key),
    b"zset": lambda client, key: client.zrange(key, 0, -1),
    b"hash": lambda client, key: client.hgetall(key).items(),
    b"stream": lambda client, key: client.xrange(key),
}


def dump() -> str:
    """What `pg_dump` writes of the test's database, as docs/operations.md has it called."""
    name = connection.settings_dict["NAME"]
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    program = Postgres(Path(settings.VAR_DIR) / "postgres").programs / "pg_dump"
    command = [str(program), "--enable-row-security", "--data-only", address]
    return subprocess.run(command, env={**os.environ, **EVERYTHING}, check=True, capture_output=True, text=True).stdout


def found_in_dump(needles: Sequence[str]) -> list[str]:
    """Which of the strings a dump holds, in letters or in hexadecimal."""
    held = dump()
    return [needle for needle in needles if needle in held or needle.encode().hex() in held]


def found_in_files(folder: Path, needles: Sequence[str]) -> list[str]:
    """Which files hold which of the strings."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return [f"{path}: {needle}" for path in paths for needle in needles if needle.encode() in path.read_bytes()]


def found_in_broker(needles: Sequence[str]) -> list[str]:
    """Which keys of Redis or Valkey, whatever they are, hold which of the strings. Others use the same broker, so a key
    may be gone when its turn comes."""
    found = []
    with closing(connect()) as client:
        for key in client.scan_iter(count=1000):
            read = READ.get(client.type(key))
            held = repr(key) + (repr(list(read(client, key))) if read else "")
            found += [f"{key!r}: {needle}" for needle in needles if needle in held]
    return found


def found_on_disk_of_servers(needles: Sequence[str]) -> list[str]:
    """Which of the strings are in the file of the embedded broker, and in the log of the embedded database."""
    log, files = var_folder() / "postgres" / "log", var_folder() / "valkey"
    in_log = [f"{log}: {needle}" for needle in needles if log.exists() and needle.encode() in log.read_bytes()]
    return in_log + found_in_files(files, needles)
