"""What is kept about one person beside their words: reports of harm, access that they asked for, and their age."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from care.models import AgeBand, Agreement, HarmReport
from people.models import Person
from training.releases.models import Download, DownloadNotice

Row = dict[str, Any]


def reports(person: Person, now: datetime) -> list[Row]:
    """What the person reported as harm, and what the stewards answered."""
    rows = HarmReport.objects.filter(reporter=person).select_related("community")
    names = ("kind", "key", "category", "words", "quotation", "state", "outcome", "answer", "remedy")
    return [
        {
            "community": row.community.slug,
            **{name: getattr(row, name) for name in names},
            "at": _day(row.received_at),
        }
        for row in rows
    ]


def agreements(person: Person, now: datetime) -> list[Row]:
    """Access that the person asked communities for, what they promised, and what they downloaded."""
    asked = Agreement.objects.filter(applicant=person).select_related("community").prefetch_related("commitments")
    names: tuple[str, ...] = (
        "organisation",
        "country",
        "tier",
        "aim",
        "purposes",
        "releases",
        "computing",
        "computing_countries",
    )
    names += ("forbidden", "forbidden_words", "publication", "publication_words", "comes_back", "state")
    rows: list[Row] = [
        {
            "community": row.community.slug,
            "agreement": row.pk,
            **{name: getattr(row, name) for name in names},
            "from": row.starts_on.isoformat(),
            "until": _day(row.ends_at),
            "promised": [
                {"kind": one.kind, "words": one.words, "due": one.due_on.isoformat(), "evidence": one.evidence}
                for one in row.commitments.all()
            ],
            "said": [
                {"what": one.kind, "words": one.note, "at": _day(one.at)} for one in row.events.filter(actor=person)
            ],
        }
        for row in asked
    ]
    taken = Download.objects.filter(person=person).select_related("release__community", "notice")
    return [*rows, *(_download(row, person) for row in taken)]


def _download(row: Download, person: Person) -> Row:
    notice: DownloadNotice | None = getattr(row, "notice", None)
    told = {"told_at": _day(notice.queued_at), "answer": notice.answer} if notice else {}
    mine = {"words": notice.words} if notice and notice.answered_by_id == person.pk else {}
    return {
        "community": row.release.community.slug,
        "downloaded_release": row.release.number,
        "agreement": row.agreement_id,
        **({"with_run": row.run_number} if row.run_number else {}),
        "bytes": row.bytes,
        "at": _day(row.at),
        **told,
        **mine,
    }


def age(person: Person, now: datetime) -> list[Row]:
    """What the person said of their age, where a community asked."""
    rows = AgeBand.objects.filter(person=person).select_related("community")
    return [
        {
            "community": row.community.slug,
            "band": row.band,
            "of_age_in": row.of_age_in,
            "stated_at": _day(row.stated_at),
            "asked_again_at": _day(row.asked_again_at),
        }
        for row in rows
    ]


def _day(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
