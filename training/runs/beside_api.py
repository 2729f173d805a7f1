"""What requests for runs and for grids have in common: the base model, and what is learnt from beside the release."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers

from people.models import Person
from training.releases.models import Release
from training.runs.models import Addition


class BesideSerializer(serializers.Serializer[Any]):
    """What is chosen beside release and settings."""

    additions = serializers.ListField(
        child=serializers.IntegerField(),
        default=list,
        max_length=4,
        help_text="What it learns from beside the release, one of each kind at most; a base with more tokens is one.",
    )
    base_model = serializers.CharField(default="", allow_blank=True, help_text="The name of one that is here.")


def additions_among(keys: list[int], release: Release, person: Person) -> list[Addition]:
    """The additions with these keys, each once. Raises Http404 for one that the person may not see there."""
    visible = Addition.objects.visible_to(person).filter(community=release.community_id)
    return [get_object_or_404(visible, pk=key) for key in dict.fromkeys(keys)]
