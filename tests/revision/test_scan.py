"""A look over a project finds what disagrees with itself, and finds it again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from annotation.answers.models import Answer
from annotation.answers.services import withdraw_answer
from annotation.conflicts.services import adjudicate
from annotation.projects.services import open_project
from annotation.revision.jobs import recover_scans_job, scan_project_job
from annotation.revision.models import Inconsistency, Suspicion
from annotation.revision.services import DOUBTED, ask_for_scan, looked_over, scan_project, send_to_experts
from people.refusals import Invalid, NotAllowed
from tests.conftest import NOW

pytest_plugins = ["tests.revision.labelled"]


def test_what_disagrees_is_stored_with_its_places(labelling: Any, labelled: Any, chen: Any) -> None:
    scan = ask_for_scan(project=labelling, expert=chen, now=NOW)
    scan_project(scan=scan, now=NOW)

    group = Inconsistency.objects.get(project=labelling, surface="texto")
    assert group.expected == "LOC"
    assert group.counts == {"LOC": 10, "PER": 1, "": 1}
    assert {place["answer"] for place in group.places[:2]} == {str(labelled[10].pk), str(labelled[11].pk)}
    scan.refresh_from_db()
    assert (scan.answers, scan.is_waiting) == (12, False)


def test_scanning_twice_keeps_the_rows(labelling: Any, labelled: Any, chen: Any) -> None:
    scan = ask_for_scan(project=labelling, expert=chen, now=NOW)
    scan_project(scan=scan, now=NOW)
    before = list(Inconsistency.objects.values())
    doubts = list(Suspicion.objects.values("answer", "start", "end", "fault", "confidence"))

    scan_project(scan=scan, now=NOW + timedelta(hours=1))

    assert list(Inconsistency.objects.values()) == before
    assert list(Suspicion.objects.values("answer", "start", "end", "fault", "confidence")) == doubts
    assert doubts


def test_what_is_withdrawn_is_looked_at_no_more(labelling: Any, labelled: Any, chen: Any, ben: Any) -> None:
    scan = ask_for_scan(project=labelling, expert=chen, now=NOW)
    scan_project(scan=scan, now=NOW)
    for answer in labelled[10:]:
        withdraw_answer(answer=answer, author=ben, now=NOW)

    scan_project(scan=scan, now=NOW)

    assert not Inconsistency.objects.exists()
    assert not Suspicion.objects.filter(answer__in=labelled[10:]).exists()


def test_a_job_runs_a_scan_once_for_each_asking(labelling: Any, labelled: Any, chen: Any, monkeypatch: Any) -> None:
    scan = ask_for_scan(project=labelling, expert=chen, now=NOW)
    again = ask_for_scan(project=labelling, expert=chen, now=NOW + timedelta(minutes=1))
    rung: list[int] = []
    monkeypatch.setattr(scan_project_job, "delay", lambda *, scan_id: rung.append(scan_id))

    assert (again.pk, again.asked_at) == (scan.pk, NOW)
    assert recover_scans_job() == 1
    assert rung == [scan.pk]
    assert scan_project_job(scan_id=scan.pk) > 0
    assert scan_project_job(scan_id=scan.pk) == 0
    assert recover_scans_job() == 0


def test_only_experts_ask_and_only_for_kinds_that_must_agree(labelling: Any, ben: Any, chen: Any, aroha: Any) -> None:
    with pytest.raises(NotAllowed):
        ask_for_scan(project=labelling, expert=ben, now=NOW)
    labelling.kind = "write"
    with pytest.raises(Invalid):
        ask_for_scan(project=labelling, expert=chen, now=NOW)
    labelling.kind, labelling.settings = "classify", {"several": True}
    assert looked_over(labelling) == ""


def test_translations_of_one_text_that_differ_are_found_without_keeping_their_words(
    community: Any, aroha: Any, project: Any, validated_corpus: Any, chen: Any
) -> None:
    one, other = validated_corpus[:2]
    other.task.item.text = one.task.item.text
    other.task.item.text_sha256 = "f" * 64
    other.task.item.save()
    scan = ask_for_scan(project=project, expert=chen, now=NOW)

    scan_project(scan=scan, now=NOW)

    group = Inconsistency.objects.get(cause="same_text")
    assert group.surface == one.task.item.text
    assert {place["answer"] for place in group.places} == {str(one.pk), str(other.pk)}
    assert (group.expected, group.counts) == ("", {})


def test_one_click_sends_doubted_labels_to_the_queue(labelling: Any, labelled: Any, chen: Any, states: Any) -> None:
    scan_project(scan=ask_for_scan(project=labelling, expert=chen, now=NOW), now=NOW)
    doubted = Suspicion.objects.filter(answer=labelled[10])
    before = states(labelling)

    assert send_to_experts(suspicions=doubted, expert=chen, now=NOW) == 1

    after = states(labelling)
    assert {pk for pk in before if before[pk] != after[pk]} == {labelled[10].pk}
    assert after[labelled[10].pk][0] == Answer.State.DISPUTED
    assert Answer.objects.adjudicable_by(chen).get().events.last().note == DOUBTED
    assert send_to_experts(suspicions=doubted, expert=chen, now=NOW) == 0


def test_what_an_expert_has_decided_does_not_come_back(labelling: Any, labelled: Any, chen: Any) -> None:
    scan_project(scan=ask_for_scan(project=labelling, expert=chen, now=NOW), now=NOW)
    doubted = list(Suspicion.objects.filter(answer=labelled[10]))
    send_to_experts(suspicions=doubted, expert=chen, now=NOW)
    adjudicate(answer=labelled[10], expert=chen, decision="accept", reason="It is right.", now=NOW)

    assert send_to_experts(suspicions=doubted, expert=chen, now=NOW) == 0


def test_a_speaker_sends_nothing(labelling: Any, labelled: Any, chen: Any, ben: Any) -> None:
    scan_project(scan=ask_for_scan(project=labelling, expert=chen, now=NOW), now=NOW)

    with pytest.raises(NotAllowed):
        send_to_experts(suspicions=Suspicion.objects.all(), expert=ben, now=NOW)


def test_classes_are_looked_over_too(community: Any, aroha: Any, sources: Any) -> None:
    classes = open_project(
        community=community, created_by=aroha, sources=sources, now=NOW, title="Classes", kind="classify",
        settings={"labels": ["a", "b"]}, source_language_name="Spanish", source_language_tag="es",
    )  # fmt: skip

    assert looked_over(classes) == "classes"
