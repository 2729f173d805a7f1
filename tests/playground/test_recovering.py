"""A lost bell, a lost worker or a lost Redis keeps nobody from the playground for ever."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone
from redis import RedisError

from tests.frontend.made import make_adapter, make_release, make_run
from training.playground import jobs, sending
from training.playground.models import Generation
from training.playground.services import OneAtATime, end_generation, request_generation, start_generation

State = Generation.State


@pytest.fixture
def ask(validated_corpus, project, aroha, ben, esi):
    """Ben tries a sentence, so many minutes ago."""
    adapter = make_adapter(make_run(make_release(project, esi), esi), approved_by=aroha)

    def asked(minutes=0.0):
        now = timezone.now() - timedelta(minutes=minutes)
        return request_generation(adapter=adapter, person=ben, source="hola", now=now)

    return asked


@pytest.fixture
def rung(monkeypatch):
    """The bells that were rung."""
    bells = []
    monkeypatch.setattr(jobs.generate_job, "apply_async", lambda **how: bells.append(how))
    return bells


def test_what_nobody_heard_of_is_rung_again_and_what_nobody_writes_has_failed(ask, rung):
    first = ask(minutes=1)
    assert jobs.recover_generations_job() == 1
    assert rung == [{"kwargs": {"generation_id": str(first.pk)}, "expires": 60}]
    assert start_generation(generation_id=str(first.pk), now=timezone.now())
    assert jobs.recover_generations_job() == 0
    with pytest.raises(OneAtATime):
        ask()
    for state, minutes, failure in (
        (State.RUNNING, 16, "The model process ended unexpectedly."),
        (State.QUEUED, 11, "The model process did not answer in time."),
    ):
        Generation.objects.update(state=State.FINISHED)
        lost = ask(minutes=minutes)
        Generation.objects.filter(pk=lost.pk).update(state=state)
        assert jobs.recover_generations_job() == 0
        lost.refresh_from_db()
        assert (lost.state, lost.failure) == (State.FAILED, failure)
        assert lost.ended_at
    fresh = ask()
    assert jobs.recover_generations_job() == 0
    fresh.refresh_from_db()
    assert (fresh.state, len(rung)) == (State.QUEUED, 1)
    end_generation(generation=lost, texts={"base": "b", "adapter": "a"}, now=timezone.now())
    lost.refresh_from_db()
    assert (lost.state, lost.adapter_text, lost.failure) == (State.FINISHED, "a", "")


def test_words_that_cannot_be_streamed_are_kept_all_the_same(ask, monkeypatch):
    tried = []

    def pipeline(**how):
        tried.append(how)
        raise RedisError("gone")

    monkeypatch.setattr(sending, "connect", lambda: SimpleNamespace(pipeline=pipeline, close=lambda: None))
    written = [{"which": "base", "text": "b"}, {"which": "adapter", "text": "a"}, {"event": "finished"}]
    monkeypatch.setattr(jobs, "engine", SimpleNamespace(generate=lambda base, request: iter(written)))
    monkeypatch.setattr(jobs, "find_base_model", lambda name: SimpleNamespace(folder=""))
    generation = ask()
    jobs.generate_job(generation_id=str(generation.pk))
    generation.refresh_from_db()
    assert (generation.state, generation.base_text, generation.adapter_text) == (State.FINISHED, "b", "a")
    assert len(tried) == 1
