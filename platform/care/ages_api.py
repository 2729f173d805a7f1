"""API of one's own age, where a community asks for it. A guardian agrees before a steward, in person: on their page."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from care.ages import state_age
from care.models import AgeBand
from care.reach import communities_ever_of
from people.api import person_of
from people.models import Community
from people.tenants import widen


class AgeSerializer(serializers.ModelSerializer[AgeBand]):
    """What you said of your age in one community; minors say in which month (2031-04) they come of age."""

    community = serializers.SlugField()
    band = serializers.ChoiceField(choices=AgeBand.Band.choices)

    class Meta:
        model = AgeBand
        fields = ["community", "band", "of_age_in", "stated_at", "asked_again_at"]
        read_only_fields = ["stated_at", "asked_again_at"]

    def to_representation(self, instance: AgeBand) -> dict[str, Any]:
        """The community by its slug."""
        return {**super().to_representation(instance), "community": instance.community.slug}


class AgeViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[AgeBand]):
    """Your own age, by community; nobody else's is told here."""

    serializer_class = AgeSerializer
    queryset = AgeBand.objects.none()

    def get_queryset(self) -> QuerySet[AgeBand]:
        """One's own."""
        if getattr(self, "swagger_fake_view", False):
            return AgeBand.objects.none()
        widen(*communities_ever_of(person_of(self.request)))
        return AgeBand.objects.filter(person=person_of(self.request)).select_related("community")

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say how old you are; who said that they are under age is put right by a steward alone."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        person = person_of(request)
        community = get_object_or_404(Community.objects.visible_to(person), slug=given.validated_data["community"])
        band = state_age(
            person=person,
            community=community,
            band=given.validated_data["band"],
            of_age_in=given.validated_data.get("of_age_in", ""),
            stated_by=person,
            now=timezone.now(),
        )
        return Response(self.get_serializer(band).data, status=status.HTTP_201_CREATED)
