"""What must hold before a run begins, or goes on: its settings, and what its release may be used for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from people.refusals import Conflicting, Invalid
from training.recipes.configuration import FROM_VOTES, ConfigurationError, Recipe
from training.releases.models import Release
from training.releases.services import leaks_of, not_usable_any_more


class ReleaseIsTainted(Conflicting):
    """The release holds words that were withdrawn; nothing trains on it any more."""


class Leaks(Conflicting):
    """What a model would be tested on is in what it would learn from."""


def checked_settings(given: dict[str, Any], *, method: str | None = None) -> dict[str, Any]:
    """The recipe's settings with defaults filled in; a `method` goes before theirs. Raises Invalid."""
    try:
        chosen = Recipe.from_mapping(given)
        if method is not None:
            chosen = replace(chosen, recipe=replace(chosen.recipe, method=method))
    except ConfigurationError as error:
        raise Invalid(error.message, field="settings", **error.values) from error
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
