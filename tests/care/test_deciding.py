"""A community decides: proposals, votes, conflicts, delegations, and what holds until when."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from care.deciding import (
    DecisionNeeded,
    TooFewElectors,
    close_proposal,
    decide_alone,
    decision_in_force,
    keep_time,
    open_proposal,
    require_decision,
    set_rules,
    take_back_proposal,
)
from care.elections import NotPossible, outcome_now, rules_of
from care.jobs import keep_time_job
from care.models import Decision, Delegation, Proposal, ProposalEvent, Vote
from care.quorum import PRESETS, Kind
from care.voting import (
    NotAnElector,
    TooLong,
    VoteIsOver,
    declare_conflict,
    delegate,
    discuss,
    judge_conflict,
    revoke_delegation,
    vote,
)
from ledger.models import Entry
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import end_membership
from tests.care.deciding import adopt, closed, later, make_stewards, opened, voted
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
ABOUT = {"matter": "adapter", "subject": "adapter:1"}


@pytest.fixture
def stewards(community, aroha):
    return [aroha, *make_stewards(community)]


@pytest.fixture
def voting(community, aroha, stewards):
    adopt(community, aroha)
    return community


def test_one_steward_decides_alone_until_the_community_chooses_otherwise(community, aroha):
    assert rules_of(community, "adapter") == PRESETS[Kind.SINGLE]
    decision = require_decision(community=community, actor=aroha, now=NOW, text="Good.", **ABOUT)
    assert (decision.state, decision.tally["for"], decision.approvers) == ("in_force", 1, [aroha.pk])
    assert decision.expires_at > NOW
    assert require_decision(community=community, actor=aroha, now=NOW, **ABOUT) == decision
    assert Vote.objects.get().elector == aroha


def test_whoever_is_no_steward_decides_nothing_alone(community, esi):
    assert require_decision(community=community, actor=esi, now=NOW, **ABOUT) is None
    with pytest.raises(NotAllowed):
        decide_alone(community=community, decided_by=esi, now=NOW, **ABOUT)


def test_after_that_an_act_needs_a_decision(voting, aroha):
    with pytest.raises(DecisionNeeded) as caught:
        require_decision(community=voting, actor=aroha, now=NOW, **ABOUT)
    assert (caught.value.matter, caught.value.subject) == ("adapter", "adapter:1")
    assert "This needs a decision of the community first" in str(caught.value)
    with pytest.raises(NotAllowed):
        decide_alone(community=voting, decided_by=aroha, now=NOW, **ABOUT)


def test_a_decision_holds_after_the_time_for_appeals_and_until_it_ends(voting, stewards, aroha):
    proposal = opened(voting, aroha)
    voted(proposal, stewards)
    decision = closed(proposal)
    assert decision.state == "cooling_off"
    assert decision.effective_from == proposal.closes_at + timedelta(hours=72)
    keep_time(now=decision.effective_from - timedelta(minutes=1))
    assert decision_in_force(community=voting, now=decision.effective_from, **ABOUT) is None
    keep_time(now=decision.effective_from)
    assert require_decision(community=voting, actor=aroha, now=decision.effective_from, **ABOUT) == decision
    assert decision_in_force(community=voting, now=decision.expires_at, **ABOUT) is None
    keep_time(now=decision.expires_at)
    decision.refresh_from_db()
    assert decision.state == "expired"


def test_too_few_votes_and_too_many_against_refuse(voting, stewards, aroha):
    quiet, disputed = opened(voting, aroha), opened(voting, aroha, subject="adapter:2")
    voted(quiet, stewards[:1])
    voted(disputed, stewards[:1])
    voted(disputed, stewards[1:], "against")
    assert [closed(one).outcome for one in (quiet, disputed)] == ["no_quorum", "rejected"]
    assert set(Decision.objects.filter(matter="adapter").values_list("state", flat=True)) == {"refused"}


def test_votes_change_until_the_end_and_every_change_is_kept(voting, stewards, aroha):
    proposal = opened(voting, aroha)
    for choice in ("for", "against", "abstain"):
        vote(proposal=proposal, choice=choice, cast_by=aroha, now=NOW)
    assert Vote.objects.filter(proposal=proposal).get().choice == "abstain"
    kept = ProposalEvent.objects.filter(proposal=proposal, kind="voted")
    assert [event.details["choice"] for event in kept] == ["for", "against", "abstain"]
    with pytest.raises(VoteIsOver):
        vote(proposal=proposal, choice="for", cast_by=aroha, now=proposal.closes_at)
    with pytest.raises(Invalid):
        vote(proposal=proposal, choice="perhaps", cast_by=aroha, now=NOW)


def test_who_votes_is_fixed_when_the_vote_opens(voting, stewards, aroha, ben):
    proposal = opened(voting, aroha)
    (newcomer,) = make_stewards(voting, ["kofi"])
    for person in (newcomer, ben):
        with pytest.raises(NotAnElector):
            vote(proposal=proposal, choice="for", cast_by=person, now=NOW)
    membership = stewards[1].memberships.get()
    end_membership(membership=membership, ended_by=aroha, now=NOW)
    with pytest.raises(NotAnElector):
        vote(proposal=proposal, choice="for", cast_by=stewards[1], now=NOW)
    assert outcome_now(proposal).electors == 3


def test_nobody_picks_the_moment_of_closing(voting, stewards, aroha, ben):
    proposal = opened(voting, aroha)
    voted(proposal, stewards[:2])
    for moment in (NOW, later(days=4)):
        with pytest.raises(NotPossible):
            close_proposal(proposal=proposal, closed_by=aroha, now=moment)
    voted(proposal, stewards[2:])
    with pytest.raises(NotPossible):
        close_proposal(proposal=proposal, closed_by=aroha, now=later(days=2))
    with pytest.raises(NotAllowed):
        close_proposal(proposal=proposal, closed_by=ben, now=later(days=4))
    assert close_proposal(proposal=proposal, closed_by=aroha, now=later(days=4)).outcome == "passed"


def test_the_clock_closes_what_is_due(voting, aroha):
    proposal = opened(voting, aroha)
    assert keep_time(now=proposal.closes_at) == 1
    assert keep_time(now=proposal.closes_at) == 0
    proposal.refresh_from_db()
    assert proposal.state == "no_quorum"


def test_the_job_keeps_time_and_may_run_twice(voting, aroha):
    proposal = opened(voting, aroha)
    Proposal.objects.filter(pk=proposal.pk).update(closes_at=NOW)
    assert [keep_time_job(), keep_time_job()] == [1, 0]


def test_who_asks_for_a_run_has_no_vote_on_it(voting, stewards, aroha):
    proposal = opened(voting, aroha, "run", "release:1")
    with pytest.raises(NotAnElector):
        vote(proposal=proposal, choice="for", cast_by=aroha, now=NOW)
    assert outcome_now(proposal).electors == 2
    assert outcome_now(proposal).result == "no_quorum"


def test_a_conflict_of_interest_takes_the_seat_away(voting, stewards, aroha):
    make_stewards(voting, ["kofi"])
    proposal = opened(voting, aroha)
    voted(proposal, stewards)
    declare_conflict(proposal=proposal, person=aroha, declared_by=aroha, nature="My sister's firm.", now=NOW)
    assert outcome_now(proposal).tally == {"electors": 3, "for": 2, "against": 0, "abstain": 0, "cast": 2}
    with pytest.raises(NotAnElector):
        vote(proposal=proposal, choice="for", cast_by=aroha, now=NOW)


def test_what_one_says_of_another_is_judged_by_a_third(voting, stewards, aroha, ben):
    proposal = opened(voting, aroha)
    _, iris, jonas = stewards
    said = declare_conflict(proposal=proposal, person=iris, declared_by=aroha, nature="Paid by them.", now=NOW)
    assert outcome_now(proposal).electors == 3
    for nobody in (aroha, iris, ben):
        with pytest.raises(NotAnElector):
            judge_conflict(conflict=said, judged_by=nobody, uphold=True, now=NOW)
    judge_conflict(conflict=said, judged_by=jonas, uphold=True, now=NOW)
    assert outcome_now(proposal).electors == 2
    with pytest.raises(Conflicting):
        judge_conflict(conflict=said, judged_by=jonas, uphold=False, now=NOW)
    with pytest.raises(Conflicting):
        declare_conflict(proposal=proposal, person=iris, declared_by=jonas, nature="Again.", now=NOW)


def test_somebody_may_vote_for_another_until_the_delegation_ends(voting, stewards, aroha, ben, filipa):
    _, iris, jonas = stewards
    proposal = opened(voting, aroha, days=14)
    given = delegate(community=voting, giver=iris, receiver=ben, until=later(days=5), now=NOW)
    vote(proposal=proposal, choice="for", cast_by=ben, elector=iris, now=later(days=4))
    assert outcome_now(proposal).votes_for == 1
    for moment in (later(days=5), later(days=6)):
        with pytest.raises(NotAnElector):
            vote(proposal=proposal, choice="against", cast_by=ben, elector=iris, now=moment)
    # The receiver has nothing of their own to give, and gives nothing on.
    with pytest.raises(NotAllowed):
        delegate(community=voting, giver=ben, receiver=filipa, until=later(days=5), now=NOW)
    delegate(community=voting, giver=jonas, receiver=iris, until=later(days=5), now=NOW)
    with pytest.raises(NotAnElector):
        vote(proposal=proposal, choice="for", cast_by=ben, elector=jonas, now=later(days=1))
    with pytest.raises(Conflicting):
        delegate(community=voting, giver=iris, receiver=filipa, until=later(days=5), now=later(days=1))
    revoke_delegation(delegation=given, revoked_by=iris, now=later(days=1))
    with pytest.raises(NotAnElector):
        vote(proposal=proposal, choice="for", cast_by=ben, elector=iris, now=later(days=2))


def test_ones_own_vote_is_not_replaced_by_a_delegate(voting, stewards, aroha, ben):
    proposal = opened(voting, aroha)
    delegate(community=voting, giver=aroha, receiver=ben, until=later(days=5), now=NOW, matters=["adapter"])
    vote(proposal=proposal, choice="against", cast_by=aroha, now=NOW)
    with pytest.raises(NotAnElector):
        vote(proposal=proposal, choice="for", cast_by=ben, elector=aroha, now=later(hours=1))
    other = opened(voting, aroha, "label", "label:1")
    with pytest.raises(NotAnElector):
        vote(proposal=other, choice="for", cast_by=ben, elector=aroha, now=NOW)


def test_a_delegation_lasts_twelve_months_at_most(voting, aroha, ben):
    with pytest.raises(TooLong):
        delegate(community=voting, giver=aroha, receiver=ben, until=later(days=366), now=NOW)
    row = {"community": voting, "giver": aroha, "since": NOW}
    for wrong in ({"receiver": ben, "until": later(days=400)}, {"receiver": aroha, "until": later(days=5)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Delegation.objects.create(**row, **wrong)
    with pytest.raises(Invalid):
        delegate(community=voting, giver=aroha, receiver=aroha, until=later(days=5), now=NOW)


def test_changing_the_rules_is_a_decision_under_the_old_ones(voting, stewards, aroha):
    proposal = set_rules(
        community=voting, rule=PRESETS[Kind.SINGLE].as_mapping(), set_by=aroha, now=NOW, text="Back to one."
    )
    assert proposal.state == Proposal.State.OPEN
    assert rules_of(voting, "adapter").kind == Kind.QUORUM
    voted(proposal, stewards)
    keep_time(now=closed(proposal).effective_from)
    assert rules_of(voting, "adapter").kind == Kind.SINGLE


def test_a_matter_may_have_rules_of_its_own(community, stewards, aroha):
    rule = PRESETS[Kind.CONSENSUS].as_mapping()
    set_rules(community=community, rule=rule, set_by=aroha, now=NOW, matter="adapter", text="All together.")
    assert [rules_of(community, matter).kind for matter in ("adapter", "project")] == ["consensus", "single"]


def test_two_people_cannot_adopt_rules_that_lock_them_out(community, aroha):
    make_stewards(community, ["iris"])
    with pytest.raises(TooFewElectors):
        adopt(community, aroha)
    for rule in ({"quorum": "7"}, {}):
        with pytest.raises(Invalid):
            set_rules(community=community, rule=rule, set_by=aroha, now=NOW)


def test_an_elder_votes_and_may_veto_and_administers_nothing(community, stewards, aroha):
    (elder,) = make_stewards(community, ["old-one"], "elder")
    adopt(community, aroha, Kind.ELDER_VETO)
    proposal = opened(community, aroha)
    voted(proposal, stewards)
    voted(proposal, [elder], "against")
    assert closed(proposal).reason[0] == "An elder is against it."
    with pytest.raises(NotAllowed):
        end_membership(membership=aroha.memberships.get(), ended_by=elder, now=NOW)


def test_proposals_are_read_discussed_and_taken_back(voting, aroha, ben, dana, stewards):
    proposal = opened(voting, aroha)
    discuss(proposal=proposal, author=ben, text="Who gains?", now=NOW)
    for refused, error in ((dana, NotAllowed), (ben, Invalid)):
        with pytest.raises(error):
            discuss(proposal=proposal, author=refused, text=" ", now=NOW)
    assert Proposal.objects.visible_to(ben).filter(pk=proposal.pk).exists()
    assert not Proposal.objects.visible_to(dana).exists()
    with pytest.raises(NotPossible):
        opened(voting, aroha)
    with pytest.raises(NotAllowed):
        take_back_proposal(proposal=proposal, taken_back_by=ben, now=NOW)
    take_back_proposal(proposal=proposal, taken_back_by=aroha, now=NOW)
    with pytest.raises(NotPossible):
        take_back_proposal(proposal=proposal, taken_back_by=aroha, now=NOW)


@pytest.mark.parametrize(
    "wrong", [{"text": " "}, {"days": 1}, {"days": 99}, {"matter": "weather"}, {"subject": " "}, {"subject": "x" * 301}]
)
def test_a_proposal_that_cannot_be_is_refused(voting, aroha, wrong):
    fields = {"text": "Why.", "matter": "adapter", "subject": "adapter:1", **wrong}
    with pytest.raises(Invalid):
        open_proposal(community=voting, proposer=aroha, now=NOW, **fields)


def test_whose_vote_is_missing_is_known(voting, stewards, aroha, ben):
    proposal = opened(voting, aroha)
    assert Proposal.objects.waiting_for(aroha).get() == proposal
    declare_conflict(proposal=proposal, person=stewards[1], declared_by=stewards[1], nature="Mine.", now=NOW)
    vote(proposal=proposal, choice="for", cast_by=aroha, now=NOW)
    assert [Proposal.objects.waiting_for(person).count() for person in (*stewards, ben)] == [0, 0, 1, 0]


def test_history_cannot_be_changed_and_every_act_is_in_the_ledger(voting, aroha):
    proposal = opened(voting, aroha)
    for words in ("UPDATE care_proposalevent SET kind = 'x'", "DELETE FROM care_proposalevent"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(words)
    vote(proposal=proposal, choice="for", cast_by=aroha, now=NOW)
    entry = Entry.objects.order_by("-sequence").first()
    assert (entry.action, entry.subject) == ("decision.voted", f"proposal:{proposal.pk}")
    assert "for" not in entry.details.values()


def test_a_decision_without_an_end_cannot_be_stored(voting, aroha, stewards):
    proposal = opened(voting, aroha)
    voted(proposal, stewards)
    decision = closed(proposal)
    for changes in ({"expires_at": None}, {"expires_at": decision.effective_from + timedelta(days=800)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Decision.objects.filter(pk=decision.pk).update(**changes)
