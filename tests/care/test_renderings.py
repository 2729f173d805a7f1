"""No consent text goes out before a second speaker has checked it in the community's language, or without a reason."""

import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from care.models import NEEDED, Policy, PolicyDraft, Receipt, Rendering, RenderingObjection
from care.records import record_of
from care.renderings import (
    check_rendering,
    keep_draft,
    renderings_to_check,
    renderings_to_read,
    write_rendering,
)
from care.services import RenderingMissing, give_consent, publish_policy, sha256_of
from people.language import save_variety, set_language_profile
from people.refusals import Conflicting, Invalid, NotAllowed
from tests.conftest import NOW
from training.lineage.about import everything_about

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


def read_by(policy, *languages):
    return renderings_to_read(policy, languages)


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
    assert read_by(policy)[0].text == "ñä"
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
    assert read_by(policy)[0].text == "ñä"
    assert publish_policy(
        community=community, text=TEXT, purposes=[*NEEDED, "research"], published_by=aroha, now=NOW
    ).renderings == [rendered.sha256]


def test_a_waiver_is_a_reason_that_stays_with_the_version(community, aroha):
    for blank in ("", "  \n"):
        with pytest.raises(RenderingMissing):
            publish(community, aroha, waiver=blank)
    policy = publish(community, aroha, waiver="Its writing is being agreed on.")
    assert (policy.waiver, policy.renderings) == ("Its writing is being agreed on.", [])
    assert read_by(policy) == []


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


def test_an_objection_is_kept_and_answered(community, aroha, ben, filipa, draft, rendered):
    check(rendered, ben, objection="The second word.")
    kept = RenderingObjection.objects.get()
    assert (kept.objected_by, kept.objected_at, kept.words) == (ben, NOW, "The second word.")
    assert (kept.sha256, kept.answered_at, kept.rendering.is_objected) == (rendered.sha256, None, True)
    same = {"community": community, "text_sha256": draft.text_sha256, "language": "OTE", "written_by": aroha}
    with pytest.raises(Invalid) as refused:
        write_rendering(**same, text="ñä", now=NOW)
    assert refused.value.field == "answer"
    later = NOW + timedelta(hours=1)
    anew = write_rendering(**same, text="ñä", answer="It is how elders say it.", now=later)
    kept.refresh_from_db()
    assert (kept.answered_by, kept.answered_at, kept.answer) == (aroha, later, "It is how elders say it.")
    check(anew, filipa, objection="The third word.")
    changed = write_rendering(**same, text="ña", now=later)
    assert not changed.objections.filter(answered_at=None).exists()
    assert (changed.pk, changed.language) == (rendered.pk, "ote")
    with pytest.raises(RenderingMissing):
        publish(community, aroha)
    check(changed, ben)
    assert publish(community, aroha).renderings == [changed.sha256]
    assert [one["text"] for one in everything_about(ben, now=NOW)["remarks"]] == ["The second word."]
    assert [one["text"] for one in everything_about(aroha, now=NOW)["remarks"]] == ["It is how elders say it."]


def test_the_database_knows_one_open_objection(rendered, ben, aroha):
    check(rendered, ben, objection="The second word.")
    open_one = {"rendering": rendered, "sha256": rendered.sha256, "words": "x", "objected_by": ben, "objected_at": NOW}
    for more in ({}, {"answered_at": NOW}):
        with pytest.raises(IntegrityError), transaction.atomic():
            RenderingObjection.objects.create(**open_one, **more)


def test_everybody_reads_it_in_their_language(client, community, aroha, ben, draft, rendered, policy):
    texts = {"es": "Cómo.", "ote-x-sierra": "ñ́", "qu-PE": "Imayna."}
    for language, text in texts.items():
        given = {"community": community, "text_sha256": draft.text_sha256, "language": language}
        written = write_rendering(**given, text=text, written_by=aroha, now=NOW)
        if language != "qu-PE":
            check(written, ben)
    check(rendered, ben)
    published = publish(community, aroha)

    def first(*languages):
        return read_by(published, *languages)[0].language

    assert len(read_by(published)) == 3
    assert [first(), first("fr"), first("es-mx"), first("OTE-x-sierra"), first("qu-PE"), first("ote-x-valle")] == [
        *("ote", "ote", "es", "ote-x-sierra", "ote", "ote")
    ]
    assert read_by(None) == []

    client.force_login(ben)
    agree = "/c/test-otomi/speak/consent/"
    assert texts["qu-PE"] not in client.get(agree).content.decode()
    english, spanish = client.get(agree), client.get(agree, HTTP_ACCEPT_LANGUAGE="es")
    chosen = client.get(f"{agree}?language=es")
    assert [page.context["rendering"].language for page in (english, spanish, chosen)] == ["ote", "es", "es"]
    assert 'href="?language=ote-x-sierra' in english.content.decode()
    sierra = save_variety(community=community, saved_by=aroha, now=NOW, code="sierra", name="Sierra", pk=None)
    set_language_profile(person=ben, community=community, varieties=[sierra], orthographies=[])
    mine = client.get(agree).context["rendering"]
    assert (mine.language, client.get(agree).context["texts"][0][0]) == ("ote-x-sierra", "Sierra")

    given = {"policy": published.pk, "purposes": list(NEEDED), "rendering_sha256": mine.sha256}
    sent = client.post("/api/v1/receipts/", json.dumps(given), content_type="application/json")
    assert (sent.status_code, sent.json()["rendering_sha256"]) == (201, mine.sha256)
    process = record_of(Receipt.objects.get(person=ben, ended_at=None))["processes"][0]
    assert process["language"] == "ote-x-sierra"
    told = client.get(f"/api/v1/policies/{published.pk}/").json()["renderings"]
    assert sorted(one["language"] for one in told) == ["es", "ote", "ote-x-sierra"]


def test_languages_are_tags(community, aroha, draft):
    for wrong in ("", "spanish words", "e", "es" + "-abcdefgh" * 20):
        with pytest.raises(Invalid) as refused:
            write_rendering(
                community=community, text_sha256=draft.text_sha256, language=wrong, text="x", written_by=aroha, now=NOW
            )
        assert refused.value.field == "language"


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
    spanish = write_rendering(
        community=community, text_sha256=rendered.text_sha256, language="es", text="Cómo.", written_by=aroha, now=NOW
    )
    check(spanish, ben)
    check(rendered, ben, objection="The second word.")
    for person in (aroha, ben, chen, esi, dana):
        client = Client()
        client.force_login(person)
        for waiver in ({}, {"waiver": ""}, {"waiver": "   "}, {"renderings": [spanish.sha256]}, {"state": "published"}):
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
    assert client.get(f"{address}?language=not a tag").status_code == 422
    assert "Español" in client.get(f"{address}?language=es").content.decode()
    spanish = {"text_sha256": sha256_of(TEXT), "language": "es", "rendering": "Cómo."}
    client.post(address, spanish)

    client.force_login(ben)
    other = Rendering.objects.get(language="es")
    no = {"rendering": other.pk, "sha256": other.sha256, "says_the_same": "no", "objection": "Too short."}
    assert client.post(CHECK, no).status_code == 302
    client.force_login(aroha)
    assert "Too short." in client.get(DESK).content.decode()
    page = client.get(f"{address}?language=es").content.decode()
    assert "Too short." in page
    assert "Your answer to the objection" in page
    assert client.post(address, spanish).status_code == 422
    page = client.post(address, {**spanish, "answer": "It is all that it says."}, follow=True).content.decode()
    assert "It is all that it says." in page
    assert client.post(DESK, given).status_code == 302
    assert "ñä" in client.get(f"{DESK}1/").content.decode()

    client.force_login(filipa)
    agree = "/c/test-otomi/speak/consent/"
    read = client.get(agree).content.decode()
    assert read.index("ñä") < read.index(TEXT)
    policy = Policy.objects.get()
    client.post(agree, {"policy": policy.pk, "purposes": list(NEEDED), "rendering": rendering.sha256})
    assert Receipt.objects.get(person=filipa).rendering_sha256 == rendering.sha256
