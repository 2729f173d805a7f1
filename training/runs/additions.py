"""What runs learn from beside a release: bringing a file in, having a finished run make rows, and deleting either.

Bases with more tokens (`training.runs.vocabularies`) are claimed, finished and deleted here as well.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_noop

from ledger.services import append_entry
from people.models import LANGUAGE_TAG, Community, Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed, Refusal
from people.services import require_role
from training.recipes.rows import UnusableLine, read_related, read_rows, read_texts
from training.releases.models import Release
from training.runs.artefacts import folder_of
from training.runs.beside import FOLDER, lock_behind, runs_on
from training.runs.making import ask_worker, sweep_places
from training.runs.models import Adapter, Addition, Run
from training.runs.vocabularies import HOW, facts_of_base, keep_base, needs_it, require_tokens_from

MOST_BYTES = 50_000_000
LONGEST = {"title": 200, "origin": 500, "terms": 300}
PLAIN = (".txt", ".text")
UPLOADED = (Addition.Kind.TEXT, Addition.Kind.RELATED)
# Of which kind of task a run must be for its adapter to make rows so.
KINDS_FOR = {
    Addition.How.BACK_TRANSLATION: ("translate",),
    Addition.How.PARAPHRASE: ("translate",),
    Addition.How.LABEL: ("classify",),
}
# Translated where it is shown.
NO_LONGER = gettext_noop("What it was to be made of, or by, may no longer be used.")


class IsUsed(Conflicting):
    """A run that waits or is going on learns from it."""


class MakesNoRows(NotAllowed):
    """The run's adapter may not be used, or cannot make such rows."""


@transaction.atomic
def upload_addition(
    *,
    community: Community,
    added_by: Person,
    kind: str,
    name: str,
    content: bytes,
    title: str,
    origin: str,
    terms: str,
    now: datetime,
    language: str = "",
) -> Addition:
    """Keep a file that runs may learn from; every line is read as the recipe will read it.

    Text comes as JSON Lines with `id` and `text`, or as plain text with a passage a line, in the one `language`;
    lessons in other languages come as JSON Lines with `id`, `language` and `lesson`. Raises Invalid, which names the
    first line that cannot be used, and NotAllowed.
    """
    require_role(added_by, community, Role.RESEARCHER)
    said = {"title": title, "origin": origin, "terms": terms}
    said = {field: " ".join(value.replace("\0", " ").split()) for field, value in said.items()}
    for field, value in said.items():
        if not value:
            raise Invalid("This is needed, so that others know what runs learnt from.", field=field)
        if len(value) > LONGEST[field]:
            raise Invalid("At most %(most)s letters.", field=field, most=LONGEST[field])
    if kind not in UPLOADED:
        raise Invalid("Choose one.", field="kind")
    lines, languages, rows = read_upload(kind, name, content, language.strip())
    addition: Addition = Addition.objects.create(
        community=community,
        kind=kind,
        languages=languages,
        rows=rows,
        added_by=added_by,
        added_at=now,
        **_facts_of(lines),
        **said,
    )
    keep_file(addition, lines)
    append_entry(
        action="addition.uploaded",
        subject=f"addition:{addition.pk}",
        community=community.slug,
        actor=str(added_by.pk),
        now=now,
        details={"kind": kind, "sha256": addition.sha256, "rows": rows},
        private=said,
    )
    return addition


def read_upload(kind: str, name: str, content: bytes, language: str) -> tuple[bytes, list[str], int]:
    """The file as runs read it, its languages, and its number of lines. Raises Invalid."""
    if len(content) > MOST_BYTES:
        raise Invalid("The file is larger than %(most)s MB.", field="file", most=MOST_BYTES // 1_000_000)
    content = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    if kind == Addition.Kind.TEXT:
        if not _is_tag(language):
            raise Invalid("Write a BCP 47 language tag such as ote, quz-PE or sr-Latn.", field="language")
        if name.lower().endswith(PLAIN):
            content = _with_ids(content, Path(name).name)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / (Path(name).name.replace("\0", "")[-100:] or "file")
        path.write_bytes(content)
        try:
            found = [language for _ in read_texts(path)] if kind == Addition.Kind.TEXT else _languages_in(path)
        except UnusableLine as error:
            raise Invalid(error.message, field="file", **error.values) from error
    if not found:
        raise Invalid("The file is empty.", field="file")
    return content, sorted(set(found)), len(found)


def _languages_in(path: Path) -> list[str]:
    found = [language for language, _ in read_related(path)]
    if wrong := sorted({language for language in found if not _is_tag(language)}):
        raise Invalid(
            "“%(tag)s” in the file is no BCP 47 language tag such as ote, quz-PE or sr-Latn.",
            field="file",
            tag=wrong[0][:80],
        )
    return found


def _is_tag(language: str) -> bool:
    try:
        LANGUAGE_TAG(language)
    except ValidationError:
        return False
    return True


def _with_ids(content: bytes, name: str) -> bytes:
    """Plain text, a passage a line, as JSON Lines; the id of a passage is the number of its line. Raises Invalid."""
    lines = []
    for number, raw in enumerate(content.split(b"\n"), start=1):
        try:
            text = raw.decode("utf-8").strip()
        except UnicodeDecodeError as error:
            raise Invalid("Line %(line)s of %(file)s is not UTF-8.", field="file", line=number, file=name) from error
        if text:
            lines.append(json.dumps({"id": str(number), "text": text}, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


def _facts_of(content: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def keep_file(addition: Addition, content: bytes) -> None:
    """Put the file into its place, whole or not at all."""
    addition.file.parent.mkdir(parents=True, exist_ok=True)
    new = addition.file.with_suffix(".new")
    new.write_bytes(content)
    new.replace(addition.file)


def makers(community: Community, person: Person) -> list[Run]:
    """The runs of the community whose adapters can make rows, the newest first."""
    adapters = Adapter.objects.visible_to(person).usable().filter(community=community, deleted_at__isnull=True)
    found = adapters.select_related("run__release__project").order_by("-run__number")
    return [adapter.run for adapter in found if not adapter.is_whole_model and ways_of(adapter.run)]


def ways_of(run: Run) -> list[str]:
    """How the run's adapter can make rows: translations back, where it learnt both directions; sentences for a class,
    where it learnt to sort."""
    both, kind = run.settings.get("mixing", {}).get("both_directions", False), run.release.project.kind
    return [how for how, kinds in KINDS_FOR.items() if kind in kinds and (both or how == Addition.How.LABEL)]


def require_source(addition: Addition) -> None:
    """Raise Refusal where what it is to be made of may not be used for it, or not any more."""
    assert addition.made_by is not None  # noqa: S101 - as asked for
    if addition.kind == Addition.Kind.VOCABULARY:
        require_tokens_from(addition.made_by)
    else:
        require_maker(addition.made_by, addition.how)


def require_maker(run: Run, how: str) -> None:
    """Raise MakesNoRows where the run's adapter may not be used, or cannot make such rows."""
    adapter = Adapter.objects.usable().filter(run=run, deleted_at__isnull=True).first()
    if adapter is None or adapter.is_whole_model:
        raise MakesNoRows("The adapter of this run may not be used: a steward has not approved it, or it was paused.")
    if how not in ways_of(run):
        raise MakesNoRows(
            "This adapter cannot make such rows. Back-translation and other wordings need a run on translations that "
            "learnt both directions, sentences for each class one that learnt to sort sentences."
        )


@transaction.atomic
def ask_for_rows(*, run: Run, how: str, asked_by: Person, now: datetime) -> Addition:
    """Have a finished run's adapter make rows out of its release; the caller rings `training.runs.jobs.ring_rows`.

    Asking twice while they are being made returns the one that waits. Raises Invalid, NotAllowed, MakesNoRows.
    """
    community = Community.objects.select_for_update(no_key=True).get(pk=run.community_id)
    require_role(asked_by, community, Role.RESEARCHER)
    if how not in Addition.How.values:
        raise Invalid("Choose one.", field="how")
    require_maker(run, how)
    going_on = Addition.objects.filter(made_by=run, how=how, state__in=["queued", "running"], deleted_at__isnull=True)
    waiting: Addition | None = going_on.first()
    if waiting is not None:
        return waiting
    rows = Addition(community=community, kind=Addition.Kind.SYNTHETIC, made_by=run, how=how)
    return ask_worker(rows, how=how, by=asked_by, now=now)


@transaction.atomic
def claim_rows(*, addition_id: int, owner: str, lease_until: datetime, now: datetime) -> Addition | None:
    """Take rows that wait for one worker; None when another has them, or the adapter may not be used any more."""
    waiting = Addition.objects.select_for_update(skip_locked=True, of=("self",)).waiting(now)
    found: Addition | None = waiting.select_related("made_by__release", "community").filter(pk=addition_id).first()
    if found is None or found.made_by is None:
        return None
    try:
        require_source(found)
    except Refusal:
        _end(found, Addition.State.FAILED, NO_LONGER)
        return None
    found.state, found.lease_owner, found.lease_expires_at = Addition.State.RUNNING, owner, lease_until
    found.save(update_fields=["state", "lease_owner", "lease_expires_at"])
    return found


def renew_rows(*, addition: Addition, lease_until: datetime) -> bool:
    """Whether the worker still holds it, and nobody deleted it."""
    return bool(_held(addition).update(lease_expires_at=lease_until))


@transaction.atomic
def finish_rows(*, addition: Addition, made: Path, dropped: Mapping[str, int], now: datetime) -> bool:
    """Keep the rows, or the base, that the worker made; whether they stay. They do not where what they were made of may
    not be used any more, or somebody deleted them meanwhile."""
    assert addition.made_by is not None  # noqa: S101 - claimed as such
    lock_behind(addition.made_by)
    try:
        require_source(addition)
    except Refusal:
        _end(addition, Addition.State.FAILED, NO_LONGER)
        return False
    is_base = addition.kind == Addition.Kind.VOCABULARY
    facts = facts_of_base(made) if is_base else {**_facts_of(made.read_bytes()), "rows": len(read_rows(made))}
    over = {"dropped": dropped, "failure": "", "lease_owner": "", "lease_expires_at": None}
    if not _held(addition).update(state=Addition.State.FINISHED, **facts, **over):
        return False
    if is_base:
        keep_base(addition, made)
    else:
        keep_file(addition, made.read_bytes())
    append_entry(
        action="addition.made",
        subject=f"addition:{addition.pk}",
        community=addition.community.slug,
        now=now,
        details={
            "how": HOW if is_base else addition.how,
            "run": addition.made_by.pk,
            "sha256": facts["sha256"],
            "rows": facts["rows"],
        },
    )
    return True


def give_up_rows(*, addition: Addition, state: str, failure: str = "") -> None:
    """End what this worker holds without rows; QUEUED gives it back."""
    _end(addition, state, failure)


def _end(addition: Addition, state: str, failure: str) -> None:
    Addition.objects.filter(pk=addition.pk, lease_owner=addition.lease_owner).update(
        state=state, failure=failure[:1000], lease_owner="", lease_expires_at=None
    )


def _held(addition: Addition) -> Any:
    return Addition.objects.filter(
        pk=addition.pk, lease_owner=addition.lease_owner, state=Addition.State.RUNNING, deleted_at__isnull=True
    )


@transaction.atomic
def delete_addition(*, addition: Addition, deleted_by: Person, now: datetime) -> Addition:
    """Delete the files, and their copies in the folders of runs that are over; one that is being made is stopped. The
    row stays. Deleting twice changes nothing. Raises IsUsed, NotAllowed."""
    # As where a run is queued, so that none takes it meanwhile.
    community = Community.objects.select_for_update(no_key=True).get(pk=addition.community_id)
    require_role(deleted_by, community, Role.RESEARCHER, Role.STEWARD)
    current: Addition = Addition.objects.select_for_update(of=("self",)).get(pk=addition.pk)
    if current.deleted_at is not None:
        return current
    if live := list(Run.objects.filter(additions=current).live().order_by("number").values_list("number", flat=True)):
        raise IsUsed(
            "Runs that wait or are going on learn from it: %(runs)s. Stop them first.",
            runs=", ".join(str(number) for number in live),
        )
    if needing := needs_it(current):
        raise IsUsed(
            "Adapters of these runs cannot be read without it: %(runs)s. Turn them down or retire them first.",
            runs=", ".join(str(number) for number in needing),
        )
    _delete(current, now, deleted_by)
    return current


def discard_made_of(releases: Collection[Release], *, now: datetime) -> int:
    """Delete what was made of these releases, because words in them were withdrawn; how many. The runs that learn from
    them are stopped by `stop_runs_on`. The caller is one transaction."""
    made = Addition.objects.select_for_update(of=("self",)).filter(
        made_by__in=runs_on(releases), deleted_at__isnull=True
    )
    found = list(made.order_by("pk"))
    for addition in found:
        _delete(addition, now, None)
    return len(found)


def _delete(addition: Addition, now: datetime, by: Person | None) -> None:
    addition.deleted_at = now
    addition.save(update_fields=["deleted_at"])
    append_entry(
        action="addition.deleted",
        subject=f"addition:{addition.pk}",
        community=addition.community.slug,
        actor=str(by.pk) if by else "",
        now=now,
        details={} if by else {"withdrawn": True},
    )
    copies = [folder_of(run) / FOLDER / f"{addition.kind}.jsonl" for run in Run.objects.filter(additions=addition)]
    for path in (addition.file, *copies):
        transaction.on_commit(partial(path.unlink, missing_ok=True))
    if addition.kind == Addition.Kind.VOCABULARY:
        transaction.on_commit(partial(shutil.rmtree, addition.base_folder, ignore_errors=True))
    # What a lost worker left of making it.
    transaction.on_commit(sweep_places)


def sample_of(addition: Addition, number: int) -> list[dict[str, Any]]:
    """The first lines of the file, for people to look at; none where it is not there."""
    if not addition.is_there or not addition.file.is_file():
        return []
    with addition.file.open(encoding="utf-8") as file:
        lines = (line for line in file if line.strip())
        return [json.loads(line) for line, _ in zip(lines, range(number), strict=False)]
