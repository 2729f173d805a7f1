"""What benches and drills share: a command that runs one module of a package and prints its facts, and waiting."""

from __future__ import annotations

import importlib
import json
import pkgutil
import socket
import sys
import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.error import URLError

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

WIDTH = 140


class MeasuringCommand(BaseCommand):
    """`manage.py NOUN NAME [--json]`: the module NAME of `package` has `run() -> dict` and `table(facts)`.

    A module that needs neither database nor static files says `NEEDS_SITE = False`. One that measures on data from
    elsewhere says `TAKES_DATA = True`; its `run` then takes `data`, the paths given with --data. Facts may hold
    `failures`, sentences for people; the command then ends with an error after it printed.
    """

    noun: str
    package: ModuleType

    def add_arguments(self, parser: ArgumentParser) -> None:
        """NAME, --data and --json."""
        parser.add_argument("name", nargs="?")
        parser.add_argument(
            "--data",
            action="append",
            default=[],
            type=Path,
            metavar="PATH",
            help="measure on these, too",
        )
        parser.add_argument("--json", action="store_true", help="the last line is one JSON object")

    def prepare(self) -> None:
        """What must be there before anything is measured."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it and print; without a name, list the names."""
        known = sorted(module.name for module in pkgutil.iter_modules(self.package.__path__))
        if options["name"] is None:
            self.stdout.write("\n".join(known))
            return
        if options["name"] not in known:
            raise CommandError(f"There is no {self.noun} {options['name']!r}; there are: {', '.join(known)}.")
        module = importlib.import_module(f"{self.package.__name__}.{options['name']}")
        takes_data, data = getattr(module, "TAKES_DATA", False), options["data"]
        if data and not takes_data:
            raise CommandError(f"The {self.noun} {options['name']!r} takes no data.")
        if missing := next((path for path in data if not path.exists()), None):
            raise CommandError(f"There is no file or folder {missing}.")
        if getattr(module, "NEEDS_SITE", True):
            self.prepare()
        facts = module.run(data=data) if takes_data else module.run()
        # A file or a pipe has no width of its own, and in the 80 columns that are taken for it figures are cut off.
        Console(width=None if sys.stdout.isatty() else WIDTH).print(module.table(facts))
        if options["json"]:
            self.stdout.write(json.dumps(facts))
        if failures := facts.get("failures"):
            raise CommandError("\n".join(failures))


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether the site answers the address with a page."""
    try:
        urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own address
    except (URLError, OSError):
        return False
    return True


def seconds_until(happened: Callable[[], object], *, within: float) -> float | None:
    """Wait for something; the seconds it took, or None when it did not happen in time."""
    began = time.monotonic()
    while not happened():
        if time.monotonic() - began > within:
            return None
        time.sleep(0.05)
    return time.monotonic() - began
