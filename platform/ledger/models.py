"""The append-only, hash-chained record: entries, what is sealed in them, checkpoints. It knows no other app."""

from __future__ import annotations

from django.db import models


class EntryQuerySet(models.QuerySet["Entry"]):
    """Chainable selections of ledger entries."""

    def of_community(self, slug: str) -> EntryQuerySet:
        """The chain of one community, by its slug; "" is the installation's own."""
        return self.filter(community=slug)


class Entry(models.Model):
    """One thing that was done, by whom, to what, chained to the entry of the same community before it.

    Triggers refuse UPDATE, DELETE and TRUNCATE, and the application's role has no right to them.
    """

    community = models.SlugField(max_length=64, blank=True, help_text="Whose chain it is; empty: the installation's.")
    sequence = models.BigIntegerField()
    actor = models.CharField(max_length=64, blank=True, help_text="Id of the account; empty for the system.")
    action = models.CharField(max_length=64)
    subject = models.CharField(max_length=128, blank=True)
    details = models.JSONField(default=dict)
    at = models.DateTimeField()
    commitment = models.CharField(max_length=64, blank=True, help_text="To what is sealed; empty: nothing is.")
    previous_sha256 = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64, unique=True)

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["sequence"]
        verbose_name_plural = "entries"
        constraints = [
            models.UniqueConstraint(fields=["community", "sequence"], name="one_entry_per_place_in_a_chain"),
            models.UniqueConstraint(fields=["community", "previous_sha256"], name="one_entry_follows_another"),
        ]

    def __str__(self) -> str:
        return f"{self.sequence} {self.action} {self.subject}"


class Secret(models.Model):
    """What an entry commits to without saying it: free text, names, who acted. It can be erased; the chain stays whole.

    No foreign key in the database: checking one takes a right to UPDATE entries, and the application has none.
    """

    entry = models.OneToOneField(Entry, models.DO_NOTHING, db_constraint=False, related_name="secret")
    about = models.CharField(max_length=64, blank=True, db_index=True, help_text="Id of the account it is about.")
    salt = models.BinaryField(max_length=32)
    payload = models.JSONField()

    def __str__(self) -> str:
        return f"secret of entry {self.entry_id}"


class Checkpoint(models.Model):
    """A signed promise that a chain began with exactly these entries (C2SP tlog-checkpoint)."""

    community = models.SlugField(max_length=64, blank=True)
    size = models.BigIntegerField(help_text="How many entries it covers.")
    peaks = models.JSONField(help_text="Leaves and hashes of the tree's whole subtrees, so that the next one is quick.")
    note = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["community", "size"], name="one_checkpoint_per_size")]

    def __str__(self) -> str:
        return f"checkpoint of {self.community or 'the installation'} over {self.size}"
