"""The guard's pages: what stewards see and do, what a member sees of themselves, and the same over the API."""

import pytest
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Gold
from annotation.guard.services import freeze_person
from annotation.projects.models import Project
from annotation.standing.models import KeptApart, Standing
from tests.conftest import NOW


@pytest.fixture
def signed_in():
    def enter(person):
        client = Client()
        client.force_login(person)
        return client

    return enter


@pytest.fixture
def known(community, ben, filipa):
    """Ben has shown care; Filipa's votes do not count."""
    Standing.objects.create(
        community=community,
        person=ben,
        agreed=18.0,
        missed=2.0,
        evidence=16,
        below_line=0.02,
        checks=21,
        checks_agreed=19,
        gold=9,
        gold_agreed=8,
        has_shown_care=True,
    )
    Standing.objects.create(
        community=community, person=filipa, agreed=8, missed=8, evidence=10, checks=12, checks_agreed=5, is_stopped=True
    )
    KeptApart.objects.create(
        community=community, reviewer=ben, author=filipa, approved=11, votes=12, expected=4.2, found_at=NOW
    )


def test_stewards_see_how_people_check_and_who_is_kept_apart(known, signed_in, aroha, community):
    page = signed_in(aroha).get(reverse("steward:checks", args=[community.slug])).text
    assert "19 of 21" in page
    assert "8 of 9" in page
    assert "votes do not count" in page
    assert "ben approved 11 of 12 answers of filipa; 4.2 were to be expected." in page
    assert 'aria-label="between 74 and 99 %"' in page
    assert page.index("filipa") < page.index(">ben<")
    desk = signed_in(aroha).get(reverse("steward:home", args=[community.slug])).text
    assert "The votes of one person do not count" in desk


def test_nobody_else_reads_it(known, signed_in, ben, chen, esi, community):
    for person in (ben, chen, esi):
        for name, more in (("checks", []), ("checker", [ben.pk])):
            assert signed_in(person).get(reverse(f"steward:{name}", args=[community.slug, *more])).status_code == 404


def test_a_steward_freezes_and_unfreezes_on_the_page(known, signed_in, aroha, ben, community):
    client, address = signed_in(aroha), reverse("steward:checker", args=[community.slug, ben.pk])
    assert client.post(address, {"act": "freeze", "reason": ""}).status_code == 422
    page = client.post(address, {"act": "freeze", "reason": "empty verdicts"}, follow=True).text
    assert "“empty verdicts”" in page
    assert Standing.objects.get(person=ben).is_frozen
    client.post(address, {"act": "unfreeze", "reason": "we talked"})
    assert not Standing.objects.get(person=ben).is_frozen
    mine = reverse("steward:checker", args=[community.slug, aroha.pk])
    assert "This is you." in client.get(mine).text
    assert client.post(mine, {"act": "freeze", "reason": "me"}).status_code == 403


def test_a_steward_lets_votes_count_again_on_the_page(known, signed_in, aroha, filipa, community):
    address = reverse("steward:checker", args=[community.slug, filipa.pk])
    signed_in(aroha).post(address, {"act": "count", "reason": "the gold was wrong"})
    assert Standing.objects.filter(person=filipa, is_stopped=False, is_spared=True).exists()


def test_a_member_reads_their_own_line_in_kind_words(known, signed_in, ben, filipa, community):
    address = reverse("speaker:play", args=[community.slug])
    assert "In 19 of 21 checks you said what the experts or the other readers said" in signed_in(ben).get(address).text
    page = signed_in(filipa).get(address).text
    assert "Your checks do not count for now" in page
    assert "19 of 21" not in page


def test_a_frozen_person_reads_why_nothing_comes(signed_in, ben, community, aroha, project, consenting):
    consenting(ben)
    freeze_person(person=ben, community=community, frozen_by=aroha, reason="a pause", now=NOW)
    client = signed_in(ben)
    for name in ("work", "review"):
        page = client.get(reverse(f"speaker:{name}", args=[community.slug, project.pk])).text
        assert "A steward has paused your work in this community." in page
    assert client.get(reverse("speaker:words", args=[community.slug])).status_code == 200


def test_an_expert_makes_gold_of_what_peers_settled(validated_corpus, signed_in, chen, community):
    client, address = signed_in(chen), reverse("expert:settled", args=[community.slug])
    answer = validated_corpus[0]
    assert str(answer.pk) in client.get(address).text
    wrong = client.post(address, {"answer": answer.pk, "verdict": "reject"})
    assert (wrong.status_code, Gold.objects.count()) == (409, 0)
    client.post(address, {"answer": answer.pk, "verdict": "approve"})
    assert Gold.objects.get().answer == answer
    assert str(answer.pk) not in client.get(address).text
    assert client.post(address, {"answer": "nonsense"}).status_code == 404


def test_the_form_of_a_project_switches_the_guard_and_its_page_says_so(project, signed_in, aroha, community):
    client, address = signed_in(aroha), reverse("steward:project", args=[community.slug, project.pk])
    assert "Votes of people who have not shown care yet are completed by people who have" in client.get(address).text
    Project.objects.update(rule={"guard": False})
    assert "All votes count alike, whoever gives them." in client.get(address).text
    form = client.get(reverse("steward:open_project_of", args=[community.slug, "translate"])).text
    assert 'name="guard"' in form


def test_the_api_tells_each_their_own_and_lets_stewards_act(known, signed_in, ben, filipa, aroha, community):
    rows = signed_in(ben).get("/api/v1/standings/").json()["results"]
    assert [row["person"] for row in rows] == ["ben"]
    assert rows[0]["skill"] == pytest.approx(0.9)
    assert {row["person"] for row in signed_in(aroha).get("/api/v1/standings/").json()["results"]} >= {"ben", "filipa"}
    body = {"community": community.slug, "username": "filipa", "reason": "empty verdicts"}
    assert signed_in(ben).post("/api/v1/standings/freeze/", body).status_code == 404
    client = signed_in(aroha)
    assert client.post("/api/v1/standings/freeze/", body).json()["kind"] == "frozen"
    assert client.post("/api/v1/standings/freeze/", body).status_code == 409
    assert client.post("/api/v1/standings/unfreeze/", body).json()["kind"] == "unfrozen"
    assert client.post("/api/v1/standings/count-again/", body).json()["kind"] == "spared"
    assert client.post("/api/v1/standings/freeze/", {**body, "username": "aroha"}).status_code == 403
