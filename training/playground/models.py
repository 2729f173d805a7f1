"""Trying an adapter: one generation is one sentence answered by the adapter, and by the base model or another one."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from people.models import Person
from training.playground.querysets import GenerationQuerySet
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
