"""Decisions through the API: proposing, voting, reading, stopping."""

import pytest
from django.utils import timezone

from care.models import Decision, Vote
from tests.api.test_walk import ok, refused, signed_in
from tests.care.deciding import adopt, make_stewards

pytestmark = pytest.mark.django_db
PROPOSALS, DECISIONS = "/api/v1/proposals/", "/api/v1/decisions/"
ABOUT = {"community": "test-otomi", "matter": "label", "subject": "label:a word", "text": "Why."}


def test_a_proposal_is_made_voted_on_and_read(community, aroha, ben, dana):
    make_stewards(community)
    adopt(community, aroha)
    steward, member, outsider = signed_in(aroha), signed_in(ben), signed_in(dana)
    made = ok(steward.post(PROPOSALS, ABOUT, format="json"), 201)
    assert made["state"] == "open"
    cast = f"{PROPOSALS}{made['id']}/vote/"
    assert ok(steward.post(cast, {"choice": "for"}, format="json"))["choice"] == "for"
    assert Vote.objects.get(proposal=made["id"]).elector == aroha
    refused(member.post(cast, {"choice": "for"}, format="json"), 403)
    assert ok(member.get(f"{PROPOSALS}{made['id']}/"))["text"] == "Why."
    refused(outsider.get(f"{PROPOSALS}{made['id']}/"), 404)
    refused(outsider.post(cast, {"choice": "for"}, format="json"), 404)
    refused(member.post(PROPOSALS, {**ABOUT, "subject": "label:other"}, format="json"), 403)
    refused(steward.post(PROPOSALS, {**ABOUT, "subject": "label:x", "days": 99}, format="json"), 422)


def test_one_steward_stops_a_decision_and_it_is_read_as_stopped(community, aroha, ben):
    steward, member = signed_in(aroha), signed_in(ben)
    made = ok(steward.post(PROPOSALS, ABOUT, format="json"), 201)
    decision = Decision.objects.get(proposal=made["id"])
    stop = f"{DECISIONS}{decision.pk}/suspend/"
    refused(member.post(stop, {"reason": "So."}, format="json"), 403)
    assert ok(steward.post(stop, {"reason": "A harm."}, format="json"))["state"] == "suspended"
    assert [row["state"] for row in ok(member.get(DECISIONS))["results"]] == ["suspended"]
    assert decision.expires_at > timezone.now()
