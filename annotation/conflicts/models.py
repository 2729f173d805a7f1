"""What peers could not settle, decided by experts. The queue itself is `annotation.conflicts.queue`."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.answers.models import Answer
from annotation.conflicts.querysets import AdjudicationQuerySet, ExampleQuerySet, RemarkQuerySet
from annotation.projects.models import Guideline, Task
from people.models import Person


class Adjudication(models.Model):
    """An expert's decision on a conflict, with its reason: what it says of which answer are its rulings.

    `answer` is the one it is about in the first place, in the version that was read. A decision that was opened again
    stays as it was, with who opened it and why.
    """

    class Decision(models.TextChoices):
        ACCEPT = "accept", _("Accept as it is")
        BOTH = "both", _("Several are right")
        CORRECT = "correct", _("Accept with my correction")
        SEND_BACK = "send_back", _("Send back to its author")
        REJECT = "reject", _("Do not accept")

    answer = models.ForeignKey(Answer, models.PROTECT, related_name="adjudications")
    version = models.PositiveIntegerField()
    decision = models.CharField(max_length=16, choices=Decision.choices)
    reason = models.CharField(max_length=1000)
    correction = models.OneToOneField(Answer, models.PROTECT, null=True, blank=True, related_name="from_adjudication")
    expert = models.ForeignKey(Person, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    reopened_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    reopened_at = models.DateTimeField(null=True, blank=True)
    reopen_reason = models.CharField(max_length=1000, blank=True)

    objects = AdjudicationQuerySet.as_manager()

    class Meta:
        ordering = ["-decided_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["answer", "version"],
                condition=models.Q(reopened_at=None) & ~models.Q(decision="send_back"),
                name="one_decision_per_version",
            ),
            models.CheckConstraint(
                condition=models.Q(decision__in=["accept", "both", "correct", "send_back", "reject"]),
                name="decision_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(reopened_at=None, reopen_reason="")
                | (models.Q(reopened_at__isnull=False) & ~models.Q(reopen_reason="")),
                name="opening_again_has_a_reason",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="a_decision_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.decision} of {self.answer_id}"


class Ruling(models.Model):
    """What one decision made of one answer: from which state to which. The overruled ones are those turned down."""

    adjudication = models.ForeignKey(Adjudication, models.CASCADE, related_name="rulings")
    answer = models.ForeignKey(Answer, models.PROTECT, related_name="rulings")
    before = models.CharField(max_length=16, choices=Answer.State.choices)
    after = models.CharField(max_length=16, choices=Answer.State.choices)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["adjudication", "answer"], name="one_ruling_on_an_answer_in_a_decision")
        ]

    def __str__(self) -> str:
        return f"{self.answer_id}: {self.before} to {self.after}"


class Remark(models.Model):
    """What an expert or a steward says about a conflict to the others; one with remarks is in discussion."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="remarks")
    author = models.ForeignKey(Person, models.PROTECT, related_name="+")
    text = models.CharField(max_length=1000)
    said_at = models.DateTimeField()

    objects = RemarkQuerySet.as_manager()

    class Meta:
        ordering = ["said_at", "pk"]
        constraints = [models.CheckConstraint(condition=~models.Q(text=""), name="a_remark_says_something")]

    def __str__(self) -> str:
        return f"{self.author} on task {self.task_id}"


class Example(models.Model):
    """A decision that the guidelines show. It names the decision and copies nothing, so that words which are taken
    back, or a decision that is undone, leave the guidelines too."""

    adjudication = models.OneToOneField(Adjudication, models.CASCADE, related_name="example")
    guideline = models.ForeignKey(
        Guideline, models.CASCADE, related_name="examples", help_text="The version with which it came."
    )
    added_by = models.ForeignKey(Person, models.PROTECT, related_name="+")

    objects = ExampleQuerySet.as_manager()

    class Meta:
        ordering = ["-guideline__number"]

    def __str__(self) -> str:
        return f"example {self.pk}"
