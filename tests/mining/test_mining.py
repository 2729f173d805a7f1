"""A probe from its plan to its readings, and what is done with them."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from annotation.answers.models import Answer
from annotation.projects.models import Project, Task
from care.models import Purpose
from people.models import Community, Person
from people.refusals import Conflicting, Invalid, NotAllowed
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from training.mining import jobs
from training.mining.models import Probe, Reading
from training.mining.services import (
    ask_for_probe,
    cancel_probe,
    claim_probe,
    keep_reading,
    measures_of,
    row_of,
    send_back,
    ways_back,
)
from training.mining.worth import compare_adapters, order_worth
from training.releases.models import ReleaseItem
from training.runs.models import Adapter
from training.runs.withdrawals import withdraw_consent

pytestmark = pytest.mark.django_db


@pytest.fixture
def adapter(validated_corpus: list[Answer], esi: Person) -> Adapter:
    return make_adapter(make_run(make_release(validated_corpus[0].task.project, esi), esi))


@pytest.fixture
def rival(adapter: Adapter, esi: Person) -> Adapter:
    return make_adapter(make_run(adapter.run.release, esi))


def fill(probe: Probe, *, rival: bool = False) -> list[Reading]:
    """Readings as a process might find them: the n-th is the harder the larger n is."""
    for place, reading in enumerate(probe.readings.order_by("pk")):
        mine = {"loss": None if probe.of == "tasks" else 2.0 + place, "entropy": 1.0 + place, "text": f"ñä {place}"}
        other = {**mine, "loss": 2.0 + 2 * place, "text": "xy"} if rival else None
        keep_reading(
            probe=probe,
            found={"id": reading.pk, "adapter": mine, "rival": other, "disagreement": 0.1 * place if rival else None},
        )
    return list(probe.readings.order_by("pk"))


def test_answers_are_planned_as_their_authors_allow(
    adapter: Adapter, esi: Person, ben: Person, community: Community
) -> None:
    withdraw_consent(person=ben, community=community, purposes=[Purpose.TRAIN_NONCOMMERCIAL], now=NOW)
    Adapter.objects.update(withdrawn_since=None)
    adapter.refresh_from_db()

    probe = ask_for_probe(adapter=adapter, of="answers", asked_by=esi, now=NOW)

    assert probe.readings.count() == 8
    assert not probe.readings.filter(answer__author=ben).exists()
    row = row_of(probe.readings.select_related("task__item", "task__project").first())
    assert row["completion"].startswith("traducción")
    assert "Otomí" in row["request"]


def test_held_out_answers_are_in_no_training_split(adapter: Adapter, rival: Adapter, esi: Person) -> None:
    probe = ask_for_probe(adapter=adapter, rival=rival, of="held_out", asked_by=esi, now=NOW, size=50)

    splits = ReleaseItem.objects.filter(answer__in=probe.readings.values("answer")).values_list("split", flat=True)
    assert set(splits) == {"test"}


def test_what_cannot_be_read_is_refused_in_words(adapter: Adapter, rival: Adapter, esi: Person, ben: Person) -> None:
    asked = {"adapter": adapter, "asked_by": esi, "now": NOW}
    with pytest.raises(NotAllowed):
        ask_for_probe(**{**asked, "asked_by": ben}, of="answers")
    with pytest.raises(Invalid, match="second adapter"):
        ask_for_probe(**asked, of="held_out")
    with pytest.raises(Invalid, match="two different"):
        ask_for_probe(**asked, of="answers", rival=adapter)
    with pytest.raises(Invalid, match="nothing of that sort"):
        ask_for_probe(**asked, of="tasks")
    with pytest.raises(Invalid, match="5 to 1,000"):
        ask_for_probe(**asked, of="answers", size=2)
    rival.run.base_model = "another"
    rival.run.save()
    with pytest.raises(Invalid, match="one base model"):
        ask_for_probe(**asked, of="answers", rival=rival)
    Adapter.objects.filter(pk=adapter.pk).update(withdrawn_since=NOW)
    adapter.refresh_from_db()
    with pytest.raises(Invalid, match="withdrawn"):
        ask_for_probe(**asked, of="answers")
    assert not Probe.objects.exists()


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch, settings: object) -> SimpleNamespace:
    """In place of the model's process: it reads the rows it was given, up to `at_most`, and remembers them."""
    said = SimpleNamespace(rows=[], at_most=99)

    def start(probe: Probe, file: Path) -> SimpleNamespace:
        said.rows = [json.loads(line) for line in file.read_text().splitlines()]
        return SimpleNamespace(kill=lambda: None, wait=lambda: None)

    def lines(process: object, *, silence: float) -> object:
        yield None
        for row in said.rows[: said.at_most]:
            yield {"id": row["id"], "adapter": {"loss": 1.5, "entropy": 2.0, "text": ""}, "rival": None}

    monkeypatch.setattr(jobs, "_start", start)
    monkeypatch.setattr(jobs, "json_lines", lines)
    return said


def test_a_worker_reads_what_is_left_and_no_words_stay_behind(
    adapter: Adapter, esi: Person, process: SimpleNamespace, settings: object
) -> None:
    probe = ask_for_probe(adapter=adapter, of="answers", asked_by=esi, now=NOW)
    process.at_most = 5
    assert jobs.probe_job(probe_id=probe.pk) == "failed"
    probe.refresh_from_db()
    assert "ended unexpectedly" in probe.failure
    assert probe.readings.filter(is_read=True, loss=1.5).count() == 5

    Probe.objects.update(state="running", lease_expires_at=NOW, failure="")
    process.at_most = 99
    assert jobs.probe_job(probe_id=probe.pk) == "finished"

    assert len(process.rows) == 7
    assert not probe.readings.filter(is_read=False).exists()
    assert jobs.probe_job(probe_id=probe.pk) == "not waiting"
    assert not list(Path(settings.RUNS_DIR).rglob("*.jsonl"))  # type: ignore[attr-defined]


def test_a_stopped_reading_stays_stopped(adapter: Adapter, esi: Person, process: SimpleNamespace) -> None:
    probe = ask_for_probe(adapter=adapter, of="answers", asked_by=esi, now=NOW)
    claim_probe(probe_id=probe.pk, owner="another worker", lease_until=NOW, now=NOW)
    cancel_probe(probe=probe, cancelled_by=esi, now=NOW)
    assert jobs.probe_job(probe_id=probe.pk) == "not waiting"
    with pytest.raises(Conflicting, match="over"):
        cancel_probe(probe=probe, cancelled_by=esi, now=NOW)
    assert jobs.recover_probes_job() == 0


def test_what_was_withdrawn_before_a_worker_came_is_not_read(
    adapter: Adapter, esi: Person, ben: Person, community: Community, process: SimpleNamespace
) -> None:
    probe = ask_for_probe(adapter=adapter, of="answers", asked_by=esi, now=NOW)
    withdraw_consent(person=ben, community=community, purposes=[Purpose.TRAIN_NONCOMMERCIAL], now=NOW)
    jobs.probe_job(probe_id=probe.pk)
    assert len(process.rows) == 8


def test_hard_answers_go_to_experts_or_ask_for_more(adapter: Adapter, esi: Person, ben: Person) -> None:
    probe = ask_for_probe(adapter=adapter, of="answers", asked_by=esi, now=NOW)
    *_, second, hardest = fill(probe)
    assert probe.readings.hardest("loss").first() == hardest
    assert (measures_of(probe), ways_back(probe)) == (("loss", "entropy"), ("experts", "more"))
    given = {"probe": probe, "measure": "loss", "now": NOW}

    assert send_back(readings=[hardest], way="experts", sent_by=esi, **given) == 1
    assert send_back(readings=[second], way="more", sent_by=esi, **given) == 1

    assert Answer.objects.get(pk=hardest.answer_id).state == "disputed"
    assert Task.objects.get(pk=second.task_id).state == "open"
    with pytest.raises(Invalid, match="at least one"):
        send_back(readings=[], way="more", sent_by=esi, **given)
    with pytest.raises(Invalid, match="Choose what is to be done"):
        send_back(readings=[second], way="first", sent_by=esi, **given)
    with pytest.raises(NotAllowed):
        send_back(readings=[second], way="more", sent_by=ben, **given)


def test_open_tasks_are_handed_out_by_uncertainty(adapter: Adapter, esi: Person, project: Project) -> None:
    Answer.objects.all().update(state="withdrawn")
    Task.objects.update(state="open", answered=0)
    probe = ask_for_probe(adapter=adapter, of="tasks", asked_by=esi, now=NOW)
    readings = fill(probe)

    sent = send_back(
        probe=probe, readings=readings, way="first", measure="entropy", sent_by=esi, now=NOW, control_share=0.25
    )

    project.refresh_from_db()
    assert (sent, project.control_share) == (12, 0.25)
    assert Task.objects.get(pk=readings[-1].task_id).urgency == 12.0


def test_two_adapters_are_compared_sentence_by_sentence(adapter: Adapter, rival: Adapter, esi: Person) -> None:
    probe = ask_for_probe(adapter=adapter, rival=rival, of="answers", asked_by=esi, now=NOW)
    readings = fill(probe, rival=True)

    compared = compare_adapters(readings)

    assert compared.items == 12
    assert compared.gain == pytest.approx(5.5)
    assert compared.interval.low < 5.5 < compared.interval.high
    assert compared.better[0] == readings[-1]
    assert not compared.worse
    assert compare_adapters([]) is None


def test_the_worth_of_the_order_is_measured_on_what_the_adapter_did_not_learn(
    adapter: Adapter, esi: Person, project: Project
) -> None:
    assert not order_worth(project, esi).has_begun
    probe = ask_for_probe(adapter=adapter, of="answers", asked_by=esi, now=NOW)
    readings = fill(probe)
    Probe.objects.update(state="finished")
    for reading in readings:
        Task.objects.filter(pk=reading.task_id).update(arm="urgent" if reading.loss > 7 else "chance")
    assert order_worth(project, esi).interval is None

    ReleaseItem.objects.all().delete()
    worth = order_worth(project, esi)

    assert [arm.tasks for arm in worth.arms] == [6, 6]
    assert [arm.validated for arm in worth.arms] == [6, 6]
    assert worth.difference == pytest.approx(6)
    assert 0 < worth.interval.low < 6 < worth.interval.high
