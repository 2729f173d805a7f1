"""Taking words back, all the way: answer or consent, then releases, then adapters.

This is the one door for withdrawals, because only this room sees everything that may hold the words.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from annotation.answers.judging import take_out_unusable_quotations
from annotation.answers.models import Answer
from annotation.answers.services import release_quarantined
from annotation.answers.services import withdraw_answer as take_back
from care.models import Policy, Receipt
from care.services import give_consent, withdraw_purposes
from ledger.checkpoints import checkpoint_after_commit
from ledger.services import append_entry
from people.models import Community, Person
from training.releases.models import Release
from training.releases.services import answers_with_words_of, mark_withdrawn
from training.runs.models import Adapter, AdapterEvent


@dataclass(frozen=True)
class Withdrawal:
    """What a withdrawal reached: numbers of answers, and the releases and adapters that held them."""

    answers: int
    releases: list[Release]
    adapters: list[Adapter]


@transaction.atomic
def withdraw_answer(*, answer: Answer, author: Person, now: datetime) -> Withdrawal:
    """Withdraw one answer (and corrections built on it); mark every release and adapter that held it."""
    community = answer.task.project.community
    withdrawn = take_back(answer=answer, author=author, now=now)
    reached = Answer.objects.filter(pk__in=[row.pk for row in withdrawn])
    marked = _mark(reached, len(withdrawn), now)
    if withdrawn:
        append_entry(
            action="answer.withdrawn",
            subject=f"answer:{answer.pk}",
            community=community.slug,
            actor=str(author.pk),
            now=now,
            details={"answers": len(withdrawn)},
        )
        checkpoint_after_commit(community=community.slug, now=now)
    return marked


@transaction.atomic
def withdraw_consent(*, person: Person, community: Community, purposes: Collection[str], now: datetime) -> Withdrawal:
    """Withdraw purposes (or all) for all of a person's words; mark every release and adapter that held them."""
    reached = answers_with_words_of(person, community)
    _lock_releases(reached)
    withdraw_purposes(person=person, community=community, purposes=purposes, now=now)
    checkpoint_after_commit(community=community.slug, now=now)
    take_out_unusable_quotations(reached, now=now)
    return _mark(reached, reached.count(), now)


@transaction.atomic
def change_consent(
    *, person: Person, policy: Policy, purposes: Collection[str], now: datetime, rendering: str = ""
) -> Receipt:
    """Give consent anew; purposes that are left out are withdrawn for the earlier words too, all the way.

    Raises PolicyChanged, UnknownPurpose.
    """
    _lock_releases(answers_with_words_of(person, policy.community))
    receipt = give_consent(person=person, policy=policy, purposes=purposes, rendering=rendering, now=now)
    checkpoint_after_commit(community=policy.community.slug, now=now)
    release_quarantined(author=person, receipt=receipt, now=now)
    reached = answers_with_words_of(person, policy.community)
    _mark(reached, reached.count(), now)
    return receipt


def _lock_releases(answers: QuerySet[Answer]) -> None:
    """Releases are locked before the ledger, here as where a run ends, so that neither waits for the other."""
    held = Release.objects.filter(pk__in=Release.objects.filter(items__answer__in=answers).values("pk"))
    list(held.select_for_update().order_by("pk"))


def _mark(answers: QuerySet[Answer], count: int, now: datetime) -> Withdrawal:
    releases = mark_withdrawn(answers=answers, now=now)
    adapters = list(Adapter.objects.filter(run__release__in=releases).select_related("run"))
    for adapter in adapters:
        marked = Adapter.objects.filter(pk=adapter.pk, withdrawn_since__isnull=True).update(withdrawn_since=now)
        if marked:
            AdapterEvent.objects.create(adapter=adapter, kind="words withdrawn", at=now)
    return Withdrawal(answers=count, releases=releases, adapters=adapters)
