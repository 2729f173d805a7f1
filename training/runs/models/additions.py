"""What runs may learn from beside a release."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import models
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from people.models import Community, Person
from training.runs.querysets import AdditionQuerySet


class Addition(models.Model):
    """What runs may learn from beside a release: text that somebody uploaded, rows that a finished run's adapter made,
    or a base model with more tokens, which were learnt from what a run learnt from.

    The files never change. Rows and tokens are made by a worker that holds the row by a lease. Of one that was deleted
    the row stays, so that adapters can still say what they learnt from.
    """

    class Kind(models.TextChoices):
        TEXT = "text", _("plain text, to read first")
        RELATED = "related", _("lessons in other languages")
        SYNTHETIC = "synthetic", _("rows that a machine wrote")
        VOCABULARY = "vocabulary", _("a base model with more tokens")

    class How(models.TextChoices):
        BACK_TRANSLATION = "back_translation", _("back-translation")
        PARAPHRASE = "paraphrase", _("other wordings of the answers")
        LABEL = "label", _("new sentences for each class")

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting for the training worker")
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")
        FAILED = "failed", _("failed")

    community = models.ForeignKey(Community, models.PROTECT, related_name="additions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    title = models.CharField(max_length=200, blank=True)
    origin = models.CharField(max_length=500, blank=True, help_text="Where it is from; required for uploads.")
    terms = models.CharField(max_length=300, blank=True, help_text="On what terms it may be used; for uploads.")
    languages = models.JSONField(default=list, help_text="BCP 47 tags.")
    made_by = models.ForeignKey(
        "Run",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="made",
        help_text="Whose adapter wrote the rows, or whose words the tokens were learnt from.",
    )
    how = models.CharField(max_length=20, choices=How.choices, blank=True)
    wanted = models.PositiveIntegerField(default=0, help_text="How many tokens at most; for a base with more tokens.")
    measured = models.JSONField(default=dict, blank=True, help_text="What the tokens change, before any training.")
    dropped = models.JSONField(default=dict, blank=True, help_text="How many rows were not kept, by the reason.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.FINISHED)
    failure = models.CharField(max_length=1000, blank=True)
    lease_owner = models.CharField(max_length=100, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    bytes = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0, help_text="Lines of the file; of a base, tokens that are new.")
    added_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = AdditionQuerySet.as_manager()

    class Meta:
        ordering = ["-added_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["text", "related", "synthetic", "vocabulary"]),
                name="addition_kind_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["queued", "running", "finished", "failed"]),
                name="addition_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["synthetic", "vocabulary"], made_by__isnull=False)
                | (models.Q(kind__in=["text", "related"]) & ~models.Q(origin="") & ~models.Q(terms="")),
                name="addition_says_where_it_is_from",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What people call it, in the language of the reader."""
        if self.title or self.made_by is None:
            return self.title
        if self.kind == self.Kind.VOCABULARY:
            number = self.rows or self.wanted
            name = ngettext("Run %(run)s: %(number)s more token", "Run %(run)s: %(number)s more tokens", number)
            return name % {"run": self.made_by.number, "number": number}
        return gettext("Run %(number)s: %(how)s") % {"number": self.made_by.number, "how": self.get_how_display()}

    @property
    def is_live(self) -> bool:
        """Whether it waits or is being made."""
        return self.deleted_at is None and self.state in {self.State.QUEUED, self.State.RUNNING}

    @property
    def is_there(self) -> bool:
        """Whether runs may learn from it."""
        return self.deleted_at is None and self.state == self.State.FINISHED and self.rows > 0

    @property
    def told_languages(self) -> str:
        """The tags as one line."""
        return ", ".join(self.languages)

    @property
    def base_model(self) -> str:
        """The name of the base with more tokens; empty for all else."""
        if self.kind != self.Kind.VOCABULARY or self.made_by is None:
            return ""
        return f"{self.made_by.base_model[:30]}-{self.community.slug[:50]}-{self.pk}"

    @property
    def base_folder(self) -> Path:
        """Where that base is, with the others."""
        return Path(settings.MODELS_DIR) / self.base_model

    @property
    def file(self) -> Path:
        """Where its lines are: beside the folders of the community's runs; the tokens of a base are with it."""
        if self.kind == self.Kind.VOCABULARY:
            return self.base_folder / "tokens.jsonl"
        return Path(settings.RUNS_DIR) / self.community.slug / "additions" / f"{self.pk}.jsonl"

    @property
    def told(self) -> str:
        """One line for reports and cards, which are in English: what it is, from where, and on which terms."""
        if self.made_by is not None:
            how, made = self.how.replace("_", " "), self.made_by
            if self.kind == self.Kind.VOCABULARY:
                return f"A base with {self.rows} more tokens, learnt from release {made.release.number}."
            return f"Made by the adapter of run {made.number} out of release {made.release.number} ({how})."
        tags = ", ".join(self.languages)
        return f"{self.title} ({tags}). From: {self.origin}. Terms: {self.terms}."
