"""Labels that come from the Local Contexts Hub, as they were read there last."""

from __future__ import annotations

from django.db import models

from care.models.restrictions import Restriction
from people.models import Community, Person


class HubProject(models.Model):
    """A project of the Local Contexts Hub whose labels hold for a subject of the community."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="hub_projects")
    hub_id = models.UUIDField(help_text="The project's unique id at the Hub.")
    kind = models.CharField(max_length=12, choices=Restriction.Kind.choices)
    key = models.CharField(max_length=40)
    title = models.CharField(max_length=300, blank=True)
    followed_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    followed_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True, help_text="When the Hub answered last.")
    failed_at = models.DateTimeField(null=True, blank=True, help_text="Since when it does not answer.")
    failure = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["followed_at"]
        constraints = [
            models.UniqueConstraint(fields=["community", "hub_id", "kind", "key"], name="hub_project_followed_once")
        ]

    def __str__(self) -> str:
        return self.title or str(self.hub_id)


class HubLabel(models.Model):
    """One label or notice of a project there, in its community's words.

    It stays when the Hub no longer answers, and when the Hub no longer has it: lifting a label is decided here.
    """

    project = models.ForeignKey(HubProject, models.CASCADE, related_name="labels")
    hub_id = models.CharField(max_length=40, help_text="The label's unique id at the Hub, or a notice's type.")
    code = models.CharField(max_length=40, help_text="As in `care.labels`.")
    name = models.CharField(max_length=300)
    text = models.TextField(blank=True)
    language = models.CharField(max_length=100, blank=True)
    translations = models.JSONField(default=list)
    updated = models.CharField(max_length=40, blank=True, help_text="The Hub's own moment of its last change.")
    sha256 = models.CharField(max_length=64, help_text="Of name, text and translations.")
    restriction = models.ForeignKey(Restriction, models.SET_NULL, null=True, related_name="+")
    is_gone = models.BooleanField(default=False, help_text="The Hub no longer has it.")

    class Meta:
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["project", "hub_id"], name="hub_label_kept_once")]

    def __str__(self) -> str:
        return self.name
