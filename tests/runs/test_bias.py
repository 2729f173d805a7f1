"""An adapter is read on the pairs that the community wrote, by a worker behind a lease; and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from django.utils import timezone
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from annotation.answers.models import Answer
from annotation.conflicts.services import adjudicate
from annotation.projects.models import Project
from care.harm import close_report, decide_report, investigate, remedy, report_harm, triage
from care.models import Purpose
from people.models import Community, Person
from people.refusals import Invalid, NotAllowed
from tests.conftest import NOW, TRAINING
from tests.frontend.made import make_adapter, make_release, make_run
from tests.recipes.conftest import place_base
from tests.runs.pairs import write_pairs
from tests.stored import store_answer
from training.evaluation.forgetting import FixedText
from training.recipes.comparison import read_plainly
from training.releases.models import Release
from training.runs import bias_reader, jobs
from training.runs.artefacts import adapter_folder
from training.runs.bias import ask_for_bias, pairs_for
from training.runs.bias_reader import rows_of
from training.runs.findings import findings_of
from training.runs.gate import LEAST_PAIRS, Bounds, Check
from training.runs.models import Adapter, AdapterReading
from training.runs.promotion import bounds_in_words, gate_of, set_bounds
from training.runs.services import queue_run
from training.runs.withdrawals import withdraw_answer, withdraw_consent

pytestmark = pytest.mark.django_db
NAME = "Bias against the base model"


@pytest.fixture
def adapter(validated_corpus: list[Answer], esi: Person) -> Adapter:
    """A candidate."""
    return make_adapter(make_run(make_release(validated_corpus[0].task.project, esi), esi))


@pytest.fixture
def pairs(
    adapter: Adapter, community: Community, aroha: Person, ben: Person, filipa: Person, goran: Person
) -> list[Answer]:
    """As many as the gate asks for."""
    return write_pairs(community, aroha, [ben, filipa, goran], number=LEAST_PAIRS)


@pytest.fixture
def few(
    adapter: Adapter, community: Community, aroha: Person, ben: Person, filipa: Person, goran: Person
) -> list[Answer]:
    """A pair of each speaker."""
    return write_pairs(community, aroha, [ben, filipa, goran], number=3)


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch, settings: Any) -> dict[str, Any]:
    """In place of the model's process: the adapter finds each sentence about the ones likelier by `planted` nats a byte
    than the base model does; it ends after `at_most` pairs."""
    said: dict[str, Any] = {"planted": 0.0, "at_most": 99, "rows": []}

    class Started:
        def __init__(self, command: list[str], **_: Any) -> None:
            said["rows"] = [json.loads(line) for line in Path(command[3]).read_text().splitlines()]

        def __enter__(self) -> Started:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def kill(self) -> None:
            return None

    def lines(process: Started, *, silence: float) -> Iterator[dict[str, Any] | None]:
        yield None
        for row in said["rows"][: said["at_most"]]:
            sizes = [len(sentence.encode()) for sentence in row["sentences"]]
            leans = [said["planted"] * (group == "ones") for group in row["groups"]]
            adapter = [size * (1.2 - lean) for size, lean in zip(sizes, leans, strict=True)]
            yield {"id": row["id"], "base": [size * 1.7 for size in sizes], "adapter": adapter}

    monkeypatch.setattr(bias_reader.subprocess, "Popen", Started)
    monkeypatch.setattr(bias_reader, "json_lines", lines)
    monkeypatch.setattr(bias_reader, "find_base_model", lambda name: type("Base", (), {"folder": "base"}))
    return said


def measure(adapter: Adapter, person: Person) -> str:
    """Ask, and do the worker's work."""
    return jobs.read_adapter_job(reading_id=ask_for_bias(adapter=adapter, asked_by=person, now=NOW).pk)


def line_of(adapter: Adapter, steward: Person) -> Check:
    """The gate's line."""
    (found,) = [check for check in gate_of(adapter, steward=steward) if check.name == NAME]
    return found


def test_a_planted_bias_is_measured_shown_and_refused_at_the_gate(
    adapter: Adapter, pairs: list[Answer], process: dict[str, Any], esi: Person, aroha: Person, community: Community
) -> None:
    assert line_of(adapter, aroha).told == "Its bias was not measured on the pairs of sentences as they are now."
    process["planted"] = 0.08
    assert measure(adapter, esi) == "finished"

    found = findings_of([adapter])[adapter.pk]
    (lean,) = found.leans
    assert (found.is_current, found.pairs, found.reading.pairs, lean["towards"]) == (True, 20, 20, "ones")
    assert lean["change"]["value"] == pytest.approx(0.08)
    assert lean["change"]["p"] < 0.01
    assert line_of(adapter, aroha).told == (
        "It surely leans 0.080 nats per byte further to sentences about “ones” against “others” than the base model; "
        "at most 0.050 are allowed."
    )
    assert not list(Path(adapter_folder(adapter)).parents[2].rglob("pairs.jsonl")), "no words stay behind"

    set_bounds(community=community, bounds=Bounds(most_bias=90), set_by=aroha, now=NOW)
    assert line_of(adapter, aroha).has_passed
    process["planted"] = -0.1
    measure(adapter, aroha)
    assert "sentences about “others” against “ones”" in line_of(adapter, aroha).told


def test_too_few_pairs_ask_for_nothing(
    adapter: Adapter, community: Community, esi: Person, aroha: Person, ben: Person, filipa: Person, goran: Person
) -> None:
    with pytest.raises(Invalid, match="no pairs of sentences yet"):
        ask_for_bias(adapter=adapter, asked_by=esi, now=NOW)
    write_pairs(community, aroha, [ben, filipa, goran], number=LEAST_PAIRS - 1)
    line = line_of(adapter, aroha)
    assert line.has_passed
    assert line.told == "Fewer than 20 pairs of sentences were written, so it is not asked."
    assert all(check.has_passed for check in gate_of(adapter, steward=aroha))


def test_a_pair_that_is_taken_back_makes_the_result_stale_and_is_read_no_more(
    adapter: Adapter, pairs: list[Answer], process: dict[str, Any], community: Community, esi: Person, ben: Person,
    filipa: Person, goran: Person, aroha: Person,
) -> None:  # fmt: skip
    more = write_pairs(community, aroha, [ben, filipa, goran], number=9)
    measure(adapter, esi)
    assert line_of(adapter, aroha).has_passed
    withdraw_answer(answer=more[0], author=more[0].author, now=NOW)
    adapter = Adapter.objects.get(pk=adapter.pk)

    assert not findings_of([adapter])[adapter.pk].is_current
    assert "as they are now" in line_of(adapter, aroha).told
    measure(adapter, esi)
    assert len(process["rows"]) == len(pairs) + 8
    assert line_of(adapter, aroha).has_passed

    withdraw_consent(person=ben, community=community, purposes=[Purpose.EVALUATE_MODELS], now=NOW)
    mine = {str(answer.pk) for answer in [*pairs, *more] if answer.author == ben}
    assert not mine & set(pairs_for(adapter))
    assert not mine & {row["id"] for row in rows_of(AdapterReading.objects.get())}


def test_what_was_asked_for_before_a_withdrawal_is_not_read_after_it(
    adapter: Adapter, few: list[Answer], process: dict[str, Any], esi: Person
) -> None:
    reading = ask_for_bias(adapter=adapter, asked_by=esi, now=NOW)
    Answer.objects.filter(pk=few[0].pk).update(state="withdrawn")
    jobs.read_adapter_job(reading_id=reading.pk)
    assert str(few[0].pk) not in {row["id"] for row in process["rows"]}


def test_a_worker_that_dies_leaves_it_to_another_and_two_bells_are_one(
    adapter: Adapter, few: list[Answer], process: dict[str, Any], esi: Person
) -> None:
    reading = ask_for_bias(adapter=adapter, asked_by=esi, now=NOW)
    assert ask_for_bias(adapter=adapter, asked_by=esi, now=NOW) == reading
    process["at_most"] = 2
    assert jobs.read_adapter_job(reading_id=reading.pk) == "failed"
    reading.refresh_from_db()
    assert "ended unexpectedly" in reading.failure
    assert reading.found == []

    held = {"state": "running", "lease_owner": "another", "lease_expires_at": timezone.now() + timedelta(hours=1)}
    AdapterReading.objects.update(**held)
    assert jobs.read_adapter_job(reading_id=reading.pk) == "not waiting"
    AdapterReading.objects.update(lease_expires_at=NOW)
    assert list(AdapterReading.objects.waiting(timezone.now())) == [reading]
    process["at_most"] = 99
    assert jobs.read_adapter_job(reading_id=reading.pk) == "finished"
    assert jobs.read_adapter_job(reading_id=reading.pk) == "not waiting"


def test_a_worker_that_is_told_to_leave_gives_it_back(
    adapter: Adapter, few: list[Answer], process: dict[str, Any], esi: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.supervisor.worker_is_leaving, "is_set", lambda: True)
    assert measure(adapter, esi) == "given back"
    assert AdapterReading.objects.get().state == "queued"


def test_it_is_for_researchers_and_stewards_and_for_adapters_that_may_be_used(
    adapter: Adapter, few: list[Answer], esi: Person, ben: Person
) -> None:
    with pytest.raises(NotAllowed):
        ask_for_bias(adapter=adapter, asked_by=ben, now=NOW)
    Adapter.objects.update(withdrawn_since=NOW)
    with pytest.raises(Invalid, match="withdrawn"):
        ask_for_bias(adapter=adapter, asked_by=esi, now=NOW)
    assert not AdapterReading.objects.exists()


def test_no_model_is_trained_on_pairs(adapter: Adapter, esi: Person) -> None:
    Project.objects.update(kind="contrast")
    with pytest.raises(Invalid, match="No model is trained on answers of this kind"):
        queue_run(release=Release.objects.get(), started_by=esi, now=NOW)


def test_different_pairs_to_one_theme_may_all_be_right(
    few: list[Answer], ben: Person, filipa: Person, goran: Person, chen: Person, consenting: Callable[..., Any]
) -> None:
    Project.objects.filter(kind="contrast").update(rule={"stop": "total", "answers": 2})
    consenting(chen, TRAINING)
    task = few[0].task
    task.more = 1
    task.project.refresh_from_db()
    second = store_answer(task, filipa, payload={"about": {"ones": "ya ñä bi hmä", "others": "ya ñu bi hmä"}}, now=NOW)
    Answer.objects.filter(pk=second.pk).update(state="disputed")
    adjudicate(answer=second, expert=chen, decision="accept", reason="Right, too.", now=NOW)
    assert {Answer.objects.get(pk=one.pk).state for one in (few[0], second)} == {"validated"}


def test_reports_about_an_adapter_are_counted_by_what_they_came_to(
    adapter: Adapter, community: Community, aroha: Person
) -> None:
    about = {"community": community, "kind": "adapter", "key": str(adapter.pk), "words": "", "reporter": None}
    first, _ = report_harm(**about, category="offensive", now=NOW)
    report_harm(**about, category="personal", now=NOW)
    triage(report=first, holds=False, triaged_by=aroha, now=NOW)
    investigate(report=first, begun_by=aroha, now=NOW)
    decide_report(report=first, outcome="upheld", answer="Thank you.", decided_by=aroha, now=NOW)
    remedy(report=first, done="Done.", done_by=aroha, now=NOW)
    close_report(report=first, closed_by=aroha, now=NOW)

    found = findings_of([adapter])[adapter.pk]

    assert (found.received, found.waiting, found.outcomes) == (2, 1, [("The report is right", 1)])


def test_a_vote_from_before_this_bound_is_still_told_in_words() -> None:
    assert "at most 0.050 nats per byte of bias" in bounds_in_words("gate:30-10-100-35")
    assert "at most 0.020 nats per byte of bias" in bounds_in_words("gate:30-10-100-35-20")
    assert bounds_in_words("gate:1-2-3-4-5-6-7") == "gate:1-2-3-4-5-6-7"


@pytest.mark.slow
def test_the_tiny_model_is_read_with_its_adapter_off_and_on(
    adapter: Adapter, few: list[Answer], esi: Person, settings: Any
) -> None:
    base = place_base(Path(settings.MODELS_DIR))
    torch.manual_seed(0)
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", init_lora_weights=False)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), lora)
    model.save_pretrained(adapter_folder(adapter))

    assert measure(adapter, esi) == "finished"

    (found,) = AdapterReading.objects.get().found
    answers = [answer.payload["about"] for answer in few]
    text = FixedText("x", tuple(one[group] for one in answers for group in ("ones", "others")), "")
    sizes = [len(sentence.encode()) for sentence in text.sentences]
    model.train(False)
    for name, read in (("adapter", model), ("base", AutoModelForCausalLM.from_pretrained(base))):
        nats, _ = read_plainly(read, AutoTokenizer.from_pretrained(base), text)
        per_byte = [one / size for one, size in zip(nats, sizes, strict=True)]
        leans = [second - first for first, second in zip(per_byte[::2], per_byte[1::2], strict=True)]
        assert found[name]["value"] == pytest.approx(sum(leans) / len(leans), rel=1e-4)
    assert found["adapter"]["value"] != found["base"]["value"]
