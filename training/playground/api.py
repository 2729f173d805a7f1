"""API of the playground."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from people.api import person_of
from training.playground.jobs import ring
from training.playground.models import Generation
from training.playground.services import LAST_SEED, WARMEST, Side, request_generation
from training.runs.models import Adapter


class GenerationSerializer(serializers.ModelSerializer[Generation]):
    """One sentence by base model and adapter. What a model writes is unverified."""

    class Meta:
        model = Generation
        fields = [
            "id",
            "adapter",
            "rank",
            "beside",
            "beside_rank",
            "temperature",
            "seed",
            "source",
            "state",
            "base_text",
            "adapter_text",
            "failure",
            "created_at",
            "ended_at",
        ]


class NewGenerationSerializer(serializers.Serializer[Any]):
    """A sentence to try."""

    adapter = serializers.IntegerField()
    rank = serializers.IntegerField(required=False, allow_null=True)
    beside = serializers.IntegerField(required=False, allow_null=True, help_text="Left out: the base model.")
    beside_rank = serializers.IntegerField(required=False, allow_null=True)
    temperature = serializers.FloatField(required=False, default=0.0, min_value=0, max_value=WARMEST)
    seed = serializers.IntegerField(required=False, default=0, min_value=0, max_value=LAST_SEED)
    source = serializers.CharField(max_length=2_000_000, trim_whitespace=False, allow_blank=True)


class GenerationViewSet(viewsets.ReadOnlyModelViewSet[Generation]):
    """What you tried; ask again until the state is finished or failed."""

    serializer_class = GenerationSerializer
    queryset = Generation.objects.none()
    cursor_ordering = ("-created_at", "pk")
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Generation]:
        """One's own generations."""
        if getattr(self, "swagger_fake_view", False):
            return Generation.objects.none()
        return Generation.objects.visible_to(person_of(self.request))

    @extend_schema(request=NewGenerationSerializer, responses={202: GenerationSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Queue a sentence for an approved adapter."""
        given = NewGenerationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        visible, asked = Adapter.objects.visible_to(person_of(request)), dict(given.validated_data)
        adapter = get_object_or_404(visible, pk=asked.pop("adapter"))
        beside, rank = asked.pop("beside", None), asked.pop("beside_rank", None)
        side = Side(get_object_or_404(visible, pk=beside), rank) if beside is not None else None
        generation = request_generation(
            adapter=adapter, beside=side, person=person_of(request), now=timezone.now(), **asked
        )
        ring(generation)
        return Response(self.get_serializer(generation).data, status=status.HTTP_202_ACCEPTED)
