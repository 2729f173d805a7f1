"""What keeps something from being used: labels, holds, suspended uses. One table, so that one query asks for all."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from care.querysets import RestrictionQuerySet
from people.models import Community, Person

DAY = RegexValidator(r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", _("Write a day as month and day, such as 06-21."))


class Restriction(models.Model):
    """A label, a hold or a suspension on one subject, from when it was placed until it is lifted.

    A subject is a kind and a key, such as ("source", "12"), because this room does not know what there is above it.
    `blocks` are the purposes for which nothing under the subject may be used; a label that only informs blocks none.
    With a season it blocks outside these days only.
    """

    class Cause(models.TextChoices):
        LABEL = "label", _("a label")
        HOLD = "hold", _("a hold")
        SUSPENSION = "suspension", _("a use was suspended")
        DECEASED = "deceased", _("its author has died")
        MINOR = "minor", _("its author is under age")

    class Kind(models.TextChoices):
        COMMUNITY = "community", _("the community")
        PROJECT = "project", _("a project")
        SOURCE = "source", _("a document")
        ITEM = "item", _("a sentence")
        ANSWER = "answer", _("an answer")
        PERSON = "person", _("somebody's words")
        ADAPTER = "adapter", _("an adapter")
        RELEASE = "release", _("a release")

    community = models.ForeignKey(Community, models.CASCADE, related_name="restrictions")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    key = models.CharField(max_length=40)
    cause = models.CharField(max_length=12, choices=Cause.choices)
    code = models.CharField(max_length=40, blank=True, help_text="Of a label.")
    blocks = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    season_from = models.CharField(max_length=5, blank=True, validators=[DAY])
    season_to = models.CharField(max_length=5, blank=True, validators=[DAY])
    note = models.CharField(max_length=500, blank=True)
    placed_by = models.ForeignKey(
        Person,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Nobody: a severe report holds its subject by itself.",
    )
    placed_at = models.DateTimeField()
    lifted_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)

    objects = RestrictionQuerySet.as_manager()

    class Meta:
        ordering = ["-placed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["community", "kind", "key", "cause", "code"],
                condition=models.Q(lifted_at__isnull=True),
                name="one_live_restriction_of_a_sort_on_a_subject",
            ),
            models.CheckConstraint(
                condition=models.Q(cause="label", code__gt="") | (~models.Q(cause="label") & models.Q(code="")),
                name="labels_alone_have_a_code",
            ),
            models.CheckConstraint(
                condition=models.Q(season_from="", season_to="") | models.Q(season_from__gt="", season_to__gt=""),
                name="a_season_begins_and_ends",
            ),
            models.CheckConstraint(
                condition=models.Q(placed_by__isnull=False) | models.Q(cause__in=["hold", "deceased", "minor"]),
                name="holds_alone_are_placed_by_nobody",
            ),
        ]
        indexes = [
            models.Index(fields=["kind", "key"], name="restriction_by_subject"),
            GinIndex(fields=["blocks"], name="restriction_by_purpose"),
        ]

    def __str__(self) -> str:
        return f"{self.code or self.cause} on {self.kind} {self.key}"
