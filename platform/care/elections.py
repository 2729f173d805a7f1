"""Which rules hold, how much a matter asks for, and a proposal's rows as an election that can be counted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from care.models import AdoptedRules, Agreement, Decision, Delegation, Matter, Policy, Proposal, ProposalEvent, Vote
from care.quorum import (
    LIGHT_PURPOSES,
    PRESETS,
    RISKY_PURPOSES,
    Ballot,
    Choice,
    Election,
    Kind,
    Outcome,
    Proxy,
    RuleSet,
    Seat,
    count,
)
from ledger.services import append_entry
from people.models import Community, Membership, Person
from people.refusals import Conflicting

# These train, release, hand out, or change what is asked for all of that.
RISKY_MATTERS = frozenset(
    {Matter.RUN, Matter.STANDING, Matter.RELEASE, Matter.ADAPTER, Matter.AGREEMENT, Matter.SCHEDULE, Matter.RULES}
)
# These only take away, so they begin at once, and few people are enough.
TIGHTENING = frozenset({Matter.RATIFY, Matter.REVOKE})
# About another decision, by the rules of its own matter.
ABOUT_DECISIONS = frozenset({Matter.RATIFY, Matter.LIFT, Matter.REVOKE})
# Whoever proposes one of these asks for it, and does not vote on it.
REQUESTED = frozenset({Matter.RUN, Matter.AGREEMENT})


class NotPossible(Conflicting):
    """The act does not fit the present state of a proposal or a decision."""


def rules_of(community: Community, matter: str) -> RuleSet:
    """The rule set in force for a matter. A community that adopted none lets any one steward decide."""
    adopted = AdoptedRules.objects.filter(community=community, matter__in=["", matter])
    row = adopted.order_by("-matter", "-version").first()
    return RuleSet.from_mapping(row.rule) if row else PRESETS[Kind.SINGLE]


def policy_subject(text: str, purposes: Collection[str], terms: Mapping[str, Any], waiver: str = "") -> str:
    """How a consent text is named in a decision: exactly this text, with exactly these purposes and terms.

    A waiver of its check by a second speaker is part of what is decided on.
    """
    parts = [text, sorted(str(purpose) for purpose in purposes), terms, *([waiver] if waiver else [])]
    content = json.dumps(parts, sort_keys=True)
    return f"policy:{hashlib.sha256(content.encode()).hexdigest()[:16]}"


def subject_of(policy: Policy) -> str:
    """How a published policy is named in the decision on it."""
    return policy_subject(policy.text, policy.purposes, policy.terms, policy.waiver)


def decision_named(community: Community, subject: str) -> Decision:
    """The decision that a subject like decision:7 names. Raises NotPossible."""
    number = subject.removeprefix("decision:")
    ours = Decision.objects.filter(community=community)
    found: Decision | None = ours.filter(pk=int(number)).first() if number.isdecimal() else None
    if found is None:
        raise NotPossible("There is no such decision.")
    return found


def agreement_named(community: Community, subject: str) -> Agreement | None:
    """The agreement that a subject like agreement:12 names, if the community has it."""
    number = subject.removeprefix("agreement:")
    ours = Agreement.objects.filter(community=community)
    return ours.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None


def applicants_of(proposal: Proposal) -> set[int]:
    """Who asks for access, and whom they name: they never decide on it, nor on letting it go on, not even alone."""
    if proposal.matter == Matter.LIFT:
        return applicants_of(decision_named(proposal.community, proposal.subject).proposal)
    named = agreement_named(proposal.community, proposal.subject) if proposal.matter == Matter.AGREEMENT else None
    return {named.applicant_id, *named.users.values_list("pk", flat=True)} if named else set()


def matter_of(community: Community, matter: str, subject: str) -> str:
    """Whose rules hold: the matter's own, or those of the decision that it is about."""
    return decision_named(community, subject).matter if matter in ABOUT_DECISIONS else matter


def is_risky(proposal: Proposal) -> bool:
    """Whether the proposal asks for the larger quorum."""
    if proposal.matter in TIGHTENING:
        return False
    if proposal.matter == Matter.LIFT:
        return is_risky(decision_named(proposal.community, proposal.subject).proposal)
    return proposal.matter in RISKY_MATTERS or bool(set(proposal.purposes) & RISKY_PURPOSES)


def is_light(matter: str, purposes: Collection[str]) -> bool:
    """Whether fewer than three people may decide it: showing, rating, and taking away."""
    if matter in TIGHTENING:
        return True
    return matter in {Matter.POLICY, Matter.PROJECT} and bool(purposes) and set(purposes) <= LIGHT_PURPOSES


def seats_now(community: Community, rule: RuleSet) -> list[dict[str, Any]]:
    """Who may vote at this moment, as it is kept with a proposal."""
    held: dict[int, list[str]] = {}
    live = Membership.objects.live().filter(community=community, role__in=rule.voters).order_by("person_id", "role")
    for person, role in live.values_list("person_id", "role"):
        held.setdefault(person, []).append(role)
    return [{"person": person, "roles": roles} for person, roles in held.items()]


def proxies_for(proposal: Proposal) -> list[Proxy]:
    """The delegations that cover the proposal's matter."""
    rows = Delegation.objects.filter(community_id=proposal.community_id, giver__in=proposal.elector_ids)
    return [
        Proxy(row.giver_id, row.receiver_id, row.since, row.until, row.revoked_at)
        for row in rows
        if not row.matters or proposal.matter in row.matters
    ]


def barred_from(proposal: Proposal) -> set[int]:
    """Who does not count: upheld conflicts of interest, and whoever asks for the use. Lifting a suspension allows the
    use again, so it bars whom the first vote barred. Where one steward decides alone, nobody is left who could instead,
    but on access for themselves nobody decides.
    """
    applicants = applicants_of(proposal)
    barred = applicants | set(proposal.conflicts.filter(is_upheld=True).values_list("person_id", flat=True))
    if proposal.rule["kind"] == Kind.SINGLE:
        return barred
    if proposal.matter == Matter.LIFT:
        return barred | barred_from(decision_named(proposal.community, proposal.subject).proposal)
    # A steward who puts somebody else's request to the vote asks for nothing themselves.
    is_own_request = proposal.matter in REQUESTED and not applicants
    return barred | {proposal.proposer_id} if is_own_request else barred


def election_of(proposal: Proposal) -> Election:
    """The proposal's votes as they can be counted."""
    votes = Vote.objects.filter(proposal=proposal)
    return Election(
        rule=RuleSet.from_mapping(proposal.rule),
        seats=[Seat(seat["person"], frozenset(seat["roles"])) for seat in proposal.electors],
        ballots=[Ballot(vote.elector_id, vote.cast_by_id, Choice(vote.choice), vote.cast_at) for vote in votes],
        proxies=proxies_for(proposal),
        barred=barred_from(proposal),
        configured_by=proposal.configured_by_id,
        is_risky=is_risky(proposal),
        is_light=is_light(proposal.matter, proposal.purposes),
    )


def outcome_now(proposal: Proposal) -> Outcome:
    """What the votes would come to if the vote closed now."""
    return count(election_of(proposal))


def may_close(proposal: Proposal, now: datetime) -> bool:
    """Whether the vote is over: its time is, or nobody is left who could change it.

    Nobody picks the moment at which the votes happen to suit them.
    """
    rule = RuleSet.from_mapping(proposal.rule)
    if now >= proposal.closes_at:
        return True
    if now < proposal.opened_at + timedelta(days=rule.min_days):
        return False
    tally = outcome_now(proposal).tally
    return tally["cast"] > 0 if rule.kind == Kind.SINGLE else tally["cast"] == tally["electors"]


@transaction.atomic
def record(proposal: Proposal, kind: str, actor: Person | None, now: datetime, **details: Any) -> None:
    """Note what happened, in the proposal's history and, without who voted how, in the ledger."""
    ProposalEvent.objects.create(proposal=proposal, kind=kind, actor=actor, details=details, at=now)
    append_entry(
        action=f"decision.{kind.replace(' ', '_')}",
        subject=f"proposal:{proposal.pk}",
        community=proposal.community.slug,
        actor=str(actor.pk) if actor else "",
        now=now,
        details={"matter": proposal.matter},
        private={"about": proposal.subject[:100]},
    )
