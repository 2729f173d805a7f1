"""Work to be done: projects, their tasks, and the assignments that lease a task to one speaker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.corpora.models import Item
from annotation.kinds import KINDS, Kind
from annotation.kinds.contract import Asked
from annotation.projects.querysets import AssignmentQuerySet, ProjectQuerySet, TaskQuerySet
from people.models import Community, Orthography, Person, Variety


def known_kind(slug: str) -> None:
    """Kinds are folders of `annotation.kinds`, so the code and not the database knows them."""
    if slug not in KINDS:
        raise ValidationError(
            _("There is no kind of task %(kind)s. Known: %(known)s."), params={"kind": slug, "known": ", ".join(KINDS)}
        )


class Project(models.Model):
    """A body of work of one kind in one community, with its guidelines, its settings and its rule.

    `settings` are the kind's (labels, scale, …); `rule` says how many answers a task wants and when peers have
    settled one (`annotation.aggregation.verdicts.Rule`); `checks` what its authors are warned about
    (`annotation.text.settings`). The target is the language that answers are written in:
    the community's own, unless the project says otherwise.
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        CLOSED = "closed", _("closed")

    community = models.ForeignKey(Community, models.CASCADE, related_name="projects")
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, default="translate", validators=[known_kind])
    settings = models.JSONField(default=dict, blank=True)
    rule = models.JSONField(default=dict, blank=True)
    checks = models.JSONField(default=dict, blank=True)
    source_language_name = models.CharField(max_length=120)
    source_language_tag = models.CharField(max_length=64)
    target_language_name = models.CharField(max_length=120)
    target_language_tag = models.CharField(max_length=64)
    target_script = models.CharField(max_length=4)
    target_direction = models.CharField(max_length=3, choices=Community.Direction.choices)
    variety = models.ForeignKey(Variety, models.PROTECT, null=True, blank=True, related_name="+")
    orthography = models.ForeignKey(Orthography, models.PROTECT, null=True, blank=True, related_name="+")
    guidelines = models.TextField(blank=True, max_length=20_000)
    lease_minutes = models.PositiveIntegerField(default=10)
    control_share = models.FloatField(
        null=True,
        blank=True,
        help_text="Urgent tasks are handed out first, but this share of them by chance; empty: document by document.",
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=["open", "closed"]), name="project_state_is_known"),
            models.CheckConstraint(
                condition=models.Q(lease_minutes__gte=1, lease_minutes__lte=1440), name="lease_is_up_to_a_day"
            ),
            models.CheckConstraint(
                condition=models.Q(control_share__isnull=True) | models.Q(control_share__gte=0, control_share__lte=1),
                name="control_share_is_a_share",
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def task_kind(self) -> Kind:
        """What is done in it."""
        return KINDS[self.kind]

    def asked(self, text: str, extra: Mapping[str, Any] | None = None) -> Asked:
        """What a task of this project would ask about a text, for the kind's own code."""
        return Asked(
            text=text,
            extra=extra or {},
            settings=self.settings,
            script=self.target_script,
            language_name=self.target_language_name,
            source_language_name=self.source_language_name,
        )

    @property
    def lease_length(self) -> timedelta:
        """How long an assignment stays with one speaker."""
        return timedelta(minutes=self.lease_minutes)


class Task(models.Model):
    """One item to be worked on in one project."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        ANSWERED = "answered", _("answered, in review")
        DISPUTED = "disputed", _("with the experts")
        DONE = "done", _("validated")
        TAKEN_OUT = "taken_out", _("taken out")

    class Arm(models.TextChoices):
        URGENT = "urgent", _("chosen as urgent")
        CHANCE = "chance", _("drawn by chance")

    project = models.ForeignKey(Project, models.CASCADE, related_name="tasks")
    item = models.ForeignKey(Item, models.PROTECT, related_name="tasks")
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    wanted = models.PositiveSmallIntegerField(default=1, help_text="Independent answers wanted at present.")
    answered = models.PositiveSmallIntegerField(default=0, help_text="Independent answers that count at present.")
    more = models.PositiveSmallIntegerField(
        default=0, help_text="Answers wanted beyond the project's rule, because somebody asked again."
    )
    urgency = models.FloatField(null=True, blank=True, help_text="The larger, the sooner; set by a reading of a model.")
    arm = models.CharField(
        max_length=8, blank=True, choices=Arm.choices, help_text="How an urgent task was last handed out anew."
    )
    not_for = models.ManyToManyField(
        Person, blank=True, related_name="+", help_text="Whose own words it asks about: it is never theirs to do."
    )

    objects = TaskQuerySet.as_manager()

    class Meta:
        ordering = ["project", "item__source", "item__position"]
        constraints = [
            models.UniqueConstraint(fields=["project", "item"], name="item_is_one_task_per_project"),
            models.CheckConstraint(
                condition=models.Q(state__in=["open", "answered", "disputed", "done", "taken_out"]),
                name="task_state_is_known",
            ),
            models.CheckConstraint(condition=models.Q(arm__in=["", "urgent", "chance"]), name="task_arm_is_known"),
        ]

    def __str__(self) -> str:
        return f"task {self.pk}"

    def is_taken(self, now: datetime, *, besides: int | None = None) -> bool:
        """Whether answers and live leases of others are all that it wants; true only under the row's lock."""
        leases = self.assignments.live(now)  # type: ignore[attr-defined]
        return bool(self.answered + leases.exclude(person=besides).count() >= self.wanted)

    @property
    def asked(self) -> Asked:
        """What it asks, for the kind's own code; load `item` and `project` with it."""
        return self.project.asked(self.item.text, self.item.extra)


class Assignment(models.Model):
    """A task leased to one speaker for a while, so that two never type the same sentence."""

    class State(models.TextChoices):
        LEASED = "leased", _("leased")
        ANSWERED = "answered", _("answered")
        SKIPPED = "skipped", _("skipped")
        EXPIRED = "expired", _("expired")

    class SkipReason(models.TextChoices):
        UNCLEAR = "unclear", _("I do not understand the sentence")
        NOT_MY_VARIETY = "not_my_variety", _("Not my variety")
        TOO_HARD = "too_hard", _("Too hard or too long")
        OFFENSIVE = "offensive", _("Offensive or not fitting")
        PERSONAL = "personal", _("Holds personal data")
        OTHER = "other", _("Another reason")

    task = models.ForeignKey(Task, models.CASCADE, related_name="assignments")
    person = models.ForeignKey(Person, models.PROTECT, related_name="assignments")
    state = models.CharField(max_length=16, choices=State.choices, default=State.LEASED)
    leased_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    skip_reason = models.CharField(max_length=16, choices=SkipReason.choices, blank=True)
    skip_note = models.CharField(max_length=500, blank=True)
    packet = models.UUIDField(null=True, blank=True, help_text="Assignments fetched together, to be done offline.")

    objects = AssignmentQuerySet.as_manager()

    class Meta:
        ordering = ["-leased_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["task", "person"], condition=models.Q(state="leased"), name="one_live_lease_per_task_and_person"
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


class Guideline(models.Model):
    """One version of a project's guidelines, never changed; the text of the newest is `Project.guidelines`."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="guideline_versions")
    number = models.PositiveIntegerField()
    text = models.TextField(blank=True, max_length=20_000)
    written_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["project", "number"], name="one_guideline_of_each_number")]

    def __str__(self) -> str:
        return f"version {self.number} of the guidelines of {self.project_id}"


class GuidelineReading(models.Model):
    """The version of a project's guidelines that somebody has read last."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    read_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["project", "person"], name="one_last_reading_of_guidelines")]

    def __str__(self) -> str:
        return f"{self.person} read version {self.number}"
