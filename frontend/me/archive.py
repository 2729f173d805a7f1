"""Everything about a person as one file: data.json for programs, index.html for people."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import IO, Any

from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from people.models import Person
from training.lineage.about import everything_about

IN_MEMORY = 5_000_000
# What the sections of `training.lineage.about` are called on the page.
TITLES = {
    "account": _("Your account"),
    "roles": _("Your roles"),
    "languages": _("The varieties and ways of writing that you named"),
    "consents": _("What you agreed to"),
    "answers": _("What you wrote"),
    "reviews_given": _("What you said about others’ answers"),
    "decisions_made": _("What you decided as an expert"),
    "remarks": _("Your remarks"),
    "governing": _("Your proposals and votes"),
    "game": _("Your points"),
    "standing": _("How your checks are estimated"),
    "work": _("Sentences that you were given"),
    "tried": _("What you tried in the playground"),
    "withdrawals": _("What you took back"),
    "record": _("Lines about you in the record"),
}


def zip_about(person: Person, *, now: datetime) -> IO[bytes]:
    """The file, at its beginning; on disk when it is large."""
    data = everything_about(person, now=now)
    sections = [(TITLES.get(name, name), list(map(_lines, rows))) for name, rows in _sections(data)]
    page = render_to_string("me/index.html", {"person": person, "made_at": now, "sections": sections})
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the response closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(data, indent=1, ensure_ascii=False))
        archive.writestr("index.html", page)
    file.seek(0)
    return file


def _sections(data: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    return ((name, rows) for name, rows in data.items() if isinstance(rows, list) and rows)


def _lines(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A row as names and values for a list; what is empty is left out, what is nested is shown as JSON."""
    return [(name.replace("_", " "), _shown(value)) for name, value in row.items() if value not in (None, "", [], {})]


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
