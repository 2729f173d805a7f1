"""Stopping takes one steward; going on takes the community. Appeals come before a decision holds."""

import inspect
import random
from collections import Counter

import pytest

from care.deciding import (
    IsSuspended,
    close_proposal,
    decide_alone,
    decision_in_force,
    keep_time,
    open_proposal,
    propose,
    require_decision,
)
from care.elections import NotPossible
from care.models import Decision, Proposal, ProposalEvent, Suspension, Vote
from care.quorum import PRESETS, Kind
from care.suspending import appeal, propose_about, suspend
from care.voting import vote
from ledger.models import Entry
from people.models import Role
from people.refusals import Conflicting, Invalid, NotAllowed, Refusal
from tests.care.deciding import adopt, closed, later, make_stewards, opened, voted
from tests.conftest import NOW, make_person

pytestmark = pytest.mark.django_db
ABOUT = {"matter": "adapter", "subject": "adapter:1"}


@pytest.fixture
def stewards(community, aroha):
    return [aroha, *make_stewards(community)]


@pytest.fixture
def decision(community, aroha, stewards):
    """In force, in a community that votes."""
    adopt(community, aroha)
    proposal = opened(community, aroha)
    voted(proposal, stewards)
    made = closed(proposal)
    keep_time(now=made.effective_from)
    made.refresh_from_db()
    assert made.state == "in_force"
    return made


@pytest.fixture
def stopped(decision, stewards):
    suspend(decision=decision, suspended_by=stewards[1], reason="A song that is not ours.", now=decision.effective_from)
    decision.refresh_from_db()
    return decision


def propose_to(decision, matter, proposer, **more):
    fields = {"text": "As we said.", "now": decision.effective_from, **more}
    return propose_about(decision=decision, matter=matter, proposer=proposer, **fields)


def test_one_steward_stops_a_use_at_once(stopped, community, aroha):
    at = stopped.effective_from
    assert stopped.state == "suspended"
    assert decision_in_force(community=community, now=at, **ABOUT) is None
    with pytest.raises(IsSuspended):
        require_decision(community=community, actor=aroha, now=at, **ABOUT)
    with pytest.raises(IsSuspended):
        propose(community=community, proposer=aroha, now=at, text="Anew.", **ABOUT)
    with pytest.raises(NotPossible):
        suspend(decision=stopped, suspended_by=aroha, reason="Again.", now=at)


def test_it_lapses_after_fourteen_days_unless_it_is_ratified(stopped, stewards):
    suspension = stopped.suspensions.get()
    keep_time(now=suspension.ends_at - (later(minutes=1) - NOW))
    stopped.refresh_from_db()
    assert stopped.state == "suspended"
    keep_time(now=suspension.ends_at)
    stopped.refresh_from_db()
    assert (stopped.state, stopped.suspensions.get().state) == ("in_force", "ended")


def test_a_ratified_suspension_stays(stopped, stewards):
    proposal = propose_to(stopped, "ratify", stewards[1], days=3)
    voted(proposal, stewards, at=stopped.effective_from)
    closed(proposal)
    assert stopped.suspensions.get().state == "ratified"
    keep_time(now=stopped.suspensions.get().ends_at)
    stopped.refresh_from_db()
    assert stopped.state == "suspended"
    with pytest.raises(NotPossible):
        propose_to(stopped, "ratify", stewards[1])


def test_the_community_lifts_it_by_the_votes_that_allowing_needs(stopped, stewards):
    proposal = propose_to(stopped, "lift", stewards[0])
    voted(proposal, stewards[:1], at=stopped.effective_from)
    assert closed(proposal).outcome == "no_quorum"
    again = propose_to(stopped, "lift", stewards[0], now=proposal.closes_at)
    voted(again, stewards[:2], at=proposal.closes_at)
    voted(again, stewards[2:], "abstain", at=proposal.closes_at)
    lifting = closed(again)
    stopped.suspensions.update(ends_at=stopped.suspensions.get().began_at)
    stopped.refresh_from_db()
    assert (lifting.state, stopped.state) == ("cooling_off", "suspended")
    keep_time(now=lifting.effective_from)
    stopped.refresh_from_db()
    assert (stopped.state, stopped.suspensions.get().state) == ("in_force", "ended")


def test_who_did_not_count_at_first_does_not_count_when_it_is_lifted(community, aroha, stewards):
    others = [*stewards[1:], *make_stewards(community, ["kofi"])]
    adopt(community, aroha)
    proposal = opened(community, aroha, "run", "release:1")
    voted(proposal, others)
    made = closed(proposal)
    keep_time(now=made.effective_from)
    made.refresh_from_db()
    suspend(decision=made, suspended_by=others[0], reason="Wait.", now=made.effective_from)
    made.refresh_from_db()
    lifting = propose_to(made, "lift", others[0])
    with pytest.raises(NotAllowed):
        vote(proposal=lifting, choice="for", cast_by=aroha, now=made.effective_from)


def test_a_suspension_after_the_vote_began_is_not_lifted_by_it(stopped, stewards):
    lifting = propose_to(stopped, "lift", stewards[0])
    voted(lifting, stewards, at=stopped.effective_from)
    made = closed(lifting)
    first = stopped.suspensions.get()
    first.state = "ended"
    first.save()
    Decision.objects.filter(pk=stopped.pk).update(state="in_force")
    suspend(decision=stopped, suspended_by=stewards[1], reason="Another harm.", now=made.decided_at)
    keep_time(now=made.effective_from)
    stopped.refresh_from_db()
    assert stopped.state == "suspended"


def test_nothing_is_lifted_that_was_not_stopped(decision, community, stewards):
    about = {"matter": "lift", "subject": f"decision:{decision.pk}", "text": "In advance.", "now": NOW}
    with pytest.raises(NotPossible):
        propose(community=community, proposer=stewards[0], **about)


def test_the_community_takes_a_decision_back(stopped, stewards, community):
    proposal = propose_to(stopped, "revoke", stewards[0], days=3)
    voted(proposal, stewards, at=stopped.effective_from)
    closed(proposal)
    stopped.refresh_from_db()
    assert stopped.state == "revoked"
    with pytest.raises(NotPossible):
        propose_to(stopped, "lift", stewards[0])


def test_the_staff_of_the_platform_may_stop_and_never_allow(decision, community):
    staff = make_person("operator")
    staff.is_staff = staff.is_superuser = True
    staff.save()
    suspend(decision=decision, suspended_by=staff, reason="A court asks.", now=decision.effective_from)
    decision.refresh_from_db()
    assert decision.state == "suspended"
    with pytest.raises(NotAllowed):
        propose_to(decision, "lift", staff)


@pytest.mark.parametrize("who", ["ben", "chen", "esi", "dana"])
def test_nobody_else_stops_anything(decision, who, request):
    with pytest.raises(NotAllowed):
        suspend(decision=decision, suspended_by=request.getfixturevalue(who), reason="So.", now=NOW)


def test_a_suspension_has_a_reason_and_something_to_stop(decision, aroha):
    with pytest.raises(Invalid):
        suspend(decision=decision, suspended_by=aroha, reason=" ", now=NOW)
    rules = Decision.objects.get(matter="rules")
    with pytest.raises(NotPossible):
        suspend(decision=rules, suspended_by=aroha, reason="Never.", now=NOW)


def rows():
    """All that deciding writes."""
    tables = (Proposal, Vote, Decision, Suspension, ProposalEvent, Entry)
    return [[*table.objects.order_by("pk").values_list("pk", flat=True)] for table in tables]


def test_five_hundred_attempts_of_each_role_without_a_quorum_lift_nothing(
    stopped, community, stewards, ben, chen, esi, dana
):
    """Every role, and the platform's staff, by every service there is; one elector is for it. Each is refused."""
    (elder,) = make_stewards(community, ["old-one"], Role.ELDER)
    staff = make_person("operator")
    staff.is_staff = staff.is_superuser = True
    staff.save()
    at = stopped.effective_from
    stopped.suspensions.update(state="ratified")
    lifting = propose_to(stopped, "lift", stewards[0])
    voted(lifting, stewards[:1], at=at)
    about = {"community": community, "now": at, "text": "Go on."}
    lift = {"matter": "lift", "subject": f"decision:{stopped.pk}"}
    alone = {"matter": "rules", "subject": "rules:all", "conditions": {"rule": PRESETS[Kind.SINGLE].as_mapping()}}
    # Without a transaction for each, which takes half the time: none of them may leave anything behind.
    bare = {one.__name__: inspect.unwrap(one) for one in (propose, open_proposal, decide_alone, require_decision)}
    bare |= {one.__name__: inspect.unwrap(one) for one in (close_proposal, vote, appeal)}
    vote_for_it = {"proposal": lifting, "choice": "for", "now": at}
    attempts = [
        lambda who: propose_to(stopped, "lift", who),
        lambda who: bare["propose"](proposer=who, **about, **ABOUT),
        lambda who: bare["open_proposal"](proposer=who, **about, **lift),
        lambda who: bare["open_proposal"](proposer=who, **about, **ABOUT),
        lambda who: bare["decide_alone"](decided_by=who, **about, **lift),
        lambda who: bare["decide_alone"](decided_by=who, **about, **ABOUT),
        lambda who: bare["decide_alone"](decided_by=who, **about, **alone),
        lambda who: bare["require_decision"](actor=who, **about, **ABOUT),
        lambda who: bare["close_proposal"](proposal=lifting, closed_by=who, now=at),
        lambda who: bare["vote"](cast_by=who, elector=stewards[2], **vote_for_it),
        lambda who: bare["appeal"](proposal=stopped.proposal, appealed_by=who, reason="So.", now=at),
    ]
    in_their_own_name = [lambda who: bare["vote"](cast_by=who, **vote_for_it)]
    roles = {"elder": elder, "staff": staff, "speaker": ben, "expert": chen, "researcher": esi, "nobody": dana}
    rng, refused = random.Random(10), Counter()  # noqa: S311
    before = rows()
    for role, who in {"steward": stewards[1], **roles}.items():
        mine = attempts if role in {"steward", "elder"} else attempts + in_their_own_name
        for attempt in rng.choices(mine, weights=[1, 1] + [3] * (len(mine) - 2), k=500):
            with pytest.raises(Refusal):
                attempt(who)
            refused[role] += 1
        stopped.refresh_from_db()
        assert stopped.state == "suspended"
        assert decision_in_force(community=community, now=at, **ABOUT) is None
    keep_time(now=at)
    assert rows() == before
    assert set(refused.values()) == {500}
    assert len(refused) == 7
    assert close_proposal(proposal=lifting, now=lifting.closes_at).outcome == "no_quorum"


def test_an_appeal_opens_the_vote_again_once(community, aroha, stewards):
    adopt(community, aroha)
    proposal = opened(community, aroha)
    voted(proposal, stewards)
    made = closed(proposal)
    with pytest.raises(Invalid):
        appeal(proposal=proposal, appealed_by=aroha, reason="", now=made.decided_at)
    appeal(proposal=proposal, appealed_by=stewards[1], reason="We did not know.", now=made.decided_at)
    proposal.refresh_from_db()
    made.refresh_from_db()
    assert (proposal.state, made.state) == ("open", "reopened")
    voted(proposal, stewards[1:], "against", at=made.decided_at)
    assert closed(proposal).outcome == "rejected"
    with pytest.raises(Conflicting):
        appeal(proposal=proposal, appealed_by=aroha, reason="Again.", now=made.decided_at)


def test_an_appeal_comes_too_late_when_the_decision_holds(decision, aroha, ben):
    with pytest.raises(NotPossible):
        appeal(proposal=decision.proposal, appealed_by=aroha, reason="Late.", now=decision.effective_from)
    with pytest.raises(NotAllowed):
        appeal(proposal=decision.proposal, appealed_by=ben, reason="Late.", now=NOW)


def test_a_newer_decision_replaces_the_one_before(decision, community, stewards):
    at = decision.effective_from
    proposal = opened(community, stewards[0], now=at)
    voted(proposal, stewards, at=at)
    newer = closed(proposal)
    keep_time(now=newer.effective_from)
    decision.refresh_from_db()
    newer.refresh_from_db()
    assert (decision.state, newer.state) == ("superseded", "in_force")
