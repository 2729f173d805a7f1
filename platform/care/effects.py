"""What follows from a vote: a decision that waits, begins to hold, and changes rules, suspensions or decisions."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max, QuerySet

from care import agreement_steps, states
from care.elections import TIGHTENING, NotPossible, decision_named, election_of, record, subject_of
from care.models import AdoptedRules, Decision, Matter, Policy, Proposal, Suspension
from care.quorum import Choice, Kind, Outcome, Result, RuleSet, accepted, months_after, takes_effect
from ledger.checkpoints import checkpoint_after_commit


def step(row: Proposal | Decision | Suspension, act: str) -> None:
    """Take one step of the row's table and store it. Raises NotPossible."""
    machine = states.MACHINES[type(row).__name__]
    try:
        row.state = states.after(machine, row.state, act)
    except states.ImpossibleStep as error:
        raise NotPossible("That cannot be done now: this is %(state)s.", state=row.get_state_display()) from error
    row.save(update_fields=["state"])
    if isinstance(row, Decision):
        agreement_steps.follow(row, act)


def store_decision(proposal: Proposal, outcome: Outcome, now: datetime, *, alone: bool = False) -> Decision:
    """Write down what the vote came to; what begins at once has its effects at once."""
    rule = RuleSet.from_mapping(proposal.rule)
    has_passed = outcome.result == Result.PASSED
    at_once = alone or proposal.matter in TIGHTENING or not has_passed
    begins = now if at_once else takes_effect(rule, now)
    months = min(rule.grant_max_months, int(proposal.conditions.get("months", rule.grant_max_months)))
    approvers = [ballot.by for ballot in accepted(election_of(proposal)).values() if ballot.choice == Choice.FOR]
    decision = Decision.objects.create(
        community=proposal.community,
        proposal=proposal,
        matter=proposal.matter,
        subject=proposal.subject,
        outcome=outcome.result,
        tally=outcome.tally,
        reason=outcome.reason.as_json(),
        approvers=sorted(set(approvers)),
        conditions=proposal.conditions,
        decided_at=now,
        effective_from=begins,
        expires_at=months_after(begins, months) if has_passed else now,
        state=states.after(states.DECISION, "", "pass" if has_passed else "refuse"),
    )
    if has_passed and begins <= now:
        begin(decision, now, is_noted=not alone)
    if not has_passed and decision.matter == Matter.AGREEMENT:
        agreement_steps.refuse(decision, now)
    checkpoint_after_commit(community=proposal.community.slug, now=now)
    return decision


def begin(decision: Decision, now: datetime, *, is_noted: bool = True) -> None:
    """Let a passed decision hold: it replaces the one before it, and does what it says.

    While an earlier decision on the same is suspended, nothing begins: lifting that is a decision of its own.
    """
    same = Decision.objects.filter(community=decision.community, matter=decision.matter, subject=decision.subject)
    if same.filter(state=Decision.State.SUSPENDED).exists():
        return
    for earlier in same.filter(state=Decision.State.IN_FORCE):
        step(earlier, "supersede")
    step(decision, "begin")
    if is_noted:
        record(decision.proposal, "in force", None, now)
    try:
        _do(decision, now)
    except NotPossible:
        agreement_steps.owe_answer(decision, now + agreement_steps.ANSWER_WITHIN)
        record(decision.proposal, "had no effect", None, now)


def _do(decision: Decision, now: datetime) -> None:
    if decision.matter == Matter.RULES:
        adopt(decision, now)
    elif decision.matter == Matter.POLICY:
        _put_behind_policy(decision)
    elif decision.matter == Matter.AGREEMENT:
        agreement_steps.approve(decision, now)
    elif decision.matter == Matter.LIFT:
        suspended = decision_named(decision.community, decision.subject)
        if live_suspensions(suspended).filter(began_at__gt=decision.proposal.opened_at).exists():
            raise NotPossible("It was suspended again since that was proposed.")
        lift(suspended, "lift", now)
    elif decision.matter == Matter.REVOKE:
        revoked = decision_named(decision.community, decision.subject)
        end_suspensions(revoked)
        step(revoked, "revoke")
        record(revoked.proposal, "revoked", None, now)
    elif decision.matter == Matter.RATIFY:
        suspended = decision_named(decision.community, decision.subject)
        for suspension in suspended.suspensions.filter(state=Suspension.State.RUNNING):
            step(suspension, "ratify")
            record(suspended.proposal, "suspension ratified", None, now)


def _put_behind_policy(decision: Decision) -> None:
    """Where exactly this text is in force already, it is by the newer decision from now on: so it is decided on anew
    before its time is over, or afterwards."""
    policy = Policy.objects.filter(community=decision.community, state=Policy.State.PUBLISHED).first()
    if policy is not None and subject_of(policy) == decision.subject:
        Policy.objects.filter(pk=policy.pk).update(decision=decision)


def adopt(decision: Decision, now: datetime) -> AdoptedRules:
    """Make the rules that were decided on the community's own."""
    matter = decision.conditions.get("matter", "")
    rows = AdoptedRules.objects.filter(community=decision.community, matter=matter)
    latest = rows.aggregate(last=Max("version"))["last"] or 0
    rule = RuleSet.from_mapping(decision.conditions["rule"]).as_mapping()
    return AdoptedRules.objects.create(
        community=decision.community, matter=matter, version=latest + 1, rule=rule, adopted_at=now
    )


def lift(decision: Decision, act: str, now: datetime) -> None:
    """End a suspension (`lift`, or `lapse` with time) and let the decision hold again. Raises NotPossible."""
    step(decision, act)
    end_suspensions(decision)
    record(decision.proposal, "suspension lifted" if act == "lift" else "suspension lapsed", None, now)


def live_suspensions(decision: Decision) -> QuerySet[Suspension]:
    """What stops the decision now: one at most."""
    return Suspension.objects.filter(decision=decision).exclude(state=Suspension.State.ENDED)


def require_fitting(decision: Decision, matter: str) -> None:
    """Raise NotPossible unless a suspension can be ratified or lifted, or the decision taken back, as it is now."""
    is_running = live_suspensions(decision).filter(state=Suspension.State.RUNNING).exists()
    fitting = {
        Matter.RATIFY: is_running,
        Matter.LIFT: decision.state == Decision.State.SUSPENDED,
        Matter.REVOKE: decision.state in {Decision.State.IN_FORCE, Decision.State.SUSPENDED},
    }
    if not fitting.get(Matter(matter), False):
        raise NotPossible("That cannot be done now: this is %(state)s.", state=decision.get_state_display())


def end_suspensions(decision: Decision) -> None:
    """Close whatever suspension the decision is under."""
    for suspension in live_suspensions(decision):
        step(suspension, "lift")


def is_alone(rule: RuleSet) -> bool:
    """Whether one steward's word is the community's rule."""
    return rule.kind == Kind.SINGLE


def lock(proposal: Proposal) -> Proposal:
    """The proposal as it is now, for this transaction alone."""
    locked: Proposal = Proposal.objects.select_for_update(of=("self",)).select_related("community").get(pk=proposal.pk)
    return locked
