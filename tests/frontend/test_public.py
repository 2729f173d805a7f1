"""The public pages: who sees which community, and the two ways of joining one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone
from django.views.defaults import server_error

from care.models import Policy, Receipt
from frontend.public.queries import community_numbers
from people.models import Community, Membership, Person, Role
from people.services import end_membership, invite

pytestmark = pytest.mark.django_db


@pytest.fixture
def open_community(community: Community) -> Community:
    """The same community, open to everybody."""
    Community.objects.filter(pk=community.pk).update(is_open=True, about="Who we are.")
    community.refresh_from_db()
    return community


def page(client: Client, address: str, status: int = 200) -> str:
    """The page's text, after checking its status."""
    response = client.get(address)
    assert response.status_code == status, address
    return response.content.decode()


def test_anybody_may_read_the_front_door_and_the_about_page(client: Client) -> None:
    assert "Make an account" in page(client, "/")
    assert "Taking words back" in page(client, "/about/")


def test_home_names_open_communities_and_hides_the_others(client: Client, community: Community, dana: Person) -> None:
    client.force_login(dana)
    assert community.name not in page(client, "/")

    Community.objects.filter(pk=community.pk).update(is_open=True)

    assert community.name in page(client, "/")


def test_home_shows_a_member_their_community_once(client: Client, open_community: Community, ben: Person) -> None:
    client.force_login(ben)
    text = page(client, "/")
    assert text.count(f'href="/c/{open_community.slug}/"') == 1
    assert f'href="/c/{open_community.slug}/speak/"' in text


def test_a_closed_community_does_not_exist_for_outsiders(client: Client, community: Community, dana: Person) -> None:
    assert client.get(f"/c/{community.slug}/").status_code == client.get("/c/no-such-place/").status_code == 302

    client.force_login(dana)

    page(client, f"/c/{community.slug}/", 404)
    assert client.post(f"/c/{community.slug}/join/").status_code == 404


def test_an_outsider_sees_only_a_card_of_an_open_community(
    client: Client, open_community: Community, policy: Policy, dana: Person
) -> None:
    client.force_login(dana)
    text = page(client, f"/c/{open_community.slug}/")
    assert "Who we are." in text
    assert "Join" in text
    assert policy.text not in text
    assert "Mezquital" not in text


def test_joining_an_open_community_leads_to_the_speakers_desk(
    client: Client, open_community: Community, dana: Person
) -> None:
    client.force_login(dana)
    response = client.post(f"/c/{open_community.slug}/join/", follow=True)
    assert response.redirect_chain[-1][0] == f"/c/{open_community.slug}/speak/"
    assert Membership.objects.live().get(person=dana).role == Role.SPEAKER


def test_members_read_the_policy_the_varieties_and_the_numbers(
    client: Client, community: Community, policy: Policy, validated_corpus: list[Any], ben: Person
) -> None:
    client.force_login(ben)
    text = page(client, f"/c/{community.slug}/")
    assert policy.text in text
    assert "Mezquital" in text
    assert "No model is in use yet" in text
    assert community_numbers(community) == {
        "sentences": 12,
        "translated": 12,
        "validated": 12,
        "contributors": 3,
    }


def test_an_invitation_is_shown_before_signing_in_and_accepted_after(
    client: Client, community: Community, aroha: Person, dana: Person
) -> None:
    secret = invite(community=community, role=Role.SPEAKER, invited_by=aroha, now=timezone.now())
    address = f"/join/{secret}/"

    text = page(client, address)
    assert community.name in text
    assert f"/accounts/signup/?next={address}" in text
    client.post(address)
    assert not Membership.objects.filter(person=dana).exists()

    client.force_login(dana)
    page(client, address)
    assert not Membership.objects.filter(person=dana).exists()
    response = client.post(address)

    assert response["Location"] == f"/c/{community.slug}/speak/"
    assert Membership.objects.live().get(person=dana).role == Role.SPEAKER


def test_a_spent_invitation_says_what_to_do(
    client: Client, community: Community, aroha: Person, ben: Person, dana: Person
) -> None:
    secret = invite(community=community, role=Role.EXPERT, invited_by=aroha, now=timezone.now())
    client.force_login(ben)
    client.post(f"/join/{secret}/")
    client.force_login(dana)

    assert "Ask a steward" in page(client, f"/join/{secret}/", 410)
    assert client.post(f"/join/{secret}/").status_code == 410
    page(client, "/join/made-up/", 410)


def test_a_new_account_needs_a_name_and_a_password_only(client: Client, community: Community) -> None:
    text = page(client, "/accounts/signup/")
    assert 'type="email"' not in text

    response = client.post(
        "/accounts/signup/",
        {
            "username": "newcomer",
            "password1": "a long pass phrase",
            "password2": "a long pass phrase",
            "next": "/about/",
        },
    )

    assert response["Location"] == "/about/"
    assert Person.objects.filter(username="newcomer").exists()


@pytest.mark.parametrize("name", ["login", "signup", "password/reset"])
def test_account_pages_wear_our_frame(client: Client, name: str) -> None:
    text = page(client, f"/accounts/{name}/")
    assert 'class="brand"' in text
    assert "<script" not in text


def test_account_pages_for_those_signed_in(client: Client, ben: Person) -> None:
    client.force_login(ben)
    for name in ("logout", "password/change", "email"):
        assert 'class="brand"' in page(client, f"/accounts/{name}/")


def test_errors_wear_our_frame_and_say_what_to_do(client: Client, ben: Person) -> None:
    assert "There is nothing here" in page(client, "/no/such/page/", 404)
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/accounts/login/", {"login": "ben", "password": "x"})
    assert response.status_code == 403
    assert "load the page again" in response.content.decode()


def test_a_broken_page_and_a_broken_request_have_pages_of_their_own(client: Client, rf: RequestFactory) -> None:
    assert b"Something broke here" in server_error(rf.get("/")).content

    # A wrong host is refused before anybody is signed in, so the page must not ask who it is.
    response = client.get("/", headers={"Host": "elsewhere.example"})

    assert response.status_code == 400
    assert b"could not be read" in response.content


def test_who_has_left_still_finds_their_words(
    client: Client, community: Community, ben: Person, policy: Policy, consenting: Any, now: datetime
) -> None:
    receipt: Receipt = consenting(ben)
    end_membership(membership=ben.memberships.get(), ended_by=ben, now=now)
    client.force_login(ben)

    text = page(client, "/")

    assert f'href="/c/{community.slug}/speak/words/"' in text
    page(client, f"/c/{community.slug}/", 404)
    page(client, f"/c/{community.slug}/speak/words/")
    assert str(receipt.pk) in page(client, f"/c/{community.slug}/speak/consent/")
