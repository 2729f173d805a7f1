"""Every command with which a community decides, called once on rows that are really there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

from care.agreements import put_to_decision
from care.answering import mark_unanswered
from care.deciding import (
    close_proposal,
    decide_alone,
    give_up,
    keep_time,
    open_proposal,
    propose,
    require_decision,
    set_rules,
    take_back_proposal,
)
from care.models import Agreement, Decision, Proposal
from care.quorum import PRESETS, Kind
from care.suspending import appeal, suspend
from care.voting import declare_conflict, delegate, discuss, judge_conflict, revoke_delegation, vote
from tests.care.deciding import adopt, make_stewards, voted
from tests.conftest import NOW
from tests.guards.acts import Act, after

VOTED_ON = {"matter": "adapter", "subject": "adapter:99"}


def deciding(s: SimpleNamespace) -> dict[str, Act]:
    """Commands of proposals, votes, decisions and suspensions."""
    s.iris, s.jonas = make_stewards(s.community)
    alone = partial(decide_alone, **s.who, **VOTED_ON, decided_by=s.aroha)
    hers = {"proposer": s.aroha, "text": "Yes."}

    def asked() -> None:
        Agreement.objects.update(state="submitted", answer_due_at=NOW)

    return {
        "set_rules": partial(set_rules, **s.who, rule=PRESETS[Kind.QUORUM].as_mapping(), set_by=s.aroha),
        "decide_alone": alone,
        "require_decision": partial(require_decision, **s.who, **VOTED_ON, actor=s.aroha),
        "give_up": after(alone, lambda _: give_up(**s.who, **VOTED_ON, given_up_by=s.aroha)),
        "suspend": after(alone, lambda made: suspend(decision=made, suspended_by=s.iris, reason="No.", now=NOW)),
        "open_proposal": after(
            lambda: adopt(s.community, s.aroha), lambda _: open_proposal(**s.who, **VOTED_ON, **hers)
        ),
        "propose": after(lambda: adopt(s.community, s.aroha), lambda _: propose(**s.who, **VOTED_ON, **hers)),
        "take_back_proposal": on_vote(s, lambda one: take_back_proposal(proposal=one, taken_back_by=s.aroha, now=NOW)),
        "close_proposal": after(
            partial(_voted, s), lambda made: close_proposal(proposal=made, closed_by=s.aroha, now=made.closes_at)
        ),
        "care.appeal": after(
            partial(_passed, s),
            lambda made: appeal(proposal=made.proposal, appealed_by=s.iris, reason="No.", now=made.decided_at),
        ),
        # One for each vote, decision and suspension that time changed: here for one.
        "keep_time": after(partial(_passed, s), lambda made: keep_time(now=made.effective_from)),
        "put_to_decision": after(asked, lambda _: put_to_decision(agreement=s.agreement, now=NOW, **hers)),
        "mark_unanswered": after(asked, lambda _: mark_unanswered(now=NOW)),
        **_voting(s),
    }


def _voting(s: SimpleNamespace) -> dict[str, Act]:
    """Commands of whoever votes."""
    lent = partial(delegate, **s.who, giver=s.aroha, receiver=s.ben, until=NOW + timedelta(days=9))
    said = {"person": s.jonas, "declared_by": s.iris, "nature": "He sells it.", "now": NOW}
    return {
        "vote": on_vote(s, lambda one: vote(proposal=one, choice="for", cast_by=s.iris, now=NOW)),
        "care.discuss": on_vote(s, lambda one: discuss(proposal=one, author=s.ben, text="Why?", now=NOW)),
        "declare_conflict": on_vote(s, lambda one: declare_conflict(proposal=one, **said)),
        "judge_conflict": after(
            lambda: declare_conflict(proposal=_opened(s), **said),
            lambda made: judge_conflict(conflict=made, judged_by=s.aroha, uphold=True, now=NOW),
        ),
        "delegate": lent,
        "revoke_delegation": after(lent, lambda made: revoke_delegation(delegation=made, revoked_by=s.aroha, now=NOW)),
    }


def closed_at_once(s: SimpleNamespace) -> Act:
    """A vote where there is no time for appeals: what passes holds at once."""
    return after(
        lambda: _voted(s, cooling_off_hours=0),
        lambda made: close_proposal(proposal=made, closed_by=s.aroha, now=made.closes_at),
    )


def on_vote(s: SimpleNamespace, act: Callable[[Proposal], object]) -> Any:
    """`act` on a proposal that is voted on."""
    return after(partial(_opened, s), act)


def _opened(s: SimpleNamespace, **rule: int) -> Proposal:
    adopt(s.community, s.aroha, **rule)
    return open_proposal(**s.who, **VOTED_ON, proposer=s.aroha, text="Yes.")


def _voted(s: SimpleNamespace, **rule: int) -> Proposal:
    proposal = _opened(s, **rule)
    voted(proposal, [s.aroha, s.iris, s.jonas])
    return proposal


def _passed(s: SimpleNamespace) -> Decision:
    proposal = _voted(s)
    return close_proposal(proposal=proposal, now=proposal.closes_at)
