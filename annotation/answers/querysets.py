"""Named sets of answers and reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from care.models import Grant, Purpose
from people.models import Community
from people.querysets import suits

if TYPE_CHECKING:
    from people.models import Person


class AnswerQuerySet(models.QuerySet["Answer"]):
    """Chainable selections of answers."""

    def visible_to(self, person: Person) -> AnswerQuerySet:
        """One's own answers; and in one's communities those not withdrawn whose authors let members read them."""
        mine = models.Q(author_id=person.pk)
        ours = models.Q(task__project__community__in=Community.objects.visible_to(person))
        shown = models.Exists(
            Grant.objects.live().filter(receipt_id=models.OuterRef("receipt_id"), purpose=Purpose.DISPLAY_MEMBERS)
        )
        hidden = models.Q(state__in=["withdrawn", "quarantined"])
        return self.filter(mine | (ours & ~hidden & models.Q(shown)))

    def of_community(self, community: Community) -> AnswerQuerySet:
        """Answers given in one community."""
        return self.filter(task__project__community=community)

    def validated(self) -> AnswerQuerySet:
        """Answers that peers or an expert accepted."""
        return self.filter(state="validated")

    def usable_for(self, purpose: str) -> AnswerQuerySet:
        """Answers for which the author, and everybody whose words are in them, still grants the purpose."""
        own = Grant.objects.live().filter(receipt_id=models.OuterRef("receipt_id"), purpose=purpose)
        theirs = Grant.objects.live().filter(receipt_id=models.OuterRef("receipt_id"), purpose=purpose)
        refused = self.model.built_on.through.objects.filter(answer_id=models.OuterRef("pk")).exclude(
            models.Exists(theirs)
        )
        return self.filter(models.Exists(own)).exclude(models.Exists(refused))

    def disputed(self) -> AnswerQuerySet:
        """The experts' queue: answers that three peers could not settle."""
        return self.filter(state="disputed")

    def adjudicable_by(self, person: Person) -> AnswerQuerySet:
        """Disputed answers in communities where the person is an expert; never one's own."""
        communities = Community.objects.where(person, "expert")
        return (
            self.disputed()
            .visible_to(person)
            .filter(task__project__community__in=communities)
            .exclude(author_id=person.pk)
        )

    def gold_for(self, person: Person) -> AnswerQuerySet:
        """Answers that an expert decided, which the person neither wrote nor judged."""
        judged = models.Exists(person.reviews.filter(answer_id=models.OuterRef("pk")))
        wrote = models.Exists(person.answers.filter(task_id=models.OuterRef("task_id")))
        decided = self.filter(state__in=["validated", "rejected"], adjudications__isnull=False)
        return decided.exclude(judged).exclude(wrote).distinct()

    def reviewable_by(self, person: Person) -> AnswerQuerySet:
        """Answers waiting for a verdict that this person may give: not their own, current version not yet judged
        by them, not on a task to which they wrote or corrected an answer themselves, and in their own variety."""
        judged = models.Exists(
            person.reviews.filter(answer_id=models.OuterRef("pk"), version=models.OuterRef("version"))
        )
        wrote = models.Exists(person.answers.filter(task_id=models.OuterRef("task_id")))
        suitable = suits(person, project="task__project__", variety_of_text="task__item__source__variety")
        waiting = self.filter(suitable, state="submitted")
        return waiting.exclude(author_id=person.pk).exclude(judged).exclude(wrote)


class ReviewQuerySet(models.QuerySet["Review"]):
    """Chainable selections of reviews."""

    def visible_to(self, person: Person) -> ReviewQuerySet:
        """Reviews in communities in which the person holds a role."""
        return self.filter(answer__task__project__community__in=Community.objects.visible_to(person))

    def decisive_on(self, version: int) -> ReviewQuerySet:
        """Verdicts that count for one version, in the order they came; those on settled answers count nowhere."""
        return self.filter(version=version, is_gold=False).order_by("created_at", "pk")
