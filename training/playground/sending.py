"""The words on their way, as a worker sends them."""

from __future__ import annotations

import logging
from typing import Any

from redis import RedisError

from training.playground.stream import connect, publish

log = logging.getLogger(__name__)


class Sender:
    """Sends what is written of one generation. Where Redis fails it falls silent: the row will have the whole."""

    def __init__(self, generation_id: str) -> None:
        self._client, self._generation_id, self._is_heard = connect(), generation_id, True

    def send(self, event: dict[str, Any]) -> None:
        """Append one event, unless one could not be appended before."""
        if self._is_heard:
            try:
                publish(self._client, self._generation_id, event)
            except RedisError as error:
                self._is_heard = False
                log.warning("the words of generation %s are not streamed: %s", self._generation_id, error)

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()
