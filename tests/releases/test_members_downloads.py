"""What a member takes home leaves a receipt, too, and is to be deleted when words in it are taken back."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Answer
from care.models import WithdrawalStage
from care.restricting import place_hold
from ledger.models import Entry
from people.models import Membership, Role
from people.refusals import Conflicting, Invalid, NotAllowed, TooMany
from people.services import grant_role
from tests.care.agreeing import active
from tests.conftest import NOW, TRAINING
from tests.frontend.made import make_release
from training.lineage.about_access import agreements
from training.lineage.forgetting import entries_on_agreements, forget_person
from training.lineage.services import follow_withdrawals
from training.releases.downloads import HOURLY, NotHandedOut, take_home, write_receipt
from training.releases.models import Download, DownloadNotice
from training.releases.notices import answer_notice
from training.runs.withdrawals import withdraw_answer, withdraw_consent

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(project, validated_corpus, esi):
    return make_release(project, esi)


@pytest.fixture
def taken(release, esi):
    return take_home(release=release, taken_by=esi, now=NOW)[0]


def take_back(ben):
    withdraw_answer(answer=Answer.objects.filter(author=ben).first(), author=ben, now=NOW)


def signed_in(person):
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def page(community):
    return reverse("researcher:copies", kwargs={"slug": community.slug})


def test_it_leaves_a_receipt_an_entry_and_a_line_in_one_s_own_data(taken, release, esi):
    assert (taken.agreement, taken.person, taken.purposes) == (None, esi, [release.purpose])
    entry = Entry.objects.get(action="release.downloaded")
    assert entry.details == {"sha256": release.sha256, "bytes": taken.bytes}
    (row,) = agreements(esi, NOW)
    assert (row["downloaded_release"], row["agreement"], row["bytes"]) == (release.number, None, taken.bytes)


def test_only_researchers_and_stewards_take_a_release_that_may_be_used(release, esi, aroha, ben, chen, community):
    assert take_home(release=release, taken_by=aroha, now=NOW)[0].person == aroha
    for person in (ben, chen):
        with pytest.raises(NotAllowed):
            take_home(release=release, taken_by=person, now=NOW)
    place_hold(community=community, kind="release", key=str(release.pk), placed_by=aroha, note="A question.", now=NOW)
    with pytest.raises(NotHandedOut, match="may not be used now"):
        take_home(release=release, taken_by=esi, now=NOW)
    assert Download.objects.count() == 1


def test_whoever_takes_it_twice_holds_it_once(taken, release, esi, community):
    assert take_home(release=release, taken_by=esi, now=NOW)[0] == taken
    assert Entry.objects.filter(action="release.downloaded").count() == 2
    address = reverse("researcher:download", kwargs={"slug": community.slug, "pk": release.pk})
    assert signed_in(esi).head(address).status_code == 405


def test_nobody_takes_without_end(release, esi):
    for _ in range(HOURLY):
        take_home(release=release, taken_by=esi, now=NOW)
    with pytest.raises(TooMany):
        take_home(release=release, taken_by=esi, now=NOW)


def test_a_withdrawal_is_done_when_its_holder_has_deleted_it(taken, release, esi, ben, aroha, goran, dana, community):
    agreement = active(community, dana, aroha)
    given = write_receipt(release=release, person=dana, file=BytesIO(b"zip"), agreement=agreement, now=NOW)
    take_back(ben)
    with pytest.raises(NotHandedOut, match="Freeze a new one"):
        take_home(release=release, taken_by=esi, now=NOW)
    assert {row.download for row in DownloadNotice.objects.all()} == {taken, given}
    answer_notice(notice=given.notice, answer="deleted", answered_by=dana, now=NOW)
    stage = WithdrawalStage.objects.get(name="holders_told")
    follow_withdrawals(now=NOW)
    stage.refresh_from_db()
    assert stage.done_at is None

    notice = DownloadNotice.objects.of_members(community).get()
    assert notice.due_at == NOW + timedelta(days=7)
    grant_role(person=goran, community=community, role=Role.RESEARCHER, granted_by=aroha, now=NOW)
    with pytest.raises(NotAllowed):
        answer_notice(notice=notice, answer="deleted", answered_by=goran, now=NOW)
    with pytest.raises(Invalid, match="Give the reason"):
        answer_notice(notice=notice, answer="refused", answered_by=esi, now=NOW)
    answer_notice(notice=notice, answer="deleted", answered_by=esi, now=NOW)
    with pytest.raises(Conflicting):
        answer_notice(notice=notice, answer="unreached", words="She left.", answered_by=aroha, now=NOW)
    assert Entry.objects.filter(action="notice.answered").last().details == {"answer": "deleted"}
    follow_withdrawals(now=NOW)
    stage.refresh_from_db()
    assert (stage.done_at, stage.number) == (NOW, 2)


def test_the_page_shows_one_s_own_and_a_steward_everybody_s(taken, page, community, release, esi, aroha, ben):
    mine, steward = signed_in(esi), signed_in(aroha)
    home = reverse("researcher:home", kwargs={"slug": community.slug})
    assert "Release 1" in mine.get(page).text
    assert "Delete or replace" not in mine.get(page).text
    assert "taken back" not in mine.get(home).text
    take_home(release=release, taken_by=aroha, now=NOW)
    take_back(ben)
    assert mine.get(page).text.count("Delete or replace a download") == 1
    assert steward.get(page).text.count("Delete or replace a download") == 2
    assert "Words in one download were taken back" in mine.get(home).text
    assert "Words in 2 downloads were taken back" in steward.get(home).text
    assert "This is overdue." in mine.get(page).text

    theirs = DownloadNotice.objects.get(download__person=aroha)
    assert mine.post(page, {"notice": theirs.pk, "answer": "deleted"}).status_code == 404
    own = DownloadNotice.objects.get(download=taken)
    refused = mine.post(page, {"notice": own.pk, "answer": "refused", "words": " "})
    assert (refused.status_code, "Give the reason." in refused.text) == (422, True)
    for client in (signed_in(ben), Client()):
        assert client.get(page).status_code in {302, 404}
    assert "Thank you" in mine.post(page, {"notice": own.pk, "answer": "deleted"}, follow=True).text
    assert "Delete or replace" not in mine.get(page).text
    late = steward.post(page, {"notice": own.pk, "answer": "unreached", "words": "She is away."})
    assert (late.status_code, "This was answered before." in late.text) == (409, True)


def test_whoever_has_left_is_told_and_a_steward_may_say_that_nobody_reaches_them(
    taken, page, community, esi, aroha, ben
):
    Membership.objects.filter(person=esi).update(ended_at=NOW)
    take_back(ben)
    mine, steward = signed_in(esi), signed_in(aroha)
    assert mine.get(page).status_code == 404
    own = reverse("me:copies")
    assert own in mine.get("/").text
    assert "Delete or replace a download" in mine.get(own).text
    assert signed_in(ben).get(own).text.count("Release") == 0

    notice = DownloadNotice.objects.get()
    silent = steward.post(page, {"notice": notice.pk, "answer": "unreached", "words": ""})
    assert (silent.status_code, "Write how you know." in silent.text) == (422, True)
    assert steward.post(page, {"notice": notice.pk, "answer": "refused", "words": "x"}).status_code == 422
    told = steward.post(page, {"notice": notice.pk, "answer": "unreached", "words": "No answer."}, follow=True).text
    for words in ("nobody reaches whoever holds it", "No answer.", "written by aroha"):
        assert words in told
    follow_withdrawals(now=NOW)
    assert WithdrawalStage.objects.get(name="holders_told").done_at == NOW
    # What somebody else said for them they may still say otherwise.
    assert signed_in(ben).post(own, {"notice": notice.pk, "answer": "deleted"}).status_code == 404
    answer_notice(notice=notice, answer="deleted", answered_by=esi, now=NOW)
    notice.refresh_from_db()
    assert (notice.answer, notice.answered_by, notice.words) == ("deleted", esi, "")


def test_a_withdrawal_waits_for_copies_of_its_own_words_alone(taken, esi, ben, filipa, community):
    take_back(ben)
    withdraw_consent(person=filipa, community=community, purposes=["credit_name"], now=NOW)
    assert WithdrawalStage.objects.filter(name="holders_told").count() == 1
    withdraw_consent(person=filipa, community=community, purposes=TRAINING, now=NOW)
    stages = WithdrawalStage.objects.filter(name="holders_told")
    assert [set(stage.withdrawal.notices.all()) for stage in stages] == [{taken.notice}] * 2


def test_erasing_an_account_takes_what_stewards_wrote_of_its_copies(taken, esi, aroha, ben):
    take_back(ben)
    answer_notice(notice=taken.notice, answer="unreached", words="Lost with a bag.", answered_by=aroha, now=NOW)
    assert [entry.action for entry in entries_on_agreements(esi)] == ["notice.answered"]
    forget_person(esi)
    taken.notice.refresh_from_db()
    assert taken.notice.words == ""
