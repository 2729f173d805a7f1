"""Asking which words of a tried sentence the adapter's text hangs on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from people.models import Person
from people.refusals import Invalid, NotAllowed
from people.services import require_role
from training.evaluation.explaining import MOST_WORDS, SAMPLES, units_of
from training.playground.models import Explanation, Generation
from training.playground.services import NotServed, OneAtATime
from training.playground.suggesting import lesson_of, project_of
from training.runs.models import Adapter


@transaction.atomic
def request_explanation(*, generation: Generation, person: Person, now: datetime) -> Explanation:
    """Queue it; the caller rings `training.playground.jobs.ring_explaining`. One that is there already is given back,
    unless it failed. Raises NotServed, OneAtATime, Invalid, NotAllowed.
    """
    require_role(person, generation.adapter.community)
    if generation.person_id != person.pk:
        raise NotAllowed("Only you see these.")
    Generation.objects.select_for_update(of=("self",)).get(pk=generation.pk)
    known: Explanation | None = Explanation.objects.filter(generation=generation).first()
    if known is not None and (known.state == Explanation.State.FINISHED or _is_going_on(known, now)):
        return known
    if not Adapter.objects.usable().filter(pk=generation.adapter_id).exists():
        raise NotServed("This adapter may no longer be used.")
    words = units_of(generation.source)
    if not generation.adapter_text or not 2 <= len(words) <= MOST_WORDS:
        raise Invalid("It takes an answer, and a sentence of 2 to %(most)s words.", most=MOST_WORDS)
    if Explanation.objects.filter(generation__person=person).going_on(now).exists():
        raise OneAtATime("Your last sentence is still being read. Please wait for it.")
    fresh = {
        "state": Explanation.State.QUEUED,
        "done": 0,
        "of": min(2 ** len(words), SAMPLES),
        "words": words,
        "weights": [],
        "failure": "",
        "asked_at": now,
        "ended_at": None,
    }
    made, _ = Explanation.objects.update_or_create(generation=generation, defaults=fresh)
    return made


def _is_going_on(explanation: Explanation, now: datetime) -> bool:
    return Explanation.objects.going_on(now).filter(pk=explanation.pk).exists()


def start_explanation(*, explanation_id: int, now: datetime) -> Explanation | None:
    """Take a queued one; None when it was taken already, or its adapter may no longer be used."""
    taken = Explanation.objects.filter(pk=explanation_id, state=Explanation.State.QUEUED)
    if not taken.update(state=Explanation.State.RUNNING):
        return None
    explanation: Explanation = Explanation.objects.select_related(
        "generation__adapter__run__release__project", "generation__adapter__community"
    ).get(pk=explanation_id)
    if not Adapter.objects.usable().filter(pk=explanation.generation.adapter_id).exists():
        end_explanation(explanation=explanation, now=now, failure=gettext_noop("This adapter may no longer be used."))
        return None
    return explanation


def asked_of(explanation: Explanation) -> dict[str, Any]:
    """As `training.recipes.explain` is asked: the adapter's request with its words apart, and its text."""
    generation = explanation.generation
    lesson, project = lesson_of(generation.adapter), project_of(generation.adapter)
    request = lesson.request(project.asked(generation.source))
    # Every kind that models learn shows them the sentence as it stands (a test looks).
    before, _sentence, after = request.rpartition(generation.source)
    return {
        "system": lesson.system,
        "before": before,
        "units": explanation.words,
        "after": after,
        "completion": generation.adapter_text,
    }


def note_progress(*, explanation: Explanation, done: int, of: int) -> None:
    """Say how far it is."""
    Explanation.objects.filter(pk=explanation.pk).update(done=done, of=of)


def end_explanation(
    *, explanation: Explanation, now: datetime, found: Mapping[str, Any] | None = None, failure: str = ""
) -> None:
    """Keep what was found, or say why nothing was."""
    explanation.state = Explanation.State.FAILED if failure or not found else Explanation.State.FINISHED
    explanation.failure, explanation.ended_at = failure[:1000], now
    if found and not failure:
        explanation.weights = found["weights"]
        explanation.r2, explanation.agreement = found["r2"], found["agreement"]
        explanation.done = explanation.of = found["samples"]
    explanation.save(update_fields=["state", "failure", "ended_at", "weights", "r2", "agreement", "done", "of"])
