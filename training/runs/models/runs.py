"""Training runs, grids of them, the adapters they made, and the schedule by which a community lets them start."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from people.models import Community, Person
from people.refusals import said
from training.recipes.configuration import METHODS, WHOLE_MODELS
from training.releases.models import Release
from training.runs.querysets import AdapterQuerySet, AdapterReadingQuerySet, GridQuerySet, RunQuerySet


class Grid(models.Model):
    """Many runs on one release that differ in method, rank, tokens and seed alone, to be compared. Each is a run like
    any other; they wait behind those that somebody started by themselves."""

    community = models.ForeignKey(Community, models.PROTECT, related_name="grids")
    release = models.ForeignKey(Release, models.PROTECT, related_name="grids")
    number = models.PositiveIntegerField()
    methods = models.JSONField(default=list)
    ranks = models.JSONField(default=list)
    budgets = models.JSONField(default=list, help_text="Settings of the recipe: token_share or token_budget of each.")
    seeds = models.JSONField(default=list)
    started_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField()

    objects = GridQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["community", "number"], name="grid_number_is_unique")]

    def __str__(self) -> str:
        return f"grid {self.number}"


class Run(models.Model):
    """One execution of a recipe on a release.

    The row is the truth: a worker holds a run by its lease and renews the heartbeat; when the lease runs out
    another worker continues from the last checkpoint. The Celery message is only a bell.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting for the training worker")
        RUNNING = "running", _("running")
        CANCELLING = "cancelling", _("stopping")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")
        FINISHED = "finished", _("finished")

    class Trigger(models.TextChoices):
        PERSON = "person", _("started by a person")
        SCHEDULE = "schedule", _("started by the schedule")
        WITHDRAWAL = "withdrawal", _("goes on after words were taken back")

    class Priority(models.IntegerChoices):
        USUAL = 0
        LOW = 1

    community = models.ForeignKey(Community, models.PROTECT, related_name="runs")
    release = models.ForeignKey(Release, models.PROTECT, related_name="runs")
    number = models.PositiveIntegerField()
    method = models.CharField(max_length=32, default="qlora")
    base_model = models.CharField(max_length=100)
    base_sha256 = models.CharField(max_length=64, blank=True)
    settings = models.JSONField(default=dict, help_text="The recipe's settings, by section of its config.toml.")
    additions = models.ManyToManyField("Addition", blank=True, related_name="runs", help_text="One of a kind at most.")
    grid = models.ForeignKey(Grid, models.PROTECT, null=True, blank=True, related_name="runs")
    priority = models.PositiveSmallIntegerField(choices=Priority.choices, default=Priority.USUAL)
    trigger = models.CharField(max_length=16, choices=Trigger.choices, default=Trigger.PERSON)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    failure = models.CharField(max_length=2000, blank=True)
    folder = models.CharField(max_length=300, help_text="Relative to the runs folder.")
    attempts = models.PositiveIntegerField(default=0)
    crashes = models.PositiveSmallIntegerField(default=0, help_text="Since somebody last started it.")
    lease_owner = models.CharField(max_length=100, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    progress = models.JSONField(default=dict, help_text="The newest lines of log.jsonl, by event.")
    foretold = models.JSONField(
        default=dict, blank=True, help_text="What it was expected to take, as `training.metering.foresight` says."
    )
    started_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["community", "number"], name="run_number_is_unique"),
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "running", "cancelling", "cancelled", "failed", "finished"]),
                name="run_state_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.number}"

    @property
    def is_live(self) -> bool:
        """Whether it waits, runs or is being stopped."""
        return self.state in {self.State.QUEUED, self.State.RUNNING, self.State.CANCELLING}

    @property
    def method_name(self) -> str:
        """The method as people call it."""
        return METHODS.get(self.method, self.method)

    @property
    def can_resume(self) -> bool:
        """Whether a researcher may start it again from its last checkpoint."""
        return self.state in {self.State.CANCELLED, self.State.FAILED}


class RunEvent(models.Model):
    """What happened to a run, when and by whom; only ever added to. `kind` is one of these words, or a state."""

    KINDS = (
        gettext_noop("queued"),
        gettext_noop("cancel asked"),
        gettext_noop("resumed"),
        gettext_noop("started"),
        gettext_noop("continued"),
        gettext_noop("given back"),
        gettext_noop("tried again"),
        gettext_noop("begun anew with less at once"),
        gettext_noop("taken elsewhere"),
        gettext_noop("brought back"),
    )

    run = models.ForeignKey(Run, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=32)
    actor = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=2000, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.kind} of run {self.run_id}"


class Adapter(models.Model):
    """What a finished run made, with its evaluation. A candidate serves nobody until a steward approves it."""

    class State(models.TextChoices):
        CANDIDATE = "candidate", _("candidate")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused")
        RETIRED = "retired", _("retired")

    run = models.OneToOneField(Run, models.PROTECT, related_name="adapter")
    community = models.ForeignKey(Community, models.PROTECT, related_name="adapters")
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State.choices, default=State.CANDIDATE)
    base_bpb = models.FloatField(help_text="Bits per byte of the base model on the held-out split; lower is better.")
    adapter_bpb = models.FloatField()
    base_chrf = models.FloatField(
        null=True, blank=True, help_text="chrF++ of the base model, 0 to 100; higher is better. Null: not measured."
    )
    adapter_chrf = models.FloatField(null=True, blank=True)
    report = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    withdrawn_since = models.DateTimeField(
        null=True, blank=True, help_text="When words it learnt from were first withdrawn."
    )

    goes_on_for = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="gone_on",
        help_text="The adapter of groups in whose place it went on when words were taken back, without their group. It "
        "was measured and approved with that one, and is in use only while that decision holds.",
    )
    comparison = models.JSONField(
        default=dict, blank=True, help_text="With the adapter in service, on sentences that neither learnt from."
    )
    deleted_at = models.DateTimeField(
        null=True, blank=True, help_text="When its weights were deleted; what stays says that it was there."
    )

    objects = AdapterQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["candidate", "approved", "refused", "retired"]),
                name="adapter_state_is_known",
            )
        ]

    def __str__(self) -> str:
        return f"adapter of {self.run}"

    @property
    def is_better(self) -> bool:
        """Whether it needs fewer bits per byte than its base on held-out sentences."""
        return self.adapter_bpb < self.base_bpb

    @property
    def is_whole_model(self) -> bool:
        """Whether it is a model of its own, made to be compared with adapters; it is served to nobody."""
        return self.run.method in WHOLE_MODELS

    @property
    def ranks(self) -> list[int]:
        """The ranks that were measured, where every smaller one of it is an adapter, too; else none."""
        return [row["rank"] for row in self.report.get("ranks", {}).get("measured", [])]

    @property
    def contains_withdrawn(self) -> bool:
        """Whether words it learnt from were withdrawn."""
        return self.withdrawn_since is not None

    @property
    def withdrawn_items(self) -> int:
        """How many of the sentences that it learnt from were taken back."""
        return self.run.release.items.filter(withdrawn_at__isnull=False).count()  # type: ignore[attr-defined]

    @property
    def certificate(self) -> dict[str, Any] | None:
        """What it replaces after a withdrawal (`training.runs.certificates`); None when it replaces nothing."""
        found: dict[str, Any] | None = self.report.get("certificate")
        return found

    @property
    def check_command(self) -> str:
        """What somebody types who has its release as it is downloaded, its run's folder and the base model."""
        release = f"{self.community.slug}-release-{self.run.release.number}"
        return f"python -m training.certify {release} run-{self.run.number} --base {self.run.base_model}"

    @property
    def is_usable(self) -> bool:
        """Whether the playground may generate with it."""
        return self.state == self.State.APPROVED and not self.contains_withdrawn


class AdapterEvent(models.Model):
    """A decision on an adapter, when and by whom; only ever added to. `kind` is a state, or one of these."""

    RECOMMENDED = gettext_noop("recommended")
    BACK = gettext_noop("in service again")
    WENT_ON = gettext_noop("went on without the words")
    KINDS = (gettext_noop("words withdrawn"), RECOMMENDED, BACK, WENT_ON)

    adapter = models.ForeignKey(Adapter, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=32)
    actor = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.adapter_id}"


class AdapterReading(models.Model):
    """What a worker finds of an adapter beside its report, once for each kind (`training.runs.readings`).

    The row is the truth, held by a lease as a run is; what was found stays while it is looked for anew.
    """

    class Kind(models.TextChoices):
        BIAS = "bias", _("bias between groups of people")
        INTRUDERS = "intruders", _("intruder dimensions")

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting for the training worker")
        RUNNING = "running", _("reading")
        FINISHED = "finished", _("finished")
        FAILED = "failed", _("failed")

    adapter = models.ForeignKey(Adapter, models.CASCADE, related_name="readings")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.BIAS)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    failure = models.CharField(max_length=1000, blank=True)
    lease_owner = models.CharField(max_length=100, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    asked_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    found = models.JSONField(
        default=list,
        blank=True,
        help_text="For each two groups, as `training.evaluation.bias` says; or as `training.recipes.intruders` does.",
    )
    pairs_sha256 = models.CharField(max_length=64, blank=True, help_text="Of the ids of the pairs that were read.")
    measured_at = models.DateTimeField(null=True, blank=True)

    objects = AdapterReadingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["adapter", "kind"], name="adapter_is_read_once_of_a_kind"),
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "running", "finished", "failed"]),
                name="adapter_reading_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["bias", "intruders"]), name="adapter_reading_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.adapter_id}"

    @property
    def is_live(self) -> bool:
        """Whether it waits or reads."""
        return self.state in {self.State.QUEUED, self.State.RUNNING}

    @property
    def pairs(self) -> int:
        """How many pairs were read."""
        return sum(one["pairs"] for one in self.found)


class GateBounds(models.Model):
    """What a community asks of an adapter before it is used; without a row, the defaults hold. Whole numbers, so that
    the record can hold them."""

    community = models.OneToOneField(Community, models.CASCADE, related_name="gate_bounds")
    least_sentences = models.PositiveIntegerField(default=30, help_text="Held-out sentences that were measured.")
    least_gain = models.PositiveIntegerField(default=10, help_text="Thousandths of the bits per byte before.")
    most_score_loss = models.PositiveIntegerField(default=100, help_text="Hundredths of a point of the task's score.")
    most_forgetting = models.PositiveIntegerField(default=35, help_text="Thousandths of a bit per byte.")
    most_bias = models.PositiveIntegerField(default=50, help_text="Thousandths of a nat per byte, to either side.")
    most_memorised = models.PositiveIntegerField(default=200, help_text="Hundredths of a bit over held-out answers.")
    changed_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name_plural = "gate bounds"
        constraints = [
            models.CheckConstraint(condition=models.Q(least_sentences__gte=2), name="gate_measures_two_sentences_up")
        ]

    def __str__(self) -> str:
        return f"gate of {self.community}"


class Schedule(models.Model):
    """Whether, when and after how many newly validated items, or how much was taken back, a project is trained on
    without anybody asking."""

    project = models.OneToOneField("projects.Project", models.CASCADE, related_name="schedule")
    is_allowed = models.BooleanField(default=False)
    minimum_new_items = models.PositiveIntegerField(default=100)
    withdrawn_percent = models.PositiveIntegerField(
        default=0, help_text="It also trains when so much of the last release was taken back; 0: not for that."
    )
    cadence_hours = models.PositiveIntegerField(default=24 * 7)
    last_checked_at = models.DateTimeField(null=True, blank=True)
    last_outcome = models.CharField(max_length=300, blank=True)
    outcome = models.JSONField(default=dict, blank=True, help_text="The same for translation: {template, values}.")
    seen_sha256 = models.CharField(max_length=64, blank=True, help_text="Of what was usable when nothing was to learn.")
    changed_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(minimum_new_items__gte=1), name="schedule_needs_at_least_one_new_item"
            ),
            models.CheckConstraint(condition=models.Q(cadence_hours__gte=1), name="schedule_cadence_is_an_hour_up"),
            models.CheckConstraint(condition=models.Q(withdrawn_percent__lte=100), name="schedule_percent_is_a_share"),
        ]

    def __str__(self) -> str:
        return f"schedule of {self.project}"

    @property
    def told_outcome(self) -> str:
        """What came of the last look, in the language of the reader."""
        return said(self.outcome.get("template", self.last_outcome), self.outcome.get("values", {}))

    @property
    def cadence(self) -> timedelta:
        """Time between two scheduled checks."""
        return timedelta(hours=self.cadence_hours)
