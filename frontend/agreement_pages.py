"""What the pages of an access agreement show to both of its sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from care.models import Agreement, AgreementEvent
from training.releases.models import Download, DownloadNotice, Release

HAPPENED = {
    "begun": _("The request was begun."),
    "submitted": _("It was sent to the community."),
    "returned": _("It was sent back with questions."),
    "rejected": _("It was refused."),
    "approved": _("The community decided for it."),
    "signed": _("It was signed."),
    "suspended": _("It was suspended."),
    "revoked": _("It was taken back."),
    "closed": _("Its applicant ended it."),
    "expired": _("Its time was over."),
}


@dataclass(frozen=True)
class Happened:
    """One line of an agreement's history."""

    event: AgreementEvent
    words: Any


def history_of(agreement: Agreement) -> list[Happened]:
    """Everything that happened to it, oldest first."""
    rows = agreement.events.select_related("actor")
    return [Happened(event, HAPPENED.get(event.kind, event.kind)) for event in rows]


def last_words(agreement: Agreement, kind: str) -> str:
    """What was written when this happened last: the questions of a steward, or the reason for a stop."""
    row = agreement.events.filter(kind=kind).exclude(note="").last()
    return row.note if row else ""


def downloads_of(agreement: Agreement) -> QuerySet[Download]:
    """Who was given what, newest first."""
    return agreement.downloads.select_related("person", "release", "notice")  # type: ignore[no-any-return]


def page_of(agreement: Agreement, now: datetime) -> dict[str, Any]:
    """What both sides read."""
    notices = DownloadNotice.objects.filter(download__agreement=agreement)
    decision = agreement.decision
    return {
        "agreement": agreement,
        "community": agreement.community,
        "commitments": agreement.commitments.select_related("confirmed_by"),
        "people": _names(agreement),
        "history": history_of(agreement),
        "questions": last_words(agreement, "returned") if agreement.state == "returned" else "",
        "stopped": last_words(agreement, "suspended") if agreement.state == "suspended" else "",
        "downloads": downloads_of(agreement),
        "overdue": {row.pk for row in notices.overdue(now)},
        "is_in_force": Agreement.objects.in_force(now).filter(pk=agreement.pk).exists(),
        "decision_stands": decision is not None and decision.state == "in_force" and decision.expires_at > now,
        "ends_soon": agreement.notices.first() if agreement.state == "active" else None,
        "covered": Release.objects.covered_by(agreement).trainable().order_by("number"),
    }


def _names(agreement: Agreement) -> Sequence[str]:
    return [person.name for person in agreement.users.order_by("username")]
