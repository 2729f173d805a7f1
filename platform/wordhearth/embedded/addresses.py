"""Where the database and the broker are, read from their URLs. Pure text work, no connection is made."""

from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlencode, urlsplit

POSTGRES_SCHEMES = frozenset({"postgres", "postgresql"})


class AddressError(ValueError):
    """A URL in the environment that Wordhearth cannot use; the message says what it should be."""


def database_settings(url: str, *, pool: bool | dict[str, Any] = False) -> dict[str, Any]:
    """Django's ``DATABASES`` entry for ``postgresql://user:password@host:port/name?host=/socket/folder``.

    ``pool`` is psycopg's pool: ``True``, or its own options. Other query parameters (``sslmode`` and the
    like) are passed on to libpq as they are. Raises :class:`AddressError` for anything but PostgreSQL.
    """
    parts = _parts(url, "DATABASE_URL")
    if parts.scheme not in POSTGRES_SCHEMES:
        raise AddressError(
            f"DATABASE_URL starts with {parts.scheme or 'nothing'!r}: Wordhearth needs PostgreSQL, "
            "for example postgresql://user:password@host:5432/wordhearth"
        )
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise AddressError(
            "DATABASE_URL names no database: end it with /wordhearth, "
            "and write %2F, %3F and %23 for / ? and # in a password"
        )
    options: dict[str, Any] = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = options.pop("host", None) or unquote(parts.hostname or "")
    port = options.pop("port", None) or _port(parts, "DATABASE_URL")
    if pool:
        options["pool"] = pool
    return {
        "ENGINE": "people.postgres",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(port or ""),
        "OPTIONS": options,
    }


def celery_url(redis_url: str) -> str:
    """The same broker in Celery's own spelling: redis-py's ``unix:///path?db=1`` is kombu's
    ``redis+socket:///path?virtual_host=1``. TCP addresses (``redis://``, ``rediss://``) stay as they are.
    """
    parts = _parts(redis_url, "REDIS_URL")
    if parts.scheme in {"redis", "rediss", "redis+socket"}:
        _port(parts, "REDIS_URL")
        return redis_url
    if parts.scheme != "unix" or not parts.path.strip("/"):
        raise AddressError(
            f"REDIS_URL starts with {parts.scheme or 'nothing'!r}: Wordhearth needs Redis or Valkey, "
            "for example redis://host:6379/0 or unix:///path/valkey.sock?db=0"
        )
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    query["virtual_host"] = query.pop("db", "0")
    # kombu reads who signs in from before the @ only, redis-py from both places.
    username = query.pop("username", None) or unquote(parts.username or "")
    password = query.pop("password", None) or unquote(parts.password or "")
    account = f"{quote(username, safe='')}:{quote(password, safe='')}@" if password else ""
    return f"redis+socket://{account}{parts.path}?{urlencode(query)}"


def _parts(url: str, variable: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise AddressError(f"{variable} is no URL; write %5B and %5D for [ and ] in a password") from error


def _port(parts: SplitResult, variable: str) -> int | None:
    try:
        return parts.port
    except ValueError as error:
        raise AddressError(f"{variable} has a port that is not a number between 0 and 65535") from error
