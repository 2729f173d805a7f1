"""Taking a release home as a member, and the receipt that every download leaves, a member's as anybody's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import IO, Any
from uuid import UUID, uuid4

from django.db import transaction

from care.models import Agreement
from ledger.services import append_entry
from people.limits import count_act
from people.models import Person, Role
from people.refusals import Conflicting
from people.services import require_role
from training.releases.archives import zip_folder
from training.releases.models import Download, Release
from training.releases.services import folder_of, not_usable_any_more

HOURLY = 30


class NotHandedOut(Conflicting):
    """The release is held back, or words in it were taken back or may not be used for all that it is asked for."""


@transaction.atomic
def take_home(*, release: Release, taken_by: Person, now: datetime) -> tuple[Download, IO[bytes]]:
    """The release as one file for a researcher or a steward, and the receipt for it: when words in it are taken back,
    its holder is told to delete it. Raises NotAllowed, NotHandedOut, TooMany.
    """
    count_act(taken_by, "download", most=HOURLY, now=now)
    release = locked(release)
    require_role(taken_by, release.community, Role.RESEARCHER, Role.STEWARD)
    if release.contains_withdrawn:
        raise NotHandedOut("Words in this release were withdrawn, so it is not handed out any more. Freeze a new one.")
    if not_usable_any_more(release):
        raise NotHandedOut("Words in this release may not be used now, so it is not handed out.")
    folder = folder_of(release)
    if not folder.is_dir():
        raise NotHandedOut("The files of this release are missing on this machine.")
    file = zip_folder(folder, name=f"{release.community.slug}-release-{release.number}")
    made = write_receipt(release=release, person=taken_by, file=file, now=now)
    enter(made, now)
    return made, file


def locked(release: Release) -> Release:
    """The release as it is now. Until the receipt is written, nothing in it can be withdrawn unseen: a withdrawal waits
    for this lock."""
    rows = Release.objects.select_for_update(of=("self",), no_key=True).select_related("community")
    found: Release = rows.get(pk=release.pk)
    return found


def write_receipt(
    *,
    release: Release,
    person: Person,
    file: IO[bytes],
    now: datetime,
    agreement: Agreement | None = None,
    purposes: Sequence[str] = (),
    run_number: int | None = None,
    key: UUID | None = None,
) -> Download:
    """Write down who was given this file of the release: under which agreement, or as a member; `purposes` are what it
    is given for, if not only what the release was made for; `run_number` that of a run that is made elsewhere with it.

    A member who takes the same once more holds it already, and is asked to delete it once. Part of a command, which
    enters each download.
    """
    size = file.seek(0, 2)
    file.seek(0)
    same = Download.objects.filter(release=release, person=person, agreement=None, run_number=run_number)
    held: Download | None = None if agreement else same.first()
    if held is not None:
        return held
    made: Download = Download.objects.create(
        id=key or uuid4(),
        agreement=agreement,
        release=release,
        run_number=run_number,
        person=person,
        manifest_sha256=release.sha256,
        bytes=size,
        purposes=list(purposes) or [release.purpose],
        at=now,
    )
    return made


def enter(download: Download, now: datetime) -> None:
    """Enter it in the record."""
    about: dict[str, Any] = {"agreement": download.agreement_id} if download.agreement_id else {}
    append_entry(
        action="release.downloaded",
        subject=f"release:{download.release_id}",
        community=download.release.community.slug,
        actor=str(download.person_id),
        now=now,
        details={**about, "sha256": download.manifest_sha256, "bytes": download.bytes},
    )
