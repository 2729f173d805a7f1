"""`manage.py up`: the whole of Wordhearth on one machine."""

from __future__ import annotations

import errno
import os
import socket
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from wordhearth.supervision import Group

LAST_PORT = 65_535


class Command(BaseCommand):
    """Web server, workers and beat as one supervised group."""

    help = "Run web server, worker, training worker, playground worker and beat; stop with Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--port, --bind, --threads, --no-training."""
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--bind", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument("--threads", type=int, default=8, help="requests served at once")
        parser.add_argument("--no-training", action="store_true", help="leave training and playground out")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check the port, bring database and static files up to date, run until told to stop."""
        check_port(options["bind"], options["port"])
        call_command("migrate", interactive=False, verbosity=0, skip_checks=False)
        # Where a backup was restored, it brought back what was erased since: before anybody is served.
        call_command("replay_erasures", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        (settings.VAR_DIR / "run").mkdir(parents=True, exist_ok=True)
        self.stdout.write(f"Wordhearth: http://{_address(options['bind'], options['port'])}  (stop with Ctrl-C)")
        paths = [str(settings.BASE_DIR / "platform"), str(settings.BASE_DIR)]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
        sys.exit(Group(commands(**options), env=env).run())


def commands(*, bind: str, port: int, threads: int, no_training: bool, **_: Any) -> dict[str, list[str]]:
    """The group's commands by name."""
    python = sys.executable
    celery = [python, "-m", "celery", "-A", "wordhearth"]
    quiet = ["--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
    group = {
        "web": [
            python,
            "-m",
            "gunicorn",
            "wordhearth.wsgi:application",
            "--bind",
            _address(bind, port),
            "--worker-class",
            "gthread",
            "--threads",
            str(threads),
            "--timeout",
            "60",
            "--graceful-timeout",
            "5",
            "--log-level",
            "warning",
        ],
        "worker": [*celery, "worker", "-Q", "default", "-c", "1", "-n", "default@%h", *quiet],
        "beat": [*celery, "beat", "--loglevel", "WARNING", "--pidfile="],
    }
    if not no_training:
        # One process each: a run may take hours, and somebody wants to try an adapter meanwhile.
        group["training"] = [*celery, "worker", "-Q", "training", "--pool", "solo", "-n", "training@%h", *quiet]
        group["playground"] = [*celery, "worker", "-Q", "playground", "--pool", "solo", "-n", "playground@%h", *quiet]
    return group


def _address(bind: str, port: int) -> str:
    """Host and port in one, an IPv6 address in its brackets."""
    return f"[{bind}]:{port}" if ":" in bind else f"{bind}:{port}"


def check_port(bind: str, port: int) -> None:
    """Raise CommandError, with what to do, where the site could not listen."""
    if not 0 < port <= LAST_PORT:
        raise CommandError(f"There is no port {port}: choose one from 1024 to {LAST_PORT}.")
    other = port + 1 if 1024 <= port < LAST_PORT else 8000
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind, port))
        except PermissionError as error:
            raise CommandError(f"Port {port} is not for you to open. Choose another: --port {other}") from error
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(f"Port {port} is taken. Choose another: --port {other}") from error
            raise CommandError(f"This machine has no address {bind} to listen on: {error.strerror}.") from error
