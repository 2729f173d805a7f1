"""Recipes that start at once: a process that has imported what they import becomes one for each that a test starts.

`python -m training.recipes.NAME` imports torch and transformers for seven seconds of a processor; tests start many.
Here one process for each worker of pytest does so once, then forks. What it forks is a process like any other, and a
child of whoever started it: `subprocess.Popen` waits for it, kills it and reads its exit code as ever.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import inspect
import json
import os
import runpy
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RECIPES = "training.recipes."
# Between them they import everything that a recipe needs.
IMPORTED = ("generate", "probe", "qlora")
PR_SET_CHILD_SUBREAPER = 36
MOST_BYTES = 1 << 17

RealPopen = subprocess.Popen


class Forks:
    """The process that forks, started with the first recipe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, streams: list[int], **how: Any) -> int:
        """Fork a process with these three streams; its id."""
        with self._lock:
            if self._process is None:
                self._begin()
            # The new process has no parent for a moment, and becomes the child of the nearest who takes such in.
            _take_in_orphans(True)
            try:
                socket.send_fds(self._socket, [json.dumps(how).encode()], streams)
                return int(self._socket.recv(MOST_BYTES))
            finally:
                _take_in_orphans(False)

    def end(self) -> None:
        """It ends when nobody can ask it any more."""
        if self._process is not None:
            self._socket.close()
            self._process.wait()
            self._process = None

    def _begin(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        quiet = {"TORCHDYNAMO_DISABLE": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        self._process = RealPopen(
            [sys.executable, "-m", "tests.forking", str(theirs.fileno())],
            cwd=ROOT,
            # Threads do not outlive forking, so there must be none.
            env={**os.environ, **quiet, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()


def _take_in_orphans(wanted: bool) -> None:
    assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0) == 0


FORKS = Forks()


class ForkingPopen(subprocess.Popen):  # type: ignore[type-arg]
    """A process as usual, but that recipes are forked."""

    def _execute_child(self, *given: Any) -> None:
        usual = super()._execute_child  # type: ignore[misc]
        asked = inspect.signature(usual).bind(*given).arguments
        command = asked["args"]
        if not is_recipe(command):
            usual(*given)
            return
        pipes = [asked[name] for name in ("p2cread", "c2pwrite", "errwrite")]
        streams = [usually if pipe == -1 else pipe for usually, pipe in enumerate(pipes)]
        how = {"cwd": os.fspath(asked["cwd"] or "."), "env": dict(asked["env"] or os.environ)}
        self.pid = FORKS.start(streams, command=command[2:], in_session=asked["start_new_session"], **how)
        self._child_created = True
        self._close_pipe_fds(  # type: ignore[attr-defined]
            *(asked[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite"))
        )


def is_recipe(command: Any) -> bool:
    """Whether it is `python -m training.recipes.NAME ...`."""
    starts = isinstance(command, list) and command[:2] == [sys.executable, "-m"]
    return starts and command[2].startswith(RECIPES)


@contextmanager
def recipes_are_forked() -> Iterator[None]:
    """While it lasts, recipes start at once. Only Linux can give a process to another parent."""
    if not sys.platform.startswith("linux"):
        yield
        return
    subprocess.Popen = ForkingPopen  # type: ignore[misc]
    try:
        yield
    finally:
        subprocess.Popen = RealPopen  # type: ignore[misc]
        FORKS.end()


def serve(asking: socket.socket) -> None:
    """Fork whenever asked, until nobody is there to ask. Returns in the forked process, which has become a recipe."""
    while True:
        content, streams, *_ = socket.recv_fds(asking, MOST_BYTES, 3)
        if not content:
            sys.exit()
        reading, writing = os.pipe()
        between = os.fork()
        if not between:
            recipe = os.fork()
            if recipe:
                os.write(writing, str(recipe).encode())
                os._exit(0)
            for one in (reading, writing):
                os.close(one)
            asking.close()
            become(streams, **json.loads(content))
            return
        # Once this one is gone, the recipe is the child of whoever asked.
        os.waitpid(between, 0)
        asking.send(os.read(reading, 99))
        for one in (reading, writing, *streams):
            os.close(one)


def become(streams: list[int], *, command: list[str], in_session: bool, cwd: str, env: dict[str, str]) -> None:
    """What starting a process would have given it."""
    if in_session:
        os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = command


if __name__ == "__main__":
    for name in IMPORTED:
        importlib.import_module(RECIPES + name)
    assert len(os.listdir("/proc/self/task")) == 1, "What was imported has started threads, which cannot be forked."
    # It runs again, as the main module.
    warnings.filterwarnings("ignore", "'training.recipes", RuntimeWarning)
    # In none of the processes to come is it looked through again for what could go, which would take a second.
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
