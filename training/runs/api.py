"""API of runs, adapters, schedules and withdrawals."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.answers.models import Answer
from annotation.projects.models import Project
from care.api import ReceiptSerializer, ReceiptViewSet
from care.models import Policy, Purpose
from care.reach import communities_ever_of
from people.api import person_of
from people.models import Community
from people.tenants import widen
from training.metering.foresight import band_of
from training.metering.grid import table
from training.recipes.configuration import METHODS
from training.releases.models import Release
from training.runs.beside_api import BesideSerializer, additions_among
from training.runs.findings import findings_of
from training.runs.jobs import ring
from training.runs.models import Adapter, Run, Schedule
from training.runs.progress import loss_curve
from training.runs.promotion import recommend_adapter
from training.runs.samples import readable_samples
from training.runs.schedule import look, set_schedule
from training.runs.services import cancel_run, decide_adapter, folder_of, queue_run, resume_run
from training.runs.withdrawals import Reached, change_consent, withdraw_answer, withdraw_consent


class RunSerializer(serializers.ModelSerializer[Run]):
    """A run and how far it is."""

    community = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    adapter = serializers.PrimaryKeyRelatedField(read_only=True)
    additions = serializers.PrimaryKeyRelatedField(many=True, read_only=True)
    settings = serializers.DictField(read_only=True)
    foretold = serializers.DictField(read_only=True, help_text="Wh and seconds that it was expected to take.")
    progress = serializers.DictField(read_only=True)

    class Meta:
        model = Run
        fields = [
            "id",
            "community",
            "number",
            "release",
            "grid",
            "method",
            "base_model",
            "base_sha256",
            "settings",
            "additions",
            "trigger",
            "state",
            "foretold",
            "progress",
            "failure",
            "attempts",
            "adapter",
            "created_at",
            "started_at",
            "ended_at",
        ]


class NewRunSerializer(BesideSerializer):
    """What to train. `settings` are the recipe's, e.g. {"recipe": {"rank": 8}}; the rest are defaults.

    `method` is the same as `settings.recipe.method` and goes before it.
    """

    release = serializers.IntegerField()
    method = serializers.ChoiceField(choices=[(method, method) for method in METHODS], required=False)
    settings = serializers.DictField(required=False, default=dict)


class AdapterSerializer(serializers.ModelSerializer[Adapter]):
    """An adapter with its evaluation."""

    community = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    is_better = serializers.BooleanField(read_only=True)
    is_usable = serializers.BooleanField(read_only=True)
    contains_withdrawn = serializers.BooleanField(read_only=True)

    class Meta:
        model = Adapter
        fields = [
            "id",
            "community",
            "run",
            "sha256",
            "state",
            "base_bpb",
            "adapter_bpb",
            "base_chrf",
            "adapter_chrf",
            "is_better",
            "is_usable",
            "contains_withdrawn",
            "created_at",
        ]


class FindingsSerializer(serializers.Serializer[Any]):
    """What was found about an adapter, in numbers that name nobody (docs/evaluation.md)."""

    pairs = serializers.IntegerField(help_text="How many pairs of sentences there are to measure it on.")
    state = serializers.CharField(source="reading.state", default=None, help_text="Of the newest reading.")
    measured_at = serializers.DateTimeField(source="reading.measured_at", default=None)
    is_current = serializers.BooleanField(help_text="Whether the result is of exactly these pairs.")
    found = serializers.ListField(source="leans", child=serializers.DictField(), help_text="For each two groups.")
    reports_received = serializers.IntegerField(source="received")
    reports_waiting = serializers.IntegerField(source="waiting", help_text="Of which nothing was decided yet.")


class DecisionSerializer(serializers.Serializer[Any]):
    """A steward's decision."""

    approve = serializers.BooleanField()
    note = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)


class ScheduleSerializer(serializers.ModelSerializer[Schedule]):
    """When a project trains without anybody asking."""

    class Meta:
        model = Schedule
        fields = [
            "is_allowed",
            "minimum_new_items",
            "withdrawn_percent",
            "cadence_hours",
            "last_checked_at",
            "last_outcome",
        ]
        read_only_fields = ["last_checked_at", "last_outcome"]


class OutlookSerializer(serializers.Serializer[Any]):
    """What would happen if a schedule were looked at now."""

    starts = serializers.BooleanField()
    outcome = serializers.CharField()
    new = serializers.IntegerField()
    withdrawn = serializers.IntegerField()
    held = serializers.IntegerField()


class PurposesSerializer(serializers.Serializer[Any]):
    """Purposes to withdraw."""

    community = serializers.SlugField()
    purposes = serializers.ListField(child=serializers.ChoiceField(choices=Purpose.choices), min_length=1)


class WithdrawalSerializer(serializers.Serializer[Any]):
    """What a withdrawal reached."""

    answers = serializers.IntegerField()
    releases = serializers.ListField(child=serializers.IntegerField())
    adapters = serializers.ListField(child=serializers.IntegerField())


def _reached(withdrawal: Reached) -> dict[str, Any]:
    return {
        "answers": withdrawal.answers,
        "releases": [row.pk for row in withdrawal.releases],
        "adapters": [row.pk for row in withdrawal.adapters],
    }


class ConsentViewSet(ReceiptViewSet):
    """Your own consent receipts; posting one gives consent and replaces the one before."""

    @extend_schema(responses={201: ReceiptSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give consent to a published policy for the chosen purposes; the others are withdrawn."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        person = person_of(request)
        visible = Policy.objects.filter(community__in=Community.objects.visible_to(person))
        policy = get_object_or_404(visible, pk=given.validated_data["policy"].pk)
        receipt = change_consent(
            person=person,
            policy=policy,
            purposes=given.validated_data["purposes"],
            rendering=given.validated_data.get("rendering_sha256", ""),
            now=timezone.now(),
        )
        return Response(self.get_serializer(receipt).data, status=status.HTTP_201_CREATED)


class RunViewSet(viewsets.ReadOnlyModelViewSet[Run]):
    """Runs of communities in which you are a researcher or a steward."""

    serializer_class = RunSerializer
    queryset = Run.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Run]:
        """Visible runs."""
        if getattr(self, "swagger_fake_view", False):
            return Run.objects.none()
        visible = Run.objects.visible_to(person_of(self.request)).select_related("community", "release", "adapter")
        return visible.prefetch_related("additions")

    @extend_schema(request=NewRunSerializer, responses={201: RunSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Start a run on a release."""
        given = NewRunSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = given.validated_data
        release = get_object_or_404(Release.objects.visible_to(person_of(request)), pk=fields["release"])
        run = queue_run(
            release=release,
            additions=additions_among(fields["additions"], release, person_of(request)),
            started_by=person_of(request),
            now=timezone.now(),
            method=fields.get("method"),
            given=fields["settings"],
            base_model=fields["base_model"],
        )
        ring(run)
        return Response(self.get_serializer(run).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop after the present step; a checkpoint stays."""
        run = cancel_run(run=self.get_object(), cancelled_by=person_of(request), now=timezone.now())
        return Response(self.get_serializer(run).data)

    @extend_schema(request=None, responses=RunSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Go on from the last checkpoint."""
        run = resume_run(run=self.get_object(), resumed_by=person_of(request), now=timezone.now())
        ring(run)
        return Response(self.get_serializer(run).data)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def curve(self, request: Request, pk: str) -> Response:
        """Loss by step: training in nats per token, validation in bits per byte."""
        return Response(loss_curve(folder_of(self.get_object()) / "log.jsonl"))


class AdapterViewSet(viewsets.ReadOnlyModelViewSet[Adapter]):
    """Adapters of your communities."""

    serializer_class = AdapterSerializer
    queryset = Adapter.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Adapter]:
        """Visible adapters."""
        if getattr(self, "swagger_fake_view", False):
            return Adapter.objects.none()
        return Adapter.objects.visible_to(person_of(self.request)).select_related("community", "run")

    @extend_schema(request=None, responses=AdapterSerializer)
    @action(detail=True, methods=["post"])
    def recommend(self, request: Request, pk: str) -> Response:
        """Stand for it, as a researcher; a steward approves only what a researcher recommends."""
        adapter = self.get_object()
        recommend_adapter(adapter=adapter, recommended_by=person_of(request), now=timezone.now())
        return Response(self.get_serializer(adapter).data)

    @extend_schema(request=DecisionSerializer, responses=AdapterSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, pk: str) -> Response:
        """Approve, refuse or retire, as a steward."""
        given = DecisionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        adapter = decide_adapter(
            adapter=self.get_object(),
            decided_by=person_of(request),
            now=timezone.now(),
            **given.validated_data,
        )
        return Response(self.get_serializer(adapter).data)

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def report(self, request: Request, pk: str) -> Response:
        """The recipe's report, with those samples side by side that you may still read."""
        adapter = self.get_object()
        samples = readable_samples(adapter, person_of(request))
        evaluation = {**adapter.report.get("evaluation", {}), "samples": samples}
        return Response({**adapter.report, "evaluation": evaluation})

    @extend_schema(responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["get"])
    def energy(self, request: Request, pk: str) -> Response:
        """What its run took in Wh and grams of CO2, and what the same energy would have emitted in every region that is
        known; each with source and year."""
        adapter = self.get_object()
        watt_hours = band_of(adapter.report.get("energy") or {})
        regions = [{**grid.facts(), "grams_co2": asdict(grid.grams(watt_hours))} for grid in table().values()]
        return Response({"energy": adapter.report.get("energy"), "elsewhere": regions if watt_hours.middle else []})

    @extend_schema(responses=FindingsSerializer)
    @action(detail=True, methods=["get"])
    def bias(self, request: Request, pk: str) -> Response:
        """How it leans between groups of people on the community's pairs, and how many reports of harm it has."""
        adapter = self.get_object()
        return Response(FindingsSerializer(findings_of([adapter])[adapter.pk]).data)


class ScheduleView(APIView):
    """The schedule of one project."""

    @extend_schema(responses=ScheduleSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """The schedule as it is."""
        project = get_object_or_404(Project.objects.visible_to(person_of(request)), pk=pk)
        return Response(ScheduleSerializer(Schedule.objects.filter(project=project).first() or Schedule()).data)

    @extend_schema(request=ScheduleSerializer, responses=ScheduleSerializer)
    def put(self, request: Request, pk: int) -> Response:
        """Set it, as a steward."""
        project = get_object_or_404(Project.objects.visible_to(person_of(request)), pk=pk)
        given = ScheduleSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        defaults = {"is_allowed": False, "minimum_new_items": 100, "cadence_hours": 168}
        schedule = set_schedule(
            project=project,
            changed_by=person_of(request),
            now=timezone.now(),
            **{**defaults, **given.validated_data},
        )
        return Response(ScheduleSerializer(schedule).data)


class ScheduleOutlookView(APIView):
    """A dry run of the schedule of one project."""

    @extend_schema(responses=OutlookSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Whether a run would start now, and why or why not; nothing is started or stored."""
        project = get_object_or_404(Project.objects.visible_to(person_of(request)), pk=pk)
        schedule = Schedule.objects.filter(project=project).first() or Schedule(project=project)
        return Response(OutlookSerializer(look(schedule, now=timezone.now())).data)


class WithdrawAnswerView(APIView):
    """Taking one answer back."""

    @extend_schema(request=None, responses=WithdrawalSerializer)
    def post(self, request: Request, pk: str) -> Response:
        """Withdraw your answer; it leaves the next release at once."""
        widen(*communities_ever_of(person_of(request)))
        mine = Answer.objects.filter(author=person_of(request))
        answer = get_object_or_404(mine, pk=pk)
        return Response(_reached(withdraw_answer(answer=answer, author=person_of(request), now=timezone.now())))


class WithdrawConsentView(APIView):
    """Taking consent back."""

    @extend_schema(request=PurposesSerializer, responses=WithdrawalSerializer)
    def post(self, request: Request) -> Response:
        """Withdraw purposes for all your words in a community, past ones too."""
        given = PurposesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        person = person_of(request)
        widen(*communities_ever_of(person))
        theirs = Community.objects.filter(receipts__person=person).distinct()
        community = get_object_or_404(theirs, slug=given.validated_data["community"])
        return Response(
            _reached(
                withdraw_consent(
                    person=person,
                    community=community,
                    now=timezone.now(),
                    purposes=given.validated_data["purposes"],
                )
            )
        )
