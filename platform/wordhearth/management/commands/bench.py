"""`manage.py bench NAME`: measurements, as a table for people or as JSON."""

from __future__ import annotations

from django.core.management import call_command

from wordhearth import benches
from wordhearth.measuring import MeasuringCommand


class Command(MeasuringCommand):
    """Runs one of the modules of `wordhearth.benches`."""

    help = "Measure something; without a name, list what can be measured."
    noun = "bench"
    package = benches

    def prepare(self) -> None:
        """Benches measure this installation, so its database and static files are brought up to date."""
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
