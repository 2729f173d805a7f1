"""Erasing: what was written is nowhere any more, the record still verifies, and a restored backup changes nothing."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from contextlib import closing
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.models import Q
from django.db.utils import IntegrityError
from django.test.utils import CaptureQueriesContext

from annotation.answers.judging import open_judging
from annotation.answers.models import Answer, AnswerEvent, Review, Suggestion
from annotation.answers.services import appeal, edit_answer, submit_answer
from annotation.conflicts.services import adjudicate
from annotation.projects.models import Assignment
from annotation.projects.services import lease_task, open_project
from care.agreements import begin_agreement, put_to_decision, save_terms, sign_agreement, submit_agreement
from care.benefits import confirm_benefit, deliver_benefit, promise_benefit
from care.harm import report_harm
from care.models import (
    AgeBand,
    Agreement,
    BrokenGlass,
    Commitment,
    Erasure,
    HarmReport,
    Rendering,
    WithdrawalStage,
)
from care.renderings import check_rendering
from ledger.checkpoints import check_chain
from ledger.models import Secret
from people.models import Person
from people.refusals import Conflicting, NotAllowed
from people.services import found_community, grant_role
from tests.care.agreeing import TERMS, open_door
from tests.care.leftovers import (
    found_in_broker,
    found_in_dump,
    found_in_files,
    found_on_disk_of_servers,
)
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from training.lineage import erasing
from training.lineage.about import everything_about
from training.lineage.erasing import Replayed, erase_answers, erase_person, known_erasures, replay_erasures
from training.playground.models import Generation
from training.playground.stream import connect, publish
from training.releases.models import Download, DownloadNotice
from training.releases.notices import answer_notice
from training.releases.services import folder_of as release_folder
from training.runs.services import folder_of as run_folder
from training.runs.withdrawals import withdraw_answer
from wordhearth import settings as site
from wordhearth.leftovers import found_in_database
from wordhearth.measuring import seconds_until

pytestmark = pytest.mark.django_db


def words(number: int) -> str:
    """A string that stands nowhere else, and looks like words to every check."""
    letters = "bdfgklmnprst"
    return "kanario" + "".join(letters[int(digit)] + "a" for digit in f"{number:03d}")


@pytest.fixture
def planted(project, validated_corpus, ben, chen, esi, aroha, filipa, goran, consenting, community, settings):
    """Seventy strings in everything that Ben wrote, and in what was made of it."""
    canaries = [words(number) for number in range(70)]
    plant = iter(canaries)
    ben.first_name, ben.last_name, ben.email = next(plant), next(plant), f"{next(plant)}@example.org"
    ben.username, ben.display_name = next(plant), next(plant)
    ben.save()
    for answer in Answer.objects.filter(author=ben):
        Answer.objects.filter(pk=answer.pk).update(text=next(plant))
        AnswerEvent.objects.filter(answer=answer).update(text=next(plant), note=next(plant))
    Review.objects.filter(reviewer=ben).update(note=next(plant))
    Review.objects.filter(answer__author=ben).update(note=next(plant))
    for review in Review.objects.filter(Q(reviewer=ben) | Q(answer__author=ben)):
        Review.objects.filter(pk=review.pk).update(body_sha256=hashlib.sha256(f"{review.pk}".encode()).hexdigest())
    Assignment.objects.filter(person=ben).update(skip_note=next(plant))
    judging = open_judging(project=project, kind="rate", title="Judging", opened_by=aroha, now=NOW)
    release = make_release(project, esi)
    run = make_run(release, esi)
    adapter = make_adapter(run, sample=Answer.objects.filter(author=ben).first().pk, approved_by=aroha)
    adapter.report["evaluation"]["samples"][0]["reference"] = next(plant)
    adapter.save()
    folder = run_folder(run)
    (folder / "checkpoints").mkdir(parents=True)
    for name in ("report.json", "checkpoints/step-1.pt", "output.txt"):
        (folder / name).write_text(next(plant))
    Generation.objects.create(adapter=adapter, person=ben, source=next(plant), adapter_text=next(plant), created_at=NOW)
    second = open_project(
        community=community, created_by=aroha, sources=list(community.sources.all()), now=NOW, title="Second",
        source_language_name="Spanish", source_language_tag="es",
    )  # fmt: skip
    lease = lease_task(project=second, person=ben, now=NOW)
    first, edited = next(plant), next(plant)
    suggestion = Suggestion.objects.create(task=lease.task, text=first, made_by="a model", made_at=NOW)
    mine = submit_answer(assignment=lease, author=ben, client_id=uuid4(), now=NOW, text=first, suggestion=suggestion.pk)
    edit_answer(answer=mine, author=ben, version=1, now=NOW, text=edited)
    Answer.objects.filter(pk=mine.pk).update(state="rejected")
    appeal(answer=mine, author=ben, note=next(plant), now=NOW)
    adjudicate(answer=mine, expert=chen, decision="reject", reason=f"It says {next(plant)}.", now=NOW)
    session = SessionStore()
    session["_auth_user_id"], session["draft"] = str(ben.pk), next(plant)
    session.save()
    cache.set(f"agreement:{project.pk}", next(plant))
    _plant_in_dealings(plant, community, ben, aroha, filipa, mine, release)
    # The rest goes where words are said about work.
    for text in plant:
        project.tasks.first().remarks.create(author=ben, text=text, said_at=NOW)
    return canaries, {"judging": judging, "release": release, "run": run, "adapter": adapter, "mine": mine}


def _plant_in_dealings(plant, community, ben, aroha, filipa, mine, release):
    """In reports, requests, promises, a download, a check of a text, a look behind glass, and an age."""
    about = {"community": community, "kind": "answer", "category": "wrong", "now": NOW}
    for reporter, key in ((ben, uuid4()), (filipa, mine.pk)):
        report_harm(reporter=reporter, key=str(key), words=next(plant), **about)
        HarmReport.objects.filter(key=str(key)).update(quotation=next(plant))
    open_door(community)
    agreement = begin_agreement(community=community, applicant=ben, begun_by=ben, now=NOW)
    save_terms(agreement=agreement, saved_by=ben, now=NOW, **{**TERMS, "organisation": next(plant), "aim": next(plant)})
    say = {"kind": "training", "due_on": (NOW + timedelta(days=60)).date(), "now": NOW}
    promise_benefit(agreement=agreement, promised_by=ben, words=next(plant), **say)
    submit_agreement(agreement=agreement, submitted_by=ben, now=NOW)
    put_to_decision(agreement=agreement, proposer=aroha, now=NOW, text="They are welcome.")
    for person in (ben, aroha):
        sign_agreement(agreement=agreement, signed_by=person, now=NOW)
    deliver_benefit(commitment=Commitment.objects.get(), delivered_by=ben, evidence=next(plant), now=NOW)
    confirm_benefit(commitment=Commitment.objects.get(), confirmed_by=aroha, now=NOW)
    agreement.events.filter(kind="signed").update(note=next(plant))
    download = Download.objects.create(
        agreement=agreement, release=release, person=ben, manifest_sha256=release.sha256, bytes=1, purposes=[], at=NOW
    )  # fmt: skip
    notice = DownloadNotice.objects.create(download=download, queued_at=NOW, due_at=NOW)
    answer_notice(notice=notice, answer="refused", answered_by=ben, words=next(plant), now=NOW)
    rendering = Rendering.objects.create(
        community=community, text_sha256="a" * 64, language="ote", text="Text.", sha256="b" * 64, written_by=aroha,
        written_at=NOW,
    )  # fmt: skip
    check_rendering(rendering=rendering, sha256="b" * 64, checked_by=ben, objection=next(plant), now=NOW)
    until = NOW + timedelta(hours=1)
    BrokenGlass.objects.create(community=community, person=ben, reason=next(plant), broken_at=NOW, ends_at=until)
    BrokenGlass.objects.create(community=community, person=filipa, reason="To look.", broken_at=NOW, ends_at=until)
    AgeBand.objects.create(person=ben, community=community, band="young", of_age_in="2031-04", stated_at=NOW)


@pytest.fixture
def broker(settings):
    """Caches are where a site has them; what it returns stands nowhere else, whoever else uses the broker."""
    settings.CACHES = {"default": {**site.CACHES["default"], "KEY_PREFIX": uuid4().hex}}
    return f"kanario{uuid4().hex}"


def plant_on_the_way(broker, planted, ben, client):
    """In the cache, in a stream of tokens, in a form that is refused, in an address, and in a row that is none."""
    _, made = planted
    cache.set(f"agreement:{made['release'].project_id}", broker)
    generation = Generation.objects.get(person=ben)
    with closing(connect()) as streams:
        publish(streams, str(generation.pk), {"event": "token", "text": broker})
    client.force_login(ben)
    slug = made["release"].community.slug
    assert client.post(f"/c/{slug}/try/", {"source": broker}).status_code == 422
    assert client.get(f"/c/{slug}/nowhere/", {"q": broker}).status_code == 404
    with pytest.raises(IntegrityError, match="answer_state_is_known") as refused:
        Answer.objects.filter(pk=made["mine"].pk).update(text=broker, state="nonsense")
    assert broker not in f"{refused.value} {refused.value.__cause__}"


@pytest.mark.django_db(transaction=True)
def test_nothing_of_it_is_left_anywhere(broker, planted, ben, client, caplog, settings, tmp_path):
    """Not in a dump, a column, a file, the broker or its file, nor in any log, at any level."""
    caplog.set_level(logging.DEBUG)
    canaries, made = planted
    needles = [*canaries, *hashes_of(made, canaries, ben), broker]
    plant_on_the_way(broker, planted, ben, client)
    assert len(found_in_dump(canaries)) >= 65
    assert len(found_in_broker([broker])) == 2
    assert "Not Found" in caplog.text

    erase_person(person=ben, now=NOW + timedelta(hours=1))

    assert found_in_dump(needles) == []
    assert found_in_database(needles) == []
    assert found_in_files(tmp_path, needles) == []
    assert found_in_broker(needles) == []
    # The broker writes its file anew in the background.
    assert seconds_until(lambda: not found_on_disk_of_servers([broker]), within=10) is not None
    assert [needle for needle in needles if needle in caplog.text] == []
    assert_what_stays(made, ben)


def hashes_of(made, canaries, ben):
    """The hashes by which his words could be guessed."""
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in canaries]
    hashes += list(Answer.objects.filter(author=ben).values_list("body_sha256", flat=True))
    reviews = Review.objects.filter(Q(reviewer=ben) | Q(answer__author=ben))
    hashes += list(reviews.values_list("body_sha256", flat=True))
    hashes += list(made["release"].items.filter(answer__author=ben).values_list("row_sha256", flat=True))
    items = made["judging"].tasks.filter(item__quotations__answer__author=ben)
    return hashes + list(items.values_list("item__text_sha256", flat=True))


def assert_what_stays(made, ben):
    """That something was there, and nothing of what it said."""
    assert json.loads((release_folder(made["release"]) / "ERASED.json").read_text())["release"] == 1
    made["adapter"].refresh_from_db()
    assert (made["adapter"].state, made["adapter"].deleted_at is not None) == ("retired", True)
    ben.refresh_from_db()
    assert (ben.username, ben.is_active, ben.has_usable_password()) == (f"erased-{ben.pk}", False, False)
    assert set(Answer.objects.filter(author=ben).values_list("state", flat=True)) == {"withdrawn"}
    assert not WithdrawalStage.objects.waiting("erased").exists()
    assert Agreement.objects.get().state == "closed"
    assert BrokenGlass.objects.filter(reason="To look.").count() == 1
    assert not AgeBand.objects.exists()


def test_what_somebody_takes_home_holds_their_dealings(planted, ben):
    mine = everything_about(ben, now=NOW)
    (report,), (age,) = mine["reports"], mine["age"]
    agreement, download = mine["agreements"]
    shown = [report["words"], report["quotation"], agreement["organisation"], agreement["aim"], download["words"]]
    shown += [agreement["promised"][0]["words"], agreement["promised"][0]["evidence"]]
    assert len(set(shown) & set(planted[0])) == 7
    assert (age["band"], age["of_age_in"], download["answer"]) == ("young", "2031-04", "refused")


def test_the_record_is_whole_and_says_how_much_was_erased(planted, ben, community):
    about = Secret.objects.filter(about=str(ben.pk), entry__community=community.slug).count()
    erase_person(person=ben, now=NOW)
    report = check_chain(community.slug)
    assert report.erased == report.recorded > about > 0
    assert not Secret.objects.filter(about=str(ben.pk)).exists()


def test_only_ones_own_words_and_only_those_taken_back(validated_corpus, ben, filipa):
    mine = Answer.objects.filter(author=ben).first()
    with pytest.raises(Conflicting, match="Take an answer back"):
        erase_answers(answers=[mine.pk], author=ben, now=NOW)
    withdraw_answer(answer=mine, author=ben, now=NOW)
    with pytest.raises(NotAllowed):
        erase_answers(answers=[mine.pk], author=filipa, now=NOW)
    assert erase_answers(answers=[mine.pk], author=ben, now=NOW) == 1
    mine.refresh_from_db()
    assert (mine.text, mine.body_sha256, mine.state) == ("", "", "withdrawn")
    stage = WithdrawalStage.objects.get(name="erased")
    assert (stage.withdrawal.answer_key, stage.done_at, stage.number) == (str(mine.pk), NOW, 1)
    assert Answer.objects.filter(author=ben).exclude(text="").count() == 3
    row = Erasure.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("GRANT DELETE ON care_erasure TO CURRENT_USER")
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        row.delete()


def test_what_a_backup_brings_back_is_erased_again(validated_corpus, ben, goran, community):
    """The backup is older than all that happened: neither the withdrawal nor the erasures are in it."""
    mine = Answer.objects.filter(author=ben).first()
    theirs = list(Answer.objects.filter(author=goran))
    name, kept = goran.username, {answer.pk: answer.text for answer in [mine, *theirs]}
    withdraw_answer(answer=mine, author=ben, now=NOW)
    erase_answers(answers=[mine.pk], author=ben, now=NOW)
    erase_person(person=goran, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("GRANT DELETE ON care_erasure TO CURRENT_USER; SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE care_erasure DISABLE TRIGGER USER")
        Erasure.objects.all().delete()
        cursor.execute("ALTER TABLE care_erasure ENABLE TRIGGER USER")
    for pk, text in kept.items():
        Answer.objects.filter(pk=pk).update(text=text, state="validated", body_sha256="f" * 64, is_one_of_many=True)
    Person.objects.filter(pk=goran.pk).update(username=name, is_active=True)

    told = StringIO()
    call_command("replay_erasures", stdout=told)

    assert told.getvalue().startswith("6 ")
    assert found_in_database([*kept.values(), name]) == []
    assert Erasure.objects.count() == 6
    assert replay_erasures(now=NOW) == Replayed(0, [])


def test_one_that_cannot_be_erased_again_keeps_no_other_from_it(
    validated_corpus, project, ben, goran, aroha, esi, settings, monkeypatch
):
    """The last steward of a community goes, too; a line that was cut off and a row that fails are told."""
    release = make_release(project, esi)
    run = make_run(release, esi)
    mine, other = Answer.objects.filter(author=ben).order_by("pk")[:2]
    kept = {row.pk: (row.text, row.body_sha256) for row in (mine, other)}
    Path(settings.ERASURES_FILE).parent.mkdir(parents=True, exist_ok=True)
    lines = [{"kind": "answer", "key": str(other.pk)}, {"kind": "answer", "key": str(mine.pk)}]
    lines += [{"kind": "person", "key": str(goran.pk)}, {"kind": "person", "key": str(aroha.pk)}]
    Path(settings.ERASURES_FILE).write_text("\n".join(json.dumps(line) for line in lines) + '\n{"kind": "ans')
    forget = erasing.forget_answers

    def fail(answers, *, now):
        if other.pk in answers:
            raise OSError("no space left")
        forget(answers, now=now)

    monkeypatch.setattr(erasing, "forget_answers", fail)
    with pytest.raises(CommandError) as told:
        call_command("replay_erasures", stdout=StringIO())
    assert str(told.value).splitlines()[1:] == ["line 5 of erasures.jsonl: not readable", f"answer {other.pk}: OSError"]
    assert [(row.text, row.body_sha256) for row in Answer.objects.filter(pk=other.pk)] == [kept[other.pk]]
    assert Answer.objects.get(pk=mine.pk).text == ""
    for person in (goran, aroha):
        person.refresh_from_db()
        assert person.username == f"erased-{person.pk}"
    run.refresh_from_db()
    assert run.state == "cancelled"
    monkeypatch.undo()
    # What is appended now does not hang on the line that was cut off.
    assert replay_erasures(now=NOW) == Replayed(1, ["line 5 of erasures.jsonl: not readable"])
    assert len(known_erasures()[0]) == 2 + 4
    assert len(known_erasures()[2]) == 1


def test_releases_are_locked_before_all_chains_and_chains_in_their_order(
    project, validated_corpus, ben, esi, aroha, community
):
    """As a download locks them; else each could wait for the other."""
    make_release(project, esi)
    other = found_community(
        founder=aroha, now=NOW, slug="another", name="Other", language_name="Other", language_tag="ote",
        iso_639_3="ote", glottocode="mezq1235", script="Latn",
    )  # fmt: skip
    grant_role(person=ben, community=other, role="speaker", granted_by=aroha, now=NOW)
    assert other.pk > community.pk
    with CaptureQueriesContext(connection) as asked:
        erase_person(person=ben, now=NOW)
    locks = [row["sql"] for row in asked if "FOR UPDATE" in row["sql"] or "pg_advisory_xact_lock" in row["sql"]]
    assert "releases_release" in locks[0]
    chains = [re.search(r"hashtext\('(.*?)'\)", sql)[1] for sql in locks if "hashtext" in sql]
    first = list(dict.fromkeys(chains))
    assert first == ["another", community.slug, ""]


def test_the_last_steward_names_another_first(community, aroha):
    with pytest.raises(Conflicting, match="another steward"):
        erase_person(person=aroha, now=NOW)
    aroha.refresh_from_db()
    assert (aroha.username, community.memberships.filter(ended_at=None).count()) == ("aroha", 1)
