"""Reporting harm in a browser, with an account and without, and what stewards do with it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from annotation.answers.models import Answer
from care.ages import keep_ages, set_age_rule, state_age
from care.harm import report_harm
from care.models import HarmReport, Restriction, StewardNotice
from frontend.reporting import Subject, report_address
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from training.playground.models import Generation

pytestmark = pytest.mark.django_db
DESK = "/c/test-otomi/steward/"
LINK = re.compile(r'href="(/report/about/[^"]+)"')


def words_of(response):
    return response.content.decode()


def reported(client, address, category="threat", words="It threatens us."):
    """Go through both questions; the page with the code."""
    assert "What is wrong?" in words_of(client.get(address))
    second = client.get(address, {"category": category})
    assert "What should the stewards know?" in words_of(second)
    return client.post(address, {"category": category, "words": words})


@pytest.fixture
def address(validated_corpus, community):
    return report_address(Subject(community, "answer", str(validated_corpus[0].pk)))


def test_somebody_without_an_account_reports_and_finds_it_again_by_its_code(client, address, community):
    sent = words_of(reported(client, address))
    assert "hidden from now on" in sent
    assert community.name not in sent
    assert not client.session.keys()
    code = re.search(r"<p class=\"sentence mono\">([^<]+)</p>", sent)[1]
    report = HarmReport.objects.get()
    assert report.reporter is None
    assert not Answer.objects.eligible_for("display_members").filter(pk=report.key).exists()

    found = words_of(client.post("/report/code/", {"code": code}))
    assert "It threatens somebody" in found
    assert "It threatens us." not in found
    assert client.post("/report/code/", {"code": "aaaa-bbbb"}).status_code == 422


def test_a_link_that_nobody_here_made_leads_nowhere(client, address):
    assert client.get(address[:-2] + "x/").status_code == 404
    assert client.get("/report/about/nonsense/").status_code == 404


def test_what_is_wrong_is_said_beside_its_field_and_keeps_the_words(client, address):
    assert client.get(address, {"category": "nonsense"}).status_code == 422
    assert client.post(address, {"category": "nonsense"}).status_code == 422
    empty = client.post(address, {"category": "other", "words": ""})
    assert empty.status_code == 422
    assert "Say in a few words" in words_of(empty)
    long = client.post(address, {"category": "other", "words": "lang " * 900})
    assert long.status_code == 422
    assert "lang lang" in words_of(long)
    assert not HarmReport.objects.exists()


def test_a_model_that_was_handed_on_is_found_by_the_hash_on_its_card(client, validated_corpus, project, esi, aroha):
    release = make_release(project, esi)
    adapter = make_adapter(make_run(release, esi), approved_by=aroha)
    for sha256, kind in ((release.sha256, "release"), (adapter.sha256, "adapter")):
        found = client.post("/report/", {"fingerprint": f" {sha256.upper()} "})
        assert found.status_code == 302
        reported(client, found["Location"])
        assert HarmReport.objects.filter(kind=kind).count() == 1
    assert client.post("/report/", {"fingerprint": "0" * 64}).status_code == 422
    assert client.post("/report/", {"fingerprint": "short"}).status_code == 422
    client.force_login(esi)
    assert client.get(f"/c/test-otomi/train/releases/{release.pk}/download/").status_code == 409


def test_what_a_model_wrote_is_reported_with_its_words_and_then_hidden(
    client, validated_corpus, project, esi, aroha, ben
):
    adapter = make_adapter(make_run(make_release(project, esi), esi), approved_by=aroha)
    fields = {"person": ben, "adapter": adapter, "source": "una frase", "state": "finished", "created_at": NOW}
    generation = Generation.objects.create(**fields, adapter_text="something secret")
    client.force_login(ben)
    page = client.get(f"/c/test-otomi/try/{generation.pk}/")
    address = LINK.search(words_of(page))[1]
    assert "something secret" in words_of(client.get(address, {"category": "sacred"}))

    reported(client, address, "sacred", "Not for everybody.")

    report = HarmReport.objects.get()
    assert (report.kind, report.reporter) == ("adapter", ben)
    assert "something secret" in report.quotation
    assert client.get(f"/c/test-otomi/try/{generation.pk}/").status_code == 404
    playground = words_of(client.get("/c/test-otomi/try/"))
    assert "It is held back" in playground
    assert "something secret" not in playground
    assert client.post("/c/test-otomi/try/", {"adapter": adapter.pk, "source": "otra"}).status_code == 403
    assert "Something sacred or secret is shown" in words_of(client.get("/report/mine/"))


def test_the_link_is_beside_sentences_answers_and_releases(client, validated_corpus, answered, project, esi, goran):
    client.force_login(esi)
    release = make_release(project, esi)
    assert LINK.search(words_of(client.get("/c/test-otomi/train/dataset/")))
    assert LINK.search(words_of(client.get(f"/c/test-otomi/train/releases/{release.pk}/")))


def test_a_sentence_at_work_is_reported_and_so_is_its_document(client, project, ben, consenting):
    consenting(ben)
    client.force_login(ben)
    page = words_of(client.get(f"/c/test-otomi/speak/work/{project.pk}/"))
    first = LINK.search(page)[1]
    document = LINK.search(words_of(client.get(first)))[1]
    reported(client, document, "sacred")
    assert HarmReport.objects.get().kind == "source"
    shown = words_of(client.get(f"/c/test-otomi/speak/work/{project.pk}/"))
    assert LINK.search(shown)[1] != first


def test_a_steward_reads_decides_and_closes(client, aroha, ben, community, validated_corpus):
    answer = validated_corpus[0]
    fields = {"community": community, "kind": "answer", "key": str(answer.pk), "category": "threat"}
    report, _ = report_harm(**fields, words="It threatens us.", reporter=ben, now=NOW)
    client.force_login(aroha)
    home = words_of(client.get(DESK))
    assert "A severe report came in" in home
    assert "One is to be read" in home
    # Long ago by the clock of the request.
    assert "It was to be read by" in words_of(client.get(f"{DESK}reports/"))
    page = f"{DESK}reports/{report.pk}/"
    assert answer.text not in words_of(client.get(page))
    assert answer.text in words_of(client.get(page, {"show": 1}))

    client.post(page, {"act": "hold"})
    assert "That cannot be done now" in words_of(client.post(page, {"act": "close"}, follow=True))
    client.post(page, {"act": "investigate"})
    refused = client.post(page, {"act": "decide", "outcome": "upheld", "answer": ""})
    assert refused.status_code == 422
    client.post(page, {"act": "decide", "outcome": "upheld", "answer": "Thank you for telling us."})
    client.post(page, {"act": "remedy", "done": "It stays hidden."})
    assert "closed" in words_of(client.post(page, {"act": "close"}, follow=True))
    assert "The report is right" in words_of(client.get(f"{DESK}reports/"))

    client.force_login(ben)
    mine = words_of(client.get("/report/mine/"))
    assert "Thank you for telling us." in mine
    assert "It stays hidden." in mine


def test_what_was_not_held_at_first_can_be_held_after_all(client, aroha, community, validated_corpus):
    fields = {"community": community, "kind": "answer", "key": str(validated_corpus[0].pk), "category": "offensive"}
    report, _ = report_harm(**fields, words="", reporter=None, now=NOW)
    client.force_login(aroha)
    page = f"{DESK}reports/{report.pk}/"
    client.post(page, {"act": "let_be"})
    assert not Restriction.objects.exists()
    client.post(page, {"act": "hold_after_all"})
    assert Restriction.objects.get().placed_by is None
    assert "by itself, after a report" in words_of(client.get(f"{DESK}holds/"))


def test_a_notice_leaves_the_desk_when_a_steward_has_read_it(client, aroha, community):
    notice = StewardNotice.objects.create(community=community, kind="late", subject="report:1", at=NOW)
    client.force_login(aroha)
    assert "has not been read in time" in words_of(client.get(DESK))
    after = words_of(client.post(f"{DESK}notices/{notice.pk}/read/", follow=True))
    assert "has not been read in time" not in after


def test_a_member_says_that_somebody_has_died_and_a_visitor_cannot(client, address, validated_corpus, goran):
    assert "has died" not in words_of(client.get(address))
    assert client.get(address, {"category": "died"}).status_code == 422
    client.force_login(goran)
    assert "has died" in words_of(client.get(address))
    reported(client, address, "died", "Last week.")
    author = validated_corpus[0].author
    assert Restriction.objects.get().cause == "deceased"
    assert (Restriction.objects.get().kind, Restriction.objects.get().key) == ("person", str(author.pk))
    assert not Answer.objects.eligible_for("display_members").filter(author=author).exists()


def test_a_young_speaker_is_asked_for_their_age_and_a_steward_witnesses_the_guardian(
    client, validated_corpus, community, aroha, ben, goran
):
    client.force_login(aroha)
    page = f"{DESK}ages/"
    assert client.post(page, {"years": 3, "time_zone": "UTC"}).status_code == 422
    assert client.post(page, {"years": 18, "time_zone": "Nowhere"}).status_code == 422
    client.post(page, {"years": 18, "time_zone": "America/Mexico_City"})

    client.force_login(ben)
    asked = client.get("/c/test-otomi/speak/consent/", follow=True)
    assert "How old are you?" in words_of(asked)
    age = "/c/test-otomi/speak/age/"
    assert client.post(age, {"band": "young"}).status_code == 422
    assert client.post(age, {"band": "young", "month": 4, "year": 2020}).status_code == 422
    then = client.post(age, {"band": "young", "month": 4, "year": 2090}, follow=True)
    assert "Your words wait." in words_of(then)
    assert not Answer.objects.visible_to(goran).filter(author=ben).exists()

    client.force_login(aroha)
    assert "no guardian yet" in words_of(client.get(page))
    number = community.age_bands.get().pk
    client.post(f"{page}{number}/", {"guardian": "Somebody’s aunt"})
    shown = words_of(client.get(page))
    assert "a guardian has agreed" in shown
    assert "aunt" not in shown
    assert Answer.objects.visible_to(goran).filter(author=ben).count() == 4
    client.force_login(ben)
    assert "Your guardian has agreed." in words_of(client.get("/c/test-otomi/speak/consent/"))

    client.force_login(aroha)
    client.post(f"{page}{number}/", {"adult": 1})
    assert "Nobody has said that they are under age" in words_of(client.get(page))


def test_whoever_came_of_age_chooses_again(client, validated_corpus, community, aroha, ben, policy):
    set_age_rule(community=community, years=18, set_by=aroha, now=NOW)
    state_age(person=ben, community=community, band="young", of_age_in="2026-05", stated_by=ben, now=NOW)
    keep_ages(now=NOW + timedelta(days=100))
    client.force_login(ben)
    page = "/c/test-otomi/speak/consent/"
    assert "You are of age now." in words_of(client.get(page))
    client.post(page, {"policy": policy.pk, "purposes": ["display_members", "peer_review"]})
    assert "You are of age now." not in words_of(client.get(page))
    assert Answer.objects.eligible_for("display_members").filter(author=ben).count() == 4
