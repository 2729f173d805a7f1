"""What a look over a project's labels found, and what experts changed together because of it.

A scan's findings hold places and numbers, and words of items alone: what people wrote stays where it can be taken back.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.answers.models import Answer
from annotation.projects.models import Project
from annotation.revision.querysets import BatchQuerySet, InconsistencyQuerySet, SuspicionQuerySet
from people.models import Person


class Scan(models.Model):
    """The look over one project's validated answers: when it was asked for, and when it was last done."""

    project = models.OneToOneField(Project, models.CASCADE, related_name="scan")
    asked_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    answers = models.PositiveIntegerField(default=0)
    subsets = models.JSONField(default=list, help_text="Subsets that predict the rest worse than chance, with figures.")

    def __str__(self) -> str:
        return f"scan of {self.project_id}"

    @property
    def is_waiting(self) -> bool:
        """Whether it was asked for and not done since."""
        return self.finished_at is None or self.finished_at < self.asked_at


class Inconsistency(models.Model):
    """Places of one surface, or answers to one text, that do not agree; a new scan finds the same row again."""

    class Cause(models.TextChoices):
        LABEL = "label", _("different labels")
        UNLABELLED = "unlabelled", _("labelled here, not there")
        BOUNDARY = "boundary", _("different edges")
        DICTIONARY = "dictionary", _("not as the list of known words says")
        SAME_TEXT = "same_text", _("the same text, different answers")
        NEAR_TEXT = "near_text", _("nearly the same text, different answers")

    project = models.ForeignKey(Project, models.CASCADE, related_name="inconsistencies")
    cause = models.CharField(max_length=16, choices=Cause.choices)
    key = models.CharField(max_length=64, help_text="SHA-256 of the cause and the folded surface.")
    surface = models.TextField(max_length=4000)
    expected = models.CharField(max_length=80, blank=True, help_text="The label that most places carry, if any.")
    counts = models.JSONField(default=dict, help_text="How often which label.")
    entropy = models.FloatField(help_text="Of what is said, in bits.")
    estimate = models.FloatField(help_text="Estimated number of wrong labels.")
    places = models.JSONField(default=list, help_text="[{answer, start, end, doubt}], the most doubtful first.")

    objects = InconsistencyQuerySet.as_manager()

    class Meta:
        ordering = ["-estimate", "pk"]
        verbose_name_plural = "inconsistencies"
        constraints = [models.UniqueConstraint(fields=["project", "key"], name="one_row_for_each_surface_and_cause")]

    def __str__(self) -> str:
        return self.surface[:80]


class Suspicion(models.Model):
    """A label that a model doubts which never saw its text."""

    class Fault(models.TextChoices):
        MISSED = "missed", _("missed")
        SPURIOUS = "spurious", _("should be none")
        TYPE = "wrong_type", _("another label")
        LONG = "too_long", _("too long")
        SHORT = "too_short", _("too short")
        BOTH = "type_and_boundary", _("another label and other edges")

    project = models.ForeignKey(Project, models.CASCADE, related_name="suspicions")
    answer = models.ForeignKey(Answer, models.PROTECT, related_name="suspicions")
    version = models.PositiveIntegerField()
    fault = models.CharField(max_length=20, choices=Fault.choices)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    given = models.JSONField(null=True, help_text="[start, end, label], in code points; empty where there is none.")
    expected = models.JSONField(null=True, help_text="Likewise what the model would have said.")
    label = models.CharField(max_length=80, help_text="The given label; of a missed one the expected.")
    confidence = models.FloatField()

    objects = SuspicionQuerySet.as_manager()

    class Meta:
        ordering = ["-confidence", "pk"]
        indexes = [models.Index(fields=["project", "-confidence"], name="suspicion_by_confidence")]

    def __str__(self) -> str:
        return f"{self.fault} in {self.answer_id}"


class Batch(models.Model):
    """Labels that an expert changed together, with the reason; it can be undone as a whole."""

    project = models.ForeignKey(Project, models.PROTECT, related_name="batches")
    expert = models.ForeignKey(Person, models.PROTECT, related_name="+")
    surface = models.TextField(max_length=4000)
    label = models.CharField(max_length=80, blank=True, help_text="What was chosen for all; empty: no label, or words.")
    reason = models.CharField(max_length=1000)
    made_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")

    objects = BatchQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at"]
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(condition=~models.Q(reason=""), name="a_batch_has_a_reason"),
            models.CheckConstraint(
                condition=models.Q(undone_at__isnull=True, undone_by__isnull=True)
                | models.Q(undone_at__isnull=False, undone_by__isnull=False),
                name="a_batch_is_undone_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return self.surface[:80]


class BatchChange(models.Model):
    """One answer of a batch, and the expert's correction that stands for it; both stay, whatever comes."""

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="changes")
    answer = models.ForeignKey(Answer, models.PROTECT, related_name="batch_changes")
    correction = models.ForeignKey(Answer, models.PROTECT, related_name="from_batch_changes")
    is_undone = models.BooleanField(default=False)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["batch", "answer"], name="an_answer_is_in_a_batch_once")]

    def __str__(self) -> str:
        return f"{self.answer_id} in batch {self.batch_id}"


def place_of(answer: Answer, start: int, end: int, doubt: float) -> dict[str, Any]:
    """A place as `Inconsistency.places` holds it."""
    return {"answer": str(answer.pk), "start": start, "end": end, "doubt": round(doubt, 4)}
