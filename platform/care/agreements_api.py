"""API of one's access agreements, and signing in with the token of one."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import exceptions, serializers, viewsets
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.request import Request

from care.duo import as_json
from care.models import Agreement, AgreementToken, Commitment
from care.tokens import find_token
from people.api import person_of
from people.models import Person


class AgreementTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token of an agreement>`; it opens downloads under that agreement and nothing else."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[Person, AgreementToken] | None:
        """The token's person and the token, while its agreement is in force."""
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.keyword.lower().encode():
            return None
        secret = words[1].decode("utf-8", "replace") if len(words) == 2 else ""
        token = find_token(secret=secret, now=timezone.now())
        if token is None:
            raise exceptions.AuthenticationFailed("This token opens nothing, or nothing any more.")
        return token.person, token

    def authenticate_header(self, request: Request) -> str:
        """What a client is told to send."""
        return self.keyword


class AgreementTokenScheme(OpenApiAuthenticationExtension):
    """How the schema describes it."""

    target_class = "care.agreements_api.AgreementTokenAuthentication"
    name = "agreementToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer", "description": "The token of an access agreement."}


class CommitmentSerializer(serializers.ModelSerializer[Commitment]):
    """A promised benefit."""

    kind = serializers.ChoiceField(choices=Commitment.Kind.choices, read_only=True)

    class Meta:
        model = Commitment
        fields = ["id", "kind", "words", "due_on", "state", "evidence"]
        read_only_fields = fields


class CodeSerializer(serializers.Serializer[Any]):
    """A code of the Data Use Ontology."""

    code = serializers.CharField()
    shorthand = serializers.CharField()
    name = serializers.CharField()


class AgreementSerializer(serializers.ModelSerializer[Agreement]):
    """An access agreement in which you are named."""

    community = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    commitments = CommitmentSerializer(many=True, read_only=True)
    duo = serializers.SerializerMethodField()

    class Meta:
        model = Agreement
        fields = [
            "id",
            "community",
            "state",
            "organisation",
            "purposes",
            "releases",
            "covers_later",
            "forbidden",
            "duo",
            "starts_on",
            "ends_at",
            "terms_sha256",
            "answer_due_at",
            "late_since",
            "commitments",
        ]
        read_only_fields = fields

    @extend_schema_field(CodeSerializer(many=True))
    def get_duo(self, agreement: Agreement) -> list[dict[str, str]]:
        """Its codes of the Data Use Ontology; what its words say is what is agreed."""
        return as_json(agreement.duo)


class AgreementViewSet(viewsets.ReadOnlyModelViewSet[Agreement]):
    """Access agreements that you asked for or are named in."""

    serializer_class = AgreementSerializer
    queryset = Agreement.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Agreement]:
        """One's own."""
        if getattr(self, "swagger_fake_view", False):
            return Agreement.objects.none()
        mine = Agreement.objects.held_by(person_of(self.request))
        return mine.select_related("community").prefetch_related("commitments")
