"""Asking for access, answering it, and living with it: the pages of both sides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.answers.models import Answer
from care.models import Agreement, AgreementToken, Commitment, Policy, Proposal, Purpose
from care.services import publish_policy
from people.models import Person
from tests.care.agreeing import TERMS, active, approved, open_door, submitted
from tests.care.deciding import adopt, make_stewards
from tests.conftest import NOW, make_person
from tests.frontend.made import make_release
from training.releases.models import Download, DownloadNotice
from training.runs.withdrawals import withdraw_answer

pytestmark = pytest.mark.django_db
DESK = "/c/test-otomi/steward/agreements/"


@pytest.fixture(autouse=True)
def _the_clock_stands(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def policy(community, aroha) -> Policy:
    """Words are worked with in Mexico."""
    terms = {"processing_countries": ["MX"], "storage_countries": ["MX"], "jurisdiction": "MX"}
    every = list(Purpose.values)
    return publish_policy(
        waiver="For tests.", community=community, text="Text.", purposes=every, terms=terms, published_by=aroha, now=NOW
    )


def signed_in(person: Person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def words(response) -> str:
    return response.content.decode()


def page(agreement: Agreement) -> str:
    return reverse("public:agreement", args=[agreement.pk])


def test_somebody_outside_asks_from_the_public_page_one_screen_after_the_other(
    community, dana, project, validated_corpus, esi
):
    make_release(project, esi)
    open_door(community)
    outside = signed_in(dana)
    assert "/c/test-otomi/access/" in words(outside.get("/c/test-otomi/"))
    assert "Begin a request" in words(outside.get("/c/test-otomi/access/"))

    first = outside.post("/c/test-otomi/access/")
    made = Agreement.objects.get()
    assert first["Location"] == f"/agreements/{made.pk}/terms/who/"
    screens = {
        "who": {"organisation": "Institute of Tests", "tier": "research", "country": "mx"},
        "what": {"aim": "To learn.", "purposes": ["train_noncommercial"], "releases": ["1"], "covers_later": "on"},
        "where": {"computing": "Ours.", "computing_countries": "mx nz", "users": "esi"},
        "limits": {"forbidden": ["sell"], "publication": "copy", "comes_back": "The model."},
        "time": {"starts_on": "2026-03-02", "months": "24"},
    }
    following = [*list(screens)[1:], None]
    for name, after in zip(screens, following, strict=True):
        answer = outside.post(f"/agreements/{made.pk}/terms/{name}/", screens[name])
        to = f"/agreements/{made.pk}/terms/{after}/" if after else f"/agreements/{made.pk}/promise/"
        assert (answer.status_code, answer["Location"]) == (302, to)
    outside.post(to, {"kind": "training", "words": "Lessons.", "due_on": "2026-09-01"})
    sent = outside.post(page(made), {"act": "submit"}, follow=True)

    made.refresh_from_db()
    assert made.state == "submitted"
    assert (made.country, made.computing_countries, made.releases) == ("MX", ["MX", "NZ"], [1])
    assert sorted(made.forbidden) == ["identify", "redistribute", "sell"]
    assert made.ends_at.date().isoformat() == "2028-03-02"
    assert set(made.users.all()) == {dana, esi}
    assert "Sent. The community answers" in words(sent)
    assert "Institute of Tests" in words(signed_in(esi).get("/agreements/"))


def test_what_is_wrong_is_said_and_what_was_typed_stays(community, dana, aroha):
    open_door(community)
    outside = signed_in(dana)
    outside.post("/c/test-otomi/access/")
    at = f"/agreements/{Agreement.objects.get().pk}"
    where = {"computing": "A machine of ours", "computing_countries": "MX", "users": "nobody-here"}
    refused = outside.post(f"{at}/terms/where/", where)
    assert refused.status_code == 422
    assert "Nobody here has the username nobody-here" in words(refused)
    assert "A machine of ours" in words(refused)
    barred = outside.post(f"{at}/terms/where/", {**where, "users": "aroha"})
    assert (barred.status_code, "named in an agreement" in words(barred)) == (422, True)
    late = outside.post(f"{at}/terms/time/", {"starts_on": "2026-03-02", "months": "25"})
    assert late.status_code == 422
    far = outside.post(f"{at}/terms/time/", {"starts_on": "9999-01-01", "months": "24"})
    assert (far.status_code, "within six months" in words(far), "9999-01-01" in words(far)) == (422, True, True)
    past = outside.post(f"{at}/promise/", {"kind": "money", "words": "A lot.", "due_on": "2020-01-01"})
    assert (past.status_code, "A lot." in words(past)) == (422, True)
    unsent = outside.post(f"{at}/", {"act": "submit"})
    assert (unsent.status_code, "not answered yet" in words(unsent)) == (422, True)
    twice = outside.post("/c/test-otomi/access/")
    assert (twice.status_code, "being written already" in words(twice)) == (409, True)


def test_a_closed_community_is_not_there_for_strangers_until_a_steward_lets_them_ask(community, dana, aroha):
    outside, steward = signed_in(dana), signed_in(aroha)
    assert outside.get("/c/test-otomi/access/").status_code == 404
    assert "Nobody has asked yet" in words(steward.get(DESK))
    assert steward.post(DESK, {"username": "nobody-here"}).status_code == 422
    assert "My agreements" in words(steward.post(DESK, {"username": "dana"}, follow=True))
    made = Agreement.objects.get()
    assert "My agreements" in words(outside.get("/"))
    assert "Go on with it" in words(outside.get("/agreements/"))
    # Nobody reads a request that was not sent, nor one that its applicant gave up before.
    assert "Nobody has asked yet" in words(steward.get(DESK))
    assert steward.get(f"{DESK}{made.pk}/").status_code == 404
    outside.post(page(made), {"act": "close"})
    assert steward.get(f"{DESK}{made.pk}/").status_code == 404


def test_a_steward_asks_back_agrees_and_both_sign(community, dana, aroha):
    made = submitted(community, dana)
    outside, steward = signed_in(dana), signed_in(aroha)
    desk = f"{DESK}{made.pk}/"
    assert "One request from outside waits" in words(steward.get("/c/test-otomi/steward/"))
    assert "Read it, then ask back or decide." in words(steward.get(DESK))
    empty = steward.post(desk, {"act": "return", "words": " "})
    assert (empty.status_code, "Give the reason." in words(empty)) == (422, True)
    steward.post(desk, {"act": "return", "words": "For how long exactly?"})
    assert "For how long exactly?" in words(outside.get(page(made)))
    outside.post(page(made), {"act": "submit"})
    assert steward.post(desk, {"act": "decide", "text": ""}).status_code == 422
    decided = steward.post(desk, {"act": "decide", "text": "They are welcome."}, follow=True)
    assert "It is decided" in words(decided)
    assert "I sign these terms" in words(outside.get(page(made)))
    outside.post(page(made), {"act": "sign"})
    steward.post(desk, {"act": "sign"})
    made.refresh_from_db()
    assert made.state == "active"
    shown = words(steward.get(desk))
    assert all(one in shown for one in ("Two days of lessons", "finding out who wrote something", "Institute of Tests"))


def test_where_the_community_votes_everybody_reads_the_terms_on_the_proposal(community, dana, aroha, ben):
    make_stewards(community)
    adopt(community, aroha)
    made = submitted(community, dana)
    steward = signed_in(aroha)
    shown = words(steward.get(f"{DESK}{made.pk}/"))
    assert "Put it to the vote" in shown
    assert "Why is it refused?" not in shown
    steward.post(f"{DESK}{made.pk}/", {"act": "decide", "text": "Let us see.", "days": "7"})
    proposal = Proposal.objects.get(matter="agreement")
    read = words(signed_in(ben).get(f"/c/test-otomi/steward/proposals/{proposal.pk}/"))
    assert all(one in read for one in ("Institute of Tests", "Two days of lessons", "Our own machine"))
    assert "A vote on it is open" in words(steward.get(f"{DESK}{made.pk}/"))


def test_a_steward_who_is_named_only_reads(community, dana, aroha):
    (iris,) = make_stewards(community, ["iris"])
    made = submitted(community, iris)
    desk = f"{DESK}{made.pk}/"
    mine = signed_in(iris)
    assert "other stewards act in it" in words(mine.get(desk))
    assert mine.post(desk, {"act": "decide", "text": "Yes."}).status_code == 403
    made.refresh_from_db()
    assert made.state == "submitted"


def test_a_refusal_is_said_to_the_applicant(community, dana, aroha):
    made = submitted(community, dana)
    signed_in(aroha).post(f"{DESK}{made.pk}/", {"act": "reject", "words": "Not for this."})
    assert "Not for this." in words(signed_in(dana).get(page(made)))


def test_a_token_is_shown_once(community, dana, aroha):
    made = active(community, dana, aroha)
    outside = signed_in(dana)
    shown = outside.post(f"{page(made)}token/")
    secret = next(word for word in words(shown).replace("<", ">").split(">") if word.startswith("wha_"))
    assert shown.status_code == 201
    assert "no-store" in shown["Cache-Control"]
    assert secret not in words(outside.get(page(made)))
    assert AgreementToken.objects.get().secret_sha256 not in words(outside.get(page(made)))
    refused = signed_in(make_person("stranger")).post(f"{page(made)}token/")
    assert refused.status_code == 404


def test_downloads_notices_and_promises_from_both_sides(
    community, dana, aroha, project, validated_corpus, esi, ben, monkeypatch
):
    make_release(project, esi)
    made = active(community, dana, aroha)
    outside, steward = signed_in(dana), signed_in(aroha)
    zipped = outside.get(f"{page(made)}releases/1/")
    assert (zipped["Content-Type"], Download.objects.count()) == ("application/zip", 1)
    withdraw_answer(answer=Answer.objects.filter(author=ben).first(), author=ben, now=NOW)
    again = outside.get(f"{page(made)}releases/1/")
    assert (again.status_code, "not handed out any more" in words(again)) == (409, True)
    assert "Delete or replace a download" in words(outside.get(page(made)))
    assert "were taken back" in words(outside.get("/agreements/"))

    notice = DownloadNotice.objects.get()
    week = NOW + timedelta(days=7, seconds=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: week)
    assert timezone.now() == week
    assert "was not deleted in time" in words(steward.get(DESK))
    assert "still out there" in words(steward.get(f"{DESK}{made.pk}/"))
    about = {"act": "answer", "notice": notice.pk}
    refusing = outside.post(page(made), {**about, "answer": "refused", "words": ""})
    assert (refusing.status_code, "Give the reason." in words(refusing)) == (422, True)
    outside.post(page(made), {**about, "answer": "refused", "words": "We need it."})
    assert "We need it." in words(steward.get(f"{DESK}{made.pk}/"))
    outside.post(page(made), {**about, "answer": "deleted"})
    assert "still out there" not in words(steward.get(f"{DESK}{made.pk}/"))

    row = Commitment.objects.get()
    outside.post(page(made), {"act": "deliver", "commitment": row.pk, "words": "Twelve people came."})
    assert "did it come?" in words(steward.get(DESK))
    steward.post(f"{DESK}{made.pk}/", {"act": "dispute", "commitment": row.pk, "words": "Only two."})
    assert "Only two." in words(outside.get(page(made)))
    outside.post(page(made), {"act": "deliver", "commitment": row.pk, "words": "Here is the list."})
    steward.post(f"{DESK}{made.pk}/", {"act": "confirm", "commitment": row.pk})
    row.refresh_from_db()
    assert row.state == "confirmed"
    for who in (signed_in(ben), Client()):
        seen = words(who.get("/c/test-otomi/"))
        assert "Institute of Tests" in seen
        assert "A steward confirmed it" in seen
        assert "dana" not in seen


@pytest.mark.parametrize(("act", "state"), [("suspend", "suspended"), ("revoke", "revoked")])
def test_a_steward_stops_it_with_a_reason(community, dana, aroha, act, state):
    made = active(community, dana, aroha)
    steward = signed_in(aroha)
    desk = f"{DESK}{made.pk}/"
    assert steward.post(desk, {"act": act, "words": ""}).status_code == 422
    steward.post(desk, {"act": act, "words": "They did not answer."})
    made.refresh_from_db()
    assert made.state == state
    assert "They did not answer." in words(signed_in(dana).get(page(made)))
    assert "Make a token" not in words(signed_in(dana).get(page(made)))
    assert steward.get(desk).status_code == 200


def test_an_applicant_ends_it_and_asks_for_more(community, dana, aroha):
    made = active(community, dana, aroha)
    outside = signed_in(dana)
    renewed = outside.post(page(made), {"act": "renew"}, follow=True)
    assert "the same answers" in words(renewed)
    outside.post(page(made), {"act": "close"})
    made.refresh_from_db()
    assert made.state == "closed"
    assert outside.post(page(made), {"act": "dance"}).status_code == 422


def test_others_find_nothing_there(community, dana, aroha, esi, ben):
    made = approved(community, dana, aroha)
    promised_to = made.commitments.get()
    for person in (esi, ben, aroha):
        client = signed_in(person)
        for path in ("", "terms/who/", "promise/", "token/", "releases/1/"):
            assert client.get(page(made) + path).status_code == 404
        act = {"act": "drop", "commitment": promised_to.pk}
        assert client.post(page(made), act).status_code == 404
    for person in (esi, ben, dana):
        assert signed_in(person).get(DESK).status_code == 404
        assert signed_in(person).get(f"{DESK}{made.pk}/").status_code == 404
    assert Client().get(page(made))["Location"].startswith("/accounts/login/")


def test_somebody_who_is_named_downloads_but_signs_and_promises_nothing(community, dana, aroha, esi):
    open_door(community)
    made = submitted(community, dana)
    made.users.add(esi)
    Agreement.objects.update(state="approved")
    named = signed_in(esi)
    assert named.post(page(made), {"act": "sign"}).status_code == 404
    assert named.get(f"{page(made)}promise/").status_code == 404
    assert named.post(page(made), {"act": "close"}).status_code == 403
    assert TERMS["organisation"] in words(named.get(page(made)))
