"""Which requests the live server is still answering: a page that is closed leaves some behind."""

from __future__ import annotations

import threading
import time
from typing import Any

from django.core.signals import request_finished, request_started

LONGEST = 30.0
_threads: set[int] = set()


def _begun(**_: Any) -> None:
    # What the test itself asks for through a client is answered when the call returns.
    if threading.current_thread() is not threading.main_thread():
        _threads.add(threading.get_ident())


def _over(**_: Any) -> None:
    _threads.discard(threading.get_ident())


request_started.connect(_begun)
request_finished.connect(_over)


def until_answered() -> None:
    """Wait until no thread is answering a request, half a minute at most. Else what it writes comes after the tables
    were emptied, or both wait for each other."""
    give_up = time.monotonic() + LONGEST
    while _threads & {thread.ident for thread in threading.enumerate()} and time.monotonic() < give_up:
        time.sleep(0.01)
    _threads.clear()
