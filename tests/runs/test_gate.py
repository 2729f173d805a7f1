"""The gate: who passes, who does not and why, that nobody gets around it, and the way back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from django.utils import translation
from safetensors.torch import save_file

from annotation.answers.models import Answer
from care.deciding import DecisionNeeded
from ledger.models import Entry
from people.models import Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import grant_role
from tests.care.deciding import adopt, make_stewards
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run, matrices, report
from training.evaluation.scores import bits_per_byte, difference_interval
from training.recipes.report import sha256_of_tensors
from training.releases.models import Release
from training.releases.services import folder_of as release_folder
from training.runs.artefacts import FILE, adapter_folder, is_whole, sha256_of_adapter
from training.runs.gate import Bounds, ByHeart, Facts, Gain, GateClosed, Part, checks_of
from training.runs.measured import by_heart_of, gain_of, gain_over_few_shot, parts_of
from training.runs.models import Adapter, GateBounds
from training.runs.promotion import before, bounds_of, gate_of, in_service, recommend_adapter, roll_back, set_bounds
from training.runs.services import Leaks, decide_adapter, finish_run, queue_run
from training.runs.withdrawals import withdraw_answer

CLEAN = Facts(
    over_base=Gain(before=2.0, after=1.5, high=-0.3, sentences=100),
    over_few_shot=Gain(before=1.9, after=1.5, high=-0.2, sentences=100),
    has_service=False,
    over_service=None,
    score=("chrF++", 20.0, 25.0),
    forgetting=0.01,
    by_heart=ByHeart(bits=0.4, low=-0.3, high=1.1),
    parts=[Part("east", 40, -0.6, -0.4)],
    not_usable=0,
    leaks=0,
)


def failing(facts: Facts, bounds: Bounds | None = None) -> list[str]:
    """What is said of the checks that are not passed."""
    return [check.told for check in checks_of(facts, bounds or Bounds()) if not check.has_passed]


def test_who_is_better_and_clean_passes() -> None:
    assert failing(CLEAN) == []
    assert len(checks_of(CLEAN, Bounds())) == 13
    assert failing(replace(CLEAN, has_service=True, over_service=CLEAN.over_base)) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"over_base": None}, "It was not compared with the base model."),
        ({"over_base": Gain(2, 1.5, -0.3, 29)}, "on 29 sentences; 30 are needed."),
        ({"over_base": Gain(2, 1.9, 0.012, 99)}, "may be 0.012 higher, and must be lower."),
        (
            {"over_base": Gain(2, 1.99, -0.001, 99)},
            "It saves 0.5 % of the base model’s bits per byte; 1.0 % are needed.",
        ),
        ({"over_few_shot": None}, "not compared with the base model that is shown examples"),
        (
            {"over_few_shot": Gain(1.6, 1.5, 0.02, 99)},
            "not surely better than the base model that is shown examples: its bits per byte may be 0.020 higher",
        ),
        ({"has_service": True}, "It was not compared with the adapter that is in service now."),
        (
            {"has_service": True, "over_service": Gain(2, 1.9, 0.1, 99)},
            "not surely better than the adapter in service: its bits per byte may be 0.100 higher",
        ),
        ({"score": ("chrF++", 20.0, 18.5)}, "Its chrF++ is 1.50 points below the base model’s; at most 1.00"),
        ({"score": None}, "What it writes was not scored."),
        ({"forgetting": 0.05}, "It forgot 0.050 bits per byte of another language, 0.015 more than the 0.035"),
        ({"forgetting": None}, "was not measured"),
        ({"by_heart": None}, "What it knows by heart was not measured."),
        (
            {"by_heart": ByHeart(3.4, 2.31, 4.5)},
            "surely by 2.31 bits more than answers that it never saw; at most 2.00 are allowed.",
        ),
        ({"parts": None}, "It was not measured for each variety and orthography."),
        (
            {"parts": [Part("east", 40, -0.6, -0.4), Part("west", 10, 0.012, 0.3)]},
            "It foretells “west” worse than the base model: surely by 0.012 bits per byte, and must not.",
        ),
        ({"not_usable": 3}, "3 of its sentences may not be used now"),
        (
            {"leaks": 2, "first_leak": ("a", "b")},
            "2 held-out sentences are in what it learnt from; none may be. The first",
        ),
        ({"is_file_whole": False}, "the hashes differ"),
        ({"is_release_whole": False}, "not what was frozen"),
        ({"is_recommended": False}, "No researcher other than the deciding steward recommends it"),
    ],
)
def test_every_refusal_says_which_number_and_by_how_much(changed: dict[str, Any], words: str) -> None:
    with translation.override("en"):
        (told,) = failing(replace(CLEAN, **changed))
    assert words in told


def test_what_is_not_sure_is_not_refused() -> None:
    assert failing(replace(CLEAN, by_heart=ByHeart(3.1, 2.0, 4.2))) == []
    assert failing(replace(CLEAN, by_heart=ByHeart(3.1, 2.31, 4.2)), Bounds(most_memorised=240)) == []
    few, unsure = Part("west", 9, 0.2, 0.4), Part("south", 30, -0.1, 0.4)
    assert failing(replace(CLEAN, parts=[few, unsure])) == []
    with translation.override("en"):
        (told,) = [check.told for check in checks_of(replace(CLEAN, parts=[few]), Bounds()) if "variety" in check.name]
    assert told == "No variety or orthography has 10 held-out sentences yet, so it is not asked."


def test_what_is_no_number_does_not_pass() -> None:
    nan = float("nan")
    assert len(failing(replace(CLEAN, by_heart=ByHeart(nan, nan, nan), parts=[Part("east", 40, nan, nan)]))) == 2
    assert len(failing(replace(CLEAN, over_base=Gain(2, nan, nan, 99)))) == 2
    assert len(failing(replace(CLEAN, over_few_shot=Gain(2, nan, nan, 99)))) == 1
    assert len(failing(replace(CLEAN, score=("chrF++", nan, 20.0), forgetting=nan))) == 2


def simulated(gain: float, sentences: int, drawn: np.random.Generator) -> Facts:
    """Losses of two models on the same sentences: each sentence is as hard as it is for both, and each model's own loss
    on it scatters by 10 % around that; the second needs `gain` less."""
    sizes = drawn.integers(15, 150, sentences)
    hard = sizes * np.log(2) * drawn.normal(2.4, 0.6, sentences).clip(0.5)
    first = hard * drawn.normal(1, 0.1, sentences)
    second = hard * (1 - gain) * drawn.normal(1, 0.1, sentences)
    high = difference_interval(list(first), list(second), [int(size) for size in sizes]).high
    bits = [bits_per_byte(list(nats), [int(size) for size in sizes]) for nats in (first, second)]
    return replace(CLEAN, over_base=Gain(*bits, high, sentences))


@pytest.mark.parametrize("sentences", [30, 300])
def test_equal_models_are_hardly_ever_promoted(sentences: int) -> None:
    drawn = np.random.default_rng(1)
    passed = sum(not failing(simulated(0.0, sentences, drawn)) for _ in range(200))
    assert passed <= 10, f"{passed} of 200"


def test_a_gain_of_three_percent_on_300_sentences_is_seen() -> None:
    drawn = np.random.default_rng(2)
    passed = sum(not failing(simulated(0.03, 300, drawn)) for _ in range(200))
    assert passed >= 160, f"{passed} of 200"


@pytest.fixture
def release(validated_corpus: list[Answer], esi: Any) -> Release:
    """The corpus, frozen."""
    return make_release(validated_corpus[0].task.project, esi)


def approve(adapter: Adapter, steward: Any) -> Adapter:
    """The steward's word."""
    return decide_adapter(adapter=adapter, approve=True, decided_by=steward, note="", now=NOW)


def beside(adapter: Adapter, served: Adapter, *, high: float = -0.1) -> None:
    """As if a worker had compared it with the one in service."""
    found = {"with": served.sha256, "before": 1.6, "after": 1.4, "low": -0.3, "high": high, "sentences": 40}
    Adapter.objects.filter(pk=adapter.pk).update(comparison=found)


@pytest.mark.django_db
def test_researcher_and_steward_both_let_it_pass_and_are_two_people(release: Release, esi: Any, aroha: Any) -> None:
    run = make_run(release, esi)
    content, sha256 = matrices(1)
    adapter = finish_run(run=run, report=report() | {"adapter_sha256": sha256}, now=NOW)
    assert adapter is not None
    adapter_folder(adapter).mkdir(parents=True)
    (adapter_folder(adapter) / FILE).write_bytes(content)
    with pytest.raises(GateClosed, match="No researcher other than the deciding steward"):
        approve(adapter, aroha)
    grant_role(person=aroha, community=release.community, role=Role.RESEARCHER, granted_by=aroha, now=NOW)
    recommend_adapter(adapter=adapter, recommended_by=aroha, now=NOW)
    with pytest.raises(GateClosed, match="No researcher other than the deciding steward"):
        approve(adapter, aroha)
    recommend_adapter(adapter=adapter, recommended_by=esi, now=NOW)
    with pytest.raises(Conflicting, match="already"):
        recommend_adapter(adapter=adapter, recommended_by=esi, now=NOW)
    assert approve(adapter, aroha).is_usable


@pytest.mark.django_db
def test_a_steward_recommends_nothing_in_a_researcher_s_place(release: Release, esi: Any, aroha: Any) -> None:
    adapter = make_adapter(make_run(release, esi))
    with pytest.raises(NotAllowed):
        recommend_adapter(adapter=adapter, recommended_by=aroha, now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("place", range(12))
def test_any_row_that_was_taken_back_closes_the_gate(release: Release, esi: Any, aroha: Any, place: int) -> None:
    adapter = make_adapter(make_run(release, esi))
    assert not [check for check in gate_of(adapter, steward=aroha) if not check.has_passed]
    answer = Answer.objects.order_by("pk")[place]
    # As it is between a receipt's end and the mark on the adapter, or where the mark were forgotten.
    Answer.objects.filter(pk=answer.pk).update(state="withdrawn")
    (check,) = [check for check in gate_of(adapter, steward=aroha) if not check.has_passed]
    assert check.told == "1 of its sentences may not be used now; none may be such a one."
    with pytest.raises(Conflicting):
        approve(adapter, aroha)
    assert not Adapter.objects.usable().exists()


@pytest.mark.django_db
def test_another_file_in_its_place_closes_the_gate(release: Release, esi: Any, aroha: Any) -> None:
    adapter = make_adapter(make_run(release, esi))
    file = adapter_folder(adapter) / FILE
    content = file.read_bytes()
    assert is_whole(adapter_folder(adapter), adapter.sha256)
    for wrong in (content[:-1] + b"x", content[:20], b"", b"\xff" * 40):
        file.write_bytes(wrong)
        with pytest.raises(GateClosed, match="the hashes differ"):
            approve(adapter, aroha)
    file.write_bytes(content)
    data = release_folder(release) / "data" / "test.jsonl"
    data.write_text(data.read_text() + "\n")
    with pytest.raises(GateClosed, match="not what was frozen"):
        approve(adapter, aroha)


@pytest.mark.django_db
def test_a_planted_leak_closes_the_gate_and_starts_no_run(
    validated_corpus: list[Answer], esi: Any, aroha: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "ra ngu ra xita mi hñuni nuwa ñ'e̱he̱ ra dehe xa ts'e̱ ya ho̱ga"
    for answer in validated_corpus:
        if answer in (validated_corpus[0], validated_corpus[1]):
            text = words + (" xi" if answer == validated_corpus[1] else "")
            Answer.objects.filter(pk=answer.pk).update(text=text)
    # A release from before this check: nothing was withheld, and nobody looked.
    monkeypatch.setattr("training.releases.drafting.leaks_between", lambda *_: [])
    release = make_release(validated_corpus[0].task.project, esi)
    adapter = make_adapter(make_run(release, esi))
    sides = {release.items.get(answer=one).split for one in validated_corpus[:2]}
    assert "train" in sides, "one of the two trains"
    assert len(sides) == 2, "the other is held out"
    Release.objects.update(leaks=None)
    release = Release.objects.get()
    with pytest.raises(Leaks, match="nearly the same as training sentences") as refusal:
        queue_run(release=release, started_by=esi, now=NOW)
    ids = {str(one.pk) for one in validated_corpus[:2]}
    assert {refusal.value.values["held_out"], refusal.value.values["trained"]} == ids
    with pytest.raises(GateClosed, match="in what it learnt from"):
        approve(Adapter.objects.get(pk=adapter.pk), aroha)


@pytest.mark.django_db
def test_a_better_adapter_takes_the_place_and_one_click_goes_back(release: Release, esi: Any, aroha: Any) -> None:
    project = release.project
    first = make_adapter(make_run(release, esi), approved_by=aroha)
    second = make_adapter(make_run(release, esi))
    with pytest.raises(GateClosed, match="not compared with the adapter that is in service now"):
        approve(second, aroha)
    beside(second, first, high=0.002)
    with pytest.raises(GateClosed, match=r"may be 0\.002 higher"):
        approve(Adapter.objects.get(pk=second.pk), aroha)
    beside(second, first)
    second = approve(Adapter.objects.get(pk=second.pk), aroha)
    assert (in_service(project), before(second), before(first)) == (second, first, None)

    with pytest.raises(NotAllowed):
        roll_back(adapter=second, rolled_back_by=esi, now=NOW)
    assert roll_back(adapter=second, rolled_back_by=aroha, now=NOW) == first
    assert (in_service(project), Adapter.objects.get(pk=second.pk).state) == (first, "retired")
    entry = Entry.objects.order_by("-pk").first()
    assert entry is not None
    assert (entry.action, entry.details) == ("adapter.rolled_back", {"to": first.sha256})
    with pytest.raises(Conflicting, match="no adapter before"):
        roll_back(adapter=first, rolled_back_by=aroha, now=NOW)


@pytest.mark.django_db
def test_nobody_goes_back_to_what_may_not_be_used(release: Release, esi: Any, aroha: Any) -> None:
    first = make_adapter(make_run(release, esi), approved_by=aroha)
    second = make_adapter(make_run(release, esi))
    beside(second, first)
    second = approve(Adapter.objects.get(pk=second.pk), aroha)
    (adapter_folder(first) / FILE).write_bytes(b"other")
    with pytest.raises(Conflicting, match="may not be used any more"):
        roll_back(adapter=second, rolled_back_by=aroha, now=NOW)
    answer = release.items.first().answer
    withdraw_answer(answer=answer, author=answer.author, now=NOW)
    assert in_service(release.project) is None


@pytest.mark.django_db
def test_bounds_are_the_community_s_and_the_only_way_around(release: Release, esi: Any, aroha: Any) -> None:
    community = release.community
    adapter = make_adapter(make_run(release, esi))
    strict = Bounds(least_sentences=41)
    assert bounds_of(community) == Bounds()
    with pytest.raises(NotAllowed):
        set_bounds(community=community, bounds=strict, set_by=esi, now=NOW)
    with pytest.raises(Invalid, match="from 2 to 100"):
        set_bounds(community=community, bounds=Bounds(least_sentences=1), set_by=aroha, now=NOW)
    set_bounds(community=community, bounds=strict, set_by=aroha, now=NOW)
    with pytest.raises(GateClosed, match="on 40 sentences; 41 are needed"):
        approve(adapter, aroha)
    set_bounds(community=community, bounds=Bounds(), set_by=aroha, now=NOW)
    entry = Entry.objects.filter(action="gate.set").last()
    assert entry is not None
    assert entry.details == {
        **{"least_sentences": 30, "least_gain": 10, "most_score_loss": 100, "most_forgetting": 35, "most_bias": 50},
        "most_memorised": 200,
    }
    assert approve(adapter, aroha).is_usable


@pytest.mark.django_db
def test_where_the_community_votes_it_decides_on_the_very_numbers(release: Release, aroha: Any) -> None:
    make_stewards(release.community)
    adopt(release.community, aroha)
    with pytest.raises(DecisionNeeded) as needed:
        set_bounds(community=release.community, bounds=Bounds(), set_by=aroha, now=NOW)
    assert needed.value.subject == "gate:30-10-100-35-50-200"
    assert not GateBounds.objects.exists()


def test_a_report_without_figures_gives_no_gain() -> None:
    assert gain_of({}) is None
    assert gain_of({"evaluation": {"base_bpb": 1, "adapter_bpb": 1, "bpb_difference_ci95": []}}) is None
    assert gain_over_few_shot({}) is None
    shown = {"bpb": 1.5, "difference_ci95": [-0.3, -0.1]}
    found = gain_over_few_shot({"evaluation": {"adapter_bpb": 1.3, "items": 40, "few_shot": shown}})
    assert found == Gain(before=1.5, after=1.3, high=-0.1, sentences=40)


def test_a_report_from_before_says_nothing_of_what_is_known_by_heart_and_of_varieties() -> None:
    for old in ({}, {"evaluation": {}}, {"evaluation": {"memorisation": None}}):
        assert by_heart_of(old) is None
        assert parts_of(old) is None
    made = report()
    assert by_heart_of(made) == ByHeart(0.5, -0.3, 1.3)
    assert parts_of(made) == [Part("", 40, -0.6, -0.4)] * 2


def test_from_a_handful_of_sentences_nothing_follows_about_what_is_known_by_heart() -> None:
    measured = {"evaluation": {"memorisation": None, "items": 10}}
    assert by_heart_of(measured) is None, "it could have been measured, and does not pass without"
    handful = by_heart_of({"evaluation": {"memorisation": None, "items": 9}})
    assert failing(replace(CLEAN, by_heart=handful)) == []
    assert failing(replace(CLEAN, by_heart=by_heart_of(measured))) != []


def test_the_hash_of_a_file_is_the_one_that_a_recipe_reports(tmp_path: Any) -> None:
    tensors = {"b": torch.randn(3, 2), "a": torch.zeros(4), "c.weight": torch.ones(1, 1, 2)}
    save_file(tensors, tmp_path / FILE, metadata={"format": "pt"})
    assert sha256_of_adapter(tmp_path) == sha256_of_tensors(tensors)
