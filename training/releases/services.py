"""Freezing a release, checking it again, and marking it when words are withdrawn."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext

from annotation.answers.models import Answer
from annotation.kinds.contract import Asked, Written
from annotation.projects.models import Project
from annotation.projects.services import require_combinable
from care.deciding import require_decision
from care.models import Matter, Purpose, Receipt
from care.purposes import reading_for
from ledger.checkpoints import checkpoint_after_commit
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid, TooLate
from people.services import require_role
from training.evaluation.contamination import Leak
from training.releases.leaks import leaks_between, leaks_in_files
from training.releases.models import Release, ReleaseItem
from training.releases.notices import queue_notices
from training.releases.splits import CannotSplit, SplitRow, assign_splits
from training.releases.writing import canonical, card_of, data_files, manifest_of, sha256_of_row, write_folder

PURPOSES = (Purpose.TRAIN_NONCOMMERCIAL, Purpose.TRAIN_COMMERCIAL)


class NothingToRelease(Conflicting):
    """There is no validated answer whose author allows the purpose, or too few to hold some out."""


class FilesErased(TooLate):
    """Words in the release were erased, so its files are not there any more."""


@dataclass(frozen=True)
class Draft:
    """A release before it is stored: its rows, their splits, and the files that follow from them."""

    rows: list[dict[str, Any]]
    answers: dict[str, Answer]
    splits: dict[str, str]
    files: dict[str, bytes]
    manifest: dict[str, Any]
    manifest_bytes: bytes
    sha256: str


def selected_answers(project: Project, purpose: str) -> QuerySet[Answer]:
    """The project's answers that may be used for the purpose now."""
    return Answer.objects.filter(task__project=project).eligible_for(purpose)


def draft_release(*, project: Project, purpose: str) -> Draft:
    """Select, split and lay out a release without storing anything. Raises NothingToRelease, LicencesClash."""
    with reading_for(purpose):
        return _draft(project, purpose)


def _draft(project: Project, purpose: str) -> Draft:
    answers = {
        str(answer.pk): answer
        for answer in selected_answers(project, purpose)
        .select_related("task__item__source__variety", "task__project", "author", "from_adjudication", "suggestion")
        .prefetch_related("built_on")
        .order_by("pk")
    }
    if not answers:
        raise NothingToRelease("No validated sentence may be used for this purpose yet.")
    rows = [_row(answer, project) for answer in answers.values()]
    require_combinable(row["licence"] for row in rows)
    measuring = Answer.objects.filter(pk__in=answers).eligible_for(Purpose.EVALUATE_MODELS)
    may_test = {str(pk) for pk in measuring.values_list("pk", flat=True)}
    try:
        splits = assign_splits(
            [SplitRow(row["id"], row["document"], tuple(row["contributors"]), row["id"] in may_test) for row in rows]
        )
    except CannotSplit as error:
        raise NothingToRelease(error.message, **error.values) from error
    leaks = leaks_between(rows, splits, project.task_kind)
    splits = _without(leaks, splits)
    files = data_files(rows, splits)
    head, replaced = _head(project, purpose), replaced_by_next(project, purpose)
    if replaced:
        head["replaces"] = replaced.sha256
    if leaks:
        head["withheld_as_copies"] = [told(leak) for leak in leaks]
    manifest = manifest_of(head=head, rows=rows, splits=splits, files=files)
    manifest_bytes = (json.dumps(manifest, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()
    return Draft(
        rows=rows,
        answers=answers,
        splits=splits,
        files=files,
        manifest=manifest,
        manifest_bytes=manifest_bytes,
        sha256=hashlib.sha256(manifest_bytes).hexdigest(),
    )


def _without(leaks: list[Leak], splits: dict[str, str]) -> dict[str, str]:
    """The splits without held-out rows that training rows give away. Raises NothingToRelease when none is left."""
    leaking = {leak.held_out for leak in leaks}
    kept = {name: split for name, split in splits.items() if name not in leaking}
    if set(kept.values()) != set(splits.values()):
        raise NothingToRelease(
            "Nothing is left to test with: %(number)s held-out sentences are nearly the same as training sentences. "
            "The first are the answers %(held_out)s and %(trained)s.",
            number=len(leaks),
            held_out=leaks[0].held_out,
            trained=leaks[0].trained,
        )
    return kept


def told(leak: Leak) -> dict[str, Any]:
    """A leak as manifests and rows keep it: ids and words out of fixed lists, no words of people."""
    return {
        "id": leak.held_out,
        "like": leak.trained,
        "side": leak.side,
        "how": leak.how,
        "alike": round(leak.alike, 3),
    }


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


def replaced_by_next(project: Project, purpose: str) -> Release | None:
    """The release in whose place the next one of this project and purpose is made: the newest with withdrawn words."""
    made = Release.objects.filter(project=project, purpose=purpose)
    return made.exclude(withdrawn_since=None).order_by("-number").first()


def _row(answer: Answer, project: Project) -> dict[str, Any]:
    item = answer.task.item
    source = item.source
    others = list(answer.built_on.all())
    people = {answer.author_id, *(receipt.person_id for receipt in others)}
    asked, written = answer.task.asked, Written(answer.text, answer.payload)
    return {
        "id": str(answer.pk),
        "kind": project.kind,
        **project.task_kind.export(asked, written),
        **_lesson(project, asked, written),
        "began_with": answer.suggestion.made_by if answer.suggestion else "",
        "source_language": source.language_tag,
        "target_language": project.target_language_tag,
        "variety": source.variety.code if source.variety else "",
        "document": f"{source.origin}: {source.title}",
        "licence": source.licence,
        "contributors": sorted(pseudonym(person, project.community) for person in people),
        "receipts": sorted({str(answer.receipt_id), *(str(receipt.pk) for receipt in others)}),
    }


def _lesson(project: Project, asked: Asked, written: Written) -> dict[str, Any]:
    """What a model that learns from the answer is asked and should say; nothing for a kind that teaches no answers."""
    lesson = project.task_kind.lesson
    if lesson is None:
        return {}
    said = {"system": lesson.system, "request": lesson.request(asked), "completion": lesson.completion(asked, written)}
    return {"lesson": said}


def pseudonym(person_id: int, community: Community) -> str:
    """A stable name for a contributor that only this installation can trace back (keyed hash)."""
    return salted_hmac("wordhearth.contributor", f"{community.slug}:{person_id}", algorithm="sha256").hexdigest()[:16]


def _head(project: Project, purpose: str) -> dict[str, Any]:
    community = project.community
    return {
        "community": {
            "slug": community.slug,
            "name": community.name,
            "language_name": community.language_name,
            "language_tag": community.language_tag,
            "iso_639_3": community.iso_639_3,
            "glottocode": community.glottocode,
            "script": community.script,
            "is_demo": community.is_demo,
        },
        "project": {"id": project.pk, "title": project.title, "kind": project.kind},
        "source_language": {"name": project.source_language_name, "tag": project.source_language_tag},
        "target_language": {"name": project.target_language_name, "tag": project.target_language_tag},
        "query": {
            "project": project.pk,
            "state": "validated",
            "purpose": purpose,
            "meaning": "validated answers of the project for which the author, and everybody whose words are in "
            "them, holds a live grant for the purpose",
        },
    }


@transaction.atomic
def freeze_release(
    *, project: Project, purpose: str, created_by: Person | None, now: datetime, note: str = ""
) -> tuple[Release, bool]:
    """Freeze the present state of a project into a release folder.

    Returns the release and whether it is new: the same state gives the same hash, and then the release that
    holds it already is returned. `created_by` None means the schedule.

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
    draft = draft_release(project=project, purpose=purpose)
    same = Release.objects.trainable().filter(project=project, sha256=draft.sha256).first()
    if same is not None:
        return same, False
    number = (Release.objects.filter(community=community).aggregate(last=Max("number"))["last"] or 0) + 1
    folder = f"{community.slug}/{number:04d}-{draft.sha256[:12]}"
    release = Release.objects.create(
        community=community,
        project=project,
        number=number,
        purpose=purpose,
        note=note,
        sha256=draft.sha256,
        folder=folder,
        counts=draft.manifest["counts"],
        leaks=[],
        replaces=replaced_by_next(project, purpose),
        created_by=created_by,
        created_at=now,
    )
    _store_items(release, draft)
    append_entry(
        action="release.frozen",
        subject=f"release:{release.pk}",
        community=community.slug,
        actor=str(created_by.pk) if created_by else "",
        now=now,
        details={"number": number, "sha256": draft.sha256, "purpose": purpose},
    )
    write_folder(
        folder_of(release),
        files=draft.files,
        manifest=draft.manifest_bytes,
        card=card_of(draft.manifest, draft.sha256),
    )
    checkpoint_after_commit(community=community.slug, now=now)
    return release, True


def _store_items(release: Release, draft: Draft) -> None:
    """Store which answers the release holds, and under which receipt; a row in no split is left out."""
    ReleaseItem.objects.bulk_create(
        [
            ReleaseItem(
                release=release,
                answer=draft.answers[row["id"]],
                receipt_id=draft.answers[row["id"]].receipt_id,
                split=draft.splits[row["id"]],
                row_sha256=sha256_of_row(row),
            )
            for row in draft.rows
            if row["id"] in draft.splits
        ],
        batch_size=1000,
    )


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


def mark_withdrawn(*, answers: QuerySet[Answer], now: datetime) -> list[Release]:
    """Mark the releases that hold any of these answers as containing withdrawn words.

    Only rows whose answer may no longer be used for their release's purpose are marked; whoever was given such words
    is told. Returns the releases that hold such rows, those marked earlier included, so that adapters can be marked
    after them.
    """
    touched: list[Release] = []
    for release in Release.objects.filter(items__answer__in=answers).distinct():
        usable = Answer.objects.eligible_for(release.purpose)
        lost = release.items.filter(answer__in=answers).exclude(answer__in=usable)
        if not lost.exists():
            continue
        lost.filter(withdrawn_at__isnull=True).update(withdrawn_at=now)
        Release.objects.filter(pk=release.pk, withdrawn_since__isnull=True).update(withdrawn_since=now)
        touched.append(release)
    # Last: a download that was going on meanwhile had the release locked, and is seen now.
    queue_notices(answers=answers, now=now)
    return touched


def not_usable_any_more(release: Release) -> int:
    """How many rows of a release may not be used for its purpose now: asked before anything is done with it. All of
    them while the release itself is held back."""
    if not Release.objects.filter(pk=release.pk).not_held().exists():
        return release.items.count()
    usable = Answer.objects.eligible_for(release.purpose)
    return release.items.exclude(answer__in=usable).count()


def answers_with_words_of(person: Person, community: Community) -> QuerySet[Answer]:
    """Answers the person wrote in the community, and corrections that were built on their words."""
    receipts = Receipt.objects.filter(person=person, community=community)
    return Answer.objects.filter(Q(receipt__in=receipts) | Q(built_on__in=receipts)).distinct()


__all__ = [
    "Draft",
    "FilesErased",
    "NothingToRelease",
    "answers_with_words_of",
    "canonical",
    "draft_release",
    "folder_of",
    "freeze_release",
    "leaks_of",
    "mark_withdrawn",
    "not_usable_any_more",
    "pseudonym",
    "replaced_by_next",
    "selected_answers",
    "told",
    "verify_release",
]
