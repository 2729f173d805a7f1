"""How a person stands among those who check in a community: private to them and the stewards."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.aggregation.skill import Skill
from annotation.standing.querysets import KeptApartQuerySet, StandingQuerySet
from people.models import Community, Person


class Standing(models.Model):
    """One person in one community: the estimate of their skill, and whether their votes count.

    The estimate is a Beta distribution (`annotation.aggregation.skill`), `agreed` against `missed`.
    """

    community = models.ForeignKey(Community, models.CASCADE, related_name="standings")
    person = models.ForeignKey(Person, models.CASCADE, related_name="standings")
    agreed = models.FloatField(default=0)
    missed = models.FloatField(default=0)
    evidence = models.FloatField(default=0, help_text="How many gold answers the evidence is worth.")
    below_line = models.FloatField(default=1, help_text="The probability that the skill is below the line.")
    checks = models.PositiveIntegerField(default=0, help_text="Verdicts on answers whose outcome is known.")
    checks_agreed = models.PositiveIntegerField(default=0)
    gold = models.PositiveIntegerField(default=0, help_text="Verdicts on gold answers.")
    gold_agreed = models.PositiveIntegerField(default=0)
    has_shown_care = models.BooleanField(default=False)
    is_stopped = models.BooleanField(default=False, help_text="Carelessness was shown: their votes do not count.")
    is_spared = models.BooleanField(default=False, help_text="A steward lets the votes count whatever the estimate.")
    is_frozen = models.BooleanField(default=False, help_text="By a steward: neither writes nor checks.")
    estimated_at = models.DateTimeField(null=True, blank=True)

    objects = StandingQuerySet.as_manager()

    class Meta:
        ordering = ["community", "person"]
        constraints = [
            models.UniqueConstraint(fields=["community", "person"], name="one_standing_per_person"),
            models.CheckConstraint(
                condition=~models.Q(is_stopped=True, is_spared=True), name="who_is_spared_is_not_stopped"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} in {self.community}"

    @property
    def skill(self) -> Skill | None:
        """The estimate; None before the first one."""
        if not self.agreed + self.missed:
            return None
        return Skill(agreed=self.agreed, missed=self.missed, evidence=self.evidence, below_line=self.below_line)


class StandingEvent(models.Model):
    """What was done about somebody's votes, when, by whom and why; only ever added to."""

    class Kind(models.TextChoices):
        FROZEN = "frozen", _("frozen")
        UNFROZEN = "unfrozen", _("no longer frozen")
        STOPPED = "stopped", _("votes stopped: carelessness was shown")
        SPARED = "spared", _("votes count again")

    standing = models.ForeignKey(Standing, models.CASCADE, related_name="events")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    actor = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=1000, blank=True)
    requeued = models.PositiveIntegerField(default=0, help_text="Answers that were settled anew because of it.")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="stopped") | ~models.Q(reason=""), name="what_a_steward_does_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.standing}"


class KeptApart(models.Model):
    """The reviewer gets no answers of the author and their votes on these do not count; nothing else follows."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="kept_apart")
    reviewer = models.ForeignKey(Person, models.CASCADE, related_name="+")
    author = models.ForeignKey(Person, models.CASCADE, related_name="+")
    approved = models.PositiveIntegerField(help_text="Approvals when it was found.")
    votes = models.PositiveIntegerField()
    expected = models.FloatField(help_text="Approvals to be expected by chance.")
    found_at = models.DateTimeField()

    objects = KeptApartQuerySet.as_manager()

    class Meta:
        ordering = ["-found_at", "pk"]
        verbose_name_plural = "kept apart"
        constraints = [
            models.UniqueConstraint(fields=["community", "reviewer", "author"], name="a_pair_is_kept_apart_once"),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer} gets no answers of {self.author}"
