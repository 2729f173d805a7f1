"""`manage.py export_ledger FILE --checkpoint FILE [--community SLUG]`: a chain and its newest checkpoint as files."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from ledger.checkpoints import checkpoint_now, export_lines


class Command(BaseCommand):
    """Writes what `python -m ledger.verify` reads."""

    help = "Export a chain of the ledger and its newest checkpoint, for `python -m ledger.verify`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE, --checkpoint, --community, --without-secrets."""
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--checkpoint", type=Path, required=True, metavar="FILE")
        parser.add_argument("--community", default="", metavar="SLUG", help="otherwise the installation's own chain")
        parser.add_argument("--without-secrets", action="store_true", help="leave out names and what people wrote")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write both files."""
        community = options["community"]
        checkpoint = checkpoint_now(community=community, now=timezone.now())
        if checkpoint is None:
            raise CommandError(f"The ledger of {community or 'the installation'} has no entry.")
        with transaction.atomic(), options["file"].open("w", encoding="utf-8") as file:
            file.writelines(export_lines(community=community, with_secrets=not options["without_secrets"]))
        options["checkpoint"].write_text(checkpoint.note, encoding="utf-8")
        self.stdout.write(f"{checkpoint.size} entries are under the checkpoint.")
