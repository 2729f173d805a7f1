"""What the speaker's pages count and list, across the rooms."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from annotation.answers.models import Answer, Review
from annotation.projects.models import Project
from care.models import Grant, Purpose
from people.models import Community, Person
from training.releases.models import Release
from training.releases.services import answers_with_words_of
from training.runs.models import Adapter


def my_numbers(person: Person, community: Community) -> dict[str, int]:
    """What the person wrote in the community by what became of it, and how many reviews they gave."""
    states = Answer.State
    written = Answer.objects.of_community(community).filter(author=person).exclude(state=states.WITHDRAWN)
    return {
        **written.aggregate(
            written=Count("pk"),
            validated=Count("pk", filter=Q(state=states.VALIDATED)),
            waiting=Count("pk", filter=Q(state__in=[states.SUBMITTED, states.DISPUTED])),
        ),
        "reviews": Review.objects.filter(reviewer=person, answer__task__project__community=community).count(),
    }


def reviews_waiting(person: Person, projects: Iterable[Project]) -> dict[int, int]:
    """How many answers wait for this person's verdict, by project."""
    waiting = (
        Answer.objects.reviewable_by(person)
        .usable_for(Purpose.PEER_REVIEW)
        .filter(task__project__in=projects)
        .order_by()
        .values_list("task__project")
        .annotate(number=Count("pk", distinct=True))
    )
    return dict(waiting)


def purposes_allowed(person: Person, community: Community) -> list[str]:
    """The purposes that the person allows for any of their words in the community, in the usual order."""
    live = set(
        Grant.objects.live()
        .filter(receipt__person=person, receipt__community=community)
        .values_list("purpose", flat=True)
    )
    return [purpose for purpose in Purpose.values if purpose in live]


@dataclass(frozen=True)
class Reach:
    """How far a withdrawal would reach."""

    answers: int
    corrections: int
    releases: list[Release]
    adapters: list[Adapter]


def reach_of_answer(answer: Answer) -> Reach:
    """What taking back one answer touches: the corrections built on it, and what holds any of them."""
    found = {answer.pk}
    edge = found
    while edge:
        edge = set(Answer.objects.filter(fixes__in=edge).values_list("pk", flat=True)) - found
        found = found | edge
    touched = Answer.objects.filter(pk__in=found).exclude(state=Answer.State.WITHDRAWN)
    releases = Release.objects.filter(items__answer__in=touched)
    return _reach(answers=1, corrections=touched.exclude(pk=answer.pk).count(), releases=releases)


def reach_of_consent(person: Person, community: Community, purposes: Collection[str]) -> Reach:
    """What taking back purposes touches: releases made for one of them, and the adapters they taught."""
    words = answers_with_words_of(person, community)
    own = words.filter(author=person).count()
    releases = Release.objects.filter(items__answer__in=words, purpose__in=purposes)
    return _reach(answers=own, corrections=words.count() - own, releases=releases)


def _reach(*, answers: int, corrections: int, releases: QuerySet[Release]) -> Reach:
    held = list(releases.select_related("project").distinct().order_by("number"))
    adapters = Adapter.objects.filter(run__release__in=held).select_related("run__release").order_by("run__number")
    return Reach(answers=answers, corrections=corrections, releases=held, adapters=list(adapters))
