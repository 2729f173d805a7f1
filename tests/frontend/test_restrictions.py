"""The steward's page of labels, holds and stopped uses."""

from __future__ import annotations

import pytest

from annotation.answers.models import Answer
from care.deciding import keep_time
from care.models import Proposal, Restriction
from people.models import Role
from tests.care.deciding import adopt, closed, make_stewards
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
PAGE = "/c/test-otomi/steward/holds/"


@pytest.fixture
def page(client, aroha, validated_corpus):
    client.force_login(aroha)
    return client


def test_a_label_a_hold_and_a_stop_hold_at_once(page, community, project):
    assert "Nothing stands against any use" in page.get(PAGE).content.decode()
    source = community.sources.first()
    page.post(PAGE, {"label": 1, "label_on": f"source:{source.pk}", "code": "tkco"})
    assert Answer.objects.eligible_for("train_noncommercial").count() == 8
    page.post(
        PAGE, {"hold": 1, "held": f"project:{project.pk}", "cause": "hold", "hides": "yes", "note": "Look first."}
    )
    assert not Answer.objects.eligible_for("display_members").exists()
    page.post(PAGE, {"stop": 1, "purpose": "train_commercial", "why": "Nobody asked."})

    words = page.get(PAGE).content.decode()

    assert "TK Community Use Only" in words
    assert "Test project" in words
    assert "Look first." in words
    assert "Keeps from 1 use" in words


def test_what_is_wrong_is_said_beside_its_field(page, community):
    whole = f"community:{community.pk}"
    seasonal = page.post(PAGE, {"label": 1, "label_on": whole, "code": "tks"})
    assert seasonal.status_code == 422
    assert "from which day to which day" in seasonal.content.decode()
    assert page.post(PAGE, {"hold": 1, "held": "project:99999", "cause": "hold", "note": "x"}).status_code == 422
    page.post(PAGE, {"label": 1, "label_on": whole, "code": "tka"})
    assert "stands there already" in page.post(PAGE, {"label": 1, "label_on": whole, "code": "tka"}).content.decode()


def test_lifting_lets_words_be_used_again(page, community):
    page.post(PAGE, {"label": 1, "label_on": f"community:{community.pk}", "code": "tkss"})
    row = Restriction.objects.get()
    assert not Answer.objects.eligible_for("display_members").exists()
    assert "Lifted." in page.post(f"{PAGE}{row.pk}/lift/", follow=True).content.decode()
    assert Answer.objects.eligible_for("display_members").count() == 12
    assert "lifted before" in page.post(f"{PAGE}{row.pk}/lift/", follow=True).content.decode()


def test_where_the_community_votes_the_way_to_lift_leads_over_a_vote(page, community, aroha, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
    electors = [aroha, *make_stewards(community)]
    adopt(community, aroha)
    page.post(PAGE, {"label": 1, "label_on": f"community:{community.pk}", "code": "tkss"})
    row = Restriction.objects.get()
    way = f"/c/test-otomi/steward/proposals/new/?matter=label&amp;subject=restriction%3A{row.pk}"
    assert f'<a href="{way}">Propose it</a>' in page.post(f"{PAGE}{row.pk}/lift/", follow=True).content.decode()

    asked = page.get(way.replace("&amp;", "&")).content.decode()
    assert f'type="hidden" name="subject" value="restriction:{row.pk}"' in asked
    assert "What is proposed, and why?" in asked
    given = {"matter": "label", "subject": f"restriction:{row.pk}", "text": "It is over.", "days": "5"}
    page.post("/c/test-otomi/steward/proposals/new/", {**given, "harm": "", "benefit": ""})
    proposal = Proposal.objects.get(subject=f"restriction:{row.pk}")
    shown = page.get(f"/c/test-otomi/steward/proposals/{proposal.pk}/").content.decode()
    assert "TK Secret / Sacred (TK SS) · " in shown
    for person in electors:
        page.force_login(person)
        page.post(f"/c/test-otomi/steward/proposals/{proposal.pk}/", {"act": "vote", "choice": "for"})
    decision = closed(proposal)

    assert "Propose it" in page.post(f"{PAGE}{row.pk}/lift/", follow=True).content.decode()

    monkeypatch.setattr("django.utils.timezone.now", lambda: decision.effective_from)
    keep_time(now=decision.effective_from)
    page.force_login(aroha)
    assert "Lifted." in page.post(f"{PAGE}{row.pk}/lift/", follow=True).content.decode()
    assert Answer.objects.eligible_for("display_members").exists()


def test_a_proposal_to_lift_names_what_stands_and_to_stewards_alone_whose_words(
    page, client, community, project, ben, aroha
):
    new = "/c/test-otomi/steward/proposals/new/?matter=label"
    assert "There is none yet." in page.get(new).content.decode()
    for held in (f"project:{project.pk}", f"person:{ben.pk}"):
        page.post(PAGE, {"hold": 1, "held": held, "cause": "hold", "note": "Look first."})
    shown = page.get(new).content.decode()
    assert "a hold · Test project" in shown
    assert f"a hold · {ben.name}" in shown
    wrong = page.post(new, {"matter": "label", "subject": "restriction:99999"})
    assert wrong.status_code == 422
    (elder,) = make_stewards(community, ["iris"], Role.ELDER)
    of_ben = Restriction.objects.get(kind="person")
    given = {"matter": "label", "subject": f"restriction:{of_ben.pk}", "text": "It is over.", "days": "5"}
    page.post(new, {**given, "harm": "", "benefit": ""})
    proposal = Proposal.objects.get(subject=f"restriction:{of_ben.pk}")
    client.force_login(elder)
    shown = client.get(new).content.decode()
    assert "a hold · Test project" in shown
    assert ben.name not in shown
    shown = client.get(f"/c/test-otomi/steward/proposals/{proposal.pk}/").content.decode()
    assert "a hold · somebody" in shown
    assert ben.name not in shown


def test_others_find_nothing_there(client, esi, community):
    client.force_login(esi)
    assert client.get(PAGE).status_code == 404
