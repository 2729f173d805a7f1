"""Adapters on their way out of the house: one row for each form that somebody asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from people.models import Person
from training.exports.querysets import ExportQuerySet
from training.recipes.configuration import BY_RANKS
from training.runs.artefacts import folder_of
from training.runs.models import Adapter


class Export(models.Model):
    """An adapter's file in one form, made by a worker that holds the row by a lease.

    The file lies in the run's folder, so it goes when what the run learnt goes.
    """

    class Form(models.TextChoices):
        ADAPTER = "adapter", _("the adapter alone")
        MERGED = "merged", _("adapter and base model in one")
        F16 = "f16", _("in one, for llama.cpp (GGUF, 16 bits)")
        Q8_0 = "q8_0", _("in one, for llama.cpp (GGUF, 8 bits)")

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting for the training worker")
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")
        FAILED = "failed", _("failed")

    adapter = models.ForeignKey(Adapter, models.CASCADE, related_name="exports")
    form = models.CharField(max_length=10, choices=Form.choices)
    rank = models.PositiveIntegerField(
        null=True, blank=True, help_text="A smaller rank than the adapter has; empty for its own."
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    failure = models.CharField(max_length=1000, blank=True)
    lease_owner = models.CharField(max_length=100, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    asked_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the zip.")
    bytes = models.PositiveBigIntegerField(default=0)
    facts = models.JSONField(default=dict, blank=True, help_text="What was measured when it was made.")

    objects = ExportQuerySet.as_manager()

    class Meta:
        ordering = ["form", "rank"]
        constraints = [
            models.UniqueConstraint(
                fields=["adapter", "form", "rank"], name="adapter_is_exported_once_in_a_form", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "running", "finished", "failed"]),
                name="export_state_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.form} of {self.adapter}"

    @property
    def is_live(self) -> bool:
        """Whether it waits or is being made."""
        return self.state in {self.State.QUEUED, self.State.RUNNING}

    @property
    def is_pruned(self) -> bool:
        """Whether it is the nearest adapter of a smaller rank, and not one that was trained for that rank."""
        return self.rank is not None and self.adapter.run.method not in BY_RANKS

    @property
    def price(self) -> dict[str, Any]:
        """What the smaller rank cost: bytes and bits per byte, before and after (`training.recipes.prune`)."""
        found: dict[str, Any] = self.facts.get("pruned") or (self.facts if "bpb_after" in self.facts else {})
        return found

    @property
    def file(self) -> Path:
        """Where its zip is."""
        return folder_of(self.adapter.run) / "exports" / f"{self.pk}.zip"

    @property
    def file_name(self) -> str:
        """How it is called where it is downloaded."""
        rank = f"-rank-{self.rank}" if self.rank else ""
        return f"{self.adapter.community.slug}-run-{self.adapter.run.number}-{self.form}{rank}.zip"
