"""What there is to work on: sources (documents) with their provenance, and the items (sentences) in them."""

from __future__ import annotations

from django.db import models

from annotation.corpora.querysets import ItemQuerySet, PictureQuerySet, SourceQuerySet
from people.models import Community, Person, Variety
from people.refusals import said


class Import(models.Model):
    """One import of a file or a packaged corpus: who brought what, on what terms, and what was wrong with it."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="imports")
    imported_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    origin = models.CharField(max_length=200, help_text="File name, or package and corpus.")
    licence = models.CharField(max_length=200)
    file_sha256 = models.CharField(max_length=64)
    rows = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    repeated = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list, help_text="[{line, message}], one for each line left out.")
    imported_at = models.DateTimeField()

    class Meta:
        ordering = ["-imported_at"]

    def __str__(self) -> str:
        return self.origin

    def told_problems(self) -> list[tuple[int, str]]:
        """Each line that was left out, and why, in the language of the reader."""
        return [
            (row["line"], said(row.get("template", row["message"]), row.get("values", {}))) for row in self.problems
        ]


class Source(models.Model):
    """A document, or its part in one variety, with its title, licence and where it came from."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="sources")
    title = models.CharField(max_length=300)
    reference = models.CharField(max_length=200, blank=True, help_text="The document's id where it came from.")
    variety = models.ForeignKey(Variety, models.PROTECT, null=True, blank=True, related_name="sources")
    language_tag = models.CharField(max_length=64, help_text="BCP 47 tag of the sentences to be translated.")
    licence = models.CharField(max_length=200)
    origin = models.CharField(max_length=200)
    is_machine_made = models.BooleanField(
        default=False, help_text="Asks about texts that models wrote: what people say of them enters no release."
    )
    created_at = models.DateTimeField()

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["title"]
        constraints = [
            models.UniqueConstraint(
                fields=["community", "origin", "title", "reference", "variety"],
                name="source_is_unique_in_community",
                nulls_distinct=False,
            )
        ]

    def __str__(self) -> str:
        return self.title


class Item(models.Model):
    """One sentence of a source, in Unicode NFC. `reference` is a translation that came with it, if one did."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="items")
    imported = models.ForeignKey(Import, models.PROTECT, related_name="items")
    position = models.PositiveIntegerField()
    text = models.TextField(max_length=4000)
    text_sha256 = models.CharField(max_length=64)
    reference = models.TextField(blank=True, max_length=4000)
    extra = models.JSONField(default=dict, blank=True, help_text="What some kinds ask about: option_a, candidate, …")

    objects = ItemQuerySet.as_manager()

    class Meta:
        ordering = ["source", "position"]
        constraints = [
            models.UniqueConstraint(fields=["source", "position"], name="item_position_is_unique_in_source"),
            models.UniqueConstraint(fields=["source", "text_sha256"], name="item_text_is_unique_in_source"),
        ]

    def __str__(self) -> str:
        return self.text[:80]


class Picture(models.Model):
    """A picture to write about, as small WebP. Items name it by its hash (`extra["picture_sha256"]`)."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="pictures")
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    objects = PictureQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["community", "sha256"], name="picture_is_kept_once")]

    def __str__(self) -> str:
        return self.sha256[:12]
