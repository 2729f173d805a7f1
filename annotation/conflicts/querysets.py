"""Named sets of adjudications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

from people.models import Community

if TYPE_CHECKING:
    from people.models import Person


class AdjudicationQuerySet(models.QuerySet["Adjudication"]):
    """Chainable selections of experts' decisions."""

    def visible_to(self, person: Person) -> AdjudicationQuerySet:
        """Decisions in the communities in which the person is a member: a reason is owed to everybody."""
        return self.filter(answer__task__project__community__in=Community.objects.visible_to(person))

    def standing(self) -> AdjudicationQuerySet:
        """Decisions that nobody has opened again."""
        return self.filter(reopened_at=None)

    def final(self) -> AdjudicationQuerySet:
        """Those of them that settle something; sending back only asks the author."""
        return self.standing().exclude(decision="send_back")


class RemarkQuerySet(models.QuerySet["Remark"]):
    """Chainable selections of remarks."""

    def visible_to(self, person: Person) -> RemarkQuerySet:
        """Remarks in communities where the person is an expert or a steward."""
        return self.filter(task__project__community__in=Community.objects.where(person, "expert", "steward"))


class ExampleQuerySet(models.QuerySet["Example"]):
    """Chainable selections of examples."""

    def visible_to(self, person: Person) -> ExampleQuerySet:
        """Examples in the person's communities whose decisions stand."""
        return self.filter(
            guideline__project__community__in=Community.objects.visible_to(person), adjudication__reopened_at=None
        )
