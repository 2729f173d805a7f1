"""`manage.py push_export NUMBER OWNER/NAME --by USERNAME`: a file that may go out, to a model hub."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from people.models import Person
from people.refusals import Refusal
from training.exports.models import Export
from training.exports.services import download_export
from training.runs.processes import recipe_environment

TOKEN = "WORDHEARTH_HUB_TOKEN"  # noqa: S105 - the variable's name


class Command(BaseCommand):
    """Hands a finished export to `training.recipes.push`, as a download of the person who answers for it."""

    help = f"Push an adapter's file to a model hub. It needs {TOKEN}, and the decision that a download needs."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, where to, and who answers for it."""
        parser.add_argument("number", type=int, help="of the export, as in the address of its download")
        parser.add_argument("repository", help="owner/name on the hub")
        parser.add_argument("--by", required=True, help="username of a researcher or steward of the community")
        parser.add_argument("--endpoint", default="https://huggingface.co")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask, enter it in the record, and send it."""
        token = os.environ.get("WORDHEARTH_HUB_TOKEN", "")
        if not token:
            raise CommandError(f"There is no token: set {TOKEN}.")
        person = Person.objects.filter(username=options["by"]).first()
        export = (
            Export.objects.select_related("adapter__community", "adapter__run").filter(pk=options["number"]).first()
        )
        if person is None or export is None:
            raise CommandError("There is no such person, or no such export.")
        try:
            file = download_export(export=export, person=person, now=timezone.now(), to=options["repository"])
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(push(file, options["repository"], options["endpoint"], token))


def push(file: Path, repository: str, endpoint: str, token: str) -> str:
    """What the recipe says when it has sent what is in the zip. Raises CommandError."""
    with tempfile.TemporaryDirectory(dir=file.parent) as place:
        with zipfile.ZipFile(file) as archive:
            archive.extractall(place)
        (folder,) = Path(place).iterdir()
        done = subprocess.run(
            [sys.executable, "-m", "training.recipes.push", str(folder), repository, "--endpoint", endpoint],
            cwd=settings.BASE_DIR,
            # The one recipe that asks the network.
            env={**recipe_environment(), "HF_HUB_OFFLINE": "0", TOKEN: token},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise CommandError(done.stderr.strip()[-1000:])
    return done.stdout.strip()
