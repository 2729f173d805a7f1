"""A real PostgreSQL and a real Valkey, started and ended by the processes that use them."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
import pytest
import redis

from tests.guards.tree import ROOT
from wordhearth.embedded.folders import socket_folder
from wordhearth.embedded.postgres import SOCKET_NAME

PROGRAM = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as manage.py does, so that an ended test run stops them too
from wordhearth.embedded import EmbeddedServiceError, provide
try:
    provide()
except EmbeddedServiceError as error:
    sys.exit(str(error))
print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
sys.stdin.read()
"""

# Gets the orphans of what it runs and takes no note of their end, like the first process of many containers.
CARELESS = """
import ctypes, subprocess, sys
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0
sys.exit(subprocess.Popen(sys.argv[1:]).wait())
"""


class User:
    """A process that uses the servers of a folder until `leave()`."""

    def __init__(self, var, *, under=(), stderr=None, **env):
        unset = {"DATABASE_URL", "REDIS_URL"}
        clean = {key: value for key, value in os.environ.items() if key not in unset}
        self.process = subprocess.Popen(
            [*under, sys.executable, "-c", PROGRAM, str(ROOT / "platform")],
            env={**clean, "WORDHEARTH_VAR": str(var), **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
        self.var = var

    def urls(self):
        line = self.process.stdout.readline()
        assert line, "the servers did not start"
        self.database_url, self.redis_url = line.split()
        return self.database_url, self.redis_url

    def leave(self):
        self.process.communicate(timeout=60)

    def database(self):
        return psycopg.connect(self.database_url, autocommit=True)

    def valkey(self):
        return redis.Redis.from_url(self.redis_url)


def servers(var):
    """Processes that work in the folder: {"postgres": pid, "valkey-server": pid}."""
    found = {}
    for process in psutil.process_iter(["name", "cmdline", "pid"]):
        words = process.info["cmdline"] or []
        if process.info["name"] == "postgres" and str(var / "postgres") in words:
            found["postgres"] = process.info["pid"]
        elif process.info["name"].startswith("valkey") and _works_in(process, var / "valkey"):
            found["valkey"] = process.info["pid"]
    return found


def _works_in(process, folder):
    try:
        return process.cwd() == str(folder)
    except psutil.Error:
        return False


def gone(var, seconds=15):
    deadline = time.monotonic() + seconds
    while servers(var) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not servers(var)


def socket_folder_of(user):
    return parse_qs(urlsplit(user.database_url).query)["host"][0]


@pytest.fixture(scope="module")
def place():
    """A folder that other accounts may walk through; pytest closes its own to them whenever one starts."""
    with tempfile.TemporaryDirectory(prefix="wordhearth-test-") as made:
        yield Path(made).resolve()


@pytest.fixture(scope="module")
def short(place):
    """The servers of an ordinary folder, used by one process for the whole module."""
    user = User(place / "short")
    yield user
    if user.process.poll() is None:
        user.leave()


@pytest.fixture(scope="module")
def deep(place):
    """The servers of a folder too deep for sockets, started while the others run."""
    user = User(place / ("so deep" * 8) / ("and ñ" * 8))
    yield user
    if user.process.poll() is None:
        user.leave()
    shutil.rmtree(socket_folder_of(user), ignore_errors=True)
    shutil.rmtree(socket_folder(user.var / "valkey", "valkey.sock"), ignore_errors=True)


@pytest.fixture(scope="module")
def both(short, deep):
    """Both, started at the same moment."""
    short.urls()
    deep.urls()
    return short, deep


def test_both_servers_of_both_folders_answer(both):
    for user in both:
        with user.database() as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("wordhearth",)
        assert user.valkey().ping()


def test_two_folders_have_nothing_in_common(both):
    short, deep = both
    assert short.database_url != deep.database_url
    assert short.redis_url != deep.redis_url
    for user, word in ((short, "one"), (deep, "two")):
        with user.database() as connection:
            connection.execute("CREATE TABLE words AS SELECT %s::text AS word", [word])
        user.valkey().set("word", word)
    for user, word in ((short, "one"), (deep, "two")):
        with user.database() as connection:
            assert connection.execute("SELECT word FROM words").fetchall() == [(word,)]
        assert user.valkey().get("word") == word.encode()


def test_a_deep_folder_has_its_sockets_in_a_private_short_one(both):
    short, deep = both
    assert socket_folder_of(short) == str(short.var / "postgres")
    folder = socket_folder_of(deep)
    assert folder.startswith("/tmp/wordhearth-")  # noqa: S108
    assert os.stat(folder).st_mode & 0o777 == 0o700
    assert os.stat(f"{folder}/{SOCKET_NAME}").st_mode & 0o077 == 0


def test_the_application_is_no_superuser_and_may_make_test_databases(both):
    with both[0].database() as connection:
        role = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb "
            "FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert role == ("wordhearth", False, False, False, True)


def test_nobody_can_connect_over_the_network(both):
    with both[0].database() as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert both[0].valkey().config_get("port") == {"port": "0"}


def test_what_fails_leaves_no_words_in_the_database_s_log(both):
    with both[0].database() as connection:
        connection.execute("CREATE TEMPORARY TABLE said (words text CHECK (words = ''))")
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("INSERT INTO said VALUES ('kanario')")
    log = (both[0].var / "postgres" / "log").read_text()
    assert 'violates check constraint "said_words_check"' in log
    assert "kanario" not in log


def test_sorting_is_the_same_on_every_machine(both):
    with both[0].database() as connection:
        found = connection.execute("SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding) FROM pg_database")
        assert set(found) >= {("b", "C.UTF-8", "UTF8")}


def test_the_queue_is_kept_on_disk_and_never_dropped(both):
    settings = both[0].valkey().config_get("appendonly", "maxmemory-policy", "appendfsync")
    assert settings == {"appendonly": "yes", "maxmemory-policy": "noeviction", "appendfsync": "everysec"}


def test_a_second_process_gets_the_same_servers(both):
    before = servers(both[0].var)
    second = User(both[0].var)
    assert second.urls() == (both[0].database_url, both[0].redis_url)
    second.leave()
    assert servers(both[0].var) == before
    assert both[0].valkey().ping()


def test_a_killed_database_is_recovered_with_its_data(both):
    short = both[0]
    with short.database() as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
    before = servers(short.var)
    psutil.Process(before["postgres"]).kill()
    time.sleep(0.2)

    second = User(short.var)
    second.urls()

    assert servers(short.var)["postgres"] != before["postgres"]
    with second.database() as connection:
        assert connection.execute("SELECT count(*), max(number) FROM kept").fetchone() == (1000, 1000)
    second.leave()


def test_a_killed_broker_has_its_queue_again(both):
    short = both[0]
    short.valkey().rpush("queue", "first", "second")
    assert short.valkey().execute_command("WAITAOF", 1, 0, 5000)[0] == 1
    psutil.Process(servers(short.var)["valkey"]).kill()
    time.sleep(0.2)

    second = User(short.var)
    second.urls()

    assert second.valkey().lrange("queue", 0, -1) == [b"first", b"second"]
    second.leave()


def test_a_database_of_another_version_is_not_touched(tmp_path):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("12\n")
    user = User(tmp_path, stderr=subprocess.PIPE)
    _, words = user.process.communicate(timeout=60)
    assert user.process.returncode == 1
    assert "was written by PostgreSQL 12, this version brings 18" in words
    assert sorted(path.name for path in (tmp_path / "postgres").iterdir()) == ["PG_VERSION"]


def test_addresses_in_the_environment_start_nothing(tmp_path):
    user = User(tmp_path, DATABASE_URL="postgresql://elsewhere/words", REDIS_URL="redis://elsewhere/0")
    assert user.urls() == ("postgresql://elsewhere/words", "redis://elsewhere/0")
    user.leave()
    assert list(tmp_path.iterdir()) == []


def test_after_the_last_process_both_servers_are_gone(both):
    for user in both:
        assert set(servers(user.var)) == {"postgres", "valkey"}
        user.leave()
    for user in both:
        assert gone(user.var), servers(user.var)


def test_the_next_start_finds_everything_again(both):
    short = both[0]
    again = User(short.var)
    again.urls()
    with again.database() as connection:
        assert connection.execute("SELECT word FROM words").fetchall() == [("one",)]
    assert again.valkey().get("word") == b"one"
    again.leave()
    assert gone(short.var)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to a process of one's choice")
def test_it_stops_where_nobody_takes_note_of_ended_processes(both):
    short = both[0]
    user = User(short.var, under=[sys.executable, "-c", CARELESS])
    user.urls()
    assert set(servers(short.var)) == {"postgres", "valkey"}

    began = time.monotonic()
    user.leave()

    assert user.process.returncode == 0
    assert time.monotonic() - began < 45
    assert gone(short.var)
