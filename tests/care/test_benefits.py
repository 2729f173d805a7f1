"""What is promised for access: nothing is in force without it, and what does not come keeps from asking again."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from care.agreements import (
    NoBenefit,
    begin_agreement,
    keep_agreements,
    put_to_decision,
    save_terms,
    sign_agreement,
    submit_agreement,
)
from care.benefits import (
    PromisesOverdue,
    confirm_benefit,
    deliver_benefit,
    dispute_benefit,
    drop_benefit,
    promise_benefit,
    register_of,
)
from care.deciding import decide_alone
from care.elections import NotPossible
from care.models import Commitment
from ledger.models import Entry
from people.refusals import Invalid, NotAllowed
from tests.care.agreeing import TERMS, active, approved, drafted, open_door, promised, submitted
from tests.care.deciding import make_stewards
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DUE = date(2026, 6, 1)


def at(day: date):
    return NOW + (day - NOW.date())


def test_without_a_promise_nothing_comes_into_force(community, dana, aroha):
    made = submitted(community, dana, promises=False)
    with pytest.raises(NoBenefit):
        put_to_decision(agreement=made, proposer=aroha, now=NOW, text="Yes.")
    # Somebody decides on it all the same, without saying that nothing is promised: it cannot be signed.
    decide_alone(
        community=community, matter="agreement", subject=made.subject, decided_by=aroha, now=NOW,
        conditions={"terms_sha256": made.terms_sha256},
    )  # fmt: skip
    made.refresh_from_db()
    assert made.state == "approved"
    for person in (dana, aroha):
        with pytest.raises(NoBenefit):
            sign_agreement(agreement=made, signed_by=person, now=NOW)


def test_a_decision_may_waive_it_but_never_for_commercial_use(community, dana, aroha):
    made = active(community, dana, aroha, promises=False)
    assert made.state == "active"
    assert made.decision.conditions["waives_benefits"] is True


def test_commercial_use_is_never_without_a_benefit(community, dana, aroha):
    made = submitted(community, dana, promises=False, purposes=["train_commercial"])
    with pytest.raises(NoBenefit):
        put_to_decision(agreement=made, proposer=aroha, now=NOW, text="Yes.", waives_benefits=True)
    decide_alone(
        community=community, matter="agreement", subject=made.subject, decided_by=aroha, now=NOW,
        conditions={"terms_sha256": made.terms_sha256, "waives_benefits": True},
    )  # fmt: skip
    made.refresh_from_db()
    with pytest.raises(NoBenefit):
        sign_agreement(agreement=made, signed_by=dana, now=NOW)


def test_a_promise_is_written_while_the_terms_are_and_stays_afterwards(community, dana, aroha):
    made = drafted(community, dana, promises=False)
    with pytest.raises(Invalid):
        promised(made, due_on=NOW.date() - timedelta(days=1))
    with pytest.raises(NotAllowed):
        promise_benefit(agreement=made, promised_by=aroha, kind="money", words="Much.", due_on=DUE, now=NOW)
    with pytest.raises(Invalid):
        promise_benefit(agreement=made, promised_by=dana, kind="gold", words="Much.", due_on=DUE, now=NOW)
    first, second = promised(made), promised(made)
    drop_benefit(commitment=second, dropped_by=dana, now=NOW)
    made = submit_agreement(agreement=made, submitted_by=dana, now=NOW)
    with pytest.raises(NotPossible):
        drop_benefit(commitment=first, dropped_by=dana, now=NOW)
    with pytest.raises(NotPossible):
        promised(made)
    assert made.commitments.get() == first


def test_more_may_be_promised_later(community, dana, aroha):
    made = active(community, dana, aroha)
    promised(made)
    assert made.commitments.count() == 2


def test_time_makes_a_promise_due_and_overdue(community, dana, aroha):
    row = promised_of(active(community, dana, aroha))
    for day, state in (
        (DUE - timedelta(days=15), "promised"),
        (DUE - timedelta(days=14), "due"),
        (DUE, "due"),
        (DUE + timedelta(days=1), "overdue"),
    ):
        keep_agreements(now=at(day))
        assert keep_agreements(now=at(day)) == 0
        row.refresh_from_db()
        assert row.state == state


def test_a_steward_confirms_what_came_and_nobody_else(community, dana, aroha, esi):
    (iris,) = make_stewards(community, ["iris"])
    made = drafted(community, dana)
    submit_agreement(agreement=made, submitted_by=dana, now=NOW)
    made.users.add(iris)
    row = promised_of(made)
    with pytest.raises(NotPossible, match="not in force"):
        deliver_benefit(commitment=row, delivered_by=dana, evidence="Done.", now=NOW)
    put_to_decision(agreement=made, proposer=aroha, now=NOW, text="Yes.")
    for person in (dana, aroha):
        sign_agreement(agreement=made, signed_by=person, now=NOW)
    with pytest.raises(NotPossible):
        confirm_benefit(commitment=row, confirmed_by=aroha, now=NOW)
    with pytest.raises(Invalid):
        deliver_benefit(commitment=row, delivered_by=dana, evidence=" ", now=NOW)
    with pytest.raises(NotAllowed):
        deliver_benefit(commitment=row, delivered_by=aroha, evidence="Done.", now=NOW)
    deliver_benefit(commitment=row, delivered_by=dana, evidence="Twelve came.", now=NOW)
    for person in (dana, esi, iris):
        with pytest.raises(NotAllowed):
            confirm_benefit(commitment=row, confirmed_by=person, now=NOW)
    assert dispute_benefit(commitment=row, disputed_by=aroha, remark="Who?", now=NOW).state == "due"
    deliver_benefit(commitment=row, delivered_by=dana, evidence="Here is the list.", now=NOW)
    done = confirm_benefit(commitment=row, confirmed_by=aroha, now=NOW)
    assert (done.state, done.confirmed_by, done.remark) == ("confirmed", aroha, "")
    actions = Entry.objects.filter(subject=f"commitment:{row.pk}").order_by("pk").values_list("action", flat=True)
    assert list(actions) == [
        f"benefit.{act}" for act in ("promised", "delivered", "sent_back", "delivered", "confirmed")
    ]


def test_what_is_overdue_for_more_than_thirty_days_blocks_a_renewal_and_a_new_request(community, dana, aroha):
    made = active(community, dana, aroha)
    row = promised_of(made)
    renewed = begin_agreement(community=community, applicant=dana, begun_by=dana, now=NOW, renews=made)
    promised(renewed, due_on=date(2026, 12, 1))
    last = at(DUE + timedelta(days=30))
    too_late = at(DUE + timedelta(days=31))
    with pytest.raises(PromisesOverdue, match="30 days"):
        submit_agreement(agreement=renewed, submitted_by=dana, now=too_late)
    sent = submit_agreement(agreement=renewed, submitted_by=dana, now=last)
    # It was sent in time; by the day of signing it is too late.
    put_to_decision(agreement=sent, proposer=aroha, now=last, text="Yes.")
    with pytest.raises(PromisesOverdue):
        sign_agreement(agreement=sent, signed_by=dana, now=too_late)
    fresh = begin_agreement(community=community, applicant=dana, begun_by=dana, now=last)
    save_terms(agreement=fresh, saved_by=dana, now=last, **{**TERMS, "starts_on": last.date()})
    with pytest.raises(PromisesOverdue):
        submit_agreement(agreement=fresh, submitted_by=dana, now=too_late)
    deliver_benefit(commitment=row, delivered_by=dana, evidence="At last.", now=too_late)
    assert sign_agreement(agreement=sent, signed_by=dana, now=too_late).applicant_signed_at == too_late


def test_the_register_shows_what_binds_and_names_no_person(community, dana, aroha):
    open_door(community)
    made = approved(community, dana, aroha)
    assert not register_of(community).exists()
    for person in (dana, aroha):
        sign_agreement(agreement=made, signed_by=person, now=NOW)
    row = register_of(community).get()
    assert (row.agreement.organisation, row.state) == ("Institute of Tests", "promised")


def promised_of(agreement) -> Commitment:
    return agreement.commitments.get()
