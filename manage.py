#!/usr/bin/env python3
"""Django's command line for Wordhearth: `./manage.py up` runs everything."""

import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
# Commands that touch neither the database nor the broker; everything else gets both. A drill breaks its own.
WITHOUT_SERVICES = {"help", "version", "compilemessages", "makemessages", "collectstatic", "spectacular", "drill"}


def main() -> None:
    """Put platform/ on the import path, provide the services, hand over to Django."""
    sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wordhearth.settings")
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415 (needs the path above)

        from people.tenants import every_community  # noqa: PLC0415
        from wordhearth import embedded  # noqa: PLC0415
        from wordhearth.embedded.addresses import AddressError  # noqa: PLC0415
    except ModuleNotFoundError as error:
        sys.exit(f"{error}. Run script/setup, then use .venv/bin/python manage.py.")
    # A kill must run the exit handlers too: they stop the embedded services with their last user.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    arguments = sys.argv[1:]
    if arguments and arguments[0] not in WITHOUT_SERVICES and not {"-h", "--help", "--version"} & set(arguments):
        try:
            embedded.provide()
        except embedded.EmbeddedServiceError as error:
            sys.exit(str(error))
    try:
        # Whoever runs commands on the server works for the whole house.
        with every_community():
            execute_from_command_line(sys.argv)
    except AddressError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
