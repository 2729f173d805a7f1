"""API of the guard: one's own standing; for stewards those of their communities, and what to do about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.guard.services import freeze_person, spare_person, unfreeze_person
from annotation.standing.models import Standing, StandingEvent
from people.api import person_of
from people.models import Community, Person


class StandingSerializer(serializers.ModelSerializer[Standing]):
    """How carefully somebody checks, as far as it is known, and whether their votes count. Private."""

    community = serializers.SlugField(source="community.slug", read_only=True)
    person = serializers.CharField(source="person.username", read_only=True)
    skill = serializers.FloatField(source="skill.mean", read_only=True, default=None, allow_null=True)
    interval = serializers.ListField(
        source="skill.interval", child=serializers.FloatField(), read_only=True, default=None, allow_null=True
    )

    class Meta:
        model = Standing
        fields = [
            "id",
            "community",
            "person",
            "skill",
            "interval",
            "checks",
            "checks_agreed",
            "has_shown_care",
            "is_stopped",
            "is_spared",
            "is_frozen",
            "estimated_at",
        ]


class StandingActSerializer(serializers.Serializer[Any]):
    """Whom it is about, and why."""

    community = serializers.SlugField()
    username = serializers.CharField(max_length=150)
    reason = serializers.CharField(max_length=1000)


class StandingEventSerializer(serializers.ModelSerializer[StandingEvent]):
    """What was done."""

    person = serializers.CharField(source="standing.person.username", read_only=True)

    class Meta:
        model = StandingEvent
        fields = ["id", "person", "kind", "reason", "requeued", "at"]


class StandingViewSet(viewsets.ReadOnlyModelViewSet[Standing]):
    """Your own standing, and those of the communities you are a steward of."""

    serializer_class = StandingSerializer
    queryset = Standing.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Standing]:
        """Visible standings."""
        if getattr(self, "swagger_fake_view", False):
            return Standing.objects.none()
        return Standing.objects.visible_to(person_of(self.request)).select_related("community", "person")

    @extend_schema(request=StandingActSerializer, responses=StandingEventSerializer)
    @action(detail=False, methods=["post"])
    def freeze(self, request: Request) -> Response:
        """Keep somebody from writing and checking; what is not settled yet waits again without their votes."""
        return self._act(request, lambda **who: freeze_person(**who, frozen_by=person_of(request)))

    @extend_schema(request=StandingActSerializer, responses=StandingEventSerializer)
    @action(detail=False, methods=["post"])
    def unfreeze(self, request: Request) -> Response:
        """Undo a freeze."""
        return self._act(request, lambda **who: unfreeze_person(**who, unfrozen_by=person_of(request)))

    @extend_schema(request=StandingActSerializer, responses=StandingEventSerializer)
    @action(detail=False, methods=["post"], url_path="count-again")
    def count_again(self, request: Request) -> Response:
        """Let votes count again that were stopped for shown carelessness."""
        return self._act(request, lambda **who: spare_person(**who, spared_by=person_of(request)))

    def _act(self, request: Request, act: Callable[..., StandingEvent]) -> Response:
        given = StandingActSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        mine = Community.objects.where(person_of(request), "steward")
        community = get_object_or_404(mine, slug=given.validated_data["community"])
        members = Person.objects.filter(memberships__community=community).distinct()
        person = get_object_or_404(members, username=given.validated_data["username"])
        event = act(person=person, community=community, reason=given.validated_data["reason"], now=timezone.now())
        return Response(StandingEventSerializer(event).data)
