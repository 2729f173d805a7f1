"""API of projects and leases."""

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

from annotation.corpora.models import Source
from annotation.projects.models import Assignment, Project
from annotation.projects.services import (
    LARGEST_PACKET,
    lease_packet,
    lease_task,
    open_project,
    set_checks,
    set_project_state,
    skip_task,
    undo_skip,
)
from people.api import all_of, person_of
from people.models import LANGUAGE_TAG, SCRIPT, Community


class ProjectSerializer(serializers.ModelSerializer[Project]):
    """A body of work, with its numbers of tasks by state."""

    community = serializers.SlugField(source="community.slug")
    sources = serializers.ListField(child=serializers.IntegerField(), write_only=True, max_length=500)
    source_language_tag = serializers.CharField(max_length=64, validators=[LANGUAGE_TAG])
    settings = serializers.DictField(required=False, help_text="Of the kind: labels, scale, question, …")
    rule = serializers.DictField(
        required=False, help_text="How many answers, and how many verdicts: stop, concordant, …"
    )
    checks = serializers.DictField(
        required=False, help_text="What authors are warned about: wanted, alphabet, rules, longest_sentence, …"
    )
    target_language_name = serializers.CharField(max_length=120, required=False)
    target_language_tag = serializers.CharField(max_length=64, required=False, validators=[LANGUAGE_TAG])
    target_script = serializers.CharField(max_length=4, required=False, validators=[SCRIPT])
    target_direction = serializers.ChoiceField(choices=Community.Direction.choices, required=False)
    tasks_total = serializers.IntegerField(read_only=True)
    tasks_open = serializers.IntegerField(read_only=True)
    tasks_in_review = serializers.IntegerField(read_only=True)
    tasks_disputed = serializers.IntegerField(read_only=True)
    tasks_done = serializers.IntegerField(read_only=True)

    class Meta:
        model = Project
        fields = [
            "id",
            "community",
            "title",
            "kind",
            "settings",
            "rule",
            "checks",
            "source_language_name",
            "source_language_tag",
            "target_language_name",
            "target_language_tag",
            "target_script",
            "target_direction",
            "guidelines",
            "lease_minutes",
            "state",
            "created_at",
            "sources",
            "tasks_total",
            "tasks_open",
            "tasks_in_review",
            "tasks_disputed",
            "tasks_done",
        ]
        read_only_fields = ["state", "created_at"]


class ProjectStateSerializer(serializers.Serializer[Any]):
    """Whether the project takes work."""

    state = serializers.ChoiceField(choices=Project.State.choices)


class ProjectChecksSerializer(serializers.Serializer[Any]):
    """What the project's authors are warned about; what is left out is not looked at."""

    checks = serializers.DictField()


class AssignmentSerializer(serializers.ModelSerializer[Assignment]):
    """A task that is yours for a while."""

    project = serializers.IntegerField(source="task.project_id", read_only=True)
    kind = serializers.CharField(source="task.project.kind", read_only=True)
    text = serializers.CharField(source="task.item.text", read_only=True)
    extra = serializers.DictField(
        source="task.item.extra",
        read_only=True,
        help_text="Of the kind: options, candidate, and for a picture its description and `picture_sha256`.",
    )
    document = serializers.CharField(source="task.item.source.title", read_only=True)
    language_tag = serializers.CharField(source="task.item.source.language_tag", read_only=True)

    class Meta:
        model = Assignment
        fields = [
            "id",
            "project",
            "packet",
            "state",
            "kind",
            "text",
            "extra",
            "document",
            "language_tag",
            "leased_at",
            "expires_at",
            "skip_reason",
        ]


class SkipSerializer(serializers.Serializer[Any]):
    """Why a task is handed back."""

    reason = serializers.ChoiceField(choices=Assignment.SkipReason.choices)
    note = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class PacketSerializer(serializers.Serializer[Any]):
    """How many tasks to take along."""

    size = serializers.IntegerField(min_value=1, max_value=LARGEST_PACKET, default=20)


class ProjectViewSet(mixins.CreateModelMixin, viewsets.ReadOnlyModelViewSet[Project]):
    """Projects of your communities; stewards open them."""

    serializer_class = ProjectSerializer
    queryset = Project.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Project]:
        """Visible projects with their progress."""
        if getattr(self, "swagger_fake_view", False):
            return Project.objects.none()
        mine = Project.objects.visible_to(person_of(self.request))
        return mine.select_related("community").with_progress()

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Open a project over sources of one community."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        visible = Community.objects.visible_to(person_of(request))
        community = get_object_or_404(visible, slug=fields.pop("community")["slug"])
        sources = all_of(Source.objects.filter(community=community), fields.pop("sources"), "sources")
        project = open_project(
            community=community, created_by=person_of(request), sources=sources, now=timezone.now(), **fields
        )
        row = self.get_queryset().get(pk=project.pk)
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=ProjectStateSerializer, responses=ProjectSerializer)
    @action(detail=True, methods=["post"], url_path="state")
    def set_state(self, request: Request, pk: str) -> Response:
        """Open or close the project."""
        given = ProjectStateSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        set_project_state(
            project=self.get_object(),
            changed_by=person_of(request),
            now=timezone.now(),
            **given.validated_data,
        )
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=ProjectChecksSerializer, responses=ProjectSerializer)
    @action(detail=True, methods=["post"], url_path="checks")
    def set_checks(self, request: Request, pk: str) -> Response:
        """Set what authors are warned about."""
        project = self.get_object()
        given = ProjectChecksSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        set_checks(project=project, changed_by=person_of(request), now=timezone.now(), **given.validated_data)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses=AssignmentSerializer)
    @action(detail=True, methods=["post"])
    def lease(self, request: Request, pk: str) -> Response:
        """Your live task in the project, or the next one."""
        lease = lease_task(project=self.get_object(), person=person_of(request), now=timezone.now())
        return Response(AssignmentSerializer(lease).data)

    @extend_schema(request=PacketSerializer, responses=AssignmentSerializer(many=True))
    @action(detail=True, methods=["post"], pagination_class=None, filter_backends=[])
    def packet(self, request: Request, pk: str) -> Response:
        """Several tasks at once, to be done offline within two days."""
        given = PacketSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        leases = lease_packet(
            project=self.get_object(), person=person_of(request), now=timezone.now(), **given.validated_data
        )
        return Response(AssignmentSerializer(leases, many=True).data)


class AssignmentViewSet(viewsets.ReadOnlyModelViewSet[Assignment]):
    """Tasks that were leased to you."""

    serializer_class = AssignmentSerializer
    queryset = Assignment.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Assignment]:
        """One's own assignments."""
        if getattr(self, "swagger_fake_view", False):
            return Assignment.objects.none()
        mine = Assignment.objects.visible_to(person_of(self.request))
        for community in Community.objects.visible_to(person_of(self.request)):
            mine = mine.shown_in(community)
        return mine.select_related("task__item__source", "task__project")

    @extend_schema(request=SkipSerializer, responses=AssignmentSerializer)
    @action(detail=True, methods=["post"])
    def skip(self, request: Request, pk: str) -> Response:
        """Hand the task back with a reason."""
        given = SkipSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        skip_task(assignment=self.get_object(), now=timezone.now(), **given.validated_data)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=None, responses=AssignmentSerializer)
    @action(detail=True, methods=["post"], url_path="undo-skip")
    def undo_skip(self, request: Request, pk: str) -> Response:
        """Take a skipped task back."""
        return Response(self.get_serializer(undo_skip(assignment=self.get_object(), now=timezone.now())).data)
