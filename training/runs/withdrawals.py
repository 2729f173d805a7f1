"""Taking words and votes back, all the way: answer or consent, then releases, then runs, then adapters.

This is the one door for withdrawals. It opens a case (`care.withdrawing`), does at once what must be done at once, and
leaves the rest to `training.lineage`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from annotation.answers.judging import take_out_unusable_quotations
from annotation.answers.models import Answer
from annotation.answers.services import release_quarantined
from annotation.answers.services import withdraw_answer as take_back
from care.models import Grant, Policy, Receipt, Withdrawal
from care.services import give_consent, withdraw_purposes
from care.withdrawing import Name, add_stage, finish_stage, open_withdrawal
from ledger.checkpoints import checkpoint_after_commit
from ledger.services import append_entry
from people.models import Community, Person
from training.releases.models import Release, ReleaseItem
from training.releases.notices import open_notices_on
from training.releases.querysets import ReleaseItemQuerySet
from training.releases.services import answers_with_words_of, items_with_words_of, mark_withdrawn
from training.runs.additions import discard_made_of
from training.runs.beside import runs_on
from training.runs.going_on import go_on_without
from training.runs.models import Adapter, AdapterEvent, Run
from training.runs.promotion import in_service
from training.runs.services import LIVE, stop_runs_on


@dataclass(frozen=True)
class Reached:
    """What a withdrawal reached: numbers of answers, the releases and adapters that held them, and its case."""

    answers: int
    releases: list[Release]
    adapters: list[Adapter]
    case: Withdrawal | None = None


@transaction.atomic
def withdraw_answer(*, answer: Answer, author: Person, now: datetime) -> Reached:
    """Withdraw one answer (and corrections built on it); mark every release and adapter that held it."""
    community = answer.task.project.community
    lock_community(community)
    withdrawn = take_back(answer=answer, author=author, now=now)
    reached = Answer.objects.filter(pk__in=[row.pk for row in withdrawn])
    items = ReleaseItem.objects.touched_by(answers=reached)
    lock_releases(items)
    marked = _mark(items, len(withdrawn), now)
    if not withdrawn:
        return marked
    case = open_withdrawal(
        person=author,
        community=community,
        scope=Withdrawal.Scope.ITEM,
        answer_key=str(answer.pk),
        answers=len(withdrawn),
        now=now,
    )
    _finish_what_is_done(case, marked, items, now)
    append_entry(
        action="answer.withdrawn",
        subject=f"answer:{answer.pk}",
        community=community.slug,
        actor=str(author.pk),
        now=now,
        details={"answers": len(withdrawn)},
    )
    checkpoint_after_commit(community=community.slug, now=now)
    return replace(marked, case=case)


@transaction.atomic
def withdraw_consent(*, person: Person, community: Community, purposes: Collection[str], now: datetime) -> Reached:
    """Withdraw purposes (or all) for all of a person's words; mark every release and adapter that held them."""
    lock_community(community)
    reached, items = answers_with_words_of(person, community), items_with_words_of(person, community)
    lock_releases(items)
    ended = withdraw_purposes(person=person, community=community, purposes=purposes, now=now)
    checkpoint_after_commit(community=community.slug, now=now)
    take_out_unusable_quotations(reached, now=now)
    marked = _mark(items, reached.count(), now)
    if not ended:
        return marked
    return replace(marked, case=_open(person, community, purposes, marked, items, now))


@transaction.atomic
def change_consent(
    *, person: Person, policy: Policy, purposes: Collection[str], now: datetime, rendering: str = ""
) -> Receipt:
    """Give consent anew; purposes that are left out are withdrawn for the earlier words too, all the way.

    Raises PolicyChanged, UnknownPurpose.
    """
    lock_community(policy.community)
    items = items_with_words_of(person, policy.community)
    lock_releases(items)
    dropped = _live(person, policy.community) - set(purposes)
    receipt = give_consent(person=person, policy=policy, purposes=purposes, rendering=rendering, now=now)
    checkpoint_after_commit(community=policy.community.slug, now=now)
    release_quarantined(author=person, receipt=receipt, now=now)
    marked = _mark(items, answers_with_words_of(person, policy.community).count(), now)
    if dropped:
        _open(person, policy.community, dropped, marked, items, now)
    return receipt


def _live(person: Person, community: Community) -> set[str]:
    """What the person allows in the community now, under any receipt."""
    given = Grant.objects.live().filter(receipt__person=person, receipt__community=community)
    return set(given.values_list("purpose", flat=True))


def _open(
    person: Person,
    community: Community,
    purposes: Collection[str],
    marked: Reached,
    items: ReleaseItemQuerySet,
    now: datetime,
) -> Withdrawal:
    takes_all = not _live(person, community)
    case = open_withdrawal(
        person=person,
        community=community,
        scope=Withdrawal.Scope.EVERYTHING if takes_all else Withdrawal.Scope.PURPOSE,
        purposes=purposes,
        answers=marked.answers,
        now=now,
    )
    _finish_what_is_done(case, marked, items, now)
    return case


def _finish_what_is_done(case: Withdrawal, marked: Reached, items: ReleaseItemQuerySet, now: datetime) -> None:
    """Tick off what happened in this transaction. The stewards read of it on their desk from this moment on."""
    live = Run.objects.filter(pk__in=runs_on(marked.releases), state__in=LIVE)
    done = {Name.REFUSED: marked.answers, Name.MARKED: len(marked.releases), Name.PAUSED: len(marked.adapters)}
    done[Name.TOLD] = 1
    if not live.exists():
        done[Name.STOPPED] = 0
    if not any(adapter.deleted_at is None for adapter in marked.adapters):
        done[Name.ENDED] = 0
    for name, number in done.items():
        finish_stage(withdrawal=case, name=name, number=number, now=now)
    # Only where somebody holds a download of these words: they were told in this transaction or before, and must say
    # that it is gone. The release itself may be unmarked: it was given for more than it was made for, such as research.
    if notices := open_notices_on(items):
        case.notices.set(notices)
        add_stage(withdrawal=case, name=Name.HOLDERS_TOLD, now=now)


def lock_community(community: Community) -> None:
    """Before releases and the ledger, as where something is frozen or queued: what goes on takes the next numbers. It
    keeps nobody from adding rows that refer to the community."""
    Community.objects.select_for_update(no_key=True).get(pk=community.pk)


def lock_releases(items: ReleaseItemQuerySet) -> None:
    """Releases are locked before the ledger, here as where a run ends, so that neither waits for the other: those that
    hold the rows, and those of runs that learn from what was made of them."""
    held = set(items.values_list("release", flat=True))
    runs = runs_on(Release.objects.filter(pk__in=held))
    wanted = held | set(Run.objects.filter(pk__in=runs).values_list("release", flat=True))
    list(Release.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))


def _mark(items: ReleaseItemQuerySet, count: int, now: datetime) -> Reached:
    releases = mark_withdrawn(items=items, now=now)
    stop_runs_on(releases, now=now)
    discard_made_of(releases, now=now)
    reached = Adapter.objects.filter(run__in=runs_on(releases)).order_by("pk")
    adapters = list(reached.select_related("run__release__project"))
    for adapter in adapters:
        answers = in_service(adapter.run.release.project) == adapter
        marked = Adapter.objects.filter(pk=adapter.pk, withdrawn_since__isnull=True).update(withdrawn_since=now)
        if marked:
            AdapterEvent.objects.create(adapter=adapter, kind="words withdrawn", at=now)
            if answers:
                go_on_without(adapter=adapter, now=now)
    return Reached(answers=count, releases=releases, adapters=adapters)
