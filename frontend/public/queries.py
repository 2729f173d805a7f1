"""What the public pages count and list."""

from __future__ import annotations

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from annotation.answers.models import Answer
from annotation.projects.models import Task
from people.models import Community, Person
from training.runs.models import Adapter, AdapterEvent
from training.runs.querysets import AdapterQuerySet


def community_numbers(community: Community) -> dict[str, int]:
    """Sentences to translate, sentences with an answer, validated ones, and people who wrote them."""
    tasks = Task.objects.filter(project__community=community).aggregate(
        sentences=Count("pk"),
        translated=Count("pk", filter=~Q(state=Task.State.OPEN)),
        validated=Count("pk", filter=Q(state=Task.State.DONE)),
    )
    written = Answer.objects.of_community(community).exclude(state=Answer.State.WITHDRAWN)
    return {**tasks, "contributors": written.aggregate(people=Count("author", distinct=True))["people"]}


def communities_left(person: Person) -> QuerySet[Community]:
    """Communities the person is no member of any more, but where they once agreed to a use of their words."""
    mine = Community.objects.visible_to(person)
    return Community.objects.filter(receipts__person=person).exclude(pk__in=mine.values("pk")).distinct()


def adapters_with_reasons(person: Person, community: Community) -> AdapterQuerySet:
    """The community's adapters; `reason` is what a steward wrote when deciding last, None before that."""
    decided = AdapterEvent.objects.filter(adapter=OuterRef("pk")).exclude(note="").order_by("-at", "-pk")
    adapters: AdapterQuerySet = Adapter.objects.visible_to(person).filter(community=community)
    return adapters.annotate(reason=Subquery(decided.values("note")[:1])).select_related(
        "run__release__project", "community"
    )
