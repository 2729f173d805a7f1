"""Where the database and the broker are, read from their URLs. Pure text work, no connection is made."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

POSTGRES_SCHEMES = frozenset({"postgres", "postgresql"})


class AddressError(ValueError):
    """A URL in the environment that Wordhearth cannot use; the message says what it should be."""


def database_settings(url: str, *, pool: bool | dict[str, Any] = False) -> dict[str, Any]:
    """Django's ``DATABASES`` entry for ``postgresql://user:password@host:port/name?host=/socket/folder``.

    ``pool`` is psycopg's pool: ``True``, or its own options. Other query parameters (``sslmode`` and the
    like) are passed on to libpq as they are. Raises :class:`AddressError` for anything but PostgreSQL.
    """
    parts = urlsplit(url)
    if parts.scheme not in POSTGRES_SCHEMES:
        raise AddressError(
            f"DATABASE_URL starts with {parts.scheme or 'nothing'!r}: Wordhearth needs PostgreSQL, "
            "for example postgresql://user:password@host:5432/wordhearth"
        )
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name:
        raise AddressError("DATABASE_URL names no database: end it with /wordhearth")
    options: dict[str, Any] = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = options.pop("host", None) or unquote(parts.hostname or "")
    port = options.pop("port", None) or _port(url, "DATABASE_URL")
    if pool:
        options["pool"] = pool
    return {
        "ENGINE": "django.db.backends.postgresql",
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
    parts = urlsplit(redis_url)
    if parts.scheme in {"redis", "rediss", "redis+socket"}:
        return redis_url
    if parts.scheme != "unix":
        raise AddressError(
            f"REDIS_URL starts with {parts.scheme or 'nothing'!r}: Wordhearth needs Redis or Valkey, "
            "for example redis://host:6379/0 or unix:///path/valkey.sock?db=0"
        )
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    query["virtual_host"] = query.pop("db", "0")
    if parts.password:
        query.setdefault("password", unquote(parts.password))
    return f"redis+socket://{parts.path}?{urlencode(query)}"


def _port(url: str, variable: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError as error:
        raise AddressError(f"{variable} has a port that is not a number between 0 and 65535") from error
