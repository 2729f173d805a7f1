"""The database of the house: `ENGINE = "people.postgres"`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.utils import Error
from psycopg.pq import TransactionStatus

from people.tenants import said

SETTING = "wordhearth.communities"


def _without_rows(error: Error) -> None:
    """Take out of an error what PostgreSQL quotes of the statement and the row: they hold people's words, and what an
    error says ends in logs, where nothing is ever erased. What is left names the constraint."""
    cause = error.__cause__
    if isinstance(cause, psycopg.Error) and cause.diag.message_primary:
        error.args = cause.args = (cause.diag.message_primary,)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that knows what it was told, so that it is told only what is new.

    Whatever takes back what a transaction has set makes it forget, and so it is told again: by a connection that others
    used before, by one that was lost, and after a rollback.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._told: str | None = None
        self.execute_wrappers.append(self._tell)

    def _tell(self, execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        # In a transaction that has failed nothing can be said, and nothing but a rollback is done.
        if not self._has_failed():
            wanted = said()
            if wanted != self._told:
                with self.wrap_database_errors:
                    self.connection.execute("SELECT set_config(%s, %s, false)", [SETTING, wanted])
                self._told = wanted
        try:
            return execute(sql, params, many, context)
        except Error as error:
            _without_rows(error)
            raise

    def _has_failed(self) -> bool:
        return bool(self.connection.info.transaction_status == TransactionStatus.INERROR)

    def connect(self) -> None:
        """Nothing is known of a new connection."""
        self._told = None
        super().connect()

    def commit(self) -> None:
        """PostgreSQL answers the commit of a transaction that has failed by rolling it back, and says nothing of it."""
        if self.connection is not None and self._has_failed():
            self._told = None
        super().commit()

    def rollback(self) -> None:
        """What was said in the transaction is gone."""
        self._told = None
        super().rollback()

    def savepoint_rollback(self, sid: str) -> None:
        """What was said since the savepoint is gone."""
        super().savepoint_rollback(sid)
        self._told = None
