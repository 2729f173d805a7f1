"""How far the estimates of skill have followed the votes."""

from __future__ import annotations

from django.db import models


class Watch(models.Model):
    """The moment of the last look; one row."""

    through = models.DateTimeField(help_text="Votes and outcomes before this moment are in the estimates.")

    class Meta:
        verbose_name_plural = "watches"

    def __str__(self) -> str:
        return f"watched through {self.through}"
