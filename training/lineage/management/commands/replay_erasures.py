"""`manage.py replay_erasures`: after a restore from a backup, before anybody is served."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from training.lineage.erasing import replay_erasures


class Command(BaseCommand):
    """Erases again what was erased after the backup was made."""

    help = "Erase again what a restored backup has brought back. Run it before the site is served."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how many rows had come back."""
        number = replay_erasures(now=timezone.now())
        if number or options["verbosity"]:
            self.stdout.write(f"{number} answers and accounts had come back and were erased again.")
