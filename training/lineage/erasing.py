"""Erasing for good: the words that somebody took back, or everything about them; and erasing again after a restore.

Each erasure leaves a row, and a line in a file beside the database: whoever restores a backup gets back what was
erased after it was made, and `manage.py replay_erasures` takes it away again before anybody is served.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from annotation.answers.models import Answer
from annotation.answers.services import withdraw_answer as take_back
from care.models import AccountErasure, Erasure, Grant, Receipt, Withdrawal
from care.withdrawing import Name, add_stage, finish_stage
from ledger.services import append_entry, erase_secrets
from people.models import Community, Person
from people.refusals import Conflicting, NotAllowed
from people.services import end_membership
from training.lineage.forgetting import (
    close_agreements,
    communities_of,
    entries_about,
    entries_on_agreements,
    forget_answers,
    forget_person,
    name_of_erased,
)
from training.lineage.tracing import WORDS, taint_of
from training.releases.models import ReleaseItem
from training.runs.withdrawals import lock_releases, withdraw_answer, withdraw_consent

Kind = Erasure.Kind
AT_A_TIME = 200


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


def _erase_answers(asked: Iterable[Answer], now: datetime) -> int:
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


def erase_person(*, person: Person, now: datetime, is_replay: bool = False) -> int:
    """Erase everything about a person here and now, as after a restore; pages ask with `begin_erasure`, and a job does
    the rest. Returns how many answers were erased. Raises LastSteward."""
    with transaction.atomic():
        erasure = begin_erasure(person=person, now=now, is_replay=is_replay)
        return finish_erasure(erasure=erasure, now=now)


@transaction.atomic
def begin_erasure(*, person: Person, now: datetime, is_replay: bool = False) -> AccountErasure:
    """By their own wish everything about a person ends at once: they leave, take every use of their words back, and
    their name, account and own remarks are gone. What is left are answers that nobody reads, for `finish_erasure`.

    What they decided or wrote in an office of the community (texts of consent, guidelines, proposals, labels) stays,
    without their name. After a restore (`is_replay`) they had left already: the last steward, too. Raises LastSteward.
    """
    # Before anything else is locked, as a download does it, so that neither waits for the other.
    written = Answer.objects.filter(Q(author=person) | Q(receipt__person=person) | Q(built_on__person=person))
    receipts = Receipt.objects.filter(person=person)
    lock_releases(ReleaseItem.objects.touched_by(answers=written, receipts=receipts))
    current = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    for community in communities_of(current):
        for membership in community.memberships.filter(person=current, ended_at__isnull=True):
            end_membership(membership=membership, ended_by=current, now=now, even_last=is_replay)
        given = Grant.objects.filter(receipt__person=current, receipt__community=community, withdrawn_at__isnull=True)
        purposes = set(given.values_list("purpose", flat=True))
        if purposes:
            withdraw_consent(person=current, community=community, purposes=purposes, now=now)
        close_agreements(current, community, now=now)
    for case in Withdrawal.objects.filter(person=current):
        add_stage(withdrawal=case, name=Name.ERASED, now=now)
    sealed = entries_on_agreements(current)
    forget_person(current)
    erase_secrets(entries=sealed, about=str(current.pk), now=now)
    # From here on they are erased again after a restore, however far the job has come.
    _keep_in_mind(Kind.PERSON, [str(current.pk)], None, now)
    left = _words_left(current).count()
    erasure, is_new = AccountErasure.objects.get_or_create(person=current, defaults={"asked_at": now, "answers": left})
    if not is_new and erasure.finished_at is not None and left:
        # A backup brought words back after the row was written.
        erasure.answers, erasure.erased, erasure.finished_at = left, 0, None
        erasure.save(update_fields=["answers", "erased", "finished_at"])
    return erasure


def finish_erasure(*, erasure: AccountErasure, now: datetime) -> int:
    """Take the answers of an account back and erase them, some at a time, each time in a transaction of its own; how
    many were erased, corrections by others included. Whoever calls it while another one is at it does nothing."""
    erased = 0
    while (some := _erase_some(erasure.pk, now)) is not None:
        erased += some
    return erased


@transaction.atomic
def _erase_some(pk: int, now: datetime) -> int | None:
    """One time of it; None when nothing is left, and that is written down."""
    mine = AccountErasure.objects.unfinished().select_for_update(skip_locked=True, of=("self",))
    current = mine.select_related("person").filter(pk=pk).first()
    if current is None:
        return None
    some = list(_words_left(current.person).order_by("pk")[:AT_A_TIME])
    if not some:
        _close(current, now)
        return None
    made = [row.key for row in taint_of([row.pk for row in some], edges=WORDS)]
    lock_releases(ReleaseItem.objects.touched_by(answers=Answer.objects.filter(pk__in=made)))
    for answer in some:
        if answer.state != Answer.State.WITHDRAWN:
            take_back(answer=answer, author=current.person, now=now)
    erased = _erase_answers(some, now)
    current.erased = min(current.erased + len(some), current.answers)
    current.save(update_fields=["erased"])
    return erased


def _words_left(person: Person) -> QuerySet[Answer]:
    """The person's answers of which words, or a hash of them, are still kept."""
    mine = Answer.objects.filter(author=person).exclude(text="", payload={}, body_sha256="")
    return mine.select_related("task__project__community")


def _close(erasure: AccountErasure, now: datetime) -> None:
    """Nothing is left: said in what they took back, and in the record, whose sealed parts on the way go too."""
    person = erasure.person
    for case in Withdrawal.objects.filter(person=person):
        _tick_off(case, erasure.erased, now)
    erasure.finished_at = now
    erasure.save(update_fields=["finished_at"])
    append_entry(action="person.erased", subject=f"person:{person.pk}", now=now)
    erase_secrets(about=str(person.pk), now=now)


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
        lines = "".join(json.dumps({"kind": kind, "key": key, "at": now.isoformat()}) + "\n" for key in new)
        with path.open("ab+") as file:
            # After a line that was cut off, so that what follows is not lost with it.
            file.seek(max(file.tell() - 1, 0))
            cut = file.read(1) not in {b"", b"\n"}
            file.write(("\n" * cut + lines).encode())
            file.flush()
            os.fsync(file.fileno())
    return len(new)


@dataclass(frozen=True)
class Replayed:
    """How many answers and accounts had come back and were erased; and what was not, with the reason, no word of it."""

    done: int
    failed: list[str]


def known_erasures() -> tuple[list[UUID], list[int], list[str]]:
    """The answers and the accounts that were ever erased, by the table and by the file, which outlives a restore; and
    the lines of the file that say nothing."""
    known = set(Erasure.objects.values_list("kind", "key"))
    wrong = []
    path = Path(settings.ERASURES_FILE)
    lines = path.read_bytes().splitlines() if path.exists() else []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
            kind, key = Kind(row["kind"]), str(row["key"])
            known.add((kind.value, str(UUID(key) if kind == Kind.ANSWER else int(key))))
        except (ValueError, KeyError, TypeError):
            wrong.append(f"line {number} of {path.name}: not readable")
    answers = sorted(UUID(key) for kind, key in known if kind == Kind.ANSWER)
    return answers, sorted(int(key) for kind, key in known if kind == Kind.PERSON), wrong


def replay_erasures(*, now: datetime) -> Replayed:
    """Erase again what came back with a backup: each answer and account for itself, so that none waits for another."""
    answers, people, failed = known_erasures()
    returned = list(Answer.objects.filter(pk__in=answers).exclude(text="", payload={}, body_sha256="").order_by("pk"))
    accounts = Person.objects.filter(pk__in=people).order_by("pk")
    alive = [person for person in accounts if person.username != name_of_erased(person)]
    begun = AccountErasure.objects.unfinished().exclude(person__in=alive)
    acts: list[tuple[str, Callable[[], object]]] = [
        *((f"answer {row.pk}", partial(_erase_again, row.pk, now)) for row in returned),
        *((f"person {row.pk}", partial(erase_person, person=row, now=now, is_replay=True)) for row in alive),
        # The backup was made while a job was at it.
        *((f"person {row.person_id}", partial(finish_erasure, erasure=row, now=now)) for row in begun),
    ]
    done = 0
    for name, act in acts:
        try:
            with transaction.atomic():
                act()
            done += 1
        except Exception as error:  # whatever it is: the others are erased, and this one is told
            failed.append(f"{name}: {type(error).__name__}")
    return Replayed(done, failed)


def _erase_again(key: UUID, now: datetime) -> None:
    answer = Answer.objects.select_related("task__project__community", "author").get(pk=key)
    withdraw_answer(answer=answer, author=answer.author, now=now)
    _erase_answers(Answer.objects.filter(pk=key).select_related("task__project__community"), now)
