"""The tokens of a generation on their way from the worker to the page: one Redis stream for each."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from typing import Any

from django.conf import settings
from redis import Redis
from redis.exceptions import RedisError, ResponseError

KEPT_SECONDS = 600
TRIES, SECONDS_BETWEEN = 20, 0.1


def _key(generation_id: str) -> str:
    return f"wordhearth:generation:{generation_id}"


def connect() -> Redis:
    """A client of the configured Redis or Valkey."""
    return Redis.from_url(settings.REDIS_URL, socket_timeout=30)


def publish(client: Redis, generation_id: str, event: dict[str, Any]) -> None:
    """Append one event; the stream forgets itself ten minutes after the last one."""
    with client.pipeline(transaction=False) as pipeline:
        pipeline.xadd(_key(generation_id), {"event": json.dumps(event)}, maxlen=5000, approximate=True)
        pipeline.expire(_key(generation_id), KEPT_SECONDS)
        pipeline.execute()


def forget(generation_ids: Collection[str]) -> None:
    """Delete what is on its way for these generations; while the broker is away, it forgets that by itself."""
    if generation_ids:
        with suppress(RedisError), closing(connect()) as client:
            client.delete(*map(_key, generation_ids))


def forget_on_disk() -> None:
    """Let the broker write its file anew, in the background: what was deleted stays in it until then."""
    with suppress(RedisError), closing(connect()) as client:
        if not client.info("persistence").get("aof_enabled"):
            return
        for _ in range(TRIES):
            try:
                client.bgrewriteaof()
                return
            except ResponseError:  # it is being written, perhaps since before the deletion
                time.sleep(SECONDS_BETWEEN)


def follow(generation_id: str, *, last_id: str = "0", wait_seconds: int = 15) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (stream id, event) from after `last_id`; yields ("", {}) when nothing came for `wait_seconds`.

    Ends after the event "finished" or "error".
    """
    client = connect()
    try:
        while True:
            answer: Any = client.xread({_key(generation_id): last_id}, count=100, block=wait_seconds * 1000)
            entries = (
                answer[0][1]
                if isinstance(answer, list) and answer
                else (next(iter(answer.values()))[0] if isinstance(answer, dict) and answer else [])
            )
            if not entries:
                yield "", {}
                continue
            for raw_id, fields in entries:
                last_id = raw_id.decode()
                event = json.loads(fields[b"event"])
                yield last_id, event
                if event.get("event") in {"finished", "error"}:
                    return
    finally:
        client.close()
