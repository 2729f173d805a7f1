"""Erasing for good: the words that somebody took back, or everything about them; and erasing again after a restore.

Each erasure leaves a row, and a line in a file beside the database: whoever restores a backup gets back what was
erased after it was made, and `manage.py replay_erasures` takes it away again before anybody is served.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction

from annotation.answers.models import Answer
from annotation.answers.services import withdraw_answer as take_back
from care.models import Erasure, Grant, Withdrawal
from care.withdrawing import Name, add_stage, finish_stage
from ledger.services import append_entry, erase_secrets
from people.models import Community, Person
from people.refusals import Conflicting, NotAllowed
from people.services import end_membership
from training.lineage.forgetting import (
    communities_of,
    entries_about,
    forget_answers,
    forget_person,
    name_of_erased,
)
from training.lineage.tracing import WORDS, taint_of
from training.runs.withdrawals import withdraw_consent

Kind = Erasure.Kind


class NotTakenBack(Conflicting):
    """Only what was taken back can be erased."""


@transaction.atomic
def erase_answers(*, answers: Collection[UUID], author: Person, now: datetime) -> int:
    """Erase answers that their author has taken back, with the corrections that went with them; how many were erased.

    Adapters that learnt from them are deleted at once, and files of releases that hold them. Raises NotAllowed,
    NotTakenBack.
    """
    asked = list(Answer.objects.filter(pk__in=answers).select_related("task__project__community"))
    if any(row.author_id != author.pk for row in asked):
        raise NotAllowed("Only its author erases an answer.")
    if any(row.state != Answer.State.WITHDRAWN for row in asked):
        raise NotTakenBack("Take an answer back before you erase it.")
    return _erase_answers(asked, now)


def _erase_answers(asked: Collection[Answer], now: datetime) -> int:
    """In every community of theirs, one after the other in the order of their chains."""
    erased = 0
    by_community: dict[Community, list[UUID]] = {}
    for row in asked:
        by_community.setdefault(row.task.project.community, []).append(row.pk)
    for community, roots in sorted(by_community.items(), key=lambda pair: pair[0].slug):
        made = [row.key for row in taint_of(roots, edges=WORDS)]
        reached = Answer.objects.filter(pk__in=made, state=Answer.State.WITHDRAWN)
        gone = list(reached.values_list("pk", flat=True))
        forget_answers(gone, now=now)
        erase_secrets(entries=entries_about(gone), now=now)
        new = _keep_in_mind(Kind.ANSWER, [str(pk) for pk in gone], community, now)
        if new:
            append_entry(
                action="answers.erased",
                subject=f"community:{community.pk}",
                community=community.slug,
                now=now,
                details={"answers": new},
            )
        for case in Withdrawal.objects.filter(answer_key__in=[str(pk) for pk in roots]):
            _tick_off(case, len(gone), now)
        erased += len(gone)
    return erased


@transaction.atomic
def erase_person(*, person: Person, now: datetime) -> int:
    """Erase everything about a person, by their own wish: they leave, take everything back, and are forgotten.

    What they decided or wrote in an office of the community (texts of consent, guidelines, proposals, labels) stays,
    without their name. Returns how many answers were erased. Raises LastSteward.
    """
    current = Person.objects.select_for_update().get(pk=person.pk)
    for community in communities_of(current):
        for membership in community.memberships.filter(person=current, ended_at__isnull=True):
            end_membership(membership=membership, ended_by=current, now=now)
        given = Grant.objects.filter(receipt__person=current, receipt__community=community, withdrawn_at__isnull=True)
        purposes = set(given.values_list("purpose", flat=True))
        if purposes:
            withdraw_consent(person=current, community=community, purposes=purposes, now=now)
    for answer in Answer.objects.filter(author=current).exclude(state=Answer.State.WITHDRAWN).order_by("pk"):
        take_back(answer=answer, author=current, now=now)
    theirs = Answer.objects.filter(author=current).select_related("task__project__community")
    erased = _erase_answers(list(theirs), now)
    for case in Withdrawal.objects.filter(person=current):
        _tick_off(case, erased, now)
    forget_person(current)
    if _keep_in_mind(Kind.PERSON, [str(current.pk)], None, now):
        append_entry(action="person.erased", subject=f"person:{current.pk}", now=now)
    erase_secrets(about=str(current.pk), now=now)
    return erased


def _tick_off(case: Withdrawal, number: int, now: datetime) -> None:
    add_stage(withdrawal=case, name=Name.ERASED, now=now)
    finish_stage(withdrawal=case, name=Name.ERASED, number=number, now=now)


def _keep_in_mind(kind: Kind, keys: Collection[str], community: Community | None, now: datetime) -> int:
    """A row and a line for each that has none; how many were new. A line that stays of an act that failed in the end
    erases what its owner wanted erased."""
    known = set(Erasure.objects.filter(kind=kind, key__in=keys).values_list("key", flat=True))
    new = [key for key in keys if key not in known]
    Erasure.objects.bulk_create([Erasure(kind=kind, key=key, community=community, at=now) for key in new])
    if new:
        path = Path(settings.ERASURES_FILE)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps({"kind": kind, "key": key, "at": now.isoformat()}) + "\n" for key in new)
            file.flush()
            os.fsync(file.fileno())
    return len(new)


def known_erasures() -> Iterator[tuple[str, str]]:
    """(kind, key) of all that was ever erased: by the table, and by the file, which outlives a restore."""
    known = set(Erasure.objects.values_list("kind", "key"))
    path = Path(settings.ERASURES_FILE)
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            known.add((row["kind"], row["key"]))
    yield from sorted(known)


@transaction.atomic
def replay_erasures(*, now: datetime) -> int:
    """Erase again what came back with a backup; how many answers and accounts had come back."""
    known = list(known_erasures())
    keys = [key for kind, key in known if kind == Kind.ANSWER]
    back = Answer.objects.filter(pk__in=keys).exclude(text="", payload={}, body_sha256="")
    returned = list(back.select_related("task__project__community", "author"))
    for answer in returned:
        take_back(answer=answer, author=answer.author, now=now)
    fresh = Answer.objects.filter(pk__in=[row.pk for row in returned]).select_related("task__project__community")
    _erase_answers(list(fresh), now)
    people = Person.objects.filter(pk__in=[int(key) for kind, key in known if kind == Kind.PERSON])
    alive = [person for person in people if person.username != name_of_erased(person)]
    for person in alive:
        erase_person(person=person, now=now)
    return len(returned) + len(alive)
