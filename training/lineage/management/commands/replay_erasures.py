"""`manage.py replay_erasures`: after a restore from a backup, before anybody is served."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from training.lineage.erasing import replay_erasures


class Command(BaseCommand):
    """Erases again what was erased after the backup was made."""

    help = "Erase again what a restored backup has brought back. Run it before the site is served."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many rows had come back; raise CommandError, at the end, if some could not be erased."""
        told = replay_erasures(now=timezone.now())
        if told.done or options["verbosity"]:
            self.stdout.write(f"{told.done} answers and accounts had come back and were erased again.")
        if told.failed:
            raise CommandError("Not erased, do not serve the site yet:\n" + "\n".join(told.failed))
