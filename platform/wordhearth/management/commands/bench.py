"""`manage.py bench NAME`: measurements, as a table for people or as JSON."""

from __future__ import annotations

import importlib
import json
import pkgutil
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from wordhearth import benches


class Command(BaseCommand):
    """Runs one of the modules of `wordhearth.benches`."""

    help = "Measure something; without a name, list what can be measured."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """NAME and --json."""
        parser.add_argument("name", nargs="?")
        parser.add_argument("--json", action="store_true", help="the last line is one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it and print."""
        known = sorted(module.name for module in pkgutil.iter_modules(benches.__path__))
        if options["name"] is None:
            self.stdout.write("\n".join(known))
            return
        if options["name"] not in known:
            raise CommandError(f"There is no bench {options['name']!r}; there are: {', '.join(known)}.")
        bench = importlib.import_module(f"wordhearth.benches.{options['name']}")
        if getattr(bench, "NEEDS_SITE", True):
            call_command("migrate", interactive=False, verbosity=0)
            call_command("collectstatic", interactive=False, verbosity=0)
        facts = bench.run()
        Console().print(bench.table(facts))
        if options["json"]:
            self.stdout.write(json.dumps(facts))
