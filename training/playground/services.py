"""Asking an adapter, and the base model or another adapter, for the same sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from annotation.projects.models import Project
from annotation.text.clean import UnusableText, clean_text
from people.models import Person
from people.refusals import Conflicting, Invalid
from people.services import require_role
from training.playground.models import Generation
from training.runs.approval import require_in_use
from training.runs.models import Adapter

LONGEST_SOURCE = 500
WARMEST = 2.0
LAST_SEED = 9999


@dataclass(frozen=True)
class Side:
    """Who answers: an adapter, or the first ranks of it."""

    adapter: Adapter
    rank: int | None = None


class NotServed(Conflicting):
    """The adapter may not be used: no steward approved it, or its words were withdrawn."""


class OneAtATime(Conflicting):
    """The person's last sentence is still being written."""


def machine_texts(project: Project, source: str) -> list[str]:
    """What the project's adapters, and the base models beside them, wrote lately for a sentence."""
    rows = Generation.objects.of_sentence(project, source).values_list("adapter_text", "base_text")[:20]
    return [text for row in rows for text in row if text]


@transaction.atomic
def request_generation(
    *,
    adapter: Adapter,
    person: Person,
    source: str,
    now: datetime,
    rank: int | None = None,
    beside: Side | None = None,
    temperature: float = 0.0,
    seed: int = 0,
) -> Generation:
    """Queue one sentence for an adapter, and for the base model or another adapter `beside` it; the caller rings
    `training.playground.jobs.ring`.

    Raises NotServed, OneAtATime, Invalid, NotAllowed.
    """
    require_role(person, adapter.community)
    current = _served(adapter, rank)
    other = _served(beside.adapter, beside.rank) if beside else None
    if other and (other.community_id, other.run.base_model) != (current.community_id, current.run.base_model):
        raise Invalid("These two adapters cannot answer side by side.", field="beside")
    if not 0 <= temperature <= WARMEST or not 0 <= seed <= LAST_SEED:
        raise Invalid("Choose a number from %(least)s to %(most)s.", field="seed", least=0, most=LAST_SEED)
    try:
        text = clean_text(source, maximum=LONGEST_SOURCE)
    except UnusableText as error:
        raise Invalid(error.message, field="source", **error.values) from error
    waiting = Generation.objects.filter(person=person, state__in=[Generation.State.QUEUED, Generation.State.RUNNING])
    if waiting.exists():
        raise OneAtATime("Your last sentence is still being written. Please wait for it.")
    how: dict[str, Any] = {"rank": rank, "beside": other, "beside_rank": beside.rank if beside else None}
    how |= {"temperature": temperature, "seed": seed}
    return Generation.objects.create(adapter=current, person=person, source=text, created_at=now, **how)


def _served(adapter: Adapter, rank: int | None) -> Adapter:
    """The adapter as it is now, when it may answer at this rank. Raises NotServed, NotInUse, Invalid."""
    current: Adapter = Adapter.objects.select_for_update(of=("self",)).select_related("run").get(pk=adapter.pk)
    if not current.is_usable:
        if current.contains_withdrawn:
            raise NotServed("This adapter learnt from words that were withdrawn.")
        raise NotServed("A steward has not approved this adapter, so it is not used here.")
    require_in_use(adapter=current)
    if rank is not None and rank not in current.ranks:
        raise Invalid("Choose one of the ranks that were measured.", field="adapter")
    return current


def may_answer(generation: Generation) -> bool:
    """Whether all adapters that it is for may be used now."""
    wanted = {generation.adapter_id, generation.beside_id} - {None}
    return Adapter.objects.usable().filter(pk__in=wanted).count() == len(wanted)


def start_generation(*, generation_id: str, now: datetime) -> Generation | None:
    """Take a queued generation; None when it was taken already, or its adapter may no longer be used."""
    with transaction.atomic():
        generation: Generation | None = (
            Generation.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("adapter__run__release__project", "adapter__community", "beside__run")
            .filter(pk=generation_id, state=Generation.State.QUEUED)
            .first()
        )
        if generation is None:
            return None
        if not may_answer(generation):
            end_generation(
                generation=generation, texts={}, failure=gettext_noop("This adapter may no longer be used."), now=now
            )
            return None
        generation.state = Generation.State.RUNNING
        generation.save(update_fields=["state"])
        return generation


def end_generation(*, generation: Generation, texts: dict[str, str], now: datetime, failure: str = "") -> None:
    """Keep the finished texts, or say why there are none."""
    generation.state = Generation.State.FAILED if failure else Generation.State.FINISHED
    generation.base_text, generation.adapter_text = texts.get("base", ""), texts.get("adapter", "")
    generation.failure, generation.ended_at = failure[:1000], now
    generation.save(update_fields=["state", "base_text", "adapter_text", "failure", "ended_at"])
