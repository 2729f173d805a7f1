"""What must hold before a run begins, or goes on: its settings, what its release may be used for, and room for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Max

from people.models import Community, Person
from people.refusals import Conflicting, Invalid
from training.recipes.configuration import FROM_VOTES, ConfigurationError, Recipe
from training.releases.models import Release
from training.releases.services import leaks_of, not_usable_any_more
from training.runs.approval import LimitReached, used_up
from training.runs.base_models import find_base_model
from training.runs.models import Run, RunEvent


class ReleaseIsTainted(Conflicting):
    """The release holds words that were withdrawn; nothing trains on it any more."""


class Leaks(Conflicting):
    """What a model would be tested on is in what it would learn from."""


def checked_settings(given: dict[str, Any], *, method: str | None = None) -> dict[str, Any]:
    """The recipe's settings with defaults filled in; a `method` goes before theirs. Raises Invalid."""
    try:
        chosen = Recipe.from_mapping(given)
    except ConfigurationError as error:
        raise Invalid(error.message, field="settings", **error.values) from error
    if method is not None:
        chosen = replace(chosen, recipe=replace(chosen.recipe, method=method))
    return chosen.as_mapping()


def require_usable(release: Release) -> None:
    """Raise ReleaseIsTainted when a label, a hold or other terms came between since it was frozen."""
    if number := not_usable_any_more(release):
        raise ReleaseIsTainted(
            "%(number)s sentences of this release may not be used for its purpose now. Freeze a new one.", number=number
        )


def require_no_leaks(release: Release) -> None:
    """Raise Leaks when held-out rows are in the training rows too: what a run learns from it could not be measured."""
    if leaks := leaks_of(release):
        raise Leaks(
            "%(number)s held-out sentences of this release are nearly the same as training sentences. The first are "
            "the answers %(held_out)s and %(trained)s. Freeze a new release: it leaves them out.",
            number=len(leaks),
            held_out=leaks[0]["id"],
            trained=leaks[0]["like"],
        )


def require_votes(release: Release, method: str) -> None:
    """Raise Invalid when the method learns from what people said of answers, and the release holds nothing of it."""
    if method in FROM_VOTES and not release.judged:
        raise Invalid(
            "This method learns from what people said of answers. Freeze a release that holds it.", field="method"
        )


def require_trainable(release: Release) -> None:
    """Raise Invalid, ReleaseIsTainted or Leaks where nothing may train on the release, whatever the settings."""
    if release.project.task_kind.lesson is None:
        raise Invalid("No model is trained on answers of this kind.", field="release")
    if Release.objects.get(pk=release.pk).contains_withdrawn:
        raise ReleaseIsTainted("This release holds words that were withdrawn. Freeze a new one.")
    require_usable(release)
    require_no_leaks(release)


def require_room(community: Community, *, now: datetime, runs: int = 1) -> None:
    """Raise LimitReached when so many more runs are too many for one community, or it used up its hours."""
    live = Run.objects.filter(community=community).live().count()
    if live + runs > settings.TRAINING_MOST_LIVE:
        raise LimitReached(
            "At most %(most)s runs of a community may wait or run at a time; %(live)s do now.",
            most=settings.TRAINING_MOST_LIVE,
            live=live,
        )
    if settings.TRAINING_MOST_HOURS and used_up(community, now)[1] >= settings.TRAINING_MOST_HOURS:
        raise LimitReached(
            "This community has trained for %(hours)s hours in thirty days, which is as much as one may here.",
            hours=settings.TRAINING_MOST_HOURS,
        )


def next_number(community: Community) -> int:
    """The number of the community's next run; the caller has the community locked."""
    return (Run.objects.filter(community=community).aggregate(last=Max("number"))["last"] or 0) + 1


def store_run(
    *, release: Release, number: int, chosen: dict[str, Any], by: Person | None, now: datetime, **more: Any
) -> Run:
    """The row of a run that waits, and the first line of its history; the caller checked everything."""
    base = find_base_model(more["base_model"])
    run = Run.objects.create(
        community=release.community,
        release=release,
        number=number,
        method=chosen["recipe"]["method"],
        base_sha256=base.sha256 if base else "",
        settings=chosen,
        trigger=Run.Trigger.PERSON if by else Run.Trigger.SCHEDULE,
        folder=f"{release.community.slug}/{number:04d}",
        started_by=by,
        created_at=now,
        **more,
    )
    RunEvent.objects.create(run=run, kind="queued", actor=by, at=now)
    return run
