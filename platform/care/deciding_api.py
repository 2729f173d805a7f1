"""API of decisions: what is proposed, voting on it, what was decided, and stopping it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from care.deciding import propose
from care.models import Decision, Matter, Proposal, Purpose, Vote
from care.suspending import suspend
from care.voting import vote
from people.api import person_of
from people.models import Community


class CommunityProposalSerializer(serializers.ModelSerializer[Proposal]):
    """Something to decide. `subject` says what it is about, as kind:id."""

    community = serializers.SlugRelatedField(slug_field="slug", queryset=Community.objects.all())
    matter = serializers.ChoiceField(choices=Matter.choices)
    purposes = serializers.ListField(child=serializers.ChoiceField(choices=Purpose.choices), required=False)
    days = serializers.IntegerField(write_only=True, required=False, help_text="How long the vote is open.")

    class Meta:
        model = Proposal
        fields = [
            "id",
            "community",
            "matter",
            "subject",
            "text",
            "harm",
            "benefit",
            "purposes",
            "days",
            "state",
            "opened_at",
            "closes_at",
        ]
        read_only_fields = ["state", "opened_at", "closes_at"]


class CastSerializer(serializers.Serializer[Any]):
    """One's own vote."""

    choice = serializers.ChoiceField(choices=Vote.Choice.choices)
    reason = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)


class CommunityDecisionSerializer(serializers.ModelSerializer[Decision]):
    """What a vote, or one steward where the rules say so, came to."""

    community = serializers.SlugRelatedField(slug_field="slug", read_only=True)

    class Meta:
        model = Decision
        fields = [
            "id",
            "community",
            "proposal",
            "matter",
            "subject",
            "outcome",
            "tally",
            "state",
            "decided_at",
            "effective_from",
            "expires_at",
        ]
        read_only_fields = fields


class StopSerializer(serializers.Serializer[Any]):
    """Why a decision is suspended."""

    reason = serializers.CharField(max_length=1000)


class ProposalViewSet(mixins.CreateModelMixin, viewsets.ReadOnlyModelViewSet[Proposal]):
    """What your communities decide on."""

    serializer_class = CommunityProposalSerializer
    queryset = Proposal.objects.none()
    lookup_value_converter = "int"
    cursor_ordering = "-opened_at"

    def get_queryset(self) -> QuerySet[Proposal]:
        """Visible proposals."""
        if getattr(self, "swagger_fake_view", False):
            return Proposal.objects.none()
        return Proposal.objects.visible_to(person_of(self.request)).select_related("community")

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Propose something; where you may decide alone, it is decided."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        person, fields = person_of(request), dict(given.validated_data)
        visible = Community.objects.visible_to(person)
        community = get_object_or_404(visible, pk=fields.pop("community").pk)
        proposal = propose(community=community, proposer=person, now=timezone.now(), **fields)
        return Response(self.get_serializer(proposal).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=CastSerializer, responses={200: CastSerializer})
    @action(detail=True, methods=["post"])
    def vote(self, request: Request, pk: int) -> Response:
        """Cast or change your vote."""
        proposal = self.get_object()
        given = CastSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        cast = vote(proposal=proposal, cast_by=person_of(request), now=timezone.now(), **given.validated_data)
        return Response(CastSerializer(cast).data)


class DecisionViewSet(viewsets.ReadOnlyModelViewSet[Decision]):
    """What your communities decided."""

    serializer_class = CommunityDecisionSerializer
    queryset = Decision.objects.none()
    lookup_value_converter = "int"
    cursor_ordering = "-decided_at"

    def get_queryset(self) -> QuerySet[Decision]:
        """Visible decisions."""
        if getattr(self, "swagger_fake_view", False):
            return Decision.objects.none()
        return Decision.objects.visible_to(person_of(self.request)).select_related("community")

    @extend_schema(request=StopSerializer, responses={200: CommunityDecisionSerializer})
    @action(detail=True, methods=["post"])
    def suspend(self, request: Request, pk: int) -> Response:
        """Stop what it allows, at once; one steward may."""
        decision = self.get_object()
        given = StopSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        suspend(decision=decision, suspended_by=person_of(request), now=timezone.now(), **given.validated_data)
        return Response(self.get_serializer(self.get_object()).data)
