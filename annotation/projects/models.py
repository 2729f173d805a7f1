"""Work to be done: projects, their tasks, and the assignments that lease a task to one speaker."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from annotation.corpora.models import Item
from annotation.projects.querysets import AssignmentQuerySet, ProjectQuerySet, TaskQuerySet
from people.models import Community, Orthography, Person, Variety


class Project(models.Model):
    """A body of work of one kind in one community, with its guidelines."""

    class Kind(models.TextChoices):
        TRANSLATE = "translate", "Translate"

    class State(models.TextChoices):
        OPEN = "open", "open"
        CLOSED = "closed", "closed"

    community = models.ForeignKey(Community, models.CASCADE, related_name="projects")
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.TRANSLATE)
    source_language_name = models.CharField(max_length=120)
    source_language_tag = models.CharField(max_length=64)
    variety = models.ForeignKey(Variety, models.PROTECT, null=True, blank=True, related_name="+")
    orthography = models.ForeignKey(Orthography, models.PROTECT, null=True, blank=True, related_name="+")
    guidelines = models.TextField(blank=True, max_length=20_000)
    lease_minutes = models.PositiveIntegerField(default=10)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=["open", "closed"]), name="project_state_is_known"),
            models.CheckConstraint(condition=models.Q(kind__in=["translate"]), name="project_kind_is_known"),
            models.CheckConstraint(
                condition=models.Q(lease_minutes__gte=1, lease_minutes__lte=1440), name="lease_is_up_to_a_day"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def lease_length(self) -> timedelta:
        """How long an assignment stays with one speaker."""
        return timedelta(minutes=self.lease_minutes)


class Task(models.Model):
    """One item to be worked on in one project."""

    class State(models.TextChoices):
        OPEN = "open", "open"
        ANSWERED = "answered", "answered, in review"
        DISPUTED = "disputed", "with the experts"
        DONE = "done", "validated"

    project = models.ForeignKey(Project, models.CASCADE, related_name="tasks")
    item = models.ForeignKey(Item, models.PROTECT, related_name="tasks")
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["project", "item__source", "item__position"]
        constraints = [
            models.UniqueConstraint(fields=["project", "item"], name="item_is_one_task_per_project"),
            models.CheckConstraint(
                condition=models.Q(state__in=["open", "answered", "disputed", "done"]),
                name="task_state_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"task {self.pk}"


class Assignment(models.Model):
    """A task leased to one speaker for a while, so that two never type the same sentence."""

    class State(models.TextChoices):
        LEASED = "leased", "leased"
        ANSWERED = "answered", "answered"
        SKIPPED = "skipped", "skipped"
        EXPIRED = "expired", "expired"

    class SkipReason(models.TextChoices):
        UNCLEAR = "unclear", "I do not understand the sentence"
        NOT_MY_VARIETY = "not_my_variety", "Not my variety"
        TOO_HARD = "too_hard", "Too hard or too long"
        OFFENSIVE = "offensive", "Offensive or not fitting"
        PERSONAL = "personal", "Holds personal data"
        OTHER = "other", "Another reason"

    task = models.ForeignKey(Task, models.CASCADE, related_name="assignments")
    person = models.ForeignKey(Person, models.PROTECT, related_name="assignments")
    state = models.CharField(max_length=16, choices=State.choices, default=State.LEASED)
    leased_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    skip_reason = models.CharField(max_length=16, choices=SkipReason.choices, blank=True)
    skip_note = models.CharField(max_length=500, blank=True)

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["-leased_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["task"], condition=models.Q(state="leased"), name="one_live_lease_per_task"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["leased", "answered", "skipped", "expired"]),
                name="assignment_state_is_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="skipped") | ~models.Q(skip_reason=""), name="a_skip_has_a_reason"
            ),
        ]
        indexes = [models.Index(fields=["person", "state"], name="assignment_by_person_and_state")]

    def __str__(self) -> str:
        return f"assignment {self.pk} of task {self.task_id}"
