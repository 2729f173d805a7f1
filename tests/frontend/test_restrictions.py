"""The steward's page of labels, holds and stopped uses."""

from __future__ import annotations

import pytest

from annotation.answers.models import Answer
from care.models import Restriction

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


def test_others_find_nothing_there(client, esi, community):
    client.force_login(esi)
    assert client.get(PAGE).status_code == 404
