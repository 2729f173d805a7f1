"""URLs of database and broker become what Django and Celery want, or a message says what is wrong."""

import os
import subprocess
import sys

import pytest
from kombu.utils.url import url_to_parts
from redis.connection import parse_url

from tests.guards.tree import ROOT
from wordhearth.embedded.addresses import AddressError, celery_url, database_settings


def test_a_database_on_a_host():
    found = database_settings("postgresql://ana:pass@db.example:5433/words")

    assert found["ENGINE"] == "people.postgres"
    assert {key: found[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "words",
        "USER": "ana",
        "PASSWORD": "pass",
        "HOST": "db.example",
        "PORT": "5433",
    }
    assert found["OPTIONS"] == {}


def test_a_database_on_a_socket():
    found = database_settings("postgresql://wordhearth@/wordhearth?host=/srv/my%20words/postgres")
    assert (found["HOST"], found["PORT"], found["PASSWORD"]) == ("/srv/my words/postgres", "", "")


def test_escaped_letters_in_names_and_passwords_are_read():
    found = database_settings("postgres://jos%C3%A9:a%2Fb%3F%23%40@h/mis%20palabras")
    assert (found["USER"], found["PASSWORD"], found["NAME"]) == ("josé", "a/b?#@", "mis palabras")


def test_options_of_libpq_are_passed_on():
    assert database_settings("postgresql://h/w?sslmode=require")["OPTIONS"] == {"sslmode": "require"}
    assert database_settings("postgresql://h/w", pool={"max_size": 4})["OPTIONS"] == {"pool": {"max_size": 4}}


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "starts with 'nothing'"),
        ("wordhearth", "starts with 'nothing'"),
        ("/srv/postgres", "starts with 'nothing'"),
        ("sqlite:///db.sqlite3", "starts with 'sqlite'"),
        ("mysql://user@host/words", "starts with 'mysql'"),
        ("redis://host/0", "starts with 'redis'"),
        ("postgresql+psycopg://host/words", "starts with 'postgresql+psycopg'"),
        ("postgresql://host", "names no database"),
        ("postgresql://host/", "names no database"),
        ("postgresql://host/?sslmode=require", "names no database"),
        ("postgresql://host/one/two", "names no database"),
        ("postgresql://user:with/slash@host/words", "%2F"),
        ("postgresql://user:with#hash@host/words", "%23"),
        ("postgresql://user:with[bracket@host/words", "%5B"),
        ("postgresql://host:none/words", "port"),
        ("postgresql://host:70000/words", "port"),
        ("postgresql://host:-1/words", "port"),
    ],
)
def test_a_wrong_database_url_says_what_is_wrong(url, words):
    with pytest.raises(AddressError) as refused:
        database_settings(url)
    assert "DATABASE_URL" in str(refused.value)
    assert words in str(refused.value)


def test_brokers_by_tcp_stay_as_they_are():
    for url in ("redis://host:6379/0", "rediss://:secret@host:6380/2", "redis+socket:///srv/valkey.sock"):
        assert celery_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "unix:///srv/valkey.sock?db=0",
        "unix:///srv/my%20words/valkey.sock?db=3",
        "unix:///srv/valkey.sock",
        "unix://:a%2Fb%40@/srv/valkey.sock?db=1",
        "unix:///srv/valkey.sock?db=1&password=a%2Fb%40",
        "unix://ana:secret@/srv/valkey.sock?db=1",
    ],
)
def test_celery_comes_to_the_socket_that_the_cache_comes_to(url):
    cache = parse_url(url)
    celery = url_to_parts(celery_url(url).removeprefix("redis+"))

    assert f"/{celery.path}" == cache["path"]
    assert int(celery.query["virtual_host"]) == cache.get("db", 0)
    assert celery.username == cache.get("username")
    assert celery.password == cache.get("password")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "starts with 'nothing'"),
        ("localhost:6379", "starts with 'localhost'"),
        ("amqp://guest@host//", "starts with 'amqp'"),
        ("postgresql://host/words", "starts with 'postgresql'"),
        ("http://host", "starts with 'http'"),
        ("unix://", "starts with 'unix'"),
        ("redis://host:none/0", "port"),
        ("redis://host:66000/0", "port"),
        ("redis://:with[bracket@host/0", "%5B"),
    ],
)
def test_a_wrong_broker_url_says_what_is_wrong(url, words):
    with pytest.raises(AddressError) as refused:
        celery_url(url)
    assert "REDIS_URL" in str(refused.value)
    assert words in str(refused.value)


def test_a_command_ends_with_the_message_alone():
    env = {**os.environ, "DATABASE_URL": "sqlite:///db.sqlite3", "REDIS_URL": "redis://host/0"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "migrate"], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("DATABASE_URL starts with 'sqlite'")
    assert "Traceback" not in done.stderr
