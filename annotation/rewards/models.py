"""The game's ledger: points follow from outcomes, are only ever added to, and can be taken back by another line."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.answers.models import Answer, Review
from annotation.rewards.querysets import PointQuerySet
from people.models import Community, Person


class Point(models.Model):
    """One line of points for one person. A database trigger refuses changing or removing it."""

    class Kind(models.TextChoices):
        ANSWER_SENT = "answer_sent", _("sent an answer")
        ANSWER_VALIDATED = "answer_validated", _("an answer was accepted")
        REVIEW_GIVEN = "review_given", _("checked an answer")
        REVIEW_AGREED = "review_agreed", _("a check agreed with what became of the answer")

    community = models.ForeignKey(Community, models.CASCADE, related_name="points")
    person = models.ForeignKey(Person, models.CASCADE, related_name="points")
    kind = models.CharField(max_length=24, choices=Kind.choices)
    points = models.SmallIntegerField(help_text="Negative where an earlier line is taken back.")
    answer = models.ForeignKey(Answer, models.PROTECT, null=True, blank=True, related_name="points")
    review = models.ForeignKey(Review, models.PROTECT, null=True, blank=True, related_name="points")
    note = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField()

    objects = PointQuerySet.as_manager()

    class Meta:
        ordering = ["at", "pk"]
        indexes = [
            models.Index(fields=["community", "at"], name="points_by_community_and_time"),
            models.Index(fields=["person", "community"], name="points_by_person"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(answer__isnull=False, review__isnull=True)
                | models.Q(answer__isnull=True, review__isnull=False),
                name="points_are_for_one_thing",
            ),
            models.CheckConstraint(condition=~models.Q(points=0), name="a_line_of_points_says_something"),
        ]

    def __str__(self) -> str:
        return f"{self.points:+d} {self.kind}"


class Player(models.Model):
    """How a person plays in a community: seen on boards or hidden everywhere, and what they call their companion."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="players")
    person = models.ForeignKey(Person, models.CASCADE, related_name="playing")
    is_hidden = models.BooleanField(default=False)
    best_points = models.PositiveIntegerField(
        default=0, help_text="The level never falls because its holder took words back."
    )
    badge = models.CharField(max_length=16, blank=True)
    companion_name = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["community", "person"], name="one_player_per_person")]

    def __str__(self) -> str:
        return f"{self.person} in {self.community}"


class Scoring(models.Model):
    """How far the points have followed the outcomes; one row."""

    through = models.DateTimeField(help_text="Answers that changed before this moment were scored.")

    class Meta:
        verbose_name_plural = "scorings"

    def __str__(self) -> str:
        return f"scored through {self.through}"
