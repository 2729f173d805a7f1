"""A real PostgreSQL and a real Valkey inside the checkout, for machines where none is configured.

``provide()`` starts what the environment does not name and writes the addresses into the environment. The
processes of one checkout share the servers; the last one to leave stops them (``sharing.py``).
"""

import os

from wordhearth.embedded.errors import EmbeddedServiceError
from wordhearth.embedded.folders import prepare, var_folder
from wordhearth.embedded.postgres import Postgres
from wordhearth.embedded.sharing import Server, join
from wordhearth.embedded.valkey import Valkey

__all__ = ["EmbeddedServiceError", "provide"]


def provide() -> None:
    """Set ``DATABASE_URL`` and ``REDIS_URL`` where they are unset, starting the servers they point to.

    Data live in ``WORDHEARTH_VAR`` (default: ``var/`` in the checkout). Raises
    :class:`EmbeddedServiceError` with a message for the person at the terminal.
    """
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not os.environ.get(name)]
    if not missing:
        return
    var = var_folder()
    prepare(var)
    servers: dict[str, Server] = {
        "DATABASE_URL": Postgres(var / "postgres"),
        "REDIS_URL": Valkey(var / "valkey"),
    }
    for name in missing:
        os.environ[name] = join(servers[name], run_folder=var / "run")
