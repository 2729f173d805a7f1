"""No consent text goes out before a second speaker has checked it in the community's language, or without a reason."""

import json

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from care.models import NEEDED, Policy, PolicyDraft, Receipt, Rendering
from care.records import record_of
from care.renderings import (
    check_rendering,
    keep_draft,
    rendering_to_read,
    renderings_to_check,
    write_rendering,
)
from care.services import RenderingMissing, give_consent, publish_policy, sha256_of
from people.refusals import Conflicting, Invalid, NotAllowed
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
TEXT = "How your words are used."
DESK = "/c/test-otomi/steward/consent/"
CHECK = "/c/test-otomi/speak/consent/rendering/"


@pytest.fixture
def draft(community, aroha):
    return keep_draft(community=community, text=TEXT, purposes=NEEDED, kept_by=aroha, now=NOW)


@pytest.fixture
def rendered(draft, community, aroha):
    return write_rendering(
        community=community, text_sha256=draft.text_sha256, language="ote", text="ñä", written_by=aroha, now=NOW
    )


def check(rendering, person, objection=""):
    check_rendering(rendering=rendering, sha256=rendering.sha256, checked_by=person, objection=objection, now=NOW)


def publish(community, steward, **more):
    return publish_policy(community=community, text=TEXT, purposes=NEEDED, published_by=steward, now=NOW, **more)


def test_a_checked_rendering_publishes_and_its_hash_stays_with_the_version(community, aroha, ben, rendered):
    with pytest.raises(RenderingMissing):
        publish(community, aroha)
    check(rendered, ben)
    policy = publish(community, aroha, waiver="Not needed any more.")
    assert policy.renderings == [rendered.sha256]
    assert policy.waiver == ""
    assert not PolicyDraft.objects.exists()
    assert rendering_to_read(policy).text == "ñä"
    receipt = give_consent(person=ben, policy=policy, purposes=NEEDED, now=NOW, rendering=rendered.sha256)
    assert receipt.rendering_sha256 == rendered.sha256
    assert record_of(receipt)["processes"][0]["privacy_notice"].endswith(f"rendering:sha256:{rendered.sha256}")
    assert give_consent(person=ben, policy=policy, purposes=NEEDED, now=NOW, rendering="0" * 64).rendering_sha256 == ""


def test_what_people_read_when_they_agreed_is_not_written_over(community, aroha, ben, draft, rendered):
    check(rendered, ben)
    policy = publish(community, aroha)
    again = keep_draft(community=community, text=TEXT, purposes=[*NEEDED, "research"], kept_by=aroha, now=NOW)
    with pytest.raises(Conflicting):
        write_rendering(
            community=community, text_sha256=again.text_sha256, language="ote", text="other", written_by=aroha, now=NOW
        )
    assert rendering_to_read(policy).text == "ñä"
    assert publish_policy(
        community=community, text=TEXT, purposes=[*NEEDED, "research"], published_by=aroha, now=NOW
    ).renderings == [rendered.sha256]


def test_a_waiver_is_a_reason_that_stays_with_the_version(community, aroha):
    for blank in ("", "  \n"):
        with pytest.raises(RenderingMissing):
            publish(community, aroha, waiver=blank)
    policy = publish(community, aroha, waiver="Its writing is being agreed on.")
    assert (policy.waiver, policy.renderings) == ("Its writing is being agreed on.", [])
    assert rendering_to_read(policy) is None


def test_nobody_checks_what_they_wrote_and_the_database_knows(community, aroha, ben, esi, rendered):
    for person in (aroha, esi):
        with pytest.raises(NotAllowed):
            check(rendered, person)
    with pytest.raises(IntegrityError), transaction.atomic():
        Rendering.objects.update(checked_by=aroha)
    assert list(renderings_to_check(community, aroha)) == []
    assert list(renderings_to_check(community, ben)) == [rendered]


def test_an_objection_and_a_new_wording_ask_again(community, aroha, ben, filipa, draft, rendered):
    check(rendered, ben, objection="The second word.")
    with pytest.raises(RenderingMissing):
        publish(community, aroha)
    assert not renderings_to_check(community, ben).exists()
    with pytest.raises(Conflicting):
        check(rendered, filipa)
    anew = write_rendering(
        community=community, text_sha256=draft.text_sha256, language="ote", text="ña", written_by=aroha, now=NOW
    )
    with pytest.raises(Conflicting):
        check(rendered, ben)
    check(anew, ben)
    with pytest.raises(Conflicting):
        check(anew, ben)
    write_rendering(
        community=community, text_sha256=draft.text_sha256, language="ote", text="ñä", written_by=aroha, now=NOW
    )
    with pytest.raises(RenderingMissing):
        publish(community, aroha)


def test_a_rendering_holds_for_its_own_text_alone(community, aroha, ben, draft, rendered):
    check(rendered, ben)
    with pytest.raises(RenderingMissing):
        publish_policy(community=community, text=f"{TEXT} More.", purposes=NEEDED, published_by=aroha, now=NOW)
    keep_draft(community=community, text="Other.", purposes=NEEDED, kept_by=aroha, now=NOW)
    with pytest.raises(Conflicting):
        write_rendering(
            community=community, text_sha256=draft.text_sha256, language="ote", text="ñ", written_by=aroha, now=NOW
        )
    # Back to the same words: what was checked is checked.
    keep_draft(community=community, text=TEXT, purposes=NEEDED, kept_by=aroha, now=NOW)
    assert publish(community, aroha).renderings == [rendered.sha256]


def test_another_language_alone_is_not_enough(community, aroha, ben, draft):
    spanish = write_rendering(
        community=community, text_sha256=draft.text_sha256, language="es", text="Cómo.", written_by=aroha, now=NOW
    )
    check(spanish, ben)
    with pytest.raises(RenderingMissing):
        publish(community, aroha)


def test_nothing_is_written_where_nothing_is_said(community, aroha, ben, draft):
    with pytest.raises(Invalid):
        keep_draft(community=community, text=" ", purposes=NEEDED, kept_by=aroha, now=NOW)
    with pytest.raises(Invalid):
        write_rendering(
            community=community, text_sha256=draft.text_sha256, language="ote", text=" ", written_by=aroha, now=NOW
        )
    with pytest.raises(NotAllowed):
        keep_draft(community=community, text="Mine.", purposes=NEEDED, kept_by=ben, now=NOW)


def test_no_role_gets_past_it_over_the_api(community, aroha, ben, chen, esi, dana, rendered):
    given = {"community": community.slug, "text": TEXT, "purposes": [str(one) for one in NEEDED]}
    for person in (aroha, ben, chen, esi, dana):
        client = Client()
        client.force_login(person)
        for waiver in ({}, {"waiver": ""}, {"waiver": "   "}, {"renderings": ["0" * 64]}, {"state": "published"}):
            sent = client.post("/api/v1/policies/", json.dumps({**given, **waiver}), content_type="application/json")
            assert 400 <= sent.status_code < 500, (person, waiver, sent.content)
    assert not Policy.objects.exists()


def test_from_draft_to_the_text_that_people_read(client, community, aroha, ben, filipa):
    client.force_login(aroha)
    given = {"text": TEXT, "purposes": list(NEEDED), "is_material": "yes"}
    refused = client.post(DESK, given)
    assert refused.status_code == 422
    assert "Nobody has checked this text" in refused.content.decode()
    page = client.post(DESK, {**given, "draft": "1"}, follow=True).content.decode()
    assert "It is not written in Otomí yet" in page
    address = f"{DESK}rendering/"
    assert TEXT in client.get(address).content.decode()
    stale = client.post(address, {"text_sha256": "0" * 64, "rendering": "ñä"})
    assert stale.status_code == 409
    assert "ñä" in stale.content.decode()
    page = client.post(address, {"text_sha256": sha256_of(TEXT), "rendering": "ñä"}, follow=True).content.decode()
    assert "waits for a second speaker" in page

    client.force_login(ben)
    assert CHECK in client.get("/c/test-otomi/speak/").content.decode()
    assert "ñä" in client.get(CHECK).content.decode()
    rendering = Rendering.objects.get()
    answer = {"rendering": rendering.pk, "sha256": rendering.sha256}
    assert client.post(CHECK, {**answer, "says_the_same": "no"}).status_code == 422
    client.post(CHECK, {**answer, "says_the_same": "yes", "objection": "Left over."})
    assert "Nothing waits to be checked" in client.get(CHECK).content.decode()

    client.force_login(aroha)
    assert "written by aroha, checked by ben" in client.get(DESK).content.decode()
    assert client.post(DESK, given).status_code == 302
    assert "ñä" in client.get(f"{DESK}1/").content.decode()

    client.force_login(filipa)
    agree = "/c/test-otomi/speak/consent/"
    read = client.get(agree).content.decode()
    assert read.index("ñä") < read.index(TEXT)
    policy = Policy.objects.get()
    client.post(agree, {"policy": policy.pk, "purposes": list(NEEDED), "rendering": rendering.sha256})
    assert Receipt.objects.get(person=filipa).rendering_sha256 == rendering.sha256
