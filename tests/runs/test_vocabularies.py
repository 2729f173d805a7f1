"""Bases with more tokens: learnt from what a run learnt from, chosen for others, and gone with the words."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from annotation.answers.models import Answer
from care.models import Purpose
from ledger.models import Entry
from people.models import Community, Person
from people.refusals import Invalid, NotAllowed
from people.services import found_community
from tests.conftest import NOW
from tests.frontend.made import finished, make_adapter, make_release
from tests.recipes.conftest import place_base
from tests.runs.adding import TINY, placed_base, related, uploaded
from training.lineage.services import adapters_of, trace
from training.lineage.tracing import taint_of
from training.recipes.base_model import sha256_of_file
from training.releases.models import Release
from training.releases.services import freeze_release
from training.runs import jobs, supervisor
from training.runs.additions import IsUsed, claim_rows, delete_addition, finish_rows
from training.runs.base_models import DEFAULT
from training.runs.beside import AdditionIsGone, releases_behind, require_additions
from training.runs.elsewhere import goes_elsewhere
from training.runs.grids import plan_of, start_grid
from training.runs.making import place_for, sweep_places
from training.runs.models import Adapter, Addition, Grid, Run
from training.runs.services import NotDecidable, claim_run, decide_adapter, folder_of, queue_run, resume_run
from training.runs.starting import ReleaseIsTainted
from training.runs.vocabularies import (
    FEWEST,
    MOST,
    MOST_BASES,
    LearnsNoTokens,
    ask_for_tokens,
    base_again,
    bases_of,
    token_sources,
)
from training.runs.withdrawals import withdraw_answer

MINUTE = timedelta(minutes=1)


@pytest.fixture
def release(validated_corpus: list[Answer], esi: Person) -> Release:
    return make_release(validated_corpus[0].task.project, esi)


@pytest.fixture
def source(release: Release, esi: Person) -> Run:
    """A finished run whose folder says what it learnt from."""
    run = queue_run(release=release, started_by=esi, now=NOW, given=TINY)
    finished(run)
    run.refresh_from_db()
    folder_of(run).mkdir(parents=True, exist_ok=True)
    (folder_of(run) / "config.toml").write_text("", encoding="utf-8")
    return run


@pytest.fixture
def larger(source: Run, esi: Person) -> Addition:
    """A base as a worker leaves it."""
    waiting = ask_for_tokens(run=source, wanted=500, asked_by=esi, now=NOW)
    held = claim_rows(addition_id=waiting.pk, owner="one", lease_until=NOW + MINUTE, now=NOW)
    assert held is not None
    assert finish_rows(addition=held, made=placed_base(place_for(held) / "made"), dropped={}, now=NOW)
    held.refresh_from_db()
    return held


@pytest.fixture
def clean(source: Run, esi: Person, validated_corpus: list[Answer]) -> Release:
    """A later release without the words of the first answer."""
    words = Answer.objects.filter(pk=validated_corpus[0].pk)
    words.update(state="disputed")
    about = {"project": source.release.project, "purpose": Purpose.TRAIN_NONCOMMERCIAL}
    made, is_new = freeze_release(created_by=esi, now=NOW, **about)
    assert is_new
    words.update(state="validated")
    return made


@pytest.mark.django_db
def test_a_base_is_asked_for_by_researchers_and_made_once(
    source: Run, release: Release, esi: Person, ben: Person, aroha: Person, tmp_path: Path
) -> None:
    assert token_sources(source.community, esi) == [source]
    for nobody in (aroha, ben):
        with pytest.raises(NotAllowed):
            ask_for_tokens(run=source, wanted=500, asked_by=nobody, now=NOW)
    for number in (FEWEST - 1, MOST + 1):
        with pytest.raises(Invalid) as refused:
            ask_for_tokens(run=source, wanted=number, asked_by=esi, now=NOW)
        assert refused.value.field == "wanted"
    waiting = ask_for_tokens(run=source, wanted=500, asked_by=esi, now=NOW)
    assert ask_for_tokens(run=source, wanted=700, asked_by=esi, now=NOW) == waiting
    assert (waiting.name, waiting.is_there) == (f"Run {source.number}: 500 more tokens", False)
    assert Entry.objects.get(action="addition.asked").details == {"how": "tokens", "run": source.pk}
    unfinished = queue_run(release=release, started_by=esi, now=NOW, given=TINY)
    with pytest.raises(LearnsNoTokens, match="finished run"):
        ask_for_tokens(run=unfinished, wanted=500, asked_by=esi, now=NOW)


@pytest.mark.django_db
def test_a_run_learns_on_it_and_the_schedule_and_resuming_keep_it(
    larger: Addition, release: Release, community: Community, esi: Person
) -> None:
    assert (larger.name, larger.rows, larger.wanted) == (f"Run {larger.made_by.number}: 7 more tokens", 7, 500)
    assert larger.sha256 == sha256_of_file(larger.base_folder / "model.safetensors")
    assert larger.measured["before"]["tokens_per_word"] == 3
    assert larger.base_model in [base.name for base in bases_of(community)]
    made = Entry.objects.get(action="addition.made")
    assert made.details == {"how": "tokens", "run": larger.made_by.pk, "sha256": larger.sha256, "rows": 7}
    # Choosing it is enough; naming it as well changes nothing, another one beside it is refused.
    run = queue_run(release=release, started_by=esi, now=NOW, additions=[larger])
    assert (run.base_model, run.base_sha256) == (larger.base_model, larger.sha256)
    assert not goes_elsewhere(run)
    finished(run)
    for wrong, additions in (("another", [larger]), (larger.base_model, []), ("another", [])):
        with pytest.raises(Invalid, match="hoose"):
            queue_run(release=release, started_by=esi, now=NOW, additions=additions, base_model=wrong)
    with pytest.raises(LearnsNoTokens, match="already"):
        ask_for_tokens(run=run, wanted=500, asked_by=esi, now=NOW)
    assert run not in token_sources(community, esi)
    assert queue_run(release=release, started_by=esi, now=NOW).base_model == DEFAULT


@pytest.mark.django_db
def test_all_runs_of_a_grid_learn_on_it_and_end_with_it(
    larger: Addition, release: Release, community: Community, esi: Person, ben: Person, validated_corpus: list[Answer]
) -> None:
    plan = plan_of(methods=["lora", "qdylora"], ranks=[4], budgets=["100%"], seeds=3, given={})
    about = {"release": release, "plan": plan, "started_by": esi, "now": NOW}
    beside = related(community, esi)
    for wrong in ([uploaded(community, esi)], [beside, related(community, esi)]):
        with pytest.raises(Invalid):
            start_grid(**about, additions=wrong)
    with pytest.raises(Invalid, match="Choose one base model"):
        start_grid(**about, additions=[larger], base_model=DEFAULT)
    assert not Grid.objects.exists()
    grid = start_grid(**about, additions=[larger, beside])
    assert {run.base_model for run in grid.runs.all()} == {larger.base_model}
    assert {frozenset(run.additions.all()) for run in grid.runs.all()} == {frozenset({larger, beside})}
    withdraw_answer(answer=Answer.objects.filter(author=ben)[0], author=ben, now=NOW)
    assert {run.state for run in grid.runs.all()} == {"cancelled"}


@pytest.mark.django_db
def test_another_community_neither_sees_nor_learns_on_it(larger: Addition, community: Community, aroha: Person) -> None:
    about = {"name": "Another community", "language_name": "Otomí", "language_tag": "ote", "iso_639_3": "ote"}
    about |= {"glottocode": "mezq1235", "script": "Latn"}
    other = found_community(founder=aroha, now=NOW, slug="another", varieties=[], orthographies=[], **about)
    assert [base.name for base in bases_of(community)] == [larger.base_model]
    assert bases_of(other) == []


@pytest.mark.django_db
def test_it_stays_while_an_adapter_needs_it(
    larger: Addition, release: Release, esi: Person, aroha: Person, django_capture_on_commit_callbacks: Any
) -> None:
    run = queue_run(release=release, started_by=esi, now=NOW, additions=[larger])
    with pytest.raises(IsUsed, match="wait or are going on"):
        delete_addition(addition=larger, deleted_by=esi, now=NOW)
    adapter = make_adapter(run)
    with pytest.raises(IsUsed, match=f"without it: {run.number}"):
        delete_addition(addition=larger, deleted_by=esi, now=NOW)
    decide_adapter(adapter=adapter, approve=False, decided_by=aroha, note="Not needed.", now=NOW)
    with django_capture_on_commit_callbacks(execute=True):
        delete_addition(addition=larger, deleted_by=esi, now=NOW)
    assert not larger.base_folder.exists()
    with pytest.raises(AdditionIsGone):
        queue_run(release=release, started_by=esi, now=NOW, additions=[larger])


@pytest.mark.django_db
def test_words_taken_back_take_the_base_with_them_and_pause_what_learnt_on_it(
    larger: Addition,
    clean: Release,
    esi: Person,
    aroha: Person,
    validated_corpus: list[Answer],
    django_capture_on_commit_callbacks: Any,
) -> None:
    """The adapter's own release never held the words, nor did that of the run that goes on."""
    words = validated_corpus[0]
    before = queue_run(release=clean, started_by=esi, now=NOW, additions=[larger])
    adapter = make_adapter(before, approved_by=aroha)
    waits = queue_run(release=clean, started_by=esi, now=NOW, additions=[larger])
    being_made = Addition.objects.create(
        **{"community": larger.community, "kind": "synthetic", "made_by": before, "how": "paraphrase"},
        **{"state": "queued", "added_by": esi, "added_at": NOW},
    )

    with django_capture_on_commit_callbacks(execute=True):
        reached = withdraw_answer(answer=words, author=words.author, now=NOW)

    clean.refresh_from_db()
    assert not clean.contains_withdrawn
    assert adapter in reached.adapters
    adapter.refresh_from_db()
    assert adapter.withdrawn_since == NOW
    assert not Adapter.objects.usable().filter(pk=adapter.pk).exists()
    waits.refresh_from_db()
    assert waits.state == "cancelled"
    assert waits.failure == "What it learns from beside its release was made of words that were withdrawn."
    for addition in (larger, being_made):
        addition.refresh_from_db()
        assert addition.deleted_at == NOW
    assert not larger.base_folder.exists()
    traced = {(row.kind, row.key) for row in taint_of([words.pk])}
    wanted = {"addition": [larger, being_made], "run": [before, waits], "adapter": [adapter]}
    assert {(kind, str(one.pk)) for kind, rows in wanted.items() for one in rows} <= traced
    assert reached.case is not None
    trace(withdrawal=reached.case, now=NOW)
    assert adapter in adapters_of(reached.case)
    with pytest.raises(AdditionIsGone):
        resume_run(run=waits, resumed_by=esi, now=NOW)
    with pytest.raises(LearnsNoTokens, match="withdrawn"):
        ask_for_tokens(run=larger.made_by, wanted=500, asked_by=esi, now=NOW)


@pytest.mark.django_db
@pytest.mark.parametrize("when", ["before a worker takes it", "while it is made"])
def test_nothing_is_kept_of_words_that_were_taken_back_meanwhile(
    when: str, source: Run, esi: Person, validated_corpus: list[Answer]
) -> None:
    def take_back() -> None:
        withdraw_answer(answer=validated_corpus[0], author=validated_corpus[0].author, now=NOW)

    waiting = ask_for_tokens(run=source, wanted=500, asked_by=esi, now=NOW)
    if when == "before a worker takes it":
        Run.objects.filter(pk=source.pk).update(state="failed")
        assert claim_rows(addition_id=waiting.pk, owner="one", lease_until=NOW, now=NOW) is None
        waiting.refresh_from_db()
        assert (waiting.state, "may no longer be used" in waiting.failure) == ("failed", True)
        return
    held = claim_rows(addition_id=waiting.pk, owner="one", lease_until=NOW + MINUTE, now=NOW)
    assert held is not None
    made = placed_base(place_for(held) / "made")
    take_back()
    assert not finish_rows(addition=held, made=made, dropped={}, now=NOW)
    assert not held.base_folder.exists()


@pytest.mark.django_db
def test_a_base_that_was_put_here_by_hand_can_be_chosen_by_its_name(
    release: Release, esi: Person, settings: Any
) -> None:
    with pytest.raises(Invalid, match=DEFAULT):
        queue_run(release=release, started_by=esi, now=NOW, base_model="larger-one")
    folder = placed_base(Path(settings.MODELS_DIR) / "larger-one", extends="")
    run = queue_run(release=release, started_by=esi, now=NOW, base_model="larger-one")
    assert (run.base_model, run.base_sha256) == ("larger-one", sha256_of_file(folder / "model.safetensors"))


@pytest.mark.django_db
def test_words_that_were_given_for_another_purpose_or_may_not_be_used_are_not_behind_a_run(
    larger: Addition, clean: Release, esi: Person, aroha: Person, validated_corpus: list[Answer]
) -> None:
    """The run's own release never held them; the base's tokens were learnt from them."""
    clean.purpose = Purpose.TRAIN_COMMERCIAL
    with pytest.raises(Invalid, match="another purpose"):
        require_additions(clean, "lora", [larger])
    clean.refresh_from_db()
    adapter = make_adapter(queue_run(release=clean, started_by=esi, now=NOW, additions=[larger]))
    waits = queue_run(release=clean, started_by=esi, now=NOW, additions=[larger])
    assert [release.pk for release in releases_behind(waits)] == [larger.made_by.release_id, clean.pk]
    # What experts turned down since is taught to nobody.
    Answer.objects.filter(pk=validated_corpus[0].pk).update(state="rejected")
    with pytest.raises(NotDecidable, match="may not be used"):
        decide_adapter(adapter=adapter, approve=True, decided_by=aroha, note="", now=NOW)
    assert claim_run(run_id=waits.pk, owner="one", lease_until=NOW, now=NOW) is None
    waits.refresh_from_db()
    assert waits.state == "failed"
    with pytest.raises(ReleaseIsTainted):
        queue_run(release=clean, started_by=esi, now=NOW, additions=[larger])


@pytest.mark.django_db
def test_an_adapter_whose_base_was_deleted_is_not_approved_again(
    larger: Addition, release: Release, esi: Person, aroha: Person
) -> None:
    run = queue_run(release=release, started_by=esi, now=NOW, additions=[larger])
    adapter = make_adapter(run)
    decide_adapter(adapter=adapter, approve=False, decided_by=aroha, note="Not needed.", now=NOW)
    assert base_again(run) == larger.base_model
    delete_addition(addition=larger, deleted_by=esi, now=NOW)
    assert base_again(run) == DEFAULT
    with pytest.raises(NotDecidable, match="was deleted"):
        decide_adapter(adapter=adapter, approve=True, decided_by=aroha, note="", now=NOW)


@pytest.mark.django_db
def test_what_lost_workers_left_goes_and_nothing_else(source: Run, esi: Person, settings: Any) -> None:
    waiting = ask_for_tokens(run=source, wanted=500, asked_by=esi, now=NOW)
    held = claim_rows(addition_id=waiting.pk, owner="one", lease_until=NOW + MINUTE, now=NOW)
    assert held is not None
    ours, other = place_for(held), Path(settings.MODELS_DIR) / ".making-999-x"
    other.mkdir()
    assert sweep_places() == 1
    assert (ours.exists(), other.exists()) == (True, False)
    Addition.objects.update(state="failed")
    jobs.recover_rows_job()
    assert not ours.exists()


@pytest.mark.django_db
def test_a_community_has_a_few_bases_of_its_own_at_a_time(larger: Addition, source: Run, esi: Person) -> None:
    for _ in range(MOST_BASES - 1):
        ask_for_tokens(run=source, wanted=500, asked_by=esi, now=NOW)
        Addition.objects.filter(state="queued").update(state="finished")
    with pytest.raises(LearnsNoTokens, match="Delete one first"):
        ask_for_tokens(run=source, wanted=500, asked_by=esi, now=NOW)
    delete_addition(addition=larger, deleted_by=esi, now=NOW)
    ask_for_tokens(run=source, wanted=500, asked_by=esi, now=NOW)


@pytest.mark.django_db
@pytest.mark.slow
def test_a_worker_makes_one_and_a_real_run_learns_on_it(
    release: Release, community: Community, esi: Person, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By real processes of a tiny base, with plain text beside the release."""
    place_base(Path(settings.MODELS_DIR))
    about: dict[str, Any] = {"release": release, "started_by": esi, "now": NOW, "given": TINY}
    text = "\n".join(json.dumps({"id": n, "text": "tsatsahats tsatsa hats"}) for n in range(20)).encode()
    first = queue_run(**about, method="continue_pretraining", additions=[uploaded(community, esi, content=text)])
    assert supervisor.execute(first.pk) == "finished"
    waiting = ask_for_tokens(run=first, wanted=40, asked_by=esi, now=NOW)
    assert jobs.make_rows_job(addition_id=waiting.pk) == "finished"
    waiting.refresh_from_db()
    assert 0 < waiting.rows <= 40
    assert waiting.measured["after"]["tokens_per_word"] <= waiting.measured["before"]["tokens_per_word"]
    lines = [json.loads(line) for line in waiting.file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == waiting.rows
    assert any("tsa" in line["token"] for line in lines)
    assert [line["times"] for line in lines] == sorted((line["times"] for line in lines), reverse=True)
    assert not list(Path(settings.MODELS_DIR).glob(".making-*"))
    second = queue_run(**about, method="lora", additions=[waiting])
    assert supervisor.execute(second.pk) == "finished"
    report = Adapter.objects.get(run=second).report
    assert report["base"]["sha256"] == waiting.sha256
    assert f"A base with {waiting.rows} more tokens" in (folder_of(second) / "README.md").read_text(encoding="utf-8")
    # What the recipe refuses is said to whoever asked.
    monkeypatch.setattr(jobs, "command_for", lambda *_: ["training.recipes.extend_vocabulary", "nowhere", "new"])
    again = ask_for_tokens(run=first, wanted=40, asked_by=esi, now=NOW)
    assert jobs.make_rows_job(addition_id=again.pk) == "failed"
    again.refresh_from_db()
    assert again.failure
