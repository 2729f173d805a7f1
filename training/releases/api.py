"""API of releases."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.projects.models import Project
from care.agreements_api import AgreementTokenAuthentication
from care.models import Agreement, AgreementToken
from people.api import person_of
from people.handing import while_allowed
from training.releases.access import download_release, may_go_on
from training.releases.models import Release
from training.releases.services import PURPOSES, FilesErased, folder_of, freeze_release, verify_release


class ReleaseSerializer(serializers.ModelSerializer[Release]):
    """A frozen dataset version."""

    community = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    contains_withdrawn = serializers.BooleanField(read_only=True)
    counts = serializers.DictField(child=serializers.IntegerField(), read_only=True)

    class Meta:
        model = Release
        fields = [
            "id",
            "community",
            "project",
            "number",
            "purpose",
            "note",
            "has_judgements",
            "sha256",
            "counts",
            "created_at",
            "contains_withdrawn",
            "withdrawn_since",
        ]
        read_only_fields = ["number", "has_judgements", "sha256", "created_at", "withdrawn_since"]


class NewReleaseSerializer(serializers.Serializer[Any]):
    """What to freeze."""

    project = serializers.IntegerField()
    purpose = serializers.ChoiceField(choices=[(purpose.value, purpose.label) for purpose in PURPOSES])
    note = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)
    has_judgements = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Also what people said of the answers, and answers that they turned down, as counter-examples.",
    )


class VerificationSerializer(serializers.Serializer[Any]):
    """What is wrong with a release's files; an empty list when every hash holds."""

    problems = serializers.ListField(child=serializers.CharField())


class ReleaseViewSet(viewsets.ReadOnlyModelViewSet[Release]):
    """Releases of communities in which you are a researcher or a steward."""

    serializer_class = ReleaseSerializer
    queryset = Release.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Release]:
        """Visible releases."""
        if getattr(self, "swagger_fake_view", False):
            return Release.objects.none()
        return Release.objects.visible_to(person_of(self.request)).select_related("community", "project")

    @extend_schema(request=NewReleaseSerializer, responses={200: ReleaseSerializer, 201: ReleaseSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Freeze the present state of a project; 200 with the earlier release when nothing has changed."""
        given = NewReleaseSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        visible = Project.objects.visible_to(person_of(request))
        project = get_object_or_404(visible, pk=fields.pop("project"))
        release, is_new = freeze_release(project=project, created_by=person_of(request), now=timezone.now(), **fields)
        return Response(
            self.get_serializer(release).data,
            status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK,
        )

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def manifest(self, request: Request, pk: str) -> Response:
        """The manifest as it was frozen: counts, hashes, terms, and one receipt list per item."""
        release = self.get_object()
        if release.erased_at:
            raise FilesErased("Words in this release were erased, and its files with them.")
        return Response(json.loads((folder_of(release) / "manifest.json").read_text(encoding="utf-8")))

    @extend_schema(responses=VerificationSerializer)
    @action(detail=True, methods=["get"])
    def verify(self, request: Request, pk: str) -> Response:
        """Check every hash of the release's files."""
        return Response({"problems": verify_release(self.get_object())})


class AgreementDownloadView(APIView):
    """A release under an access agreement, for the holders of its tokens."""

    authentication_classes = [AgreementTokenAuthentication, SessionAuthentication]

    @extend_schema(
        operation_id="agreements_download",
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: int, number: int) -> FileResponse:
        """The release's folder as a zip; each call writes a receipt. It is refused when the agreement is not in force,
        does not cover the release, or words in it may not be used any more, and breaks off when that happens
        meanwhile."""
        person, token = person_of(request), request.auth if isinstance(request.auth, AgreementToken) else None
        mine = Agreement.objects.held_by(person).select_related("community")
        if token is not None:
            mine = mine.filter(pk=token.agreement_id)
        agreement = get_object_or_404(mine, pk=pk)
        release = get_object_or_404(Release.objects.covered_by(agreement), number=number)
        made, file = download_release(agreement=agreement, release=release, person=person, now=timezone.now())
        answer = FileResponse(
            file,
            as_attachment=True,
            filename=f"{agreement.community.slug}-release-{number}.zip",
            content_type="application/zip",
        )
        about = {"agreement": agreement, "release": release, "person": person}
        answer.streaming_content = while_allowed(
            answer.streaming_content, lambda: may_go_on(**about, token=token, now=timezone.now())
        )
        answer.headers["X-Manifest-SHA256"] = made.manifest_sha256
        answer.headers["Cache-Control"] = "no-store"
        return answer
