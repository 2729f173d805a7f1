"""Deciding on the pages: proposing one question at a time, voting, stopping, and reading what was decided."""

import json

import pytest
from django.utils import timezone

from care.elections import policy_subject, rules_of
from care.models import Decision, Delegation, Proposal, Vote
from care.quorum import Kind
from care.services import terms_to_agree
from care.voting import vote
from people.services import grant_role
from tests.care.deciding import adopt, closed, make_stewards, opened, voted
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run

pytestmark = pytest.mark.django_db
DESK = "/c/test-otomi/steward/"
LOG = "/c/test-otomi/decisions/"
REST = {"harm": "", "benefit": "", "days": "5"}


@pytest.fixture
def stewards(community, aroha):
    return [aroha, *make_stewards(community)]


@pytest.fixture
def at_the_desk(client, aroha):
    client.force_login(aroha)
    return client


@pytest.fixture
def proposal(community, aroha, stewards):
    adopt(community, aroha)
    return opened(community, aroha, "label", "label:a word", now=timezone.now(), harm="Nobody.", benefit="A name.")


def text_of(response):
    return response.content.decode()


def test_one_question_comes_after_another_and_nothing_typed_is_lost(at_the_desk, community, aroha, stewards):
    adopt(community, aroha)
    page = f"{DESK}proposals/new/"
    assert "What should the community decide on?" in text_of(at_the_desk.get(page))
    given = {"matter": "project"}
    assert "What is its title?" in text_of(at_the_desk.post(page, given))
    given["subject"] = "Songs"
    assert 'name="subject" value="Songs"' in text_of(at_the_desk.post(page, given))
    empty = at_the_desk.post(page, {**given, "text": ""})
    assert (empty.status_code, "What is proposed, and why?" in text_of(empty)) == (422, True)
    given |= {"text": "Our songs.", "harm": "", "benefit": ""}
    assert "How many days is the vote open?" in text_of(at_the_desk.post(page, given))
    done = at_the_desk.post(page, {**given, "days": "5"})
    made = Proposal.objects.get(matter="project")
    assert done.headers["Location"] == f"{DESK}proposals/{made.pk}/"
    assert (made.subject, made.text, made.state) == ("project:Songs", "Our songs.", "open")


def test_a_standing_approval_asks_for_its_limits(at_the_desk, community):
    page = f"{DESK}proposals/new/"
    given = {"matter": "standing", "subject": f"community:{community.pk}"}
    assert "How many runs in thirty days?" in text_of(at_the_desk.post(page, given))
    given |= {"runs": "4", "hours": "10", "text": "Weekly.", "harm": "", "benefit": ""}
    at_the_desk.post(page, given)
    # Under the rule of a new community the steward's word is the decision.
    assert Decision.objects.get(matter="standing").conditions == {"runs": 4, "hours": 10}


def test_a_proposal_is_voted_on_discussed_and_shown_with_what_is_missing(at_the_desk, proposal):
    page = f"{DESK}proposals/{proposal.pk}/"
    assert "Votes that are still needed: 2." in text_of(at_the_desk.get(page))
    at_the_desk.post(page, {"act": "vote", "choice": "against", "reason": "Not yet."})
    at_the_desk.post(page, {"act": "discuss", "text": "Let us wait."})
    shown = text_of(at_the_desk.get(page))
    assert "Until now: against it. You can change it." in shown
    for words in ("Not yet.", "Let us wait.", "Nobody.", "A name.", "Who voted how"):
        assert words in shown
    at_the_desk.post(page, {"act": "conflict", "text": "I gain."})
    assert "You do not vote on this" in text_of(at_the_desk.get(page))
    refused = at_the_desk.post(page, {"act": "vote", "choice": "for"})
    assert (refused.status_code, "does not vote on it" in text_of(refused)) == (403, True)
    assert at_the_desk.post(page, {"act": "dance"}).status_code == 422


def test_what_one_says_of_another_is_judged_on_the_page(client, proposal, stewards, aroha):
    page = f"{DESK}proposals/{proposal.pk}/"
    client.force_login(aroha)
    client.post(page, {"act": "conflict", "person": stewards[1].pk, "text": "They are paid."})
    client.force_login(stewards[2])
    assert "a third person judges it" in text_of(client.get(page))
    client.post(page, {"act": "judge", "conflict": proposal.conflicts.get().pk, "judgement": "uphold"})
    assert "This seat does not count." in text_of(client.get(page))
    assert client.post(page, {"act": "judge", "conflict": "x"}).status_code == 404


def test_a_member_reads_and_speaks_and_sees_no_names_of_voters(client, proposal, aroha, ben):
    voted(proposal, [aroha], at=proposal.opened_at)
    client.force_login(ben)
    page = f"{DESK}proposals/{proposal.pk}/"
    client.post(page, {"act": "discuss", "text": "Who gains?"})
    shown = text_of(client.get(page))
    assert "Who gains?" in shown
    assert "Who voted how" not in shown
    assert "I am for it" not in shown
    assert client.post(page, {"act": "vote", "choice": "for"}).status_code == 403
    assert client.get(f"{DESK}waiting/").status_code == 404
    assert client.get(f"{DESK}proposals/new/").status_code == 404


def test_the_inbox_says_what_waits(at_the_desk, proposal, stewards, aroha):
    shown = text_of(at_the_desk.get(f"{DESK}waiting/"))
    assert "Your vote" in shown
    voted(proposal, [aroha], at=proposal.opened_at)
    assert "Nothing waits" in text_of(at_the_desk.get(f"{DESK}waiting/"))


def test_one_steward_stops_it_on_the_page_and_proposes_more(at_the_desk, project, stewards, community, aroha):
    decision = Decision.objects.get(matter="project")
    page = f"{DESK}proposals/{decision.proposal_id}/"
    adopt(community, aroha)
    assert at_the_desk.post(page, {"act": "suspend", "text": ""}).status_code == 422
    at_the_desk.post(page, {"act": "suspend", "text": "These songs are sacred."})
    assert "This is suspended: it allows nothing now." in text_of(at_the_desk.get(page))
    assert "These songs are sacred." in text_of(at_the_desk.get(f"{DESK}waiting/"))
    at_the_desk.post(page, {"act": "about", "matter": "lift", "text": "It was an error."})
    assert Proposal.objects.get(matter="lift").subject == f"decision:{decision.pk}"


def test_every_member_reads_turnout_and_who_thought_otherwise(client, community, aroha, ben, stewards):
    adopt(community, aroha)
    made = opened(community, aroha)
    vote(proposal=made, choice="against", cast_by=aroha, reason="It mixes two varieties.", now=NOW)
    voted(made, stewards[1:])
    closed(made)
    client.force_login(ben)
    shown = text_of(client.get(LOG))
    assert "For it: 2. Against it: 1. Neither: 0. Able to vote: 3. Took part: 100 %." in shown
    assert "It mixes two varieties." in shown
    assert "aroha" not in shown.split("It mixes two varieties.")[0].split("Those who thought otherwise")[-1]


def test_the_rules_are_said_before_they_are_adopted(at_the_desk, community, stewards):
    page = f"{DESK}governing/"
    assert "Any one steward decides alone, and at once." in text_of(at_the_desk.get(page))
    given = {
        "kind": "quorum",
        "matter": "",
        "quorum": "50",
        "risky_quorum": "60",
        "min_days": "3",
        "max_days": "14",
        "cooling_off_hours": "72",
        "grant_max_months": "12",
    }
    said = text_of(at_the_desk.post(page, {**given, "say": "1"}))
    assert "50% of those who may vote must take part." in said
    assert rules_of(community, "").kind == Kind.SINGLE
    wrong = at_the_desk.post(page, {**given, "min_days": "20", "say": "1"})
    assert "The shortest time of a vote" in text_of(wrong)
    assert at_the_desk.post(page, {**given, "quorum": "0"}).status_code == 422
    assert "The rules are adopted." in text_of(at_the_desk.post(page, given, follow=True))
    assert rules_of(community, "").kind == Kind.QUORUM
    again = at_the_desk.post(page, {**given, "kind": "single", "text": "Back to one."})
    assert "Any one steward decides alone, and at once." in text_of(at_the_desk.get(again.headers["Location"]))


def test_a_vote_is_lent_and_taken_back(at_the_desk, aroha, ben, stewards):
    page = f"{DESK}governing/delegation/"
    at_the_desk.post(page, {"receiver": ben.pk, "months": "3"})
    assert "ben votes for you until" in text_of(at_the_desk.get(page))
    assert at_the_desk.post(page, {"receiver": ben.pk, "months": "3"}).status_code == 409
    at_the_desk.post(page, {"back": Delegation.objects.get().pk})
    assert Delegation.objects.get().revoked_at is not None
    assert at_the_desk.post(page, {"receiver": "nobody"}).status_code == 404


def test_an_elder_votes_at_a_desk_of_few_pages(client, community, aroha, stewards):
    (elder,) = make_stewards(community, ["old-one"], "elder")
    client.force_login(elder)
    assert client.get(f"{DESK}waiting/").status_code == 200
    assert client.get("/c/test-otomi/").status_code == 200
    assert client.get(DESK).status_code == 404


def test_approving_an_adapter_needs_a_decision_once_the_community_votes(
    at_the_desk, community, validated_corpus, esi, aroha, stewards
):
    adapter = make_adapter(make_run(make_release(validated_corpus[0].task.project, esi), esi))
    adopt(community, aroha)
    page = f"{DESK}adapters/{adapter.pk}/"
    refused = at_the_desk.post(page, {"decision": "approve", "note": "Good."})
    assert refused.status_code == 403
    assert f"proposals/new/?matter=adapter&amp;subject=adapter%3A{adapter.pk}" in text_of(refused)
    asked = text_of(at_the_desk.get(f"{DESK}proposals/new/?matter=adapter&subject=adapter:{adapter.pk}"))
    assert "What is proposed, and why?" in asked
    grant_role(person=esi, community=community, role="steward", granted_by=aroha, now=NOW)
    answers = {"matter": "adapter", "subject": f"adapter:{adapter.pk}", "text": "Use it.", **REST}
    at_the_desk.post(f"{DESK}proposals/new/", answers)
    assert Proposal.objects.get(matter="adapter").configured_by == esi


def test_a_consent_text_is_voted_on_word_for_word(at_the_desk, community, aroha, stewards):
    adopt(community, aroha)
    given = {"text": "A new text.", "purposes": ["display_members", "peer_review"], "waiver": "Why."}
    refused = text_of(at_the_desk.post(f"{DESK}consent/", given))
    assert "Put this text to the vote" in refused
    terms = terms_to_agree(community, {"recipients": []})
    subject = policy_subject(given["text"], given["purposes"], terms, given["waiver"])
    carried = {"matter": "policy", "subject": subject, "policy_purposes": given["purposes"], "text": "Clear.", **REST}
    carried |= {"policy_terms": json.dumps(terms), "policy_waiver": given["waiver"]}
    page = f"{DESK}proposals/new/"
    assert at_the_desk.post(page, {**carried, "policy_text": "Another."}).status_code == 422
    wider = json.dumps({**terms, "recipients": ["A firm"]})
    assert at_the_desk.post(page, {**carried, "policy_text": "A new text.", "policy_terms": wider}).status_code == 422
    assert (
        at_the_desk.post(page, {**carried, "policy_text": "A new text.", "policy_terms": "spoilt"}).status_code == 422
    )
    at_the_desk.post(page, {**carried, "policy_text": "A new text."})
    assert Proposal.objects.get(matter="policy").conditions["text"] == "A new text."
    assert Vote.objects.filter(proposal__matter="policy").count() == 0
