"""What somebody gave to each community, and what it is used for: for that person alone."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from annotation.answers.models import Answer, Review
from care.models import Grant, Purpose, Receipt
from people.models import Community, Person
from training.releases.models import Release
from training.runs.beside import runs_on
from training.runs.models import Adapter


@dataclass(frozen=True)
class Given:
    """What a person gave to one community, and what it is used for."""

    community: Community
    answers: int
    taken_back: int
    to_erase: int
    reviews: int
    purposes: list[tuple[str, str]]
    receipts: list[Receipt]
    releases: list[Release]
    adapters: list[Adapter]


def given_by(person: Person) -> list[Given]:
    """By community: those in which they agreed to something or hold a role."""
    theirs = Q(receipts__person=person) | Q(memberships__person=person, memberships__ended_at__isnull=True)
    return [_given(person, community) for community in Community.objects.filter(theirs).distinct()]


def _given(person: Person, community: Community) -> Given:
    words = Answer.objects.of_community(community).filter(author=person)
    gone = words.filter(state=Answer.State.WITHDRAWN)
    granted = Grant.objects.live().filter(receipt__person=person, receipt__community=community)
    live = set(granted.values_list("purpose", flat=True))
    releases = Release.objects.filter(items__answer__in=words).distinct().order_by("-number")
    adapters = Adapter.objects.filter(run__in=runs_on(releases)).select_related("run__release").order_by("-created_at")
    return Given(
        community=community,
        answers=words.exclude(state=Answer.State.WITHDRAWN).count(),
        taken_back=gone.count(),
        to_erase=erasable(person, community).count(),
        reviews=Review.objects.filter(reviewer=person, answer__task__project__community=community).count(),
        purposes=[(purpose.value, str(purpose.label)) for purpose in Purpose if purpose.value in live],
        receipts=list(Receipt.objects.filter(person=person, community=community)),
        releases=list(releases),
        adapters=list(adapters),
    )


def erasable(person: Person, community: Community) -> QuerySet[Answer]:
    """Answers that the person took back, and whose words are still kept."""
    gone = Answer.objects.of_community(community).filter(author=person, state=Answer.State.WITHDRAWN)
    return gone.exclude(text="", payload={})
