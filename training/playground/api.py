"""API of the playground."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from people.api import person_of
from training.playground.explanations import request_explanation
from training.playground.jobs import ring, ring_explaining
from training.playground.models import Explanation, Generation
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


class ExplanationSerializer(serializers.ModelSerializer[Explanation]):
    """Which words of the sentence the adapter's text hangs on; not why, and not whether the text is right."""

    words = serializers.ListField(child=serializers.CharField(), help_text="The sentence, cut before each word.")
    weights = serializers.ListField(
        child=serializers.FloatField(),
        help_text="Of each word: how much likelier each token of the text is with it, in nats. Empty until finished.",
    )
    is_stable = serializers.BooleanField(help_text="False: another round of chance might give another order.")

    class Meta:
        model = Explanation
        fields = ["state", "done", "of", "words", "weights", "r2", "agreement", "is_stable", "failure"]


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

    @extend_schema(request=None, responses={202: ExplanationSerializer})
    @action(detail=True, methods=["post"])
    def explain(self, request: Request, pk: str) -> Response:
        """Ask which words of the sentence the adapter's text hangs on; ask again to see how far it is."""
        explanation = request_explanation(generation=self.get_object(), person=person_of(request), now=timezone.now())
        ring_explaining(explanation)
        return Response(ExplanationSerializer(explanation).data, status=status.HTTP_202_ACCEPTED)
