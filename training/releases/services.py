"""Freezing a release, checking it again, and marking it when words are withdrawn."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils.translation import gettext

from annotation.answers.models import Answer
from annotation.projects.models import Project
from care.deciding import require_decision
from care.labels import label_of
from care.models import Matter, Purpose, Receipt, Restriction
from ledger.checkpoints import checkpoint_after_commit
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Invalid, TooLate
from people.services import require_role
from training.releases.cards import described
from training.releases.drafting import Draft, NothingToRelease, draft_release, replaced_by_next, selected_answers, told
from training.releases.leaks import leaks_in_files
from training.releases.models import Release, ReleaseItem
from training.releases.notices import queue_notices
from training.releases.pseudonyms import pseudonym
from training.releases.querysets import ReleaseItemQuerySet
from training.releases.writing import canonical, sha256_of_row, write_folder

PURPOSES = (Purpose.TRAIN_NONCOMMERCIAL, Purpose.TRAIN_COMMERCIAL)


class FilesErased(TooLate):
    """Words in the release were erased, so its files are not there any more."""


def leaks_of(release: Release) -> list[dict[str, Any]]:
    """The release's held-out rows that are in its training rows too, as `told`; none in one that was frozen with this
    check. An older one is looked through once. Raises FilesErased."""
    if release.leaks is None:
        try:
            found = leaks_in_files(folder_of(release), release.project.task_kind)
        except OSError as error:
            raise FilesErased("Words in this release were erased, and its files with them.") from error
        release.leaks = [told(leak) for leak in found]
        release.save(update_fields=["leaks"])
    kept: list[dict[str, Any]] = release.leaks
    return kept


@transaction.atomic
def freeze_release(
    *,
    project: Project,
    purpose: str,
    created_by: Person | None,
    now: datetime,
    note: str = "",
    has_judgements: bool = False,
) -> tuple[Release, bool]:
    """Freeze the present state of a project into a release folder.

    Returns the release and whether it is new: the same state gives the same hash, and then the release that
    holds it already is returned. `created_by` None means the schedule. One that `has_judgements` also holds what
    people said of answers, and answers that they turned down.

    Raises NothingToRelease, Invalid, NotAllowed.
    """
    community = Community.objects.select_for_update().get(pk=project.community_id)
    if created_by is not None:
        require_role(created_by, community, Role.RESEARCHER, Role.STEWARD)
    if purpose not in PURPOSES:
        raise Invalid("A release is made for training: choose one of the training purposes.", field="purpose")
    if created_by is not None:
        about = {"community": community, "matter": Matter.RELEASE, "subject": f"project:{project.pk}"}
        require_decision(**about, actor=created_by, now=now, purposes=[purpose])
    draft = draft_release(project=project, purpose=purpose, has_judgements=has_judgements)
    same = Release.objects.trainable().filter(project=project, sha256=draft.sha256).first()
    if same is not None:
        return same, False
    release = _store(draft, project, purpose=purpose, note=note, has_judgements=has_judgements, by=created_by, now=now)
    append_entry(
        action="release.frozen",
        subject=f"release:{release.pk}",
        community=community.slug,
        actor=str(created_by.pk) if created_by else "",
        now=now,
        details={
            "number": release.number,
            "sha256": draft.sha256,
            "purpose": purpose,
            **({"judgements": True} if has_judgements else {}),
        },
    )
    write_folder(
        folder_of(release),
        files=draft.files,
        manifest=draft.manifest_bytes,
        beside=described(draft.manifest, draft.sha256, labels_on(release), now.date()),
    )
    checkpoint_after_commit(community=community.slug, now=now)
    return release, True


def _store(draft: Draft, project: Project, *, by: Person | None, now: datetime, **fields: Any) -> Release:
    """The release's row, with the community's next number, and what it holds; the community is locked."""
    community = project.community
    number = (Release.objects.filter(community=community).aggregate(last=Max("number"))["last"] or 0) + 1
    release = Release.objects.create(
        community=community,
        project=project,
        number=number,
        sha256=draft.sha256,
        folder=f"{community.slug}/{number:04d}-{draft.sha256[:12]}",
        counts=draft.manifest["counts"],
        leaks=[],
        replaces=replaced_by_next(project, fields["purpose"]),
        created_by=by,
        created_at=now,
        **fields,
    )
    _store_items(release, draft)
    return release


def _store_items(release: Release, draft: Draft) -> None:
    """Store which answers the release holds, and under which receipts; a row in no split is left out."""
    bad = draft.judged.counter_examples if draft.judged else frozenset[str]()
    items = ReleaseItem.objects.bulk_create(
        [
            ReleaseItem(
                release=release,
                answer=draft.answers[row["id"]],
                receipt_id=draft.answers[row["id"]].receipt_id,
                split=draft.splits[row["id"]],
                is_good=row["id"] not in bad,
                row_sha256=sha256_of_row(row),
            )
            for row in draft.rows
            if row["id"] in draft.splits
        ],
        batch_size=1000,
    )
    voters = draft.judged.receipts if draft.judged else {}
    through = ReleaseItem.voters.through
    through.objects.bulk_create(
        [
            through(releaseitem_id=item.pk, receipt_id=receipt)
            for item in items
            for receipt in voters.get(str(item.answer_id), ())
        ],
        batch_size=1000,
    )


def labels_on(release: Release) -> list[str]:
    """The Local Contexts labels and notices that stand on its words now, by name: on sentences, documents, project,
    community or the release itself. Whose words somebody's label is on, it does not say."""
    items = release.items.all()
    on = {
        "community": [release.community_id],
        "project": [release.project_id],
        "release": [release.pk],
        "source": items.values_list("answer__task__item__source", flat=True),
        "item": items.values_list("answer__task__item", flat=True),
        "answer": items.values_list("answer", flat=True),
    }
    standing = Restriction.objects.live().filter(community=release.community_id, cause=Restriction.Cause.LABEL)
    kinds = set(standing.values_list("kind", flat=True)) & set(on)
    keys = {kind: {str(key) for key in on[kind]} for kind in kinds}
    found = {code for kind, key, code in standing.values_list("kind", "key", "code") if key in keys.get(kind, ())}
    return [label_of(code).name for code in sorted(found)]


def folder_of(release: Release) -> Path:
    """Where the release's files are."""
    return Path(settings.RELEASES_DIR) / release.folder


def verify_release(release: Release) -> list[str]:
    """What is wrong with a release's files: nothing when every hash in its manifest holds."""
    folder = folder_of(release)
    try:
        content = (folder / "manifest.json").read_bytes()
    except OSError as error:
        return [gettext("manifest.json cannot be read: %(why)s") % {"why": error.strerror}]
    wrong = [] if hashlib.sha256(content).hexdigest() == release.sha256 else [_was_changed("manifest.json")]
    manifest = json.loads(content)
    for name, facts in manifest["files"].items():
        path = folder / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != facts["sha256"]:
            wrong.append(_was_changed(name))
    rows = {item["id"]: item["sha256"] for item in manifest["items"]}
    stored = {str(item.answer_id): item.row_sha256 for item in release.items.all()}
    return wrong if rows == stored else [*wrong, gettext("the database and the manifest name different rows")]


def _was_changed(file: str) -> str:
    return gettext("%(file)s was changed") % {"file": file}


def mark_withdrawn(*, items: ReleaseItemQuerySet, now: datetime) -> list[Release]:
    """Mark the releases that hold any of these rows as containing withdrawn words.

    Only rows are marked whose answer, or a vote on it, may no longer be used for their release's purpose, whatever the
    community decides, since a mark stays; whoever was given such words is told. Returns the releases that hold such
    rows, those marked earlier included, so that adapters can be marked after them.
    """
    touched: list[Release] = []
    for release in Release.objects.filter(pk__in=items.values("release")):
        rows = items.filter(release=release).not_usable_for(release.purpose, if_allowed=True)
        lost = list(rows.values_list("pk", flat=True))
        if not lost:
            continue
        ReleaseItem.objects.filter(pk__in=lost, withdrawn_at__isnull=True).update(withdrawn_at=now)
        Release.objects.filter(pk=release.pk, withdrawn_since__isnull=True).update(withdrawn_since=now)
        touched.append(release)
    # Last: a download that was going on meanwhile had the release locked, and is seen now.
    queue_notices(items=items, now=now)
    return touched


def not_usable_any_more(release: Release) -> int:
    """How many rows of a release may not be used for its purpose now: asked before anything is done with it. All of
    them while the release itself is held back."""
    if not Release.objects.filter(pk=release.pk).not_held().exists():
        return release.items.count()
    return int(release.items.not_usable_for(release.purpose).count())


def answers_with_words_of(person: Person, community: Community) -> QuerySet[Answer]:
    """Answers the person wrote in the community, and corrections that were built on their words."""
    receipts = Receipt.objects.filter(person=person, community=community)
    # Two searches by index, as in `touched_by`.
    theirs = Answer.objects.filter(receipt__in=receipts).values("pk")
    built = Answer.built_on.through.objects.filter(receipt__in=receipts).values("answer_id")
    return Answer.objects.filter(pk__in=theirs.union(built))


def items_with_words_of(person: Person, community: Community) -> ReleaseItemQuerySet:
    """Rows of releases with such answers, or with votes that the person gave in the community."""
    receipts = Receipt.objects.filter(person=person, community=community)
    return ReleaseItem.objects.touched_by(answers=answers_with_words_of(person, community), receipts=receipts)


__all__ = [
    "Draft",
    "FilesErased",
    "NothingToRelease",
    "answers_with_words_of",
    "canonical",
    "draft_release",
    "folder_of",
    "freeze_release",
    "items_with_words_of",
    "labels_on",
    "leaks_of",
    "mark_withdrawn",
    "not_usable_any_more",
    "pseudonym",
    "replaced_by_next",
    "selected_answers",
    "told",
    "verify_release",
]
