"""What peers could not settle, decided by experts. The queue itself is `Answer.objects.disputed()`."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.answers.models import Answer
from annotation.conflicts.querysets import AdjudicationQuerySet
from people.models import Person


class Adjudication(models.Model):
    """An expert's decision on one version of a disputed answer, with its reason."""

    class Decision(models.TextChoices):
        ACCEPT = "accept", _("Accept as it is")
        CORRECT = "correct", _("Accept with my correction")
        REJECT = "reject", _("Do not accept")

    answer = models.ForeignKey(Answer, models.PROTECT, related_name="adjudications")
    version = models.PositiveIntegerField()
    decision = models.CharField(max_length=16, choices=Decision.choices)
    reason = models.CharField(max_length=1000)
    correction = models.OneToOneField(Answer, models.PROTECT, null=True, blank=True, related_name="from_adjudication")
    expert = models.ForeignKey(Person, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    objects = AdjudicationQuerySet.as_manager()

    class Meta:
        ordering = ["-decided_at"]
        constraints = [
            models.UniqueConstraint(fields=["answer", "version"], name="one_decision_per_version"),
            models.CheckConstraint(
                condition=models.Q(decision__in=["accept", "correct", "reject"]), name="decision_is_known"
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="a_decision_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.decision} of {self.answer_id}"
