"""A release leaves the house only under an agreement that covers it, with a receipt, and whoever holds it is told when
words in it are taken back."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from annotation.answers.models import Answer
from care.agreements import close_agreement, revoke_access, suspend_access
from care.deciding import DecisionNeeded
from care.models import Agreement, AgreementToken, Grant, Purpose, WithdrawalStage
from care.restricting import lift, place_hold, suspend_purpose
from care.services import publish_policy
from care.tokens import end_token, make_token
from ledger.models import Entry
from people.models import Person
from people.refusals import Conflicting, Invalid, NotAllowed, TooMany
from people.services import found_community
from tests.care.agreeing import active
from tests.care.deciding import adopt, make_stewards
from tests.common import kept
from tests.conftest import NOW, TRAINING, make_person
from tests.frontend.made import make_release
from training.lineage.services import follow_withdrawals
from training.releases.access import NotCovered, NotHandedOut, download_release
from training.releases.models import Download, DownloadNotice, Release
from training.releases.notices import answer_notice
from training.releases.services import freeze_release
from training.runs.withdrawals import withdraw_answer, withdraw_consent

pytestmark = pytest.mark.django_db


@kept
def policy(community, aroha):
    """Words are worked with in Mexico, and every use is offered."""
    terms = {"processing_countries": ["MX"], "storage_countries": ["MX"], "jurisdiction": "MX"}
    every = list(Purpose.values)
    return publish_policy(
        waiver="For tests.", community=community, text="Text.", purposes=every, terms=terms, published_by=aroha, now=NOW
    )


@pytest.fixture
def release(project, validated_corpus, esi):
    return make_release(project, esi)


@pytest.fixture
def agreement(community, dana, aroha, release):
    return active(community, dana, aroha)


def address(agreement, number=1):
    return f"/api/v1/agreements/{agreement.pk}/releases/{number}/"


def with_token(secret):
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


@pytest.fixture
def clock(monkeypatch):
    """clock(moment) stops every clock of the site there."""

    def stop(moment):
        monkeypatch.setattr("django.utils.timezone.now", lambda: moment)

    stop(NOW)
    return stop


@pytest.fixture
def holder(agreement, dana, clock):
    return with_token(make_token(agreement=agreement, person=dana, now=NOW))


def test_a_download_brings_the_data_its_manifest_and_the_agreement_and_leaves_a_receipt(
    holder, agreement, release, dana
):
    answer = holder.get(address(agreement))
    content = b"".join(answer.streaming_content)
    archive = zipfile.ZipFile(io.BytesIO(content))
    inside = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    paper = json.loads(inside["AGREEMENT.json"])

    assert answer.status_code == 200
    assert answer["X-Manifest-SHA256"] == release.sha256
    assert {"manifest.json", "README.md", "data/train.jsonl", "AGREEMENT.json"} <= set(inside)
    assert (paper["manifest_sha256"], paper["agreement"]) == (release.sha256, agreement.pk)
    assert [one["shorthand"] for one in paper["duo"]] == ["US", "TS"]
    receipt = Download.objects.get()
    assert (receipt.agreement, receipt.release, receipt.person) == (agreement, release, dana)
    assert (receipt.manifest_sha256, receipt.bytes, receipt.at) == (release.sha256, len(content), NOW)
    assert paper["download"] == receipt.pk.hex
    entry = Entry.objects.get(action="release.downloaded")
    assert entry.details == {"agreement": agreement.pk, "sha256": release.sha256, "bytes": len(content)}


def test_a_token_opens_one_second_before_the_end_and_is_dead_at_the_end(holder, agreement, clock):
    clock(agreement.ends_at - timedelta(seconds=1))
    assert holder.get(address(agreement)).status_code == 200
    clock(agreement.ends_at)
    refused = holder.get(address(agreement))
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Bearer")
    assert Download.objects.count() == 1


@pytest.mark.parametrize("how", ["suspended", "revoked", "closed", "decision expired"])
def test_a_token_is_dead_at_once(holder, agreement, aroha, dana, how):
    assert holder.get(address(agreement)).status_code == 200
    if how == "suspended":
        suspend_access(agreement=agreement, suspended_by=aroha, reason="Stop.", now=NOW)
    elif how == "revoked":
        revoke_access(agreement=agreement, revoked_by=aroha, reason="Stop.", now=NOW)
    elif how == "closed":
        close_agreement(agreement=agreement, closed_by=dana, now=NOW)
    else:
        type(agreement.decision).objects.filter(pk=agreement.decision_id).update(expires_at=NOW)
    assert holder.get(address(agreement)).status_code == 401
    assert Download.objects.count() == 1


@pytest.mark.parametrize("how", ["revoked", "over", "not named", "not covered", "held", "withdrawn"])
def test_a_download_that_was_begun_stops_when_it_may_not_be_had_any_more(
    client, holder, agreement, release, community, dana, aroha, ben, clock, how
):
    client.force_login(dana)
    begun = [client.get(f"/agreements/{agreement.pk}/releases/1/"), holder.get(address(agreement))]
    if how == "revoked":
        revoke_access(agreement=agreement, revoked_by=aroha, reason="Stop.", now=NOW)
    elif how == "over":
        clock(agreement.ends_at)
    elif how == "not named":
        agreement.users.clear()
    elif how == "not covered":
        Agreement.objects.update(releases=[7])
    elif how == "held":
        place_hold(community=community, kind="release", key=str(release.pk), placed_by=aroha, note="Wait.", now=NOW)
    else:
        withdraw_answer(answer=Answer.objects.filter(author=ben).first(), author=ben, now=NOW)
    for answer in begun:
        assert answer.status_code == 200
        with pytest.raises(NotAllowed):
            next(iter(answer.streaming_content))


@pytest.mark.parametrize("how", ["ended", "ended by a steward", "made anew", "account closed"])
def test_a_download_with_a_token_stops_when_the_token_or_its_holder_does(client, holder, agreement, dana, aroha, how):
    client.force_login(dana)
    page, program = client.get(f"/agreements/{agreement.pk}/releases/1/"), holder.get(address(agreement))
    if how == "made anew":
        make_token(agreement=agreement, person=dana, now=NOW)
    elif how == "account closed":
        Person.objects.filter(pk=dana.pk).update(is_active=False)
    else:
        by = dana if how == "ended" else aroha
        end_token(agreement=agreement, person=dana, ended_by=by, now=NOW)
        with pytest.raises(Conflicting):
            end_token(agreement=agreement, person=dana, ended_by=by, now=NOW)
    with pytest.raises(NotAllowed):
        next(iter(program.streaming_content))
    # What they download on the page, signed in, is theirs as long as the account is alive.
    if how == "account closed":
        with pytest.raises(NotAllowed):
            next(iter(page.streaming_content))
    else:
        assert next(iter(page.streaming_content))


def test_who_ends_a_token(client, holder, agreement, community, dana, aroha, ben):
    with pytest.raises(NotAllowed):
        end_token(agreement=agreement, person=dana, ended_by=ben, now=NOW)
    client.force_login(aroha)
    desk = f"/c/{community.slug}/steward/agreements/{agreement.pk}/"
    assert "End the token" in client.get(desk).content.decode()
    token = AgreementToken.objects.get()
    assert client.post(desk, {"act": "end_token", "token": token.pk}).status_code == 302
    assert client.post(desk, {"act": "end_token", "token": token.pk}).status_code == 404
    assert holder.get(address(agreement)).status_code == 401
    make_token(agreement=agreement, person=dana, now=NOW)
    client.force_login(dana)
    assert client.post(f"/agreements/{agreement.pk}/", {"act": "end_token"}).status_code == 302
    assert not AgreementToken.objects.filter(ended_at=None).exists()
    ended = Entry.objects.filter(action="agreement.token_ended").order_by("pk").values_list("details", flat=True)
    assert list(ended) == [{"by_holder": False}, {"by_holder": True}]


def test_a_token_of_one_agreement_opens_nothing_of_another(holder, agreement, community, aroha, release):
    iris = make_person("iris")
    other = active(community, iris, aroha)
    theirs = with_token(make_token(agreement=other, person=iris, now=NOW))
    assert holder.get(address(other)).status_code == 404
    assert theirs.get(address(agreement)).status_code == 404
    assert theirs.get(address(other)).status_code == 200
    assert holder.get(address(agreement, 2)).status_code == 404
    assert with_token("wha_guess").get(address(agreement)).status_code == 401
    assert APIClient().get(address(agreement)).status_code == 401
    # It signs nobody in anywhere else.
    assert holder.get("/api/v1/agreements/").status_code == 401


def test_a_token_opens_nothing_of_another_agreement_of_the_same_person(holder, agreement, community, aroha, dana):
    second = active(community, dana, aroha)
    assert holder.get(address(second)).status_code == 404
    assert holder.get(address(agreement)).status_code == 200


def test_the_list_of_ones_agreements_is_ones_own(agreement, dana, esi):
    client = APIClient()
    client.force_authenticate(dana)
    (row,) = client.get("/api/v1/agreements/").json()["results"]
    assert (row["id"], row["state"], row["community"]) == (agreement.pk, "active", "test-otomi")
    assert row["commitments"][0]["kind"] == "training"
    client.force_authenticate(esi)
    assert client.get("/api/v1/agreements/").json()["results"] == []
    assert client.get(f"/api/v1/agreements/{agreement.pk}/").status_code == 404


def test_only_what_is_covered_is_given_out(agreement, release, dana, esi, community):
    give = {"agreement": agreement, "release": release, "now": NOW}
    with pytest.raises(NotCovered, match="not named"):
        download_release(person=esi, **give)
    Agreement.objects.update(purposes=["train_commercial"])
    agreement.refresh_from_db()
    with pytest.raises(NotCovered, match="does not cover"):
        download_release(person=dana, **give)
    Agreement.objects.update(purposes=["train_noncommercial"], releases=[7])
    agreement.refresh_from_db()
    with pytest.raises(NotCovered, match="does not cover"):
        download_release(person=dana, **give)
    with pytest.raises(NotCovered, match="not in force"):
        download_release(agreement=agreement, release=release, person=dana, now=agreement.ends_at)
    assert not Download.objects.exists()


def test_a_release_of_another_community_is_not_covered_by_its_number(agreement, release, dana, aroha):
    other = found_community(
        founder=aroha, now=NOW, slug="other", name="Other", language_name="Other", language_tag="ote",
        iso_639_3="ote", glottocode="mezq1235", script="Latn",
    )  # fmt: skip
    Release.objects.update(community=other)
    release.refresh_from_db()
    with pytest.raises(NotCovered):
        download_release(agreement=agreement, release=release, person=dana, now=NOW)


def test_a_later_release_is_covered_where_the_agreement_says_so(agreement, release, dana, ben, project, esi):
    withdraw_answer(answer=Answer.objects.filter(author=ben).first(), author=ben, now=NOW)
    newer = freeze_release(project=project, purpose="train_noncommercial", created_by=esi, now=NOW)[0]
    with pytest.raises(NotCovered):
        download_release(agreement=agreement, release=newer, person=dana, now=NOW)
    Agreement.objects.update(covers_later=True)
    agreement.refresh_from_db()
    assert download_release(agreement=agreement, release=newer, person=dana, now=NOW)[0].release == newer
    assert set(Release.objects.covered_by(agreement)) == {release, newer}


def test_what_may_not_be_used_any_more_is_not_given_out(agreement, release, dana, aroha, community, ben):
    give = {"agreement": agreement, "release": release, "person": dana, "now": NOW}
    suspend_purpose(community=community, purpose="train_noncommercial", placed_by=aroha, note="Wait.", now=NOW)
    with pytest.raises(NotHandedOut, match="not for profit"):
        download_release(**give)
    community.restrictions.all().delete()
    withdraw_consent(person=ben, community=community, purposes=["train_noncommercial"], now=NOW)
    with pytest.raises(NotHandedOut, match="withdrawn"):
        download_release(**give)


def test_a_release_that_is_held_back_itself_is_not_given_out(holder, agreement, release, dana, aroha, community):
    hold = place_hold(
        community=community, kind="release", key=str(release.pk), placed_by=aroha, note="Look first.", now=NOW
    )
    with pytest.raises(NotHandedOut, match="may not be used now"):
        download_release(agreement=agreement, release=release, person=dana, now=NOW)
    assert holder.get(address(agreement)).status_code == 409
    assert not Download.objects.exists()
    lift(restriction=hold, lifted_by=aroha, now=NOW)
    assert holder.get(address(agreement)).status_code == 200


def test_every_purpose_of_the_agreement_needs_the_authors(agreement, release, dana, consenting, ben, filipa, goran):
    """A release for training holds words whose authors refused research."""
    Agreement.objects.update(purposes=["research", "train_noncommercial"])
    agreement.refresh_from_db()
    with pytest.raises(NotHandedOut, match="studies"):
        download_release(agreement=agreement, release=release, person=dana, now=NOW)
    for person in (ben, filipa, goran):
        Grant.objects.create(receipt=person.receipts.get(), purpose="research")
    made, _file = download_release(agreement=agreement, release=release, person=dana, now=NOW)
    assert made.purposes == ["research", "train_noncommercial"]


def test_computers_abroad_need_the_authors_too(agreement, release, dana, ben, filipa, goran):
    Agreement.objects.update(computing_countries=["MX", "NZ"])
    agreement.refresh_from_db()
    with pytest.raises(NotHandedOut, match="other countries"):
        download_release(agreement=agreement, release=release, person=dana, now=NOW)
    for person in (ben, filipa, goran):
        Grant.objects.create(receipt=person.receipts.get(), purpose="process_outside_country")
    assert "process_outside_country" in download_release(
        agreement=agreement, release=release, person=dana, now=NOW
    )[0].purposes  # fmt: skip


def test_where_the_community_votes_on_releases_that_decision_must_stand(agreement, release, dana, aroha, community):
    make_stewards(community)
    adopt(community, aroha)
    with pytest.raises(DecisionNeeded):
        download_release(agreement=agreement, release=release, person=dana, now=NOW)


def test_a_withdrawal_queues_one_notice_for_each_download(agreement, release, dana, ben, filipa, community, aroha):
    iris = make_person("iris")
    other = active(community, iris, aroha)
    for mine, person in ((agreement, dana), (agreement, dana), (other, iris)):
        download_release(agreement=mine, release=release, person=person, now=NOW)
    withdraw_answer(answer=Answer.objects.filter(author=ben).first(), author=ben, now=NOW)
    assert DownloadNotice.objects.count() == Download.objects.count() == 3
    assert {notice.due_at for notice in DownloadNotice.objects.all()} == {NOW + timedelta(days=7)}
    # Another one tells nobody twice: the whole release is to be deleted.
    withdraw_consent(person=filipa, community=community, purposes=TRAINING, now=NOW)
    assert DownloadNotice.objects.count() == 3


def test_whoever_was_given_words_for_research_is_told_when_that_is_taken_back(
    agreement, release, dana, ben, filipa, goran, community
):
    Agreement.objects.update(purposes=["research", "train_noncommercial"])
    agreement.refresh_from_db()
    for person in (ben, filipa, goran):
        Grant.objects.create(receipt=person.receipts.get(), purpose="research")
    download_release(agreement=agreement, release=release, person=dana, now=NOW)
    withdraw_consent(person=ben, community=community, purposes=["credit_name"], now=NOW)
    assert not DownloadNotice.objects.exists()
    withdraw_consent(person=ben, community=community, purposes=["research"], now=NOW)
    release.refresh_from_db()
    assert not release.contains_withdrawn
    notice = DownloadNotice.objects.get()
    # It is a step of that withdrawal, which is done when they have answered.
    stage = WithdrawalStage.objects.get(name="holders_told")
    assert stage.withdrawal.purposes == ["research"]
    follow_withdrawals(now=NOW)
    stage.refresh_from_db()
    assert stage.done_at is None
    answer_notice(notice=notice, answer="deleted", answered_by=dana, now=NOW)
    follow_withdrawals(now=NOW)
    stage.refresh_from_db()
    assert (stage.done_at, stage.number) == (NOW, 1)


def test_a_notice_is_answered_by_its_holder_and_overdue_after_seven_days(agreement, release, dana, ben, esi):
    download_release(agreement=agreement, release=release, person=dana, now=NOW)
    withdraw_answer(answer=Answer.objects.filter(author=ben).first(), author=ben, now=NOW)
    notice = DownloadNotice.objects.get()
    week = NOW + timedelta(days=7)
    assert not DownloadNotice.objects.overdue(week).exists()
    assert DownloadNotice.objects.overdue(week + timedelta(seconds=1)).get() == notice
    with pytest.raises(NotAllowed):
        answer_notice(notice=notice, answer="deleted", answered_by=esi, now=week)
    with pytest.raises(Invalid):
        answer_notice(notice=notice, answer="", answered_by=dana, now=week)
    with pytest.raises(Invalid, match="reason"):
        answer_notice(notice=notice, answer="refused", answered_by=dana, now=week)
    answer_notice(notice=notice, answer="refused", words="We need it.", answered_by=dana, now=week)
    # What was refused is still overdue, and may be followed after all.
    assert DownloadNotice.objects.overdue(week + timedelta(days=1)).exists()
    answer_notice(notice=notice, answer="deleted", answered_by=dana, now=week)
    assert not DownloadNotice.objects.open_ones().exists()
    with pytest.raises(Conflicting):
        answer_notice(notice=notice, answer="replaced", answered_by=dana, now=week)
    assert Entry.objects.filter(action="notice.answered").count() == 2


def test_nobody_downloads_without_pause(agreement, release, dana, monkeypatch):
    monkeypatch.setattr("training.releases.access.HOURLY", 1)
    download_release(agreement=agreement, release=release, person=dana, now=NOW)
    with pytest.raises(TooMany):
        download_release(agreement=agreement, release=release, person=dana, now=NOW)
