"""A small group of processes that live and end together: output with names, restarts, clean shutdown."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

GRACE_SECONDS = 25.0
LONGEST_PAUSE = 30.0
STEADY_SECONDS = 20.0


@dataclass
class Child:
    """One command of the group, restarted when it ends; the pause before that doubles while it keeps dying."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 1.0
    due: float = field(default=0.0)


class Group:
    """Runs children until it is told to stop.

    A child that died is started again rather than the others ended, because a site that lost its scheduler should not
    go down.
    """

    def __init__(
        self,
        children: Mapping[str, Sequence[str]],
        *,
        env: Mapping[str, str] | None = None,
        output: IO[str] | None = None,
    ) -> None:
        self._children = [Child(name, command) for name, command in children.items()]
        self._env = dict(env or os.environ)
        self._output = output or sys.stdout
        self._width = max(len(child.name) for child in self._children)
        self._stop = threading.Event()

    def stop(self, *_: object) -> None:
        """Ask the group to end; safe to call from a signal handler, and more than once."""
        self._stop.set()

    def run(self) -> int:
        """Run until SIGINT, SIGTERM or `stop`; returns 0 when every child ended by itself in time, else 1."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.stop)
        try:
            while not self._stop.is_set():
                for child in self._children:
                    self._keep(child)
                self._stop.wait(0.5)
        finally:
            clean = self._end_all()
        return 0 if clean else 1

    def _keep(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.due:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        # What it started itself (a pool, a web worker that holds the port) must not run beside the next one.
        _signal_group(child, signal.SIGKILL)
        child.process = None
        child.pause = 1.0 if now - child.started > STEADY_SECONDS else min(child.pause * 2, LONGEST_PAUSE)
        child.due = now + child.pause
        self._say(child.name, f"ended with code {code}; starting again in {child.pause:.0f} s")

    def _start(self, child: Child) -> None:
        # A session of its own, so that Ctrl-C reaches the group only, which then ends its children in order.
        child.process = subprocess.Popen(
            child.command,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        child.started = time.monotonic()
        self._say(child.name, f"started (process {child.process.pid})")
        threading.Thread(target=self._copy, args=(child.name, child.process.stdout), daemon=True).start()

    def _copy(self, name: str, stream: IO[bytes]) -> None:
        for line in stream:
            self._say(name, line.decode("utf-8", "replace").rstrip())

    def _say(self, name: str, text: str) -> None:
        self._output.write(f"{name:<{self._width}} | {text}\n")
        self._output.flush()

    def _end_all(self) -> bool:
        """SIGTERM to all at once, SIGKILL to those that do not end in time; nothing is left behind."""
        living = [child for child in self._children if child.process and child.process.poll() is None]
        for child in living:
            _signal_group(child, signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        clean = True
        for child in living:
            assert child.process is not None  # noqa: S101 - chosen above
            try:
                child.process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                clean = False
                self._say(child.name, "did not end in time and was killed")
            _signal_group(child, signal.SIGKILL)
            child.process.wait()
        return clean


def _signal_group(child: Child, number: signal.Signals) -> None:
    """Signal the child itself; a kill also goes to whatever it started in its own session."""
    assert child.process is not None  # noqa: S101 - callers checked
    try:
        if number == signal.SIGKILL:
            os.killpg(child.process.pid, number)
        else:
            child.process.send_signal(number)
    except ProcessLookupError:
        pass
