"""One server for all processes of a checkout: the first one starts it, the last one stops it.

The register of users is a small file under a file lock. A user that was killed cannot sign off, so every
visit removes those whose process is gone; process ids are reused, so a start time stands beside each.
"""

import atexit
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psutil

from wordhearth.embedded.errors import EmbeddedServiceError

# Start times are computed from a clock that may be corrected a little while a process runs.
SAME_START_SECONDS = 2.0

User = tuple[int, float]


class Server(Protocol):
    """A local server that can be started and stopped; both do nothing when there is nothing to do."""

    name: str

    def start(self) -> str:
        """Make sure the server runs and answers; return its URL."""

    def stop(self) -> None:
        """Stop the server and keep its data."""


def join(server: Server, *, run_folder: Path) -> str:
    """Use the server until this process exits; return its URL. ``run_folder`` holds lock and register."""
    register = run_folder / f"{server.name}.users"
    me = (os.getpid(), psutil.Process().create_time())
    with _locked(run_folder / f"{server.name}.lock"):
        url = server.start()
        _write(register, [*_living(register, besides=me), me])
    atexit.register(_leave, server, run_folder, me)
    return url


def _leave(server: Server, run_folder: Path, me: User) -> None:
    # A forked child inherits the exit handlers of its parent, but never joined.
    if os.getpid() != me[0] or not run_folder.is_dir():
        return
    register = run_folder / f"{server.name}.users"
    with _locked(run_folder / f"{server.name}.lock"):
        others = _living(register, besides=me)
        _write(register, others)
        if not others:
            server.stop()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    try:
        file = path.open("a")
    except OSError as error:
        raise EmbeddedServiceError(
            f"Cannot open {path} ({error.strerror}): {path.parent.parent} belongs to another user. "
            "Run as that user, or set WORDHEARTH_VAR to a folder of your own."
        ) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _living(register: Path, *, besides: User) -> list[User]:
    try:
        users = [(int(pid), float(started)) for pid, started in json.loads(register.read_text())]
    except (FileNotFoundError, ValueError, TypeError):
        return []
    return [user for user in users if user[0] != besides[0] and _is_alive(user)]


def _is_alive(user: User) -> bool:
    pid, started = user
    try:
        process = psutil.Process(pid)
        now_started: float = process.create_time()
        gone: bool = process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    return not gone and abs(now_started - started) < SAME_START_SECONDS


def _write(register: Path, users: list[User]) -> None:
    new = register.with_suffix(".new")
    new.write_text(json.dumps(users))
    new.replace(register)
