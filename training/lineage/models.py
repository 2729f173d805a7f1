"""What a withdrawal reached, as it was found: one row for each thing that was made from the words."""

from __future__ import annotations

from django.db import models

from care.models import Withdrawal
from training.lineage.querysets import TaintQuerySet


class Taint(models.Model):
    """One thing that was made from withdrawn words, and one of the shortest ways by which it was.

    `path` begins with the withdrawn answer, or the receipt of withdrawn votes, and ends with the thing itself:
    ["answer:…", "release:3", "run:5"]. What was
    made with the help of an adapter alone (a suggestion, and an answer that somebody began with it) is among them.
    """

    withdrawal = models.ForeignKey(Withdrawal, models.CASCADE, related_name="taints")
    kind = models.CharField(max_length=12)
    key = models.CharField(max_length=36)
    depth = models.PositiveSmallIntegerField(help_text="How many steps from the withdrawn answer.")
    path = models.JSONField(default=list)

    objects = TaintQuerySet.as_manager()

    class Meta:
        ordering = ["withdrawal", "depth", "kind", "key"]
        constraints = [
            models.UniqueConstraint(fields=["withdrawal", "kind", "key"], name="something_is_tainted_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
