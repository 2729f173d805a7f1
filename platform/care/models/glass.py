"""The platform's staff reading what is a community's: for a while, with a reason, and never unseen."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from care.querysets import BrokenGlassQuerySet
from people.models import Community, Person

LONGEST = timedelta(hours=4)


class BrokenGlass(models.Model):
    """One person of the platform's staff may read one community's pages until then; its stewards end it at any time."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="broken_glasses")
    person = models.ForeignKey(Person, models.PROTECT, related_name="broken_glasses")
    reason = models.CharField(max_length=1000)
    broken_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    ended_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When somebody ended it before its time.")

    objects = BrokenGlassQuerySet.as_manager()

    class Meta:
        ordering = ["-broken_at", "-pk"]
        verbose_name_plural = "broken glass"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("broken_at"))
                & models.Q(ends_at__lte=models.F("broken_at") + LONGEST),
                name="glass_is_broken_for_four_hours_at_most",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="broken_glass_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"glass of {self.community} broken by {self.person}"
