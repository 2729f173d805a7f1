"""Everything about a person as one file: data.json for programs, index.html for people."""

from __future__ import annotations

import json
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import IO, Any

from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from people.models import Person
from training.lineage.about import everything_about

IN_MEMORY = 5_000_000
EMPTY = (None, "", [], {})
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+[+-]\d\d:\d\d$")
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
    "reports": _("What I reported"),
    "agreements": _("Agreements"),
    "age": _("Your age"),
    "game": _("Your points"),
    "standing": _("How your checks are estimated"),
    "work": _("Sentences that you were given"),
    "tried": _("What you tried in the playground"),
    "withdrawals": _("What you took back"),
    "record": _("Lines about you in the record"),
}


# What the fields of a row are called; what is not here is for programs alone.
LABELS = {
    "username": _("user name"),
    "display_name": _("shown name"),
    "first_name": _("first name"),
    "last_name": _("last name"),
    "email": _("e-mail"),
    "joined_at": _("account since"),
    "last_signed_in_at": _("last signed in"),
    "community": _("community"),
    "project": _("project"),
    "role": _("role"),
    "since": _("since"),
    "ended_at": _("ended"),
    "varieties": _("varieties"),
    "orthographies": _("ways of writing"),
    "policy_version": _("version of the text"),
    "given_at": _("given"),
    "purposes": _("uses"),
    "purpose": _("use"),
    "holds": _("holds now"),
    "withdrawn_at": _("taken back"),
    "asked": _("what was asked"),
    "text": _("your words"),
    "words": _("your words"),
    "payload": _("your choice"),
    "state": _("state"),
    "began_with": _("began with a suggestion of"),
    "created_at": _("written"),
    "history": _("history"),
    "verdicts": _("verdicts"),
    "verdict": _("verdict"),
    "used_in": _("used in"),
    "release": _("release"),
    "adapters": _("models that learnt from it"),
    "run": _("training run"),
    "deleted_at": _("deleted"),
    "what": _("what"),
    "note": _("your note"),
    "reason": _("reason"),
    "decision": _("decision"),
    "choice": _("choice"),
    "points": _("points"),
    "for": _("for"),
    "checks": _("checks"),
    "base": _("the base model wrote"),
    "adapter": _("the adapter wrote"),
    "scope": _("what was taken back"),
    "asked_at": _("when"),
    "at": _("when"),
    "stages": _("steps"),
    "due_at": _("at the latest"),
    "done_at": _("done"),
    "skip_note": _("why you skipped it"),
}


def zip_about(person: Person, *, now: datetime) -> IO[bytes]:
    """The file, at its beginning; on disk when it is large."""
    data = everything_about(person, now=now)
    labels = {name: str(label) for name, label in LABELS.items()}
    sections = [(TITLES.get(name, name), [_list(row, labels) for row in rows]) for name, rows in _sections(data)]
    page = render_to_string("me/index.html", {"person": person, "made_at": now, "sections": sections})
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the response closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(data, indent=1, ensure_ascii=False))
        archive.writestr("index.html", page)
    file.seek(0)
    return file


def _sections(data: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    return ((name, rows) for name, rows in data.items() if isinstance(rows, list) and rows)


def _list(row: Mapping[str, Any], labels: Mapping[str, str]) -> SafeString:
    """A row as a list of labels and values, without what is empty. No template: there are thousands of rows."""
    known = ((labels[name], value) for name, value in row.items() if name in labels and value not in EMPTY)
    pairs = ((label, _shown(value, labels)) for label, value in known)
    return format_html("<dl>{}</dl>", format_html_join("", '<dt>{}</dt><dd dir="auto">{}</dd>', pairs))


def _shown(value: Any, labels: Mapping[str, str]) -> str:
    if isinstance(value, list) and isinstance(value[0], dict):
        rows = ((_list(row, labels),) for row in value)
        return format_html("<ol>{}</ol>", format_html_join("", "<li>{}</li>", rows))
    if isinstance(value, str):
        return _moment(value) or value
    return json.dumps(value, ensure_ascii=False)


def _moment(text: str) -> str:
    """A moment as the reader's language writes it; empty for any other text."""
    if not MOMENT.match(text):
        return ""
    return date_format(datetime.fromisoformat(text), "DATETIME_FORMAT")
