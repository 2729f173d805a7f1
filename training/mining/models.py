"""Readings: what one adapter, or two, make of a project's sentences; and trials, in which people compare the texts."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.answers.models import Answer
from annotation.corpora.models import Item
from annotation.projects.models import Project, Task
from people.models import Community, Person
from training.mining.querysets import ProbeQuerySet, ReadingQuerySet, TrialPairQuerySet, TrialQuerySet
from training.runs.models import Adapter


class Probe(models.Model):
    """One reading of up to `size` sentences of a project by an adapter, and by a rival where there is one: another
    adapter, or the base model.

    Its readings are its plan: they are made with it, empty, and a worker fills them. The row is the truth, held by a
    lease as a run is.
    """

    class Of(models.TextChoices):
        TASKS = "tasks", _("Open tasks: what nobody has answered")
        ANSWERS = "answers", _("Validated answers, also those it learnt from")
        HELD_OUT = "held_out", _("Validated answers that neither of them learnt from")

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting for the training worker")
        RUNNING = "running", _("reading")
        FINISHED = "finished", _("finished")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    community = models.ForeignKey(Community, models.CASCADE, related_name="probes")
    project = models.ForeignKey(Project, models.CASCADE, related_name="probes")
    adapter = models.ForeignKey(Adapter, models.CASCADE, related_name="probes")
    rival = models.ForeignKey(Adapter, models.CASCADE, null=True, blank=True, related_name="+")
    beside_base = models.BooleanField(default=False, help_text="The rival is the base model, without any adapter.")
    of = models.CharField(max_length=8, choices=Of.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    failure = models.CharField(max_length=1000, blank=True)
    lease_owner = models.CharField(max_length=100, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    asked_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ProbeQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "running", "finished", "cancelled", "failed"]),
                name="probe_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(of__in=["tasks", "answers", "held_out"]), name="probe_reads_a_known_set"
            ),
            models.CheckConstraint(
                condition=models.Q(beside_base=False) | models.Q(rival__isnull=True), name="probe_has_one_rival"
            ),
        ]

    def __str__(self) -> str:
        return f"probe {self.pk}"

    @property
    def is_live(self) -> bool:
        """Whether it waits or reads."""
        return self.state in {self.State.QUEUED, self.State.RUNNING}

    @property
    def writes(self) -> bool:
        """Whether the adapters write their own answers, which takes longest."""
        return self.of == self.Of.TASKS or self.has_rival

    @property
    def has_rival(self) -> bool:
        """Whether somebody reads along."""
        return self.rival_id is not None or self.beside_base

    @property
    def can_be_tried(self) -> bool:
        """Whether people can be asked which of its texts are better."""
        return self.of == self.Of.HELD_OUT and self.has_rival and self.state == self.State.FINISHED


class Reading(models.Model):
    """What a probe made of one task, or of one answer to it; empty until a worker has read it.

    Losses are bits per byte of the answer, entropies bits a token, disagreement 0 to 1
    (`training.recipes.probe` says how they are measured).
    """

    probe = models.ForeignKey(Probe, models.CASCADE, related_name="readings")
    task = models.ForeignKey(Task, models.CASCADE, related_name="readings")
    answer = models.ForeignKey(Answer, models.CASCADE, null=True, blank=True, related_name="readings")
    version = models.PositiveIntegerField(null=True, blank=True, help_text="Of the answer, when it was read.")
    is_read = models.BooleanField(default=False)
    loss = models.FloatField(null=True, blank=True)
    entropy = models.FloatField(null=True, blank=True)
    text = models.TextField(blank=True)
    rival_loss = models.FloatField(null=True, blank=True)
    rival_entropy = models.FloatField(null=True, blank=True)
    rival_text = models.TextField(blank=True)
    disagreement = models.FloatField(null=True, blank=True)

    objects = ReadingQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["probe", "task", "answer"], nulls_distinct=False, name="one_reading_of_each_in_a_probe"
            )
        ]

    def __str__(self) -> str:
        return f"reading {self.pk} of probe {self.probe_id}"

    @property
    def gain(self) -> float:
        """How many bits a byte the adapter needs fewer than its rival; below 0 it needs more."""
        return (self.rival_loss or 0.0) - (self.loss or 0.0)


class Trial(models.Model):
    """A project in which people compare what models wrote, without being told which wrote what."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="trials")
    project = models.OneToOneField(Project, models.CASCADE, related_name="trial")
    of = models.ForeignKey(Project, models.CASCADE, related_name="trials", help_text="Whose sentences were answered.")
    same = models.PositiveIntegerField(
        default=0, help_text="Sentences that two models answered alike: nobody is asked."
    )
    opened_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()

    objects = TrialQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]

    def __str__(self) -> str:
        return f"trial {self.pk}"

    @property
    def is_over(self) -> bool:
        """Whether nobody is asked any more: only then are votes counted, so that nobody stops at a good moment."""
        return self.project.state == Project.State.CLOSED or not self.project.tasks.filter(state="open").exists()


class TrialPair(models.Model):
    """Who wrote the two texts of an item; None is the base model. It stands on no page and in no answer of the API."""

    trial = models.ForeignKey(Trial, models.CASCADE, related_name="pairs")
    item = models.OneToOneField(Item, models.CASCADE, related_name="trial_pair")
    first = models.ForeignKey(
        Adapter, models.CASCADE, null=True, blank=True, related_name="+", help_text="Who wrote option_a."
    )
    second = models.ForeignKey(
        Adapter, models.CASCADE, null=True, blank=True, related_name="+", help_text="Who wrote option_b."
    )

    objects = TrialPairQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first__isnull=False) | models.Q(second__isnull=False),
                name="trial_pair_has_an_adapter",
            )
        ]

    def __str__(self) -> str:
        return f"pair of item {self.item_id}"
