"""`manage.py drill NAME`: what happens when something breaks, as a table for people or as JSON."""

from __future__ import annotations

from wordhearth import drills
from wordhearth.measuring import MeasuringCommand


class Command(MeasuringCommand):
    """Runs one of the modules of `wordhearth.drills`; each breaks an installation of its own, never this one."""

    help = "Break something on purpose and see what comes back; without a name, list what can be broken."
    noun = "drill"
    package = drills
