"""How an agreement ends or is stopped, and what its tokens open until then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from care.agreements import close_agreement, keep_agreements, revoke_access, sign_agreement, suspend_access
from care.deciding import keep_time
from care.jobs import keep_agreements_job
from care.models import AgreementNotice, AgreementToken, Decision
from care.suspending import propose_about, suspend
from care.tokens import find_token, make_token
from ledger.models import Entry
from people.models import Person
from people.refusals import Invalid, NotAllowed, TooLate
from tests.care.agreeing import active, approved
from tests.care.deciding import later, make_stewards
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def test_a_token_opens_until_the_last_second_and_not_in_the_one_after(community, dana, aroha):
    made = active(community, dana, aroha)
    secret = make_token(agreement=made, person=dana, now=NOW)
    stored = AgreementToken.objects.get()
    assert secret not in str(stored.__dict__)
    assert len(stored.secret_sha256) == 64
    assert find_token(secret=secret, now=made.ends_at - SECOND) == stored
    assert find_token(secret=secret, now=made.ends_at) is None
    assert find_token(secret=secret, now=NOW - timedelta(days=1)) is None
    assert find_token(secret=secret + "x", now=NOW) is None
    assert find_token(secret="", now=NOW) is None


def test_a_new_token_ends_the_one_before_it_and_strangers_get_none(community, dana, aroha, esi):
    made = active(community, dana, aroha)
    first, second = (make_token(agreement=made, person=dana, now=NOW) for _ in range(2))
    assert find_token(secret=first, now=NOW) is None
    assert find_token(secret=second, now=NOW) is not None
    with pytest.raises(NotAllowed):
        make_token(agreement=made, person=esi, now=NOW)
    Person.objects.filter(pk=dana.pk).update(is_active=False)
    assert find_token(secret=second, now=NOW) is None


def test_a_suspended_agreement_opens_nothing_and_only_the_community_or_time_lets_it_go_on(community, dana, aroha):
    made = active(community, dana, aroha)
    secret = make_token(agreement=made, person=dana, now=NOW)
    with pytest.raises(NotAllowed):
        suspend_access(agreement=made, suspended_by=dana, reason="Mine.", now=NOW)
    with pytest.raises(Invalid):
        suspend_access(agreement=made, suspended_by=aroha, reason=" ", now=NOW)
    made = suspend_access(agreement=made, suspended_by=aroha, reason="They did not answer.", now=NOW)
    assert (made.state, find_token(secret=secret, now=NOW)) == ("suspended", None)
    keep_time(now=later(days=14))
    made.refresh_from_db()
    assert made.state == "active"
    assert find_token(secret=secret, now=later(days=14)) is not None
    suspend(decision=made.decision, suspended_by=aroha, reason="Again.", now=later(days=15))
    made.refresh_from_db()
    assert made.state == "suspended"
    propose_about(decision=made.decision, matter="lift", text="Enough.", proposer=aroha, now=later(days=15))
    made.refresh_from_db()
    assert made.state == "active"


def test_a_steward_who_is_named_in_it_does_not_let_it_go_on(community, dana, aroha):
    (iris,) = make_stewards(community, ["iris"])
    made = active(community, iris, aroha)
    made = suspend_access(agreement=made, suspended_by=aroha, reason="Stop.", now=NOW)
    with pytest.raises(NotAllowed):
        propose_about(decision=made.decision, matter="lift", text="Go on.", proposer=iris, now=NOW)
    made.refresh_from_db()
    assert made.state == "suspended"


def test_a_revoked_agreement_is_over_for_good_with_its_decision(community, dana, aroha):
    made = active(community, dana, aroha)
    secret = make_token(agreement=made, person=dana, now=NOW)
    made = revoke_access(agreement=made, revoked_by=aroha, reason="It was sold.", now=NOW)
    assert (made.state, made.decision.state) == ("revoked", "revoked")
    assert find_token(secret=secret, now=NOW) is None
    assert "It was sold." in {event.note for event in made.events.all()}


def test_the_community_takes_the_decision_back_and_access_ends(community, dana, aroha):
    made = active(community, dana, aroha)
    propose_about(decision=made.decision, matter="revoke", text="No more.", proposer=aroha, now=NOW)
    made.refresh_from_db()
    assert made.state == "revoked"


def test_time_ends_agreements_and_tells_both_sides_before(community, dana, aroha):
    made = active(community, dana, aroha)
    for days, told in ((61, []), (60, [60]), (15, [60]), (14, [14, 60]), (1, [1, 14, 60])):
        moment = made.ends_at - timedelta(days=days)
        keep_agreements(now=moment)
        assert keep_agreements(now=moment) == 0
        assert sorted(made.notices.values_list("days", flat=True)) == told
    assert keep_agreements(now=made.ends_at) == 1
    assert keep_agreements(now=made.ends_at) == 0
    made.refresh_from_db()
    assert made.state == "expired"
    assert Entry.objects.filter(action="agreement.expired").count() == 1
    assert AgreementNotice.objects.count() == 3


def test_a_signature_that_comes_too_late_opens_nothing(community, dana, aroha):
    made = approved(community, dana, aroha)
    with pytest.raises(TooLate):
        sign_agreement(agreement=made, signed_by=dana, now=made.ends_at)
    keep_agreements(now=made.ends_at)
    made.refresh_from_db()
    assert made.state == "expired"


def test_an_applicant_ends_it_and_others_do_not(community, dana, aroha):
    made = active(community, dana, aroha)
    with pytest.raises(NotAllowed):
        close_agreement(agreement=made, closed_by=aroha, now=NOW)
    secret = make_token(agreement=made, person=dana, now=NOW)
    assert close_agreement(agreement=made, closed_by=dana, now=NOW).state == "closed"
    assert find_token(secret=secret, now=NOW) is None


def test_an_agreement_ends_when_its_decision_does(community, dana, aroha):
    made = active(community, dana, aroha)
    Decision.objects.filter(pk=made.decision_id).update(expires_at=later(days=30))
    secret = make_token(agreement=made, person=dana, now=NOW)
    assert find_token(secret=secret, now=later(days=30) - SECOND) is not None
    assert find_token(secret=secret, now=later(days=30)) is None
    keep_time(now=later(days=30))
    made.refresh_from_db()
    assert made.state == "expired"


def test_the_daily_job_is_scheduled_and_does_it(community, dana, aroha, settings, monkeypatch):
    made = active(community, dana, aroha)
    monkeypatch.setattr("django.utils.timezone.now", lambda: made.ends_at)
    task = settings.CELERY_BEAT_SCHEDULE["keep-agreements"]
    assert (task["task"], task["schedule"]) == (keep_agreements_job.name, 86_400)
    assert keep_agreements_job() == 3  # it ended, and its promise became due and overdue
    assert keep_agreements_job() == 0
