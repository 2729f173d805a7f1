"""API of consent: the policy in force, giving consent, one's receipts. Withdrawal is in `training.runs.api`."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from care.models import Policy, Purpose, Receipt, Rendering
from care.reach import communities_ever_of
from care.services import publish_policy
from people.api import person_of
from people.models import Community
from people.tenants import widen


class RenderingSerializer(serializers.ModelSerializer[Rendering]):
    """The text in one language, as a second speaker has checked it."""

    class Meta:
        model = Rendering
        fields = ["language", "sha256", "text", "checked_at"]
        read_only_fields = fields


class PolicySerializer(serializers.ModelSerializer[Policy]):
    """One version of a community's consent text."""

    community = serializers.SlugRelatedField(slug_field="slug", queryset=Community.objects.all())
    purposes = serializers.ListField(child=serializers.ChoiceField(choices=Purpose.choices))
    renderings = serializers.SerializerMethodField()

    class Meta:
        model = Policy
        fields = [
            "id",
            "community",
            "version",
            "text",
            "purposes",
            "text_sha256",
            "renderings",
            "waiver",
            "state",
            "published_at",
        ]
        read_only_fields = ["version", "text_sha256", "state", "published_at"]

    @extend_schema_field(RenderingSerializer(many=True))
    def get_renderings(self, policy: Policy) -> list[dict[str, Any]]:
        """The checked renderings that it was published with."""
        known: dict[int, list[Rendering]] = self.context.setdefault("renderings", {})
        if policy.community_id not in known:
            known[policy.community_id] = list(Rendering.objects.filter(community=policy.community_id))
        found = [one for one in known[policy.community_id] if one.sha256 in policy.renderings]
        return [dict(row) for row in RenderingSerializer(found, many=True).data]


class ReceiptSerializer(serializers.ModelSerializer[Receipt]):
    """What you agreed to; `purposes` are those still granted."""

    policy = serializers.PrimaryKeyRelatedField(queryset=Policy.objects.all())
    community = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    purposes = serializers.ListField(child=serializers.ChoiceField(choices=Purpose.choices), write_only=True)
    granted = serializers.SerializerMethodField()
    rendering_sha256 = serializers.CharField(
        max_length=64, required=False, help_text="Of the rendering that you read; empty for the stewards' own text."
    )

    class Meta:
        model = Receipt
        fields = [
            "id",
            "community",
            "policy",
            "policy_sha256",
            "rendering_sha256",
            "purposes",
            "granted",
            "given_at",
            "ended_at",
            "sha256",
        ]
        read_only_fields = ["policy_sha256", "given_at", "ended_at", "sha256"]

    def get_granted(self, receipt: Receipt) -> list[str]:
        """Purposes of the receipt that still hold."""
        return [grant.purpose for grant in receipt.grants.all() if grant.holds]


class PolicyViewSet(mixins.CreateModelMixin, viewsets.ReadOnlyModelViewSet[Policy]):
    """Consent texts of your communities; stewards publish new versions."""

    serializer_class = PolicySerializer
    queryset = Policy.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Policy]:
        """All versions, so that old receipts can be understood."""
        if getattr(self, "swagger_fake_view", False):
            return Policy.objects.none()
        return Policy.objects.filter(community__in=Community.objects.visible_to(person_of(self.request)))

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Publish the next version."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        visible = Community.objects.visible_to(person_of(request))
        community = get_object_or_404(visible, pk=given.validated_data["community"].pk)
        policy = publish_policy(
            community=community,
            text=given.validated_data["text"],
            purposes=given.validated_data["purposes"],
            waiver=given.validated_data.get("waiver", ""),
            published_by=person_of(request),
            now=timezone.now(),
        )
        return Response(self.get_serializer(policy).data, status=status.HTTP_201_CREATED)


class ReceiptViewSet(viewsets.ReadOnlyModelViewSet[Receipt]):
    """Your own consent receipts. Giving consent is in `training.runs.api`, because it may withdraw too."""

    serializer_class = ReceiptSerializer
    queryset = Receipt.objects.none()
    lookup_value_converter = "uuid"
    cursor_ordering = "-given_at"

    def get_queryset(self) -> QuerySet[Receipt]:
        """One's own receipts."""
        if getattr(self, "swagger_fake_view", False):
            return Receipt.objects.none()
        # They stay one's own when one has left.
        widen(*communities_ever_of(person_of(self.request)))
        mine = Receipt.objects.visible_to(person_of(self.request))
        return mine.select_related("community").prefetch_related("grants")
