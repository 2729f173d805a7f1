"""Giving a release to somebody outside, under an access agreement: what is asked each time, and the receipt for it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import IO, Any
from uuid import uuid4

from django.db import transaction

from care.agreements import computes_abroad
from care.deciding import require_decision
from care.duo import as_json
from care.models import Agreement, AgreementToken, Matter, Purpose
from people.limits import count_act
from people.models import Person
from people.refusals import NotAllowed
from training.releases.archives import zip_folder
from training.releases.downloads import HOURLY, NotHandedOut, enter, locked, write_receipt
from training.releases.models import Download, Release
from training.releases.services import folder_of


class NotCovered(NotAllowed):
    """The agreement does not cover this release, or not this person, or not now."""


def require_access(*, agreement: Agreement, release: Release, person: Person, now: datetime) -> list[str]:
    """What the release is given out for, when everything stands: the agreement is in force and names the person, it
    covers the release and its purpose, nothing holds the release itself back, the decision to freeze the data stands
    where the rules ask for one, and every row may still be used for every purpose of the agreement, abroad too where
    the computers are there.

    Raises NotCovered, NotHandedOut, DecisionNeeded, IsSuspended.
    """
    if not Agreement.objects.in_force(now).filter(pk=agreement.pk).exists():
        raise NotCovered("This agreement is not in force now.")
    if not agreement.users.filter(pk=person.pk).exists():
        raise NotCovered("You are not named in this agreement.")
    if not Release.objects.covered_by(agreement).filter(pk=release.pk).exists():
        raise NotCovered("This agreement does not cover that release.")
    if release.contains_withdrawn:
        raise NotHandedOut("Words in this release were withdrawn, so it is not handed out any more.")
    # Held back itself, whatever its words may be used for; the pages that list releases do not show it either.
    if not Release.objects.filter(pk=release.pk).not_held().exists():
        raise NotHandedOut("Words in this release may not be used now, so it is not handed out.")
    require_decision(
        community=release.community,
        matter=Matter.RELEASE,
        subject=f"project:{release.project_id}",
        actor=None,
        now=now,
    )
    abroad = {Purpose.PROCESS_OUTSIDE_COUNTRY.value} if computes_abroad(agreement) else set()
    purposes = sorted({release.purpose, *agreement.purposes, *abroad})
    for purpose in purposes:
        if release.items.not_usable_for(purpose).exists():
            raise NotHandedOut(
                "Some of these words may not be used for all that this agreement is for: %(purpose)s.",
                purpose=str(Purpose(purpose).label),
            )
    return purposes


def may_go_on(
    *, agreement: Agreement, release: Release, person: Person, now: datetime, token: AgreementToken | None = None
) -> bool:
    """Whether a download that was begun may go on: the agreement is in force, names the person and covers the release,
    their account and the token with which they began are alive, and nobody has taken words in it back or holds it back
    meanwhile. Asked every second, so it looks at no row."""
    current = Agreement.objects.in_force(now).filter(pk=agreement.pk, users=person, users__is_active=True).first()
    if current is None:
        return False
    if token is not None and not AgreementToken.objects.filter(pk=token.pk, ended_at__isnull=True).exists():
        return False
    return Release.objects.covered_by(current).trainable().filter(pk=release.pk).exists()


@transaction.atomic
def download_release(
    *, agreement: Agreement, release: Release, person: Person, now: datetime
) -> tuple[Download, IO[bytes]]:
    """The release as one file, and the receipt that was written for it. Raises what `require_access` does, TooMany."""
    count_act(person, "download", most=HOURLY, now=now)
    release = locked(release)
    purposes = require_access(agreement=agreement, release=release, person=person, now=now)
    folder = folder_of(release)
    if not (folder / "manifest.json").is_file():
        raise NotHandedOut("The files of this release are missing on this machine.")
    key = uuid4()
    beside = {"AGREEMENT.json": _paper(agreement, release, key.hex, purposes, now)}
    file = zip_folder(folder, name=f"{release.community.slug}-release-{release.number}", beside=beside)
    made = write_receipt(
        release=release, person=person, file=file, agreement=agreement, purposes=purposes, key=key, now=now
    )
    enter(made, now)
    return made, file


def _paper(agreement: Agreement, release: Release, key: str, purposes: list[str], now: datetime) -> bytes:
    """What lies beside the data: under which agreement it was given, for what, until when, and what is forbidden."""
    content: dict[str, Any] = {
        "agreement": agreement.pk,
        "download": key,
        "community": release.community.slug,
        "release": release.number,
        "manifest_sha256": release.sha256,
        "terms_sha256": agreement.terms_sha256,
        "purposes": purposes,
        "forbidden": agreement.forbidden,
        "duo": as_json(agreement.duo),
        "downloaded_at": now.isoformat(),
        "ends_at": agreement.ends_at.isoformat(),
        "when_words_are_withdrawn": "You are told on your page of the agreement: delete or replace within seven days.",
    }
    return (json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
