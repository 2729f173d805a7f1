"""Telling those who hold a download that words in it were taken back, and what they answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from ledger.services import append_entry
from people.models import Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import require_role
from training.releases.models import Download, DownloadNotice
from training.releases.querysets import ReleaseItemQuerySet

DAYS = 7
BY_HOLDER = (DownloadNotice.Answer.DELETED, DownloadNotice.Answer.REPLACED, DownloadNotice.Answer.REFUSED)
BY_STEWARD = (DownloadNotice.Answer.DELETED, DownloadNotice.Answer.UNREACHED)


def queue_notices(*, items: ReleaseItemQuerySet, now: datetime) -> int:
    """One notice for each download of a release that holds any of these rows, where one of them may not be used any
    more for something that the download was for; returns how many are new.

    Part of a withdrawal, which enters itself.
    """
    untold = Download.objects.filter(release__in=items.values("release"), notice__isnull=True)
    made = [
        DownloadNotice(download=download, queued_at=now, due_at=now + timedelta(days=DAYS))
        for download in _lost_by(items, untold)
    ]
    return len(DownloadNotice.objects.bulk_create(made, ignore_conflicts=True))


def open_notices_on(items: ReleaseItemQuerySet) -> list[DownloadNotice]:
    """Those that nobody has followed yet, on downloads in which one of these rows may not be used any more: what a
    withdrawal of them waits for. Others on the same release are not its own."""
    downloads = Download.objects.filter(release__in=items.values("release"), notice__isnull=False)
    lost = [download.pk for download in _lost_by(items, downloads)]
    return list(DownloadNotice.objects.open_ones().filter(download__in=lost))


def _lost_by(items: ReleaseItemQuerySet, downloads: Iterable[Download]) -> list[Download]:
    """The downloads in which one of the rows may not be used any more for something that the download was for."""
    lost: dict[tuple[int, str], bool] = {}

    def is_lost(release: int, purpose: str) -> bool:
        if (release, purpose) not in lost:
            rows = items.filter(release=release).not_usable_for(purpose, if_allowed=True)
            lost[release, purpose] = rows.exists()
        return lost[release, purpose]

    return [one for one in downloads if any(is_lost(one.release_id, purpose) for purpose in one.purposes)]


@transaction.atomic
def answer_notice(*, notice: DownloadNotice, answer: str, answered_by: Person, now: datetime, words: str = "") -> None:
    """Whoever downloaded it, or the agreement's applicant, says what became of it. A refusal needs its reason, and may
    be changed later; what was deleted stays deleted.

    Of what a member took home a steward may say it, too, with words that tell how they know, or that nobody reaches
    the holder, for members leave; whatever a steward said, the holder may still say otherwise.
    Raises Invalid, NotAllowed, Conflicting.
    """
    rows = DownloadNotice.objects.select_for_update(of=("self",))
    current = rows.select_related("download__agreement", "download__release__community").get(pk=notice.pk)
    download = current.download
    community, agreement = download.release.community, download.agreement
    holders = {download.person_id, agreement.applicant_id if agreement else None}
    is_holder = answered_by.pk in holders
    if not is_holder and agreement is not None:
        raise NotAllowed("Only who holds the download answers this.")
    if not is_holder:
        require_role(answered_by, community, Role.STEWARD)
    offered = BY_HOLDER if is_holder else BY_STEWARD
    if answer not in offered:
        raise Invalid("Choose one of the answers.", field="answer")
    if answer == DownloadNotice.Answer.REFUSED and not words.strip():
        raise Invalid("Give the reason.", field="words")
    if not is_holder and not words.strip():
        raise Invalid("Write how you know.", field="words")
    by_steward = current.answered_by_id is not None and current.answered_by_id not in holders
    if current.answer not in {"", DownloadNotice.Answer.REFUSED} and not (by_steward and is_holder):
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
