"""The append-only, hash-chained record. It stores plain names and numbers, so it knows no other app."""

from __future__ import annotations

from django.db import models


class EntryQuerySet(models.QuerySet["Entry"]):
    """Chainable selections of ledger entries."""

    def of_community(self, slug: str) -> EntryQuerySet:
        """Entries written in the name of one community, by its slug."""
        return self.filter(community=slug)


class Entry(models.Model):
    """One thing that was done, by whom, to what, chained to the entry before it.

    A database trigger refuses UPDATE and DELETE, so history cannot be edited through the application.
    """

    sequence = models.BigIntegerField(unique=True)
    community = models.SlugField(max_length=64, blank=True)
    actor = models.CharField(max_length=64, blank=True, help_text="Id of the account; empty for the system.")
    action = models.CharField(max_length=64)
    subject = models.CharField(max_length=128)
    details = models.JSONField(default=dict)
    at = models.DateTimeField()
    previous_sha256 = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64, unique=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["sequence"]
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.sequence} {self.action} {self.subject}"
