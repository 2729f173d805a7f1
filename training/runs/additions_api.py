"""API of what runs learn from beside a release."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from people.api import person_of
from people.models import Community
from training.runs.additions import UPLOADED, ask_for_rows, delete_addition, upload_addition
from training.runs.jobs import ring_rows as ring
from training.runs.models import Addition, Run
from training.runs.vocabularies import FEWEST, MOST, USUAL, ask_for_tokens


class AdditionSerializer(serializers.ModelSerializer[Addition]):
    """What runs may learn from; `made_by` is the run whose adapter wrote it, or out of whose words it was made."""

    community = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    languages = serializers.ListField(child=serializers.CharField(), read_only=True)
    dropped = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    base_model = serializers.CharField(read_only=True)
    measured = serializers.DictField(read_only=True)

    class Meta:
        model = Addition
        fields = [
            "id",
            "community",
            "kind",
            "title",
            "origin",
            "terms",
            "languages",
            "made_by",
            "how",
            "wanted",
            "base_model",
            "measured",
            "state",
            "failure",
            "rows",
            "bytes",
            "dropped",
            "sha256",
            "added_at",
            "deleted_at",
        ]


class NewAdditionSerializer(serializers.Serializer[Any]):
    """A file in UTF-8: of text (.txt, or JSON Lines with id and text) with its language, or JSON Lines of lessons, each
    with its language."""

    community = serializers.SlugField()
    file = serializers.FileField(max_length=200)
    kind = serializers.ChoiceField(choices=[(kind.value, kind.label) for kind in UPLOADED], default=UPLOADED[0].value)
    title = serializers.CharField(max_length=200)
    origin = serializers.CharField(max_length=500, help_text="Where it is from.")
    terms = serializers.CharField(max_length=300, help_text="On what terms it may be used.")
    language = serializers.CharField(max_length=64, required=False, default="", allow_blank=True)


class NewRowsSerializer(serializers.Serializer[Any]):
    """Which finished run makes rows, and how."""

    run = serializers.IntegerField()
    how = serializers.ChoiceField(choices=Addition.How.choices)


class NewTokensSerializer(serializers.Serializer[Any]):
    """Out of which finished run's words tokens are learnt, and how many at most."""

    run = serializers.IntegerField()
    wanted = serializers.IntegerField(min_value=FEWEST, max_value=MOST, default=USUAL)


class AdditionViewSet(viewsets.ReadOnlyModelViewSet[Addition]):
    """What runs may learn from beside a release, in communities in which you are a researcher or a steward."""

    serializer_class = AdditionSerializer
    queryset = Addition.objects.none()
    lookup_value_converter = "int"
    parser_classes = [MultiPartParser, FormParser, JSONParser]
    cursor_ordering = ("-added_at", "pk")

    def get_queryset(self) -> QuerySet[Addition]:
        """Visible additions."""
        if getattr(self, "swagger_fake_view", False):
            return Addition.objects.none()
        return Addition.objects.visible_to(person_of(self.request)).select_related("community", "made_by")

    @extend_schema(request=NewAdditionSerializer, responses={201: AdditionSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Bring a file in, as a researcher; every line must be usable."""
        given = NewAdditionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        file, person = fields.pop("file"), person_of(request)
        community = get_object_or_404(Community.objects.visible_to(person), slug=fields.pop("community"))
        about = {"community": community, "added_by": person, "now": timezone.now(), "name": file.name}
        addition = upload_addition(content=file.read(), **about, **fields)
        return Response(self.get_serializer(addition).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=NewRowsSerializer, responses={201: AdditionSerializer})
    @action(detail=False, methods=["post"])
    def rows(self, request: Request) -> Response:
        """Have a finished run's adapter make rows; its state says when they are there."""
        given = NewRowsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        person, fields = person_of(request), given.validated_data
        run = get_object_or_404(Run.objects.visible_to(person), pk=fields["run"])
        addition = ask_for_rows(run=run, how=fields["how"], asked_by=person, now=timezone.now())
        ring(addition)
        return Response(self.get_serializer(addition).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=NewTokensSerializer, responses={201: AdditionSerializer})
    @action(detail=False, methods=["post"])
    def tokens(self, request: Request) -> Response:
        """Have a base model made with more tokens; its state says when it is there."""
        given = NewTokensSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        person, fields = person_of(request), given.validated_data
        run = get_object_or_404(Run.objects.visible_to(person), pk=fields["run"])
        addition = ask_for_tokens(run=run, wanted=fields["wanted"], asked_by=person, now=timezone.now())
        ring(addition)
        return Response(self.get_serializer(addition).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the file; one that is being made is stopped. The row stays, with `deleted_at`."""
        delete_addition(addition=self.get_object(), deleted_by=person_of(request), now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
