"""Requests for access that nobody answered in time."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from care.models import Agreement, StewardNotice
from ledger.services import append_entry


@transaction.atomic
def mark_unanswered(*, now: datetime) -> int:
    """Mark the requests that were not answered in time, and tell the stewards of each once; returns how many."""
    late = list(Agreement.objects.unanswered(now).select_for_update(of=("self",)).select_related("community"))
    for request in late:
        request.late_since = request.answer_due_at
        request.save(update_fields=["late_since"])
        # A request may be late again after it was sent back, or after a vote that came to nothing: told anew.
        StewardNotice.objects.update_or_create(
            community=request.community,
            kind=StewardNotice.Kind.UNANSWERED,
            subject=request.subject,
            defaults={"at": now, "read_at": None, "read_by": None},
        )
        append_entry(action="agreement.late", subject=request.subject, community=request.community.slug, now=now)
    return len(late)
