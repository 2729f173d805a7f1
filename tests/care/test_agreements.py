"""Access for people outside: who decides and who signs, when it ends, and what a token opens."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction

from care.agreement_states import AGREEMENT, COMMITMENT, MACHINES, drawn_agreements
from care.agreement_steps import take
from care.agreements import (
    begin_agreement,
    close_agreement,
    put_to_decision,
    reject_agreement,
    return_agreement,
    revoke_access,
    save_terms,
    sign_agreement,
    submit_agreement,
    suspend_access,
)
from care.deciding import decide_alone, keep_time, open_proposal
from care.elections import NotPossible
from care.models import Agreement, Commitment, Decision, Proposal
from care.states import states
from care.tokens import make_token
from care.voting import NotAnElector, vote
from ledger.models import Entry, Secret
from people.models import Role
from people.refusals import Conflicting, Invalid, NotAllowed, Refusal
from people.services import found_community, grant_role
from tests.care.agreeing import ENDS, active, approved, drafted, open_door, promised, submitted
from tests.care.deciding import adopt, closed, later, make_stewards, voted
from tests.conftest import NOW, make_person

pytestmark = pytest.mark.django_db
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "agreements.md"
SECOND = timedelta(seconds=1)


def test_the_document_holds_the_machines_as_they_are():
    assert DOCUMENT.read_text(encoding="utf-8").endswith(drawn_agreements() + "\n")


@pytest.mark.parametrize("model", [Agreement, Commitment])
def test_every_state_of_a_table_is_reached_and_no_other(model):
    assert set(states(MACHINES[model.__name__])) == set(model.State.values)


def test_whatever_is_not_in_a_table_is_refused(community, dana, aroha):
    agreement = active(community, dana, aroha)
    Commitment.objects.update(evidence="A photograph.", confirmed_by=aroha)
    commitment = Commitment.objects.get()
    tried = possible = 0
    for row, machine in ((agreement, AGREEMENT), (commitment, COMMITMENT)):
        known = {(step.before, step.act) for step in machine}
        for state in states(machine):
            for act in {step.act for step in machine}:
                row.state = state
                if (state, act) in known:
                    take(row, act)
                    possible += 1
                    continue
                with pytest.raises(NotPossible):
                    take(row, act)
                tried += 1
    # The beginnings lead from no state.
    assert (possible, tried) == (len(AGREEMENT) + len(COMMITMENT) - 2, 113)


# What each command needs; in all other states it is refused, and nothing is written.
FROM = {
    "submit": {"draft", "returned"},
    "return": {"submitted"},
    "reject": {"submitted"},
    "decide": {"submitted"},
    "sign": {"approved"},
    "suspend": {"active"},
    "revoke": {"approved", "active"},
    "close": {"draft", "submitted", "returned", "approved", "active", "suspended"},
    "save": {"draft", "returned"},
}


def test_every_command_is_refused_in_every_other_state(community, dana, aroha):
    made = active(community, dana, aroha)
    Agreement.objects.update(applicant_signed_at=NOW)
    acts = {
        "submit": partial(submit_agreement, submitted_by=dana),
        "return": partial(return_agreement, returned_by=aroha, words="Why?"),
        "reject": partial(reject_agreement, rejected_by=aroha, words="No."),
        "decide": partial(put_to_decision, proposer=aroha, text="Let us."),
        "sign": partial(sign_agreement, signed_by=aroha),
        "suspend": partial(suspend_access, suspended_by=aroha, reason="Stop."),
        "revoke": partial(revoke_access, revoked_by=aroha, reason="Enough."),
        "close": partial(close_agreement, closed_by=dana),
        "save": partial(save_terms, saved_by=dana, aim="Another."),
    }
    before = Entry.objects.count()
    refused = 0
    for state in Agreement.State.values:
        Agreement.objects.update(state=state)
        for name, act in acts.items():
            if state in FROM[name]:
                continue
            with pytest.raises(Refusal), transaction.atomic():
                act(agreement=made, now=NOW)
            refused += 1
    assert refused == 10 * len(acts) - sum(len(allowed) for allowed in FROM.values())
    assert Entry.objects.count() == before


def test_the_database_itself_knows_no_agreement_without_an_end_or_with_a_late_one(community, dana, aroha):
    made = active(community, dana, aroha)
    late = datetime(2028, 3, 2, tzinfo=UTC)

    def set_end(value):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE care_agreement SET ends_at = %s WHERE id = %s", [value, made.pk])

    set_end(late)  # to the day
    with pytest.raises(IntegrityError, match="agreement_ends_within_two_years"):
        set_end(late + SECOND)
    with pytest.raises(IntegrityError, match="not-null"):
        set_end(None)
    with pytest.raises(IntegrityError, match="agreement_ends_after_it_starts"):
        set_end(datetime(2026, 3, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("forbidden = '{redistribute}'", "agreement_forbids_passing_on"),
        ("steward_signed_at = NULL", "what_is_in_force_is_signed_by_both"),
        ("applicant_signed_at = NULL", "what_is_in_force_is_signed_by_both"),
        ("steward_id = applicant_id", "nobody_signs_for_both_sides"),
        ("state = 'open'", "agreement_state_is_known"),
    ],
)
def test_the_database_itself_keeps_the_other_rules(community, dana, aroha, change, rule):
    made = active(community, dana, aroha)
    with pytest.raises(IntegrityError, match=rule), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE care_agreement SET {change} WHERE id = %s", [made.pk])  # noqa: S608


def test_a_request_goes_all_the_way_and_each_step_is_entered_once(community, dana, aroha):
    made = active(community, dana, aroha)
    assert (made.state, made.steward, made.activated_at) == ("active", aroha, NOW)
    ours = Entry.objects.filter(subject=made.subject).order_by("pk").values_list("action", flat=True)
    assert list(ours) == [f"agreement.{act}" for act in ("begun", "submitted", "signed", "signed")]
    assert [event.kind for event in made.events.all()] == ["begun", "submitted", "approved", "signed", "signed"]
    assert made.decision.subject == made.subject
    # What was typed is sealed, not said.
    assert not Entry.objects.filter(details__icontains="Institute").exists()
    assert any("Institute" in str(secret.payload) for secret in Secret.objects.all())


def test_one_signature_opens_nothing(community, dana, aroha):
    made = approved(community, dana, aroha)
    made = sign_agreement(agreement=made, signed_by=aroha, now=NOW)
    assert made.state == "approved"
    with pytest.raises(Conflicting, match="signed already"):
        sign_agreement(agreement=made, signed_by=aroha, now=NOW)
    with pytest.raises(NotAllowed):
        make_token(agreement=made, person=dana, now=NOW)


def test_nobody_else_signs_for_the_community(community, dana, aroha, esi, ben):
    """Not an outsider, not a steward of another community, not a member, and not a steward who is named in it."""
    (iris,) = make_stewards(community, ["iris"])
    made = drafted(community, dana)
    made = submit_agreement(agreement=made, submitted_by=dana, now=NOW)
    made.users.add(iris)
    put_to_decision(agreement=made, proposer=aroha, now=NOW, text="Yes.")
    stranger = make_person("stranger")
    found_community(
        founder=stranger, now=NOW, slug="other", name="Other", language_name="Other", language_tag="ote",
        iso_639_3="ote", glottocode="mezq1235", script="Latn",
    )  # fmt: skip
    for person in (make_person("outsider"), stranger, esi, ben, iris):
        with pytest.raises(NotAllowed):
            sign_agreement(agreement=made, signed_by=person, now=NOW)
    sign_agreement(agreement=made, signed_by=dana, now=NOW)
    with pytest.raises(Conflicting):  # the applicant has signed for themselves, and signs no second time
        sign_agreement(agreement=made, signed_by=dana, now=NOW)
    made.refresh_from_db()
    assert (made.state, made.steward) == ("approved", None)


def test_a_steward_who_asks_decides_on_it_in_no_way(community, aroha):
    """Not alone where one steward decides, not through the general way of proposing, and not by signing."""
    made = submitted(community, aroha)
    with pytest.raises(NotAllowed, match="does not act in it"):
        put_to_decision(agreement=made, proposer=aroha, now=NOW, text="Yes.")
    with pytest.raises(NotAllowed):
        decide_alone(
            community=community, matter="agreement", subject=made.subject, decided_by=aroha, now=NOW,
            conditions={"terms_sha256": made.terms_sha256},
        )  # fmt: skip
    assert not Decision.objects.filter(matter="agreement").exists()
    (iris,) = make_stewards(community, ["iris"])
    put_to_decision(agreement=made, proposer=iris, now=NOW, text="Yes.")
    made.refresh_from_db()
    sign_agreement(agreement=made, signed_by=aroha, now=NOW)
    assert sign_agreement(agreement=made, signed_by=iris, now=NOW).state == "active"


def test_where_the_community_votes_the_applicant_does_not_and_who_proposes_does(community, aroha):
    iris, jonas, kiri = make_stewards(community, ["iris", "jonas", "kiri"])
    adopt(community, aroha, cooling_off_hours=0)
    made = submitted(community, kiri)
    proposal = put_to_decision(agreement=made, proposer=aroha, now=NOW, text="Let us open it.")
    assert proposal.state == Proposal.State.OPEN
    with pytest.raises(NotAnElector):
        vote(proposal=proposal, choice="for", cast_by=kiri, now=NOW)
    with pytest.raises(NotPossible, match="open already"):
        return_agreement(agreement=made, returned_by=aroha, words="Why?", now=NOW)
    voted(proposal, [aroha, iris, jonas])
    assert closed(proposal).tally["electors"] == 3
    made.refresh_from_db()
    assert made.state == "approved"


def test_votes_against_it_refuse_it_and_too_few_leave_it_waiting(community, dana, aroha):
    stewards = [aroha, *make_stewards(community)]
    adopt(community, aroha, cooling_off_hours=0)
    made = submitted(community, dana)
    with pytest.raises(NotAllowed, match="nobody decides this alone"):
        reject_agreement(agreement=made, rejected_by=aroha, words="No.", now=NOW)
    closed(put_to_decision(agreement=made, proposer=aroha, now=NOW, text="Again."))
    made.refresh_from_db()
    assert made.state == "submitted"
    proposal = put_to_decision(agreement=made, proposer=aroha, now=NOW, text="Now?")
    voted(proposal, stewards, "against")
    closed(proposal)
    made.refresh_from_db()
    assert made.state == "rejected"


def test_nothing_is_decided_on_but_the_terms_that_were_sent(community, dana, aroha):
    make_stewards(community)
    adopt(community, aroha)
    made = submitted(community, dana)
    about = {"community": community, "matter": "agreement", "text": "Yes.", "proposer": aroha, "now": NOW}
    with pytest.raises(Invalid, match="not the terms"):
        open_proposal(**about, subject=made.subject)
    with pytest.raises(Invalid, match="no request"):
        open_proposal(**about, subject="agreement:999")
    with pytest.raises(Invalid, match="no request"):
        open_proposal(**about, subject="agreement:somebody")
    with pytest.raises(NotPossible):
        save_terms(agreement=made, saved_by=dana, now=NOW, aim="Something else.")
    back = return_agreement(agreement=made, returned_by=aroha, words="For how long?", now=NOW)
    save_terms(agreement=back, saved_by=dana, now=NOW, aim="Something else.")
    again = submit_agreement(agreement=back, submitted_by=dana, now=NOW)
    assert again.terms_sha256 != made.terms_sha256


def test_a_decision_that_waits_covers_no_terms_that_came_after_it(community, dana, aroha):
    """It passed, then somebody sent the request back, and the applicant changed it before the decision held."""
    stewards = [aroha, *make_stewards(community)]
    adopt(community, aroha)
    made = submitted(community, dana)
    proposal = put_to_decision(agreement=made, proposer=aroha, now=NOW, text="Yes.")
    voted(proposal, stewards)
    decision = closed(proposal)
    assert decision.state == "cooling_off"
    back = return_agreement(agreement=made, returned_by=aroha, words="One more thing.", now=proposal.closes_at)
    save_terms(agreement=back, saved_by=dana, now=NOW, computing="Anywhere.")
    submit_agreement(agreement=back, submitted_by=dana, now=proposal.closes_at)
    keep_time(now=decision.effective_from)
    made.refresh_from_db()
    assert (made.state, made.decision) == ("submitted", None)


def test_a_decision_holds_after_the_time_for_appeals(community, dana, aroha):
    stewards = [aroha, *make_stewards(community)]
    adopt(community, aroha)
    made = submitted(community, dana)
    proposal = put_to_decision(agreement=made, proposer=aroha, now=NOW, text="Yes.")
    voted(proposal, stewards)
    decision = closed(proposal)
    # Meanwhile somebody puts the same terms to the vote again: the later decision takes the place of the first.
    again = put_to_decision(agreement=made, proposer=aroha, now=proposal.closes_at, text="Yes, again.")
    keep_time(now=decision.effective_from)
    made.refresh_from_db()
    assert (made.state, made.decision) == ("approved", decision)
    voted(again, stewards, at=decision.effective_from)
    later_one = closed(again)
    keep_time(now=later_one.effective_from)
    made.refresh_from_db()
    assert (made.state, made.decision) == ("approved", later_one)


def test_access_ends_with_the_decision_that_allows_it(community, dana, aroha):
    stewards = [aroha, *make_stewards(community)]
    adopt(community, aroha, cooling_off_hours=0, grant_max_months=3)
    made = submitted(community, dana)
    proposal = put_to_decision(agreement=made, proposer=aroha, now=NOW, text="A little while.")
    voted(proposal, stewards)
    decision = closed(proposal)
    made.refresh_from_db()
    assert made.ends_at == decision.expires_at < ENDS


@pytest.mark.parametrize("role", [Role.STEWARD, Role.ELDER])
def test_nobody_is_kept_from_deciding_by_being_named(community, dana, aroha, esi, role):
    (iris,) = make_stewards(community, ["iris"], role)
    made = drafted(community, dana)
    save = partial(save_terms, agreement=made, saved_by=dana, now=NOW)
    with pytest.raises(Invalid, match="named in an agreement") as refused:
        save(users=[esi, iris])
    assert refused.value.field == "users"
    assert set(made.users.all()) == {dana}
    save(users=[esi])
    # Nor by being named before they had the role.
    grant_role(person=esi, community=community, role=role, granted_by=aroha, now=NOW)
    with pytest.raises(Invalid, match="named in an agreement"):
        submit_agreement(agreement=made, submitted_by=dana, now=NOW)


def test_a_steward_may_ask_for_themselves(community, aroha):
    (iris,) = make_stewards(community, ["iris"])
    assert set(submitted(community, iris, users=[]).users.all()) == {iris}


def test_terms_that_cannot_be_are_refused_beside_their_field(community, dana):
    made = drafted(community, dana)
    save = partial(save_terms, agreement=made, saved_by=dana, now=NOW)
    for field, value in {
        "country": "Mexico",
        "purposes": ["display_public"],
        "forbidden": ["dancing"],
        "ends_at": datetime(2028, 3, 3, tzinfo=UTC),
        "starts_on": date(2030, 1, 1),
        "state": "active",
    }.items():
        with pytest.raises(Invalid) as refused:
            save(**{field: value})
        assert refused.value.field in {field, "ends_at"}
    for far in (date(2026, 12, 1), date(9999, 1, 1)):
        with pytest.raises(Invalid, match="within six months"):
            save(starts_on=far, ends_at=datetime(9999, 12, 1, tzinfo=UTC))
    assert {"redistribute", "identify"} <= set(save(forbidden=["sell"], starts_on=NOW.date()).forbidden)
    save(comes_back="")
    with pytest.raises(Invalid, match="not answered") as refused:
        submit_agreement(agreement=made, submitted_by=dana, now=NOW)
    assert refused.value.field == "comes_back"
    with pytest.raises(NotAllowed):
        save_terms(agreement=made, saved_by=make_person("stranger"), now=NOW, aim="Mine.")


def test_a_closed_community_is_asked_through_its_stewards(community, dana, aroha, esi):
    with pytest.raises(NotAllowed, match="Ask a steward"):
        begin_agreement(community=community, applicant=dana, begun_by=dana, now=NOW)
    with pytest.raises(NotAllowed):
        begin_agreement(community=community, applicant=dana, begun_by=esi, now=NOW)
    made = begin_agreement(community=community, applicant=dana, begun_by=aroha, now=NOW)
    assert Agreement.objects.held_by(dana).get() == made
    with pytest.raises(Conflicting):
        begin_agreement(community=community, applicant=dana, begun_by=dana, now=NOW)


def test_a_renewal_begins_with_the_terms_before_it(community, dana, aroha):
    made = active(community, dana, aroha)
    renewed = begin_agreement(community=community, applicant=dana, begun_by=dana, now=later(days=30), renews=made)
    assert (renewed.organisation, renewed.releases, renewed.renews) == (made.organisation, [1], made)
    assert (renewed.state, renewed.applicant_signed_at, renewed.decision) == ("draft", None, None)
    assert renewed.starts_on == later(days=30).date()
    open_door(community)
    other = make_person("other")
    grant_role(person=other, community=community, role=Role.SPEAKER, granted_by=aroha, now=NOW)
    with pytest.raises(NotAllowed):
        begin_agreement(community=community, applicant=other, begun_by=other, now=NOW, renews=made)
    promised(renewed, due_on=date(2026, 9, 1))
    assert submit_agreement(agreement=renewed, submitted_by=dana, now=later(days=30)).state == "submitted"
