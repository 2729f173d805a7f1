"""Generation by a worker, so that the web server never loads a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from celery import shared_task
from django.utils import timezone
from django.utils.translation import gettext_noop

from annotation.projects.models import Task
from people.models import Person
from training.playground.engine import EngineFailed, engine
from training.playground.explanations import asked_of, end_explanation, note_progress, start_explanation
from training.playground.models import Explanation, Generation
from training.playground.recovering import end_stuck
from training.playground.sending import Sender
from training.playground.services import end_generation, may_answer, start_generation
from training.playground.suggesting import keep_suggestion, lesson_of, project_of, tasks_to_suggest
from training.recipes.configuration import BASE, IN_FULL_PRECISION, NF4
from training.runs.base_models import BaseModel, find_base_model
from training.runs.models import Adapter
from training.runs.services import adapter_folder

MAX_NEW_TOKENS = 80
# A batch is as slow as its longest answer, and nothing is kept before all of it is written.
IN_ONE_BATCH = 10


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
        if not failure and not may_answer(generation):
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


def _events(generation: Generation) -> Iterator[dict[str, Any]]:
    """The events of answering a sentence with the adapter, and what stands beside it."""
    adapter, lesson = generation.adapter, lesson_of(generation.adapter)
    side = side_of(adapter, generation.rank)
    beside = side_of(generation.beside, generation.beside_rank) if generation.beside else {"onto": side["onto"]}
    return engine.generate(
        _base_of(adapter),
        {
            "id": str(generation.pk),
            "sides": [{"which": "base", **beside}, {"which": "adapter", **side}],
            "system": lesson.system,
            "request": lesson.request(project_of(adapter).asked(generation.source)),
            "max_new_tokens": MAX_NEW_TOKENS,
            "temperature": generation.temperature,
            "seed": generation.seed,
        },
    )


def side_of(adapter: Adapter, rank: int | None = None) -> dict[str, Any]:
    """How the generating process is told of an adapter: its folder, rank, and the base beside which it learnt."""
    onto = BASE if adapter.run.method in IN_FULL_PRECISION else NF4
    return {"adapter": str(adapter_folder(adapter)), "rank": rank, "onto": onto}


def _base_of(adapter: Adapter) -> BaseModel:
    base = find_base_model(adapter.run.base_model)
    if base is None:
        raise EngineFailed(gettext_noop("The base model is not on this worker."))
    return base


@shared_task
def suggest_job(*, adapter_id: int, person_id: int, **kwargs: Any) -> None:
    """Propose answers to the next open tasks, some at once; ringing again goes on from there."""
    adapter = Adapter.objects.select_related("run__release__project", "community").get(pk=adapter_id)
    person = Person.objects.get(pk=person_id)
    tasks = tasks_to_suggest(adapter)
    for start in range(0, len(tasks), IN_ONE_BATCH):
        batch = tasks[start : start + IN_ONE_BATCH]
        said = _answers(adapter, batch)
        # Held back while it wrote: what it wrote is not kept.
        if not Adapter.objects.usable().filter(pk=adapter_id).exists():
            return
        for task, text in zip(batch, said, strict=True):
            keep_suggestion(adapter=adapter, task=task, said=text, asked_by=person, now=timezone.now())


def _answers(adapter: Adapter, tasks: Sequence[Task]) -> list[str]:
    """What the adapter says to each of the tasks, all written at once. Raises EngineFailed."""
    lesson, said = lesson_of(adapter), [""] * len(tasks)
    request = {
        "id": f"tasks-{tasks[0].pk}",
        "side": side_of(adapter),
        "asked": [{"system": lesson.system, "request": lesson.request(task.asked)} for task in tasks],
        "max_new_tokens": MAX_NEW_TOKENS,
    }
    for event in engine.generate(_base_of(adapter), request):
        if event.get("event") == "error":
            raise EngineFailed(str(event.get("message", "The model failed.")))
        if "place" in event:
            said[event["place"]] = event["text"]
    return said


@shared_task
def explain_job(*, explanation_id: int, **kwargs: Any) -> None:
    """Reckon which words an adapter's text hangs on; ringing twice is harmless."""
    explanation = start_explanation(explanation_id=explanation_id, now=timezone.now())
    if explanation is None:
        return
    generation, found, failure = explanation.generation, None, ""
    adapter = generation.adapter
    try:
        request = {
            "id": f"explanation-{explanation.pk}",
            "side": side_of(adapter, generation.rank),
            "explain": asked_of(explanation),
        }
        for event in engine.generate(_base_of(adapter), request):
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
