"""Voting, saying what one thinks, conflicts of interest, and letting somebody vote in one's place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from care.effects import lock
from care.elections import barred_from, proxies_for, record
from care.models import ConflictDeclaration, Delegation, Matter, Proposal, ProposalRemark, Vote
from care.quorum import ELDER, LONGEST_DELEGATION_MONTHS, STEWARD, Ballot, Choice, may_cast, months_after
from ledger.services import append_entry
from people.models import Community, Person
from people.refusals import Conflicting, Invalid, NotAllowed, TooLate
from people.services import has_role, require_role


class NotAnElector(NotAllowed):
    """The person has no vote here, or not for this seat."""


class VoteIsOver(TooLate):
    """The vote was closed, or its time is over."""


class TooLong(Invalid):
    """A delegation of more than twelve months."""


def open_one(proposal: Proposal, now: datetime) -> Proposal:
    """The proposal, locked, while votes are taken. Raises VoteIsOver."""
    locked = lock(proposal)
    if locked.state != Proposal.State.OPEN or now >= locked.closes_at:
        raise VoteIsOver("The vote is over.")
    return locked


@transaction.atomic
def vote(
    *, proposal: Proposal, choice: str, cast_by: Person, now: datetime, elector: Person | None = None, reason: str = ""
) -> Vote:
    """Cast or change a vote: one's own, or that of an `elector` who asked for it.

    Raises Invalid, VoteIsOver, NotAnElector, NotAllowed.
    """
    proposal = open_one(proposal, now)
    elector = elector or cast_by
    if choice not in Vote.Choice.values:
        raise Invalid("Choose one of the answers.", field="choice")
    if elector.pk not in proposal.elector_ids or not has_role(cast_by, proposal.community):
        raise NotAnElector("You have no vote on this: it went to those who could vote when it opened.")
    ballot = Ballot(elector.pk, cast_by.pk, Choice(choice), now)
    if not may_cast(proxies_for(proposal), ballot):
        raise NotAnElector("You may not vote for that person, or not any more.")
    if {elector.pk, cast_by.pk} & barred_from(proposal):
        raise NotAnElector("Who has an interest of their own in this does not vote on it.")
    before = Vote.objects.filter(proposal=proposal, elector=elector).first()
    if before and before.cast_by_id == elector.pk != cast_by.pk:
        raise NotAnElector("That person has voted already.")
    stored, _ = Vote.objects.update_or_create(
        proposal=proposal,
        elector=elector,
        defaults={"choice": choice, "cast_by": cast_by, "reason": reason.strip()[:1000], "cast_at": now},
    )
    record(proposal, "voted", cast_by, now, elector=elector.pk, choice=choice)
    return stored


@transaction.atomic
def discuss(*, proposal: Proposal, author: Person, text: str, now: datetime) -> ProposalRemark:
    """Say something to the others; every member may. Raises Invalid, NotAllowed."""
    require_role(author, proposal.community)
    if not text.strip():
        raise Invalid("Write something first.", field="text")
    remark = ProposalRemark.objects.create(proposal=proposal, author=author, text=text.strip()[:2000], at=now)
    record(proposal, "discussed", author, now)
    return remark


@transaction.atomic
def declare_conflict(
    *, proposal: Proposal, person: Person, declared_by: Person, nature: str, now: datetime
) -> ConflictDeclaration:
    """Say that an elector has an interest of their own. Of oneself it is upheld at once.

    Raises Invalid, VoteIsOver, NotAnElector, Conflicting.
    """
    proposal = open_one(proposal, now)
    _require_elector(proposal, declared_by)
    if person.pk not in proposal.elector_ids:
        raise NotAnElector("That person has no vote on this.")
    if not nature.strip():
        raise Invalid("Say what the interest is.", field="nature")
    if proposal.conflicts.filter(person=person).exists():
        raise Conflicting("This was said of that person already.")
    is_own = person.pk == declared_by.pk
    declaration = ConflictDeclaration.objects.create(
        proposal=proposal,
        person=person,
        declared_by=declared_by,
        nature=nature.strip()[:1000],
        declared_at=now,
        is_upheld=True if is_own else None,
        judged_by=declared_by if is_own else None,
        judged_at=now if is_own else None,
    )
    record(proposal, "conflict declared", declared_by, now, person=person.pk, upheld=is_own)
    return declaration


@transaction.atomic
def judge_conflict(*, conflict: ConflictDeclaration, judged_by: Person, uphold: bool, now: datetime) -> None:
    """A third elector upholds or dismisses what one said of another. Raises NotAnElector, VoteIsOver, Conflicting."""
    proposal = open_one(conflict.proposal, now)
    conflict = ConflictDeclaration.objects.select_for_update().get(pk=conflict.pk)
    _require_elector(proposal, judged_by)
    if judged_by.pk in {conflict.person_id, conflict.declared_by_id}:
        raise NotAnElector("Somebody else judges this: neither who said it, nor of whom it was said.")
    if conflict.is_upheld is not None:
        raise Conflicting("This was judged already.")
    conflict.is_upheld, conflict.judged_by, conflict.judged_at = uphold, judged_by, now
    conflict.save(update_fields=["is_upheld", "judged_by", "judged_at"])
    record(proposal, "conflict judged", judged_by, now, person=conflict.person_id, upheld=uphold)


def _require_elector(proposal: Proposal, person: Person) -> None:
    if person.pk not in proposal.elector_ids or not has_role(person, proposal.community):
        raise NotAnElector("You have no vote on this: it went to those who could vote when it opened.")


@transaction.atomic
def delegate(
    *,
    community: Community,
    giver: Person,
    receiver: Person,
    until: datetime,
    now: datetime,
    matters: Sequence[str] = (),
) -> Delegation:
    """Let a member vote in one's place for up to twelve months; only one's own vote can be given.

    Raises NotAllowed, TooLong, Invalid, Conflicting.
    """
    require_role(giver, community, STEWARD, ELDER)
    if giver.pk == receiver.pk or not has_role(receiver, community):
        raise Invalid("Choose another member of the community.", field="receiver")
    if not now < until <= months_after(now, LONGEST_DELEGATION_MONTHS):
        raise TooLong("Somebody may vote for you for twelve months at most.", field="until")
    if set(matters) - set(Matter.values):
        raise Invalid("Choose what is to be decided.", field="matters")
    Community.objects.select_for_update().get(pk=community.pk)
    if Delegation.objects.filter(community=community, giver=giver, revoked_at=None, until__gt=now).exists():
        raise Conflicting("Somebody votes for you already. Take that back first.")
    delegation = Delegation.objects.create(
        community=community, giver=giver, receiver=receiver, matters=list(matters), since=now, until=until
    )
    _record_delegation(delegation, "delegation.given", giver, now)
    return delegation


@transaction.atomic
def revoke_delegation(*, delegation: Delegation, revoked_by: Person, now: datetime) -> None:
    """Take one's vote back; twice changes nothing. Votes that were cast stay until one changes them."""
    if revoked_by.pk != delegation.giver_id:
        raise NotAllowed("Only whose vote it is takes it back.")
    if Delegation.objects.filter(pk=delegation.pk, revoked_at=None).update(revoked_at=now):
        _record_delegation(delegation, "delegation.revoked", revoked_by, now)


def _record_delegation(delegation: Delegation, action: str, actor: Person, now: datetime) -> None:
    append_entry(
        action=action,
        subject=f"delegation:{delegation.pk}",
        community=delegation.community.slug,
        actor=str(actor.pk),
        now=now,
        details={"days": (delegation.until - delegation.since).days},
    )
