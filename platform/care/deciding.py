"""Proposing, closing a vote, deciding alone where the rules say so, and asking whether a decision covers an act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from care.agreement_steps import ANSWER_WITHIN, owe_answer
from care.effects import begin, end_suspensions, is_alone, lift, lock, require_fitting, step, store_decision
from care.elections import (
    ABOUT_DECISIONS,
    NotPossible,
    agreement_named,
    decision_named,
    is_light,
    matter_of,
    may_close,
    outcome_now,
    policy_subject,
    record,
    rules_of,
    seats_now,
)
from care.models import AdoptedRules, Agreement, Decision, Matter, Proposal, Suspension, Vote
from care.quorum import BadRules, Result, RuleSet, may_be_put_to_vote
from ledger.checkpoints import checkpoint_after_commit
from people.models import Community, Person, Role
from people.refusals import Invalid, NotAllowed
from people.services import has_role, require_role

PROPOSERS = (Role.STEWARD, Role.ELDER, Role.RESEARCHER)
ACT_OF = {Result.PASSED: "pass", Result.REJECTED: "reject", Result.NO_QUORUM: "miss the quorum"}
# What opening a project does with words, as long as nothing else is said.
USUAL_PURPOSES: dict[str, tuple[str, ...]] = {Matter.PROJECT: ("display_members", "peer_review")}


class DecisionNeeded(NotAllowed):
    """The community (by its slug) has not decided on this; `matter` and `subject` say what to propose."""

    def __init__(self, message: str, *, community: str, matter: str, subject: str, **values: object) -> None:
        super().__init__(message, **values)
        self.community, self.matter, self.subject = community, matter, subject


class IsSuspended(NotAllowed):
    """A steward stopped this use, and only the community lets it go on."""


class TooFewElectors(NotAllowed):
    """Fewer than three people may vote."""


def decision_in_force(*, community: Community, matter: str, subject: str, now: datetime) -> Decision | None:
    """The decision that allows the subject at that moment, if there is one."""
    same = Decision.objects.in_force(now).filter(community=community, matter=matter, subject=subject)
    return same.select_related("proposal").first()


def is_suspended(*, community: Community, matter: str, subject: str) -> bool:
    """Whether somebody stopped it."""
    stopped = Decision.objects.filter(community=community, matter=matter, subject=subject)
    return stopped.filter(state=Decision.State.SUSPENDED).exists()


@transaction.atomic
def require_decision(
    *,
    community: Community,
    matter: str,
    subject: str,
    actor: Person | None,
    now: datetime,
    text: str = "",
    purposes: Sequence[str] = (),
    configured_by: Person | None = None,
) -> Decision | None:
    """The decision under which the act may be done now.

    Where one steward may decide alone, a steward's act is the decision and is written down as one; others act there
    under what stewards allow them. Raises DecisionNeeded, IsSuspended.
    """
    if is_suspended(community=community, matter=matter, subject=subject):
        raise IsSuspended("This was suspended. The community must lift the suspension first.")
    found = decision_in_force(community=community, matter=matter, subject=subject, now=now)
    if is_alone(rules_of(community, matter)):
        if found or actor is None or not has_role(actor, community, Role.STEWARD):
            return found
        return decide_alone(
            community=community, matter=matter, subject=subject, decided_by=actor, now=now, text=text, purposes=purposes
        )
    if found is None:
        raise DecisionNeeded(
            "This needs a decision of the community first: %(what)s.",
            what=str(Matter(matter).label),
            community=community.slug,
            matter=matter,
            subject=subject,
        )
    if configured_by is not None and set(found.approvers) <= {configured_by.pk}:
        raise NotAllowed("Whoever set this up must not be the only one who is for it.")
    return found


@transaction.atomic
def give_up(*, community: Community, matter: str, subject: str, given_up_by: Person, now: datetime) -> None:
    """A steward ends what a decision allows, so that allowing it again is a decision of its own."""
    require_role(given_up_by, community, Role.STEWARD)
    found = decision_in_force(community=community, matter=matter, subject=subject, now=now)
    if found is not None:
        step(found, "give up")
        record(found.proposal, "given up", given_up_by, now)


@transaction.atomic
def propose(*, community: Community, proposer: Person, now: datetime, matter: str, **fields: Any) -> Proposal:
    """Decide at once where the proposer may do so alone, else open a vote."""
    rule = rules_of(community, matter_of(community, matter, fields["subject"]))
    if is_alone(rule) and has_role(proposer, community, Role.STEWARD):
        kept = {name: value for name, value in fields.items() if name not in {"days", "configured_by"}}
        return decide_alone(community=community, decided_by=proposer, now=now, matter=matter, **kept).proposal
    return open_proposal(community=community, proposer=proposer, now=now, matter=matter, **fields)


@transaction.atomic
def decide_alone(
    *, community: Community, matter: str, subject: str, decided_by: Person, now: datetime, text: str = "", **more: Any
) -> Decision:
    """Proposal, vote and decision of one steward in one step. Raises NotAllowed where the rules ask for more."""
    require_role(decided_by, community, Role.STEWARD)
    rule = rules_of(community, matter_of(community, matter, subject))
    if not is_alone(rule):
        raise NotAllowed("In this community nobody decides this alone.")
    proposal = _proposal(community, matter, subject, decided_by, rule, now, text=text, **more)
    proposal.closes_at = now
    proposal.save()
    Vote.objects.create(proposal=proposal, elector=decided_by, cast_by=decided_by, choice=Vote.Choice.FOR, cast_at=now)
    outcome = outcome_now(proposal)
    if outcome.result != Result.PASSED:
        raise NotAllowed(outcome.reason.message, **outcome.reason.values)
    step(proposal, "pass")
    record(proposal, "decided alone", decided_by, now)
    return store_decision(proposal, outcome, now, alone=True)


@transaction.atomic
def open_proposal(
    *,
    community: Community,
    matter: str,
    subject: str,
    text: str,
    proposer: Person,
    now: datetime,
    days: int | None = None,
    **more: Any,
) -> Proposal:
    """Open a vote among those who may vote now; `days` is how long, by default as long as the rules allow.

    Raises Invalid, NotAllowed, NotPossible, TooFewElectors.
    """
    require_role(proposer, community, *PROPOSERS)
    rule = rules_of(community, matter_of(community, matter, subject))
    if matter == Matter.POLICY:
        _checked_policy(subject, more.get("conditions") or {}, more.get("purposes") or ())
    if not text.strip():
        raise Invalid("Say what is proposed.", field="text")
    days = rule.max_days if days is None else days
    if not max(rule.min_days, 1) <= days <= rule.max_days:
        raise Invalid(
            "A vote here is open for %(least)s to %(most)s days.",
            field="days",
            least=max(rule.min_days, 1),
            most=rule.max_days,
        )
    proposal = _proposal(community, matter, subject, proposer, rule, now, text=text, **more)
    proposal.closes_at = now + timedelta(days=days)
    light = is_light(matter, proposal.purposes)
    if not may_be_put_to_vote(rule, len(proposal.electors), is_light=light):
        raise TooFewElectors("At least three people must be able to vote on this. Name stewards or elders first.")
    proposal.save()
    owe_answer(proposal, None)
    record(proposal, "opened", proposer, now, electors=len(proposal.electors))
    return proposal


def _proposal(
    community: Community, matter: str, subject: str, proposer: Person, rule: RuleSet, now: datetime, **more: Any
) -> Proposal:
    """The proposal before it is stored, when it may be made at all."""
    if matter not in Matter.values:
        raise Invalid("Choose what is to be decided.", field="matter")
    if not subject.strip() or len(subject) > 300:
        raise Invalid("Say what it is about.", field="subject")
    Community.objects.select_for_update().get(pk=community.pk)
    if Proposal.objects.open().filter(community=community, matter=matter, subject=subject).exists():
        raise NotPossible("A vote on this is open already.")
    if is_suspended(community=community, matter=matter, subject=subject):
        raise IsSuspended("This was suspended. The community must lift the suspension first.")
    if matter in ABOUT_DECISIONS:
        require_fitting(decision_named(community, subject), matter)
    if matter == Matter.AGREEMENT:
        _checked_agreement(community, subject, more.get("conditions") or {})
    if matter == Matter.RULES:
        _checked_rules(community, more.get("conditions") or {})
    electors = seats_now(community, rule)
    return Proposal(
        community=community,
        matter=matter,
        subject=subject,
        proposer=proposer,
        rule=rule.as_mapping(),
        electors=electors,
        opened_at=now,
        text=more.get("text", "")[:5000],
        harm=more.get("harm", "")[:5000],
        benefit=more.get("benefit", "")[:5000],
        purposes=[str(one) for one in more.get("purposes") or USUAL_PURPOSES.get(matter, ())],
        conditions=dict(more.get("conditions") or {}),
        configured_by=more.get("configured_by"),
    )


def _checked_policy(subject: str, conditions: Mapping[str, Any], purposes: Sequence[str]) -> None:
    """Whoever votes on a consent text must read the text that the decision will cover."""
    text, terms = str(conditions.get("text", "")), conditions.get("terms") or {}
    if policy_subject(text, purposes, terms, str(conditions.get("waiver", ""))) != subject:
        raise Invalid("This is not the text that is to be decided on.", field="text")


def _checked_agreement(community: Community, subject: str, conditions: Mapping[str, Any]) -> None:
    """Whoever votes on access reads the terms that the decision will cover, and they do not change meanwhile."""
    agreement = agreement_named(community, subject)
    if agreement is None or agreement.state != Agreement.State.SUBMITTED:
        raise Invalid("There is no request for access that waits for a decision.", field="subject")
    if conditions.get("terms_sha256") != agreement.terms_sha256:
        raise Invalid("These are not the terms that are to be decided on.", field="subject")


def _checked_rules(community: Community, conditions: Mapping[str, Any]) -> None:
    try:
        rule = RuleSet.from_mapping(conditions.get("rule") or {"kind": ""})
    except BadRules as error:
        raise Invalid(error.because.message, field=error.setting, **error.because.values) from error
    if conditions.get("matter", "") not in {"", *Matter.values} - ABOUT_DECISIONS:
        raise Invalid("Choose what is to be decided.", field="matter")
    if not may_be_put_to_vote(rule, len(seats_now(community, rule)), is_light=False):
        raise TooFewElectors("At least three people must be able to vote on this. Name stewards or elders first.")


@transaction.atomic
def set_rules(
    *, community: Community, rule: Mapping[str, Any], set_by: Person, now: datetime, matter: str = "", text: str = ""
) -> Proposal:
    """Change how the community decides, on one matter or on all without rules of their own: a decision under the
    present rules. Raises Invalid, NotAllowed, TooFewElectors."""
    return propose(
        community=community,
        matter=Matter.RULES,
        subject=f"rules:{matter or 'all'}",
        proposer=set_by,
        now=now,
        text=text,
        conditions={"rule": dict(rule), "matter": matter},
    )


@transaction.atomic
def take_back_proposal(*, proposal: Proposal, taken_back_by: Person, now: datetime) -> None:
    """Its proposer withdraws an open proposal."""
    proposal = lock(proposal)
    if taken_back_by.pk != proposal.proposer_id:
        raise NotAllowed("Only who proposed this takes it back.")
    step(proposal, "take back")
    owe_answer(proposal, now + ANSWER_WITHIN)
    record(proposal, "taken back", taken_back_by, now)


@transaction.atomic
def close_proposal(*, proposal: Proposal, now: datetime, closed_by: Person | None = None) -> Decision:
    """Count the votes and write the decision down; `closed_by` None is the clock. Raises NotPossible, NotAllowed."""
    proposal = lock(proposal)
    if closed_by is not None:
        require_role(closed_by, proposal.community, Role.STEWARD, Role.ELDER)
    if proposal.state != Proposal.State.OPEN or not may_close(proposal, now):
        raise NotPossible("The vote goes on until its time is over, or everybody has voted.")
    outcome = outcome_now(proposal)
    step(proposal, ACT_OF[outcome.result])
    record(proposal, "closed", closed_by, now, result=outcome.result, tally=outcome.tally)
    return store_decision(proposal, outcome, now)


@transaction.atomic
def keep_time(*, now: datetime) -> int:
    """Close votes whose time is over, let decisions begin and end, and let suspensions lapse; returns how many."""
    done = 0
    for proposal in Proposal.objects.due(now):
        close_proposal(proposal=proposal, now=now)
        done += 1
    rows = Decision.objects.select_for_update(of=("self",)).select_related("community", "proposal")
    for decision in rows.filter(state=Decision.State.COOLING_OFF, effective_from__lte=now):
        begin(decision, now)
        checkpoint_after_commit(community=decision.community.slug, now=now)
        done += 1
    over = Suspension.objects.filter(state=Suspension.State.RUNNING, ends_at__lte=now)
    for decision in rows.filter(state=Decision.State.SUSPENDED, suspensions__in=over):
        lift(decision, "lapse", now)
        done += 1
    for decision in rows.filter(state__in=["in_force", "suspended"], expires_at__lte=now):
        end_suspensions(decision)
        step(decision, "expire")
        record(decision.proposal, "expired", None, now)
        done += 1
    return done


def adopted_rules(community: Community) -> list[AdoptedRules]:
    """The latest rules for each matter that has some; the general ones first."""
    rows = AdoptedRules.objects.filter(community=community).order_by("matter", "-version")
    return list(rows.distinct("matter"))
