"""Telling those who hold a download that words in it were taken back, and what they answer."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from ledger.services import append_entry
from people.models import Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import require_role
from training.releases.models import Download, DownloadNotice
from training.releases.querysets import ReleaseItemQuerySet

DAYS = 7


def queue_notices(*, items: ReleaseItemQuerySet, now: datetime) -> int:
    """One notice for each download of a release that holds any of these rows, where one of them may not be used any
    more for something that the download was for; returns how many are new.

    Part of a withdrawal, which enters itself.
    """
    untold = Download.objects.filter(release__in=items.values("release"), notice__isnull=True)
    lost: dict[tuple[int, str], bool] = {}

    def is_lost(release: int, purpose: str) -> bool:
        if (release, purpose) not in lost:
            rows = items.filter(release=release).not_usable_for(purpose, if_allowed=True)
            lost[release, purpose] = rows.exists()
        return lost[release, purpose]

    made = [
        DownloadNotice(download=download, queued_at=now, due_at=now + timedelta(days=DAYS))
        for download in untold
        if any(is_lost(download.release_id, purpose) for purpose in download.purposes)
    ]
    return len(DownloadNotice.objects.bulk_create(made, ignore_conflicts=True))


@transaction.atomic
def answer_notice(*, notice: DownloadNotice, answer: str, answered_by: Person, now: datetime, words: str = "") -> None:
    """Whoever downloaded it, or the agreement's applicant, says what became of it; of what a member took home a steward
    may say it, too, for members leave. A refusal needs its reason, and may be changed later; what was deleted stays
    deleted. Raises Invalid, NotAllowed, Conflicting.
    """
    rows = DownloadNotice.objects.select_for_update(of=("self",))
    current = rows.select_related("download__agreement", "download__release__community").get(pk=notice.pk)
    download = current.download
    community, agreement = download.release.community, download.agreement
    if agreement is None and answered_by.pk != download.person_id:
        require_role(answered_by, community, Role.STEWARD)
    elif agreement is not None and answered_by.pk not in {agreement.applicant_id, download.person_id}:
        raise NotAllowed("Only who holds the download answers this.")
    if answer not in DownloadNotice.Answer.values or not answer:
        raise Invalid("Choose one of the answers.", field="answer")
    if answer == DownloadNotice.Answer.REFUSED and not words.strip():
        raise Invalid("Give the reason.", field="words")
    if current.answer not in {"", DownloadNotice.Answer.REFUSED}:
        raise Conflicting("This was answered before.")
    current.answer, current.words = answer, words.strip()[:1000]
    current.answered_by, current.answered_at = answered_by, now
    current.save(update_fields=["answer", "words", "answered_by", "answered_at"])
    append_entry(
        action="notice.answered",
        subject=f"download:{current.download_id}",
        community=community.slug,
        actor=str(answered_by.pk),
        now=now,
        details={**({"agreement": agreement.pk} if agreement else {}), "answer": answer},
        private={"words": current.words},
    )
