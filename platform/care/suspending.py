"""Stopping a use takes one steward; letting it go on takes the community. And appeals, before a decision holds."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from care.deciding import propose
from care.effects import lock, require_fitting, step
from care.elections import ABOUT_DECISIONS, NotPossible, record
from care.models import Appeal, Decision, Matter, Proposal, Suspension
from care.quorum import RuleSet
from people.models import Person, Role
from people.refusals import Conflicting, Invalid
from people.services import require_role

SUSPENSION_DAYS = 14
# These act when they begin and allow nothing afterwards, so there is nothing to stop.
NOT_TO_STOP = ABOUT_DECISIONS | {Matter.RULES}


@transaction.atomic
def suspend(*, decision: Decision, suspended_by: Person, reason: str, now: datetime) -> Suspension:
    """Stop what a decision allows, at once; one steward or the platform's staff may. It ends after 14 days unless
    the community ratifies it. Raises NotAllowed, Invalid, NotPossible.
    """
    decision = Decision.objects.select_for_update(of=("self",)).select_related("community").get(pk=decision.pk)
    if not suspended_by.is_staff:
        require_role(suspended_by, decision.community, Role.STEWARD)
    if not reason.strip():
        raise Invalid("Give the reason.", field="reason")
    if decision.matter in NOT_TO_STOP:
        raise NotPossible("There is nothing to stop here.")
    step(decision, "suspend")
    suspension = Suspension.objects.create(
        decision=decision,
        suspended_by=suspended_by,
        reason=reason.strip()[:1000],
        began_at=now,
        ends_at=now + timedelta(days=SUSPENSION_DAYS),
    )
    record(decision.proposal, "suspended", suspended_by, now)
    return suspension


def propose_about(
    *, decision: Decision, matter: str, text: str, proposer: Person, now: datetime, days: int | None = None
) -> Proposal:
    """Propose to keep a suspension, to lift it, or to take the decision back. Raises NotPossible and as `propose`."""
    require_fitting(decision, matter)
    return propose(
        community=decision.community,
        matter=matter,
        subject=f"decision:{decision.pk}",
        text=text,
        proposer=proposer,
        now=now,
        days=days,
        purposes=decision.proposal.purposes,
        configured_by=decision.proposal.configured_by,
    )


@transaction.atomic
def appeal(*, proposal: Proposal, appealed_by: Person, reason: str, now: datetime) -> Appeal:
    """Have a passed proposal voted on again before it holds; once. The votes stand until they are changed.

    Raises NotAllowed, Invalid, NotPossible, Conflicting.
    """
    proposal = lock(proposal)
    require_role(appealed_by, proposal.community, Role.STEWARD)
    if not reason.strip():
        raise Invalid("Give the reason.", field="reason")
    if Appeal.objects.filter(proposal=proposal).exists():
        raise Conflicting("There was an appeal already, and one is heard for each proposal.")
    decision = proposal.decisions.select_for_update().first()
    if decision is None or now >= decision.effective_from:
        raise NotPossible("The time for appeals is over.")
    others = Proposal.objects.open().filter(
        community=proposal.community, matter=proposal.matter, subject=proposal.subject
    )
    if others.exists():
        raise NotPossible("A vote on this is open already.")
    step(decision, "appeal")
    step(proposal, "appeal")
    rule = RuleSet.from_mapping(proposal.rule)
    proposal.closes_at = now + timedelta(days=max(1, rule.min_days))
    proposal.save(update_fields=["closes_at"])
    made = Appeal.objects.create(proposal=proposal, appealed_by=appealed_by, reason=reason.strip()[:1000], at=now)
    record(proposal, "appealed", appealed_by, now)
    return made
