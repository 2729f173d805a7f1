"""Who may write and check now. What changes that is in `annotation.guard`."""

from __future__ import annotations

from annotation.standing.models import Standing
from people.models import Community, Person
from people.refusals import NotAllowed


class Frozen(NotAllowed):
    """A steward has frozen the person in this community."""


class VotesDoNotCount(NotAllowed):
    """Carelessness was shown: further checks would be in vain."""


def require_not_frozen(person: Person, community: Community) -> None:
    """Raise Frozen when a steward has frozen the person here."""
    if Standing.objects.filter(person=person, community=community, is_frozen=True).exists():
        raise Frozen(
            "A steward has paused your work in this community. Ask a steward why, and how to go on. "
            "You can still read your words, and take them back."
        )


def require_may_check(person: Person, community: Community) -> None:
    """Raise Frozen or VotesDoNotCount when the person's verdicts would not be heard."""
    require_not_frozen(person, community)
    if Standing.objects.filter(person=person, community=community, is_stopped=True).exists():
        raise VotesDoNotCount(
            "Your checks do not count for now, because many of them differ from what experts say. "
            "Talk to a steward, who can let them count again. You can still write."
        )


def lock_standing(person: Person, community: Community) -> Standing:
    """The person's standing, its row locked: a verdict and what ends verdicts then wait for each other."""
    Standing.objects.get_or_create(person=person, community=community)
    return Standing.objects.select_for_update().get(person=person, community=community)
