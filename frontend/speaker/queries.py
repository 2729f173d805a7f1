"""What the speaker's pages count and list, across the rooms."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from annotation.answers.models import Answer, Review
from annotation.projects.models import Project, Task
from care.models import Grant, Purpose
from people.models import Community, Person, Role
from people.services import has_role
from training.releases.models import Release, ReleaseItem
from training.releases.services import answers_with_words_of, items_with_words_of
from training.runs.beside import runs_on
from training.runs.models import Adapter, Schedule
from training.runs.schedule import count_new_items


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


def reviews_waiting(
    person: Person, projects: Iterable[Project], *, now: datetime, begun: bool = False
) -> dict[int, int]:
    """How many answers wait for this person's verdict, by project; `begun`: those that a peer has judged already."""
    answers = Answer.objects.begun() if begun else Answer.objects.all()
    waiting = (
        answers.reviewable_by(person, now)
        .usable_for(Purpose.PEER_REVIEW)
        .filter(task__project__in=projects)
        .order_by()
        .values_list("task__project")
        .annotate(number=Count("pk", distinct=True))
    )
    return dict(waiting)


@dataclass(frozen=True)
class Next:
    """What a person does next: review or answer, in which project."""

    project: Project
    is_review: bool


def next_work(person: Person, community: Community, *, now: datetime) -> Next | None:
    """One feed of writing and checking, so that a small community never stalls.

    Checks that a peer has begun come first; then whichever of the two the person has done less of; then what is left.
    None when nothing waits for this person.
    """
    projects = list(Project.objects.filter(community=community).open().order_by("created_at"))
    reviews = reviews_waiting(person, projects, now=now)
    begun = reviews_waiting(person, projects, now=now, begun=True)
    tasks = Task.objects.wanting(now).unseen_by(person).suiting(person).shown_in(community)
    writing = (
        {project.pk: count for project in projects if (count := tasks.filter(project=project).count())}
        if has_role(person, community, Role.SPEAKER)
        else {}
    )
    numbers = my_numbers(person, community)
    more_to_check = numbers["reviews"] <= numbers["written"]
    order = [(begun, True), (reviews, True), (writing, False)] if more_to_check else [(writing, False), (reviews, True)]
    for waiting, is_review in order:
        if waiting:
            pk = max(waiting, key=lambda pk: (waiting[pk], -pk))
            return Next(project=next(project for project in projects if project.pk == pk), is_review=is_review)
    return None


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
    """What taking back purposes touches: releases made for one of them with one's words or votes, and the adapters
    they taught."""
    words = answers_with_words_of(person, community)
    own = words.filter(author=person).count()
    releases = Release.objects.filter(items__in=items_with_words_of(person, community), purpose__in=purposes)
    return _reach(answers=own, corrections=words.count() - own, releases=releases)


def _reach(*, answers: int, corrections: int, releases: QuerySet[Release]) -> Reach:
    held = list(releases.select_related("project").distinct().order_by("number"))
    adapters = Adapter.objects.filter(run__in=runs_on(held)).select_related("run__release").order_by("run__number")
    return Reach(answers=answers, corrections=corrections, releases=held, adapters=list(adapters))


@dataclass(frozen=True)
class Goal:
    """A goal that a community reaches together: validated sentences until the next model."""

    project: Project
    reached: int
    wanted: int

    @property
    def missing(self) -> int:
        """How many are still missing."""
        return max(0, self.wanted - self.reached)


def team_goals(community: Community) -> list[Goal]:
    """For each project that trains by itself, how far it is to the next model."""
    schedules = Schedule.objects.filter(project__community=community, is_allowed=True).select_related("project")
    return [
        Goal(project=row.project, reached=count_new_items(row.project), wanted=row.minimum_new_items)
        for row in schedules
    ]


@dataclass(frozen=True)
class Impact:
    """What a person's sentences became."""

    validated: int
    releases: list[tuple[Release, int]]
    adapters: list[Adapter]


def impact_of(person: Person, community: Community) -> Impact:
    """The releases that hold the person's words, with how many, and the adapters that learnt from them."""
    words = answers_with_words_of(person, community)
    held = ReleaseItem.objects.filter(answer__in=words, withdrawn_at__isnull=True)
    counts = dict(held.order_by().values_list("release").annotate(Count("pk")))
    releases = Release.objects.filter(pk__in=counts).select_related("project").order_by("-number")
    adapters = Adapter.objects.filter(run__release__in=counts).select_related("run__release").order_by("-created_at")
    return Impact(
        validated=words.filter(author=person).validated().count(),
        releases=[(release, counts[release.pk]) for release in releases],
        adapters=list(adapters),
    )
