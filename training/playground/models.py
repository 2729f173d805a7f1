"""Trying an adapter: one generation is one sentence answered by the adapter, and by the base model or another one."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from people.models import Person
from training.evaluation.explaining import STABLE
from training.playground.querysets import ExplanationQuerySet, GenerationQuerySet
from training.runs.models import Adapter


class Generation(models.Model):
    """One request of one member. Its tokens travel through a Redis stream while they are made; the finished
    texts are kept here.

    `base_text` is what stands beside the adapter's: the base model's answer, or that of the adapter `beside`.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("writing")
        FINISHED = "finished", _("finished")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    adapter = models.ForeignKey(Adapter, models.CASCADE, related_name="generations")
    person = models.ForeignKey(Person, models.CASCADE, related_name="generations")
    rank = models.PositiveIntegerField(null=True, blank=True, help_text="The adapter's first ranks; empty for all.")
    beside = models.ForeignKey(
        Adapter, models.CASCADE, null=True, blank=True, related_name="+", help_text="Empty for the base model."
    )
    beside_rank = models.PositiveIntegerField(null=True, blank=True)
    temperature = models.FloatField(default=0.0, help_text="0 takes the likeliest word each time.")
    seed = models.PositiveIntegerField(default=0, help_text="The same seed draws the same words.")
    source = models.TextField(max_length=1000)
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    base_text = models.TextField(blank=True)
    adapter_text = models.TextField(blank=True)
    failure = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = GenerationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "running", "finished", "failed"]),
                name="generation_state_is_known",
            )
        ]

    def __str__(self) -> str:
        return self.source[:80]


class Explanation(models.Model):
    """Which words of a sentence that somebody tried the adapter's text hangs on (`training.evaluation.explaining`).

    It goes with its generation. The row is the truth; the Celery message is only a bell.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("reading")
        FINISHED = "finished", _("finished")
        FAILED = "failed", _("failed")

    generation = models.OneToOneField(Generation, models.CASCADE, related_name="explanation")
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    done = models.PositiveIntegerField(default=0, help_text="Texts without some of the words that were read.")
    of = models.PositiveIntegerField(default=0)
    words = models.JSONField(default=list, help_text="The sentence, cut before each word.")
    weights = models.JSONField(default=list, help_text="Of each word, in nats a token of the adapter's text.")
    r2 = models.FloatField(null=True, blank=True, help_text="Share of the changes that the weights account for.")
    agreement = models.FloatField(null=True, blank=True, help_text="Spearman's, of two halves of what was read.")
    failure = models.CharField(max_length=1000, blank=True)
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ExplanationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "running", "finished", "failed"]),
                name="explanation_state_is_known",
            )
        ]

    def __str__(self) -> str:
        return f"explanation of {self.generation_id}"

    @property
    def is_live(self) -> bool:
        """Whether it waits or is reckoned."""
        return self.state in {self.State.QUEUED, self.State.RUNNING}

    @property
    def is_stable(self) -> bool:
        """Whether both halves of what was read put the words in much the same order."""
        return self.agreement is not None and self.agreement >= STABLE

    @property
    def is_complete(self) -> bool:
        """Whether every text that lacks some of the words was read, so that chance decided nothing."""
        return self.of == 2 ** len(self.words)
