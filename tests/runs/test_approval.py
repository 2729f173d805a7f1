"""Once a community votes, nothing trains, is frozen or answers without its decision."""

import pytest

from care.deciding import DecisionNeeded, IsSuspended, keep_time, require_decision
from care.models import Decision
from care.services import publish_policy, require_consent, terms_to_agree
from care.suspending import suspend
from people.refusals import NotAllowed, Refusal
from tests.care.deciding import adopt, closed, make_stewards, opened, voted
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from training.playground.services import request_generation
from training.runs.approval import LimitReached, NotInUse
from training.runs.models import Adapter, Run
from training.runs.schedule import check_schedule, set_schedule
from training.runs.services import decide_adapter, queue_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def stewards(community, aroha):
    return [aroha, *make_stewards(community)]


@pytest.fixture
def release(validated_corpus, esi):
    return make_release(validated_corpus[0].task.project, esi)


def decided(community, stewards, matter, subject, **more):
    """A decision of the community, in force; and the moment from which it is."""
    proposal = opened(community, more.pop("proposer", stewards[0]), matter, subject, **more)
    voters = [one for one in stewards if matter != "run" or one != proposal.proposer]
    voted(proposal, voters)
    made = closed(proposal)
    keep_time(now=made.effective_from)
    made.refresh_from_db()
    assert made.state == "in_force"
    return made


def test_under_the_rule_of_one_a_researcher_trains_as_before(release, esi):
    assert make_run(release, esi).state == Run.State.QUEUED
    assert not Decision.objects.filter(matter="run").exists()


def test_a_run_needs_a_decision_of_others_than_who_starts_it(release, community, stewards, esi):
    adopt(community, stewards[0])
    with pytest.raises(DecisionNeeded):
        queue_run(release=release, started_by=esi, now=NOW)
    made = decided(community, stewards, "run", f"release:{release.pk}", proposer=esi)
    assert queue_run(release=release, started_by=esi, now=made.effective_from).state == Run.State.QUEUED
    Decision.objects.filter(pk=made.pk).update(approvers=[esi.pk])
    Run.objects.update(state=Run.State.CANCELLED)
    with pytest.raises(NotAllowed):
        queue_run(release=release, started_by=esi, now=made.effective_from)


def test_a_standing_approval_covers_runs_within_its_limits(release, community, stewards, esi):
    adopt(community, stewards[0])
    limits = {"runs": 1, "hours": 5}
    made = decided(community, stewards, "standing", f"community:{community.pk}", conditions=limits)
    run = queue_run(release=release, started_by=esi, now=made.effective_from)
    Run.objects.update(state=Run.State.CANCELLED)
    with pytest.raises(LimitReached):
        queue_run(release=release, started_by=esi, now=made.effective_from)
    Decision.objects.filter(pk=made.pk).update(conditions={"runs": 5, "hours": 5})
    Run.objects.filter(pk=run.pk).update(started_at=NOW, ended_at=made.effective_from)
    with pytest.raises(LimitReached):
        queue_run(release=release, started_by=esi, now=made.effective_from)
    with pytest.raises(DecisionNeeded):
        queue_run(release=release, started_by=esi, now=made.expires_at)


def test_freezing_needs_a_decision_too(validated_corpus, community, stewards, esi):
    adopt(community, stewards[0])
    with pytest.raises(DecisionNeeded):
        make_release(validated_corpus[0].task.project, esi)


def test_a_schedule_needs_one_and_stops_with_it(validated_corpus, community, stewards):
    project = validated_corpus[0].task.project
    fields = {"project": project, "minimum_new_items": 1, "cadence_hours": 1, "changed_by": stewards[0]}
    schedule = set_schedule(is_allowed=True, now=NOW, **fields)
    adopt(community, stewards[0])
    suspend(decision=Decision.objects.get(matter="schedule"), suspended_by=stewards[1], reason="Wait.", now=NOW)
    assert check_schedule(schedule_id=schedule.pk, now=NOW) is None
    schedule.refresh_from_db()
    assert schedule.last_outcome.startswith("This was suspended.")
    assert not Run.objects.exists()
    Decision.objects.filter(matter="schedule").update(state="expired")
    assert check_schedule(schedule_id=schedule.pk, now=NOW) is None
    with pytest.raises(DecisionNeeded):
        set_schedule(is_allowed=True, now=NOW, **fields)
    assert not set_schedule(is_allowed=False, now=NOW, **fields).is_allowed


def test_a_suspended_adapter_answers_nobody_at_once(release, community, stewards, esi, ben):
    adapter = make_adapter(make_run(release, esi), approved_by=stewards[0])
    assert Adapter.objects.usable().get() == adapter
    decision = Decision.objects.get(matter="adapter")
    suspend(decision=decision, suspended_by=stewards[1], reason="A harm.", now=NOW)
    assert not Adapter.objects.usable().exists()
    with pytest.raises(NotInUse):
        request_generation(adapter=adapter, person=ben, source="una frase", now=NOW)
    with pytest.raises(IsSuspended):
        require_decision(community=community, matter="adapter", subject=decision.subject, actor=stewards[0], now=NOW)


def test_an_adapter_that_was_taken_out_of_use_needs_a_new_decision(release, community, stewards, esi):
    adapter = make_adapter(make_run(release, esi), approved_by=stewards[0])
    adopt(community, stewards[0])
    decide_adapter(adapter=adapter, approve=False, decided_by=stewards[0], note="Worse.", now=NOW)
    assert Decision.objects.get(matter="adapter").state == "revoked"
    with pytest.raises(DecisionNeeded):
        decide_adapter(adapter=adapter, approve=True, decided_by=stewards[0], note="Better.", now=NOW)


def test_a_suspended_text_takes_no_contribution(community, stewards, consenting, ben):
    consenting(ben)
    require_consent(ben, community)
    suspend(decision=Decision.objects.get(matter="policy"), suspended_by=stewards[0], reason="Wrong.", now=NOW)
    with pytest.raises(Refusal, match="suspended"):
        require_consent(ben, community)


def test_a_text_is_published_as_it_was_decided_on_and_no_other(community, stewards):
    adopt(community, stewards[0])
    purposes = ["display_members", "peer_review"]
    fields = {"community": community, "purposes": purposes, "published_by": stewards[0]}
    with pytest.raises(DecisionNeeded) as caught:
        publish_policy(waiver="For tests.", text="New words.", now=NOW, **fields)
    made = decided(
        community,
        stewards,
        "policy",
        caught.value.subject,
        purposes=purposes,
        conditions={"text": "New words.", "waiver": "For tests.", "terms": terms_to_agree(community, {})},
    )
    with pytest.raises(DecisionNeeded):
        publish_policy(waiver="For tests.", text="Other words.", now=made.effective_from, **fields)
    assert publish_policy(waiver="For tests.", text="New words.", now=made.effective_from, **fields).version == 1
