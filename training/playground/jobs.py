"""Generation by a worker, so that the web server never loads a model."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone
from django.utils.translation import gettext_noop

from annotation.kinds.contract import Asked
from people.models import Person
from training.playground.engine import EngineFailed, engine
from training.playground.models import Generation
from training.playground.recovering import end_stuck
from training.playground.sending import Sender
from training.playground.services import end_generation, start_generation
from training.playground.suggesting import keep_suggestion, lesson_of, project_of, tasks_to_suggest
from training.runs.base_models import find_base_model
from training.runs.models import Adapter
from training.runs.services import adapter_folder

MAX_NEW_TOKENS = 80


@shared_task
def generate_job(*, generation_id: str, **kwargs: Any) -> None:
    """Write one sentence with base model and adapter; ringing twice is harmless."""
    generation = start_generation(generation_id=generation_id, now=timezone.now())
    sender = Sender(generation_id)
    texts, failure = {"base": "", "adapter": ""}, ""
    try:
        if generation is not None:
            for event in _events(generation):
                if event.get("event") == "error":
                    failure = str(event.get("message", "The model failed."))
                elif "text" in event:
                    texts[event["which"]] += event["text"]
                if event.get("event") not in {"finished", "error"}:
                    sender.send(event)
    except (EngineFailed, OSError) as error:
        failure = str(error)
    if generation is None:
        refused = Generation.objects.filter(pk=generation_id, state=Generation.State.FAILED).first()
        if refused is not None:
            sender.send({"event": "error", "message": refused.failure})
    else:
        if not failure and not Adapter.objects.usable().filter(pk=generation.adapter_id).exists():
            # Held back while it wrote: what it wrote is not kept.
            texts, failure = {}, gettext_noop("This adapter may no longer be used.")
        end_generation(generation=generation, texts=texts, failure=failure, now=timezone.now())
        sender.send({"event": "error", "message": failure} if failure else {"event": "finished"})
    sender.close()


@shared_task
def recover_generations_job(**kwargs: Any) -> int:
    """End what nobody writes any more, and ring again for what may not have been heard of (every minute).

    A bell that was not heard by the next minute is worth nothing, so that none pile up behind a busy worker.
    """
    now = timezone.now()
    end_stuck(now=now)
    waiting = list(Generation.objects.unheard(now).values_list("pk", flat=True))
    for generation_id in waiting:
        generate_job.apply_async(kwargs={"generation_id": str(generation_id)}, expires=60)
    return len(waiting)


def _events(generation: Generation) -> Any:
    project = project_of(generation.adapter)
    return _written(generation.adapter, str(generation.pk), project.asked(generation.source))


def _written(adapter: Adapter, identity: str, asked: Asked) -> Any:
    """The events of answering one task with base model and adapter."""
    base = find_base_model(adapter.run.base_model)
    if base is None:
        raise EngineFailed(gettext_noop("The base model is not on this worker."))
    lesson = lesson_of(adapter)
    return engine.generate(
        base,
        {
            "id": identity,
            "adapter": str(adapter_folder(adapter)),
            "system": lesson.system,
            "request": lesson.request(asked),
            "max_new_tokens": MAX_NEW_TOKENS,
            "temperature": 0.0,
            "seed": 0,
        },
    )


@shared_task
def suggest_job(*, adapter_id: int, person_id: int, **kwargs: Any) -> None:
    """Propose answers to the next open tasks; ringing again goes on from there."""
    adapter = Adapter.objects.select_related("run__release__project", "community").get(pk=adapter_id)
    person = Person.objects.get(pk=person_id)
    for task in tasks_to_suggest(adapter):
        if not Adapter.objects.usable().filter(pk=adapter_id).exists():
            return
        text = ""
        for event in _written(adapter, f"task-{task.pk}", task.asked):
            if event.get("event") == "error":
                raise EngineFailed(str(event.get("message", "The model failed.")))
            if event.get("which") == "adapter":
                text += event.get("text", "")
        keep_suggestion(adapter=adapter, task=task, said=text, asked_by=person, now=timezone.now())


def ring(generation: Generation) -> None:
    """Wake a playground worker once the transaction is committed."""
    generate_job.delay_on_commit(generation_id=str(generation.pk))


def ring_suggesting(adapter: Adapter, person: Person) -> None:
    """The same for proposing answers."""
    suggest_job.delay_on_commit(adapter_id=adapter.pk, person_id=person.pk)
