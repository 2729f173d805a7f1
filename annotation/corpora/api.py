"""API of sources and imports."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, views, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.corpora.models import Import, Picture, Source
from annotation.corpora.packaged import ELOTL_LICENCE, TSUNKUA_LANGUAGE, TSUNKUA_ORIGIN, read_tsunkua
from annotation.corpora.services import import_packaged, import_upload
from people.api import person_of
from people.models import LANGUAGE_TAG, Community


class SourceSerializer(serializers.ModelSerializer[Source]):
    """A document with its provenance."""

    community = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    variety = serializers.SlugRelatedField(slug_field="code", read_only=True)
    items = serializers.IntegerField(source="items_total", read_only=True)

    class Meta:
        model = Source
        fields = [
            "id",
            "community",
            "title",
            "reference",
            "variety",
            "language_tag",
            "licence",
            "origin",
            "items",
        ]


class ImportSerializer(serializers.ModelSerializer[Import]):
    """What an import brought, and what was wrong with which line."""

    community = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    problems = serializers.ListField(child=serializers.DictField())

    class Meta:
        model = Import
        fields = [
            "id",
            "community",
            "origin",
            "licence",
            "file_sha256",
            "rows",
            "added",
            "repeated",
            "problems",
            "imported_at",
        ]


class UploadSerializer(serializers.Serializer[Any]):
    """A TSV, CSV or JSON Lines file in UTF-8 with a `text` column, and optionally reference, document, variety."""

    community = serializers.SlugField()
    file = serializers.FileField(max_length=200)
    licence = serializers.CharField(max_length=200)
    title = serializers.CharField(max_length=300)
    language_tag = serializers.CharField(max_length=64, validators=[LANGUAGE_TAG])


class PackagedSerializer(serializers.Serializer[Any]):
    """Where the packaged corpus goes."""

    community = serializers.SlugField()


class SourceViewSet(viewsets.ReadOnlyModelViewSet[Source]):
    """Documents of your communities."""

    serializer_class = SourceSerializer
    queryset = Source.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Source]:
        """Visible sources with their number of items."""
        if getattr(self, "swagger_fake_view", False):
            return Source.objects.none()
        mine = Source.objects.visible_to(person_of(self.request))
        return mine.select_related("community", "variety").annotate(items_total=Count("items"))


class ImportViewSet(viewsets.ReadOnlyModelViewSet[Import]):
    """Imports into your communities; stewards upload files."""

    serializer_class = ImportSerializer
    queryset = Import.objects.none()
    lookup_value_converter = "int"
    parser_classes = [MultiPartParser]

    def get_queryset(self) -> QuerySet[Import]:
        """Imports of one's communities."""
        if getattr(self, "swagger_fake_view", False):
            return Import.objects.none()
        visible = Community.objects.visible_to(person_of(self.request))
        return Import.objects.filter(community__in=visible).select_related("community")

    @extend_schema(request=UploadSerializer, responses={201: ImportSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Upload a file; the answer names every line that was left out and why."""
        given = UploadSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        file = fields.pop("file")
        visible = Community.objects.visible_to(person_of(request))
        community = get_object_or_404(visible, slug=fields.pop("community"))
        record = import_upload(
            community=community,
            imported_by=person_of(request),
            name=file.name,
            content=file.read(),
            now=timezone.now(),
            **fields,
        )
        return Response(self.get_serializer(record).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=PackagedSerializer, responses={201: ImportSerializer})
    @action(detail=False, methods=["post"], parser_classes=[JSONParser, FormParser, MultiPartParser])
    def packaged(self, request: Request) -> Response:
        """Import the Otomí corpus that the package `elotl` carries; a second time adds nothing."""
        given = PackagedSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        visible = Community.objects.visible_to(person_of(request))
        record = import_packaged(
            community=get_object_or_404(visible, slug=given.validated_data["community"]),
            imported_by=person_of(request),
            rows=read_tsunkua(),
            origin=TSUNKUA_ORIGIN,
            licence=ELOTL_LICENCE,
            language_tag=TSUNKUA_LANGUAGE,
            now=timezone.now(),
        )
        return Response(self.get_serializer(record).data, status=status.HTTP_201_CREATED)


class PictureView(views.APIView):
    """A picture of one of your communities, which an assignment names as `extra.picture_sha256`."""

    @extend_schema(responses={(200, "image/webp"): OpenApiTypes.BINARY})
    def get(self, request: Request, sha256: str) -> HttpResponse:
        """The picture."""
        picture = get_object_or_404(Picture.objects.visible_to(person_of(request)).filter(sha256=sha256)[:1])
        return HttpResponse(bytes(picture.content), content_type="image/webp")
