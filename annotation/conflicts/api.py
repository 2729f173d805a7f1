"""API of the experts' queue."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.answers.api import LONGEST_BODY, AnswerSerializer, ReviewSerializer
from annotation.answers.models import Answer, Review
from annotation.conflicts.models import Adjudication
from annotation.conflicts.services import adjudicate
from people.api import all_of, person_of


class DisputeSerializer(AnswerSerializer):
    """A disputed answer with what its reviewers said."""

    reviews = ReviewSerializer(many=True, read_only=True)

    class Meta(AnswerSerializer.Meta):
        fields = [*AnswerSerializer.Meta.fields, "reviews"]


class AdjudicationSerializer(serializers.ModelSerializer[Adjudication]):
    """A decision with its reason."""

    corrected_text = serializers.CharField(
        write_only=True, required=False, default="", allow_blank=True, max_length=LONGEST_BODY
    )

    corrected_payload = serializers.DictField(write_only=True, required=False)

    also = serializers.ListField(
        child=serializers.UUIDField(),
        write_only=True,
        required=False,
        max_length=50,
        help_text="Further answers to the same task that this says too, or that the correction is built on.",
    )

    class Meta:
        model = Adjudication
        fields = [
            "id",
            "answer",
            "version",
            "decision",
            "reason",
            "corrected_text",
            "corrected_payload",
            "also",
            "correction",
            "decided_at",
            "reopened_at",
            "reopen_reason",
        ]
        read_only_fields = ["answer", "version", "correction", "decided_at", "reopened_at", "reopen_reason"]


class DisputeViewSet(viewsets.ReadOnlyModelViewSet[Answer]):
    """Answers that peers could not settle, in communities where you are an expert."""

    serializer_class = DisputeSerializer
    queryset = Answer.objects.none()
    cursor_ordering = ("created_at", "pk")
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Answer]:
        """The queue, oldest first."""
        if getattr(self, "swagger_fake_view", False):
            return Answer.objects.none()
        queue = Answer.objects.adjudicable_by(person_of(self.request))
        return queue.select_related("task__item__source", "task__project__community").prefetch_related(
            Prefetch("reviews", Review.objects.as_read())
        )

    @extend_schema(request=AdjudicationSerializer, responses={201: AdjudicationSerializer})
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        """Decide with a reason."""
        given = AdjudicationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields: dict[str, Any] = dict(given.validated_data)
        answer: Answer = self.get_object()
        readable = Answer.objects.visible_to(person_of(request)).filter(task=answer.task_id)
        also = all_of(readable, fields.pop("also", []), "also")
        decision = adjudicate(answer=answer, also=also, expert=person_of(request), now=timezone.now(), **fields)
        return Response(AdjudicationSerializer(decision).data, status=status.HTTP_201_CREATED)
