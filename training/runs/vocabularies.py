"""Base models with more tokens, learnt from what a finished run learnt from; and which base a run learns on.

Such a base is an addition (`training.runs.additions`): made by a worker, chosen for a run, and deleted when words that
its tokens were learnt from are taken back. It is the community's own; bases that were put here by whoever keeps the
machine are everybody's.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid
from people.services import require_role
from training.runs.artefacts import folder_of
from training.runs.base_models import DEFAULT, BaseModel, find_base_model, known_base_models
from training.runs.beside import require_still_there, require_usable_behind, why_withdrawn
from training.runs.making import ask_worker
from training.runs.models import Adapter, Addition, Run

FEWEST, MOST, USUAL = 10, 20_000, 1000
# Each is as large as the base that it was made of.
MOST_BASES = 4
HOW = "tokens"
# Of what the recipe says, what is kept to be looked at.
MEASURED = ("learnt_from", "before", "after", "bpb_before", "bpb_by_mean", "bpb_by_chance", "file_ratio")


class LearnsNoTokens(Conflicting):
    """No tokens can be learnt from what the run learnt from."""


def base_for(base_model: str, additions: Collection[Addition]) -> str:
    """The name of the base that a run learns on, which has these additions. Raises Invalid."""
    larger = next((one.base_model for one in additions if one.kind == Addition.Kind.VOCABULARY), "")
    if larger and base_model not in {"", larger}:
        raise Invalid("Choose one base model.", field="base_model")
    if larger:
        return larger
    if base_model and base_model not in names_of_provided():
        known = ", ".join(names_of_provided())
        raise Invalid("Choose a base model that is here: %(known)s.", field="base_model", known=known)
    return base_model or DEFAULT


def provided_bases() -> list[BaseModel]:
    """The bases that whoever keeps this machine put here, by name."""
    return [base for base in known_base_models() if not base.extends]


def names_of_provided() -> list[str]:
    """Their names, the usual one first, which the first run prepares."""
    return [DEFAULT, *(base.name for base in provided_bases() if base.name != DEFAULT)]


def bases_of(community: Community) -> list[BaseModel]:
    """The bases that the community can learn on: those that are everybody's, then its own with more tokens."""
    larger = Addition.objects.there().filter(community=community, kind=Addition.Kind.VOCABULARY).order_by("pk")
    own = [find_base_model(one.base_model) for one in larger.select_related("community", "made_by")]
    return [*provided_bases(), *(base for base in own if base is not None)]


def token_sources(community: Community, person: Person) -> list[Run]:
    """The community's finished runs, the newest first, that tokens can be learnt from: one for each release."""
    runs = Run.objects.visible_to(person).filter(community=community, state=Run.State.FINISHED)
    found = runs.filter(release__withdrawn_since__isnull=True).exclude(additions__kind=Addition.Kind.VOCABULARY)
    found = found.exclude(additions__deleted_at__isnull=False)
    newest: dict[int, Run] = {}
    for run in found.select_related("release__project").order_by("-number"):
        if run.release_id not in newest and (folder_of(run) / "config.toml").is_file():
            newest[run.release_id] = run
    return list(newest.values())


def require_tokens_from(run: Run) -> None:
    """Raise LearnsNoTokens or ReleaseIsTainted where no tokens can be learnt from what the run learnt from."""
    if why := why_withdrawn(run):
        raise LearnsNoTokens(why)
    require_still_there(run)
    require_usable_behind(run)
    if run.additions.filter(kind=Addition.Kind.VOCABULARY).exists():
        raise LearnsNoTokens("This run learnt on a base with more tokens already. Take one on a base without.")
    if run.state != Run.State.FINISHED or not (folder_of(run) / "config.toml").is_file():
        raise LearnsNoTokens("Only of a finished run that was made here is it known what it learnt from.")


@transaction.atomic
def ask_for_tokens(*, run: Run, wanted: int, asked_by: Person, now: datetime) -> Addition:
    """Have a base made with more tokens, learnt from the release and the text that a finished run learnt from; the
    caller rings `training.runs.jobs.ring_rows`.

    Asking twice while it is being made returns the one that waits. Raises Invalid, NotAllowed, LearnsNoTokens.
    """
    community = Community.objects.select_for_update(no_key=True).get(pk=run.community_id)
    require_role(asked_by, community, Role.RESEARCHER)
    if not FEWEST <= wanted <= MOST:
        raise Invalid("Between %(fewest)s and %(most)s.", field="wanted", fewest=FEWEST, most=MOST)
    run = Run.objects.select_related("release__project").get(pk=run.pk)
    require_tokens_from(run)
    same = Addition.objects.filter(made_by=run, kind=Addition.Kind.VOCABULARY, deleted_at__isnull=True)
    waiting: Addition | None = same.filter(state__in=["queued", "running"]).first()
    if waiting is not None:
        return waiting
    living = Addition.objects.filter(community=community, kind=Addition.Kind.VOCABULARY, deleted_at__isnull=True)
    if living.exclude(state=Addition.State.FAILED).count() >= MOST_BASES:
        raise LearnsNoTokens("There are %(most)s base models with more tokens. Delete one first.", most=MOST_BASES)
    base = Addition(community=community, kind=Addition.Kind.VOCABULARY, made_by=run, wanted=wanted)
    return ask_worker(base, how=HOW, by=asked_by, now=now)


def base_again(run: Run) -> str:
    """The base for a run that is to be as this one, as `queue_run` takes it: where its own with more tokens was
    deleted, the one that it was made of."""
    larger: Addition | None = run.additions.filter(kind=Addition.Kind.VOCABULARY).select_related("made_by").first()
    if larger is not None and larger.is_there:
        return larger.base_model
    name = larger.made_by.base_model if larger is not None and larger.made_by is not None else run.base_model
    return name if name in names_of_provided() else ""


def facts_of_base(made: Path) -> dict[str, Any]:
    """What the addition's row says of a base that was made. Raises OSError, ValueError, KeyError."""
    about = json.loads((made / "model.json").read_text(encoding="utf-8"))
    told = about["vocabulary"]
    return {
        "rows": told["tokens"],
        "sha256": about["sha256"],
        "bytes": (made / "model.safetensors").stat().st_size,
        "measured": {name: told[name] for name in MEASURED},
    }


def keep_base(addition: Addition, made: Path) -> None:
    """Put the base into its place, whole or not at all."""
    shutil.rmtree(addition.base_folder, ignore_errors=True)
    os.replace(made, addition.base_folder)


def needs_it(addition: Addition) -> list[int]:
    """The numbers of runs whose adapters, which may be used or decided on, cannot be read without this base."""
    if addition.kind != Addition.Kind.VOCABULARY:
        return []
    there = Adapter.objects.filter(run__additions=addition, deleted_at__isnull=True)
    needing = there.filter(state__in=[Adapter.State.CANDIDATE, Adapter.State.APPROVED])
    return list(needing.order_by("run__number").values_list("run__number", flat=True))
