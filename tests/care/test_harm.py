"""Reports of harm: what a severe one does at once, who may do what with it, and the deadlines."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from annotation.answers.models import Answer
from annotation.answers.reviews import next_review
from annotation.projects.services import NothingToDo, lease_packet, lease_task
from care import states
from care.deciding import DecisionNeeded
from care.harm import (
    SEVERE,
    close_report,
    decide_report,
    find_report,
    hold_after_all,
    investigate,
    mark_late,
    read_notice,
    remedy,
    report_harm,
    triage,
)
from care.jobs import mark_late_job
from care.models import HarmReport, Purpose, Restriction, StewardNotice
from care.restricting import lift, place_hold
from ledger.models import Entry
from people.refusals import Conflicting, Invalid, NotAllowed, TooMany
from tests.care.deciding import adopt, make_stewards
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from training.playground.models import Generation
from training.playground.services import request_generation, start_generation
from training.playground.suggesting import keep_suggestion, require_suggesting
from training.runs.approval import NotInUse
from training.runs.models import Adapter
from training.runs.services import ReleaseIsTainted, queue_run

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "harm-and-holds.md"


@pytest.fixture
def reporting(community):
    """reporting(category, kind, key, ...) sends a report; it returns the report and its code."""

    def send(category="threat", kind="item", key="1", reporter=None, words="A reason.", **more):
        fields = {"community": community, "kind": kind, "key": str(key), "category": category}
        return report_harm(**fields, words=words, reporter=reporter, now=more.pop("now", NOW), **more)

    return send


def test_the_document_holds_the_machine_as_it_is():
    assert states.drawn(states.HARM_MACHINES) in DOCUMENT.read_text(encoding="utf-8")
    assert set(states.states(states.HARM_REPORT)) == set(HarmReport.State.values)


@pytest.mark.parametrize("category", sorted(SEVERE))
def test_a_severe_report_hides_an_answer_at_once_and_nobody_placed_that(
    reporting, validated_corpus, goran, category, project
):
    answer = validated_corpus[0]
    report, _ = reporting(category, "answer", answer.pk)

    assert report.hold.placed_by is None
    for purpose in Purpose.values:
        assert answer not in Answer.objects.eligible_for(purpose)
    assert answer not in Answer.objects.visible_to(goran)
    assert StewardNotice.objects.unread().filter(kind="severe", subject=f"report:{report.pk}").count() == 1
    entry = Entry.objects.get(action="harm.reported")
    assert entry.details == {"report": report.pk, "category": category, "held": True}
    assert entry.actor == ""


def test_what_is_not_severe_holds_nothing_until_a_steward_says_so(reporting, validated_corpus, aroha):
    report, _ = reporting("offensive", "answer", validated_corpus[0].pk)
    assert report.hold is None
    assert not Restriction.objects.exists()

    triage(report=report, holds=True, triaged_by=aroha, now=NOW)

    assert not Answer.objects.eligible_for("display_members").filter(pk=validated_corpus[0].pk).exists()


def test_a_held_sentence_is_handed_to_nobody_even_if_it_was_taken_before(reporting, project, ben, consenting, policy):
    consenting(ben)
    lease = lease_task(project=project, person=ben, now=NOW)
    packet = {one.task_id for one in lease_packet(project=project, person=ben, size=2, now=NOW)}
    assert lease_task(project=project, person=ben, now=NOW) == lease

    reporting("sacred", "item", lease.task.item_id)
    assert lease_task(project=project, person=ben, now=NOW).task_id not in {lease.task_id, *packet}
    reporting("sacred", "source", lease.task.item.source_id)
    assert lease_task(project=project, person=ben, now=NOW).task.item.source_id != lease.task.item.source_id
    assert {one.task.item.source_id for one in lease_packet(project=project, person=ben, size=5, now=NOW)}.isdisjoint(
        {lease.task.item.source_id}
    )
    for source in project.community.sources.all():
        reporting("sacred", "source", source.pk)
    with pytest.raises(NothingToDo):
        lease_task(project=project, person=ben, now=NOW)


def test_a_held_answer_comes_to_nobody_for_review(reporting, answered, consenting, ben, filipa, project):
    consenting(ben)
    consenting(filipa)
    answer = answered(ben)
    assert next_review(project=project, person=filipa, now=NOW) == answer
    reporting("sacred", "answer", answer.pk)
    assert next_review(project=project, person=filipa, now=NOW) is None


@pytest.fixture
def adapter(validated_corpus, project, esi, aroha) -> Adapter:
    return make_adapter(make_run(make_release(project, esi), esi), approved_by=aroha)


def test_a_held_adapter_answers_nobody_and_what_it_wrote_is_hidden(reporting, adapter, ben, aroha):
    before = request_generation(adapter=adapter, person=ben, source="una frase", now=NOW)
    reporting("threat", "adapter", adapter.pk)

    assert not Adapter.objects.usable().exists()
    assert start_generation(generation_id=str(before.pk), now=NOW) is None
    assert not Generation.objects.visible_to(ben).exists()
    with pytest.raises(NotInUse, match="held back"):
        request_generation(adapter=adapter, person=ben, source="otra frase", now=NOW)
    with pytest.raises(NotInUse, match="held back"):
        require_suggesting(adapter=adapter, asked_by=aroha)


def test_a_hold_on_use_stops_an_adapter_too_and_a_label_that_informs_does_not(adapter, community, aroha):
    place = {"community": community, "placed_by": aroha, "now": NOW}
    place_hold(kind="adapter", key=str(adapter.pk), note="Look first.", **place)
    assert not Adapter.objects.usable().exists()
    lift(restriction=Restriction.objects.get(), lifted_by=aroha, now=NOW)
    assert Adapter.objects.usable().get() == adapter
    place_hold(kind="adapter", key="999999", note="Another.", **place)
    assert Adapter.objects.usable().get() == adapter


def test_nothing_trains_on_a_held_release(reporting, validated_corpus, project, esi):
    release = make_release(project, esi)
    reporting("personal", "release", release.pk)
    queue_run(release=release, started_by=esi, now=NOW)
    release.runs.update(state="failed")
    reporting("threat", "release", release.pk)
    with pytest.raises(ReleaseIsTainted):
        queue_run(release=release, started_by=esi, now=NOW)


def test_one_steward_tightens_and_only_the_community_lets_go(reporting, validated_corpus, community, aroha):
    make_stewards(community)
    adopt(community, aroha)
    report, _ = reporting("threat", "answer", validated_corpus[0].pk)

    with pytest.raises(Conflicting, match="decision of your community"):
        triage(report=report, holds=False, triaged_by=aroha, now=NOW)
    with pytest.raises(DecisionNeeded):
        lift(restriction=report.hold, lifted_by=aroha, now=NOW)
    assert HarmReport.objects.get().state == "received"
    assert not Answer.objects.eligible_for("research").filter(pk=validated_corpus[0].pk).exists()


def test_a_lighter_hold_that_stands_becomes_one_that_hides(reporting, validated_corpus, community, aroha):
    key = str(validated_corpus[0].pk)
    place_hold(community=community, kind="answer", key=key, placed_by=aroha, note="Look.", now=NOW)
    report, _ = reporting("sacred", "answer", key)
    assert report.hold == Restriction.objects.get()
    assert not Answer.objects.eligible_for("display_members").filter(pk=key).exists()


def test_a_report_goes_its_way_and_its_reporter_reads_what_became_of_it(reporting, ben, aroha, filipa):
    report, code = reporting("offensive", reporter=ben)
    by = {"report": report, "now": NOW}
    with pytest.raises(Conflicting):
        investigate(begun_by=aroha, **by)
    triage(holds=False, triaged_by=aroha, **by)
    hold_after_all(held_by=aroha, **by)
    investigate(begun_by=aroha, **by)
    with pytest.raises(Invalid, match="what the reporter will read"):
        decide_report(outcome="upheld", answer=" ", decided_by=aroha, **by)
    with pytest.raises(Invalid, match="came to"):
        decide_report(outcome="keep", answer="Thanks.", decided_by=aroha, **by)
    decide_report(outcome="upheld", answer="Thank you, you are right.", decided_by=aroha, **by)
    remedy(done="It was taken out.", done_by=aroha, **by)
    close_report(closed_by=aroha, **by)

    assert find_report(code=code.upper().replace("-", " ")).answer == "Thank you, you are right."
    assert find_report(code="aaaa") is None
    assert list(HarmReport.objects.visible_to(ben)) == [report]
    assert not HarmReport.objects.visible_to(filipa).exists()
    with pytest.raises(Conflicting):
        close_report(closed_by=aroha, **by)
    assert [one for one in Entry.objects.values_list("action", flat=True) if one.startswith("harm.")] == [
        *("harm.reported", "harm.triaged", "harm.held", "harm.investigated"),
        *("harm.decided", "harm.remedied", "harm.closed"),
    ]


def test_only_stewards_work_on_reports(reporting, ben, dana):
    report, _ = reporting("offensive")
    notice = StewardNotice.objects.create(community=report.community, kind="late", subject="report:1", at=NOW)
    by = {"report": report, "now": NOW}
    for person in (ben, dana):
        with pytest.raises(NotAllowed):
            triage(holds=True, triaged_by=person, **by)
        with pytest.raises(NotAllowed):
            close_report(closed_by=person, **by)
        with pytest.raises(NotAllowed):
            read_notice(notice=notice, read_by=person, now=NOW)


@pytest.mark.parametrize(("category", "hours"), [("threat", 24), ("offensive", 72)])
def test_deadlines_run_out_to_the_minute_and_the_notice_comes_once(reporting, category, hours):
    report, _ = reporting(category)
    StewardNotice.objects.all().delete()
    due = NOW + timedelta(hours=hours)
    assert report.triage_due_at == due

    assert mark_late(now=due - MINUTE) == 0
    assert not StewardNotice.objects.exists()
    assert mark_late(now=due + MINUTE) == 1
    assert mark_late(now=due + 2 * MINUTE) == 0

    report.refresh_from_db()
    assert report.late_since == due
    assert StewardNotice.objects.get().kind == "late"
    assert Entry.objects.filter(action="harm.late").count() == 1


def test_what_was_read_in_time_is_never_late_and_the_clock_job_marks_the_rest(reporting, aroha):
    report, _ = reporting("threat")
    reporting("offensive", key="2")
    triage(report=report, holds=True, triaged_by=aroha, now=NOW)
    # The job reads the present time, which is months after these.
    assert mark_late_job() == 1
    assert HarmReport.objects.get(late_since__isnull=False).category == "offensive"


def test_nothing_is_kept_of_who_has_no_account_and_all_of_them_share_a_limit(reporting, community, ben):
    for number in range(20):
        report, _ = reporting("offensive", key=str(number))
    assert report.reporter is None
    with pytest.raises(TooMany):
        reporting("threat", key="21")
    assert not Restriction.objects.exists()
    # Whoever has an account is counted alone, and the next hour begins anew.
    reporting("threat", key="21", reporter=ben)
    reporting("threat", key="22", now=NOW + timedelta(hours=1))


def test_what_cannot_be_reported_is_refused(reporting, ben, dana, community):
    for wrong in (
        {"category": "nonsense"},
        {"kind": "community", "key": community.pk},
        {"kind": "project"},
        {"kind": "person", "key": ben.pk},
        {"category": "other", "words": " "},
        {"words": "x" * 4001},
        {"category": "died", "reporter": ben},
    ):
        with pytest.raises(Invalid):
            reporting(**wrong)
    for stranger in (None, dana):
        with pytest.raises(NotAllowed, match="Only members"):
            reporting("died", "person", ben.pk, reporter=stranger)
    assert not HarmReport.objects.exists()
    assert not Restriction.objects.exists()


def test_the_database_refuses_a_severe_report_without_a_hold_and_a_label_by_nobody(reporting, community):
    reporting("threat")
    with pytest.raises(IntegrityError, match="a_severe_report_holds"), transaction.atomic():
        HarmReport.objects.update(hold=None)
    with pytest.raises(IntegrityError, match="holds_alone_are_placed_by_nobody"), transaction.atomic():
        Restriction.objects.update(cause="suspension")


def test_what_a_held_adapter_proposed_to_speakers_is_hidden(reporting, adapter, project, esi):
    task = project.tasks.first()
    keep_suggestion(adapter=adapter, task=task, said="something that it made up", asked_by=esi, now=NOW)
    assert task.suggestions.shown().count() == 1
    reporting("threat", "adapter", adapter.pk)
    assert task.suggestions.count() == 1
    assert not task.suggestions.shown().exists()
