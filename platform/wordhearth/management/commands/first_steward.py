"""`manage.py first_steward`: the first account of a new installation."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from people.models import Person


class Command(BaseCommand):
    """Creates the first account, who may administer the site and found communities; does nothing when there is one."""

    help = "Create the first account, from WORDHEARTH_STEWARD and WORDHEARTH_STEWARD_PASSWORD or by asking."

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask for what the environment does not say."""
        if Person.objects.filter(is_superuser=True).exists():
            return
        username, password = os.environ.get("WORDHEARTH_STEWARD"), os.environ.get("WORDHEARTH_STEWARD_PASSWORD")
        if not (username and password):
            if not sys.stdin.isatty():
                raise CommandError("Set WORDHEARTH_STEWARD and WORDHEARTH_STEWARD_PASSWORD, or run in a terminal.")
            self.stdout.write("The first steward account:")
            username, password = input("  username: ").strip(), getpass.getpass("  password: ")
        person = Person(username=username, is_staff=True, is_superuser=True)
        try:
            validate_password(password, person)
            person.set_password(password)
            person.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        person.save()
        self.stdout.write(f"Created {username}. Sign in and found your community on the first page.")
