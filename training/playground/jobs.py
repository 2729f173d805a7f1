"""Generation by a worker, so that the web server never loads a model."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone
from django.utils.translation import gettext_noop

from annotation.kinds.contract import Asked
from people.models import Person
from training.playground.engine import EngineFailed, engine
from training.playground.explanations import asked_of, end_explanation, note_progress, start_explanation
from training.playground.models import Explanation, Generation
from training.playground.services import end_generation, start_generation
from training.playground.stream import connect, publish
from training.playground.suggesting import keep_suggestion, lesson_of, project_of, tasks_to_suggest
from training.runs.base_models import find_base_model
from training.runs.models import Adapter
from training.runs.services import adapter_folder

MAX_NEW_TOKENS = 80


@shared_task
def generate_job(*, generation_id: str, **kwargs: Any) -> None:
    """Write one sentence with base model and adapter; ringing twice is harmless."""
    generation = start_generation(generation_id=generation_id, now=timezone.now())
    client = connect()
    texts, failure = {"base": "", "adapter": ""}, ""
    try:
        if generation is not None:
            for event in _events(generation):
                if event.get("event") == "error":
                    failure = str(event.get("message", "The model failed."))
                elif "text" in event:
                    texts[event["which"]] += event["text"]
                if event.get("event") not in {"finished", "error"}:
                    publish(client, generation_id, event)
    except (EngineFailed, OSError) as error:
        failure = str(error)
    if generation is None:
        refused = Generation.objects.filter(pk=generation_id, state=Generation.State.FAILED).first()
        if refused is not None:
            publish(client, generation_id, {"event": "error", "message": refused.failure})
    else:
        if not failure and not Adapter.objects.usable().filter(pk=generation.adapter_id).exists():
            # Held back while it wrote: what it wrote is not kept.
            texts, failure = {}, gettext_noop("This adapter may no longer be used.")
        end_generation(generation=generation, texts=texts, failure=failure, now=timezone.now())
        publish(
            client,
            generation_id,
            {"event": "error", "message": failure} if failure else {"event": "finished"},
        )
    client.close()


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


@shared_task
def explain_job(*, explanation_id: int, **kwargs: Any) -> None:
    """Reckon which words an adapter's text hangs on; ringing twice is harmless."""
    explanation = start_explanation(explanation_id=explanation_id, now=timezone.now())
    if explanation is None:
        return
    adapter, found, failure = explanation.generation.adapter, None, ""
    try:
        base = find_base_model(adapter.run.base_model)
        if base is None:
            raise EngineFailed(gettext_noop("The base model is not on this worker."))
        folder = str(adapter_folder(adapter))
        request = {"id": f"explanation-{explanation.pk}", "adapter": folder, "explain": asked_of(explanation)}
        for event in engine.generate(base, request):
            if event.get("event") == "error":
                failure = str(event.get("message", "The model failed."))
            elif event.get("event") == "progress":
                note_progress(explanation=explanation, done=event["done"], of=event["of"])
            elif event.get("event") == "explained":
                found = event
    except (EngineFailed, OSError) as error:
        failure = str(error)
    if not Adapter.objects.usable().filter(pk=adapter.pk).exists():
        found, failure = None, gettext_noop("This adapter may no longer be used.")
    if Explanation.objects.filter(pk=explanation.pk).exists():
        end_explanation(explanation=explanation, found=found, failure=failure, now=timezone.now())


def ring(generation: Generation) -> None:
    """Wake a playground worker once the transaction is committed."""
    generate_job.delay_on_commit(generation_id=str(generation.pk))


def ring_suggesting(adapter: Adapter, person: Person) -> None:
    """The same for proposing answers."""
    suggest_job.delay_on_commit(adapter_id=adapter.pk, person_id=person.pk)


def ring_explaining(explanation: Explanation) -> None:
    """The same for an explanation."""
    if explanation.state == Explanation.State.QUEUED:
        explain_job.delay_on_commit(explanation_id=explanation.pk)
