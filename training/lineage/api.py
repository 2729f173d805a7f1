"""API of what is about oneself: reports of harm, what one gave and took back, and everything that is kept of one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.answers.models import Answer
from annotation.corpora.models import Item, Source
from care.harm import LONGEST, REPORTABLE, STEPS, Category, Kind, Outcome, report_harm, take_step
from care.models import HarmReport, Purpose, Withdrawal, WithdrawalStage
from care.reach import communities_ever_of
from people.api import person_of
from people.models import Community, Person
from people.tenants import widen
from training.lineage.about import everything_about
from training.lineage.giving import Given, given_by
from training.playground.models import Generation
from training.releases.models import Release
from training.runs.models import Adapter

KINDS = [(one.value, one.label) for one in Kind if one in REPORTABLE]


class HarmReportSerializer(serializers.ModelSerializer[HarmReport]):
    """A report of harm: what it is about, what became of it. It never says who reported, or whose words they are."""

    community: serializers.SlugRelatedField[Community] = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    key = serializers.SerializerMethodField()
    is_mine = serializers.SerializerMethodField()
    is_held = serializers.SerializerMethodField()

    class Meta:
        model = HarmReport
        fields = [
            "id",
            "community",
            "kind",
            "key",
            "category",
            "words",
            "quotation",
            "is_severe",
            "is_held",
            "is_mine",
            "state",
            "received_at",
            "triage_due_at",
            "outcome",
            "answer",
            "remedy",
        ]
        read_only_fields = fields

    def get_key(self, report: HarmReport) -> str:
        """Of what it is about; empty of a person."""
        return "" if report.kind == Kind.PERSON else report.key

    def get_is_mine(self, report: HarmReport) -> bool:
        """Whether you reported it."""
        return bool(report.reporter_id == self.context["request"].user.pk)

    def get_is_held(self, report: HarmReport) -> bool:
        """Whether what it is about is held back now."""
        return report.hold is not None and report.hold.lifted_at is None


class NewReportSerializer(serializers.Serializer[Any]):
    """What is wrong with something that you may see. Of whoever has died, name an answer of theirs."""

    kind = serializers.ChoiceField(choices=KINDS)
    key = serializers.CharField(max_length=40, help_text="Its id.")
    category = serializers.ChoiceField(choices=Category.choices)
    words = serializers.CharField(max_length=LONGEST, required=False, default="", allow_blank=True)
    generation = serializers.UUIDField(
        required=False, help_text="Of an adapter: the one of your generations in which it wrote what does harm."
    )


class SentReportSerializer(HarmReportSerializer):
    """The report as it came in, with the code by which anybody finds it again: it is told this once."""

    code = serializers.SerializerMethodField()

    class Meta(HarmReportSerializer.Meta):
        fields = [*HarmReportSerializer.Meta.fields, "code"]
        read_only_fields = fields

    def get_code(self, report: HarmReport) -> str:
        """The code."""
        return str(self.context["code"])


class StepSerializer(serializers.Serializer[Any]):
    """What a steward does next: `decide` needs `outcome` and `answer`, `remedy` needs `done`."""

    act = serializers.ChoiceField(choices=[(step, step) for step in STEPS])
    outcome = serializers.ChoiceField(choices=Outcome.choices, required=False)
    answer = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)
    done = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)


class HarmReportViewSet(viewsets.ReadOnlyModelViewSet[HarmReport]):
    """What you reported (`?mine=1`), and what was reported in communities of which you are a steward."""

    serializer_class = HarmReportSerializer
    queryset = HarmReport.objects.none()
    lookup_value_converter = "int"
    cursor_ordering = ("-received_at", "-pk")

    def get_queryset(self) -> QuerySet[HarmReport]:
        """Visible reports, or only one's own when asked."""
        if getattr(self, "swagger_fake_view", False):
            return HarmReport.objects.none()
        person = person_of(self.request)
        widen(*communities_ever_of(person))
        reports = HarmReport.objects.visible_to(person).select_related("community", "hold")
        return reports.by(person) if self.request.query_params.get("mine") else reports

    @extend_schema(request=NewReportSerializer, responses={201: SentReportSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Report harm. A severe report hides what it is about, at once."""
        given = NewReportSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields, person = given.validated_data, person_of(request)
        community, kind, key = _subject(fields["kind"], fields["key"], fields["category"], person)
        report, code = report_harm(
            community=community,
            kind=kind,
            key=key,
            category=fields["category"],
            words=fields["words"],
            quotation=_quotation(fields.get("generation"), kind, key, person),
            reporter=person,
            now=timezone.now(),
        )
        context = {**self.get_serializer_context(), "code": code}
        return Response(SentReportSerializer(report, context=context).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=StepSerializer, responses=HarmReportSerializer)
    @action(detail=True, methods=["post"])
    def step(self, request: Request, pk: int) -> Response:
        """Take the next step, as a steward: hold it back or not, look into it, decide, put it right, close."""
        report = self.get_object()
        given = StepSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        take_step(report=report, taken_by=person_of(request), now=timezone.now(), **given.validated_data)
        return Response(self.get_serializer(self.get_object()).data)


MODELS: dict[str, Any] = {
    Kind.ANSWER: Answer,
    Kind.ITEM: Item,
    Kind.SOURCE: Source,
    Kind.RELEASE: Release,
    Kind.ADAPTER: Adapter,
}


def _subject(kind: str, key: str, category: str, person: Person) -> tuple[Community, str, str]:
    """What is reported, if the person may see it: its community, kind and key. Raises Http404."""
    try:
        found = MODELS[kind].objects.visible_to(person).filter(pk=key).first()
    except (ValueError, ValidationError) as error:  # no such id can be
        raise Http404 from error
    if found is None:
        raise Http404
    if isinstance(found, Answer):
        community = found.task.project.community
        if category == Category.DIED:
            return community, Kind.PERSON, str(found.author_id)
        return community, kind, str(found.pk)
    return (found.source if isinstance(found, Item) else found).community, kind, str(found.pk)


def _quotation(generation: UUID | None, kind: str, key: str, person: Person) -> str:
    """What the adapter wrote, when whoever reports is the one for whom it wrote."""
    if generation is None or kind != Kind.ADAPTER:
        return ""
    mine = Generation.objects.filter(person=person, adapter=int(key), pk=generation).first()
    return f"{mine.source}\n→ {mine.adapter_text}" if mine else ""


class StageSerializer(serializers.ModelSerializer[WithdrawalStage]):
    """One thing that a withdrawal brings about."""

    class Meta:
        model = WithdrawalStage
        fields = ["name", "due_at", "done_at", "number"]
        read_only_fields = fields


class WithdrawalCaseSerializer(serializers.ModelSerializer[Withdrawal]):
    """Something that you took back, and how far it is."""

    community: serializers.SlugRelatedField[Community] = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    purposes = serializers.ListField(child=serializers.ChoiceField(choices=Purpose.choices), read_only=True)
    stages = StageSerializer(many=True, read_only=True)

    class Meta:
        model = Withdrawal
        fields = ["id", "community", "scope", "answer_key", "purposes", "answers", "asked_at", "stages"]
        read_only_fields = fields


class WithdrawalViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Withdrawal]):
    """What you took back, everywhere."""

    serializer_class = WithdrawalCaseSerializer
    queryset = Withdrawal.objects.none()
    cursor_ordering = ("-asked_at", "-pk")

    def get_queryset(self) -> QuerySet[Withdrawal]:
        """One's own."""
        if getattr(self, "swagger_fake_view", False):
            return Withdrawal.objects.none()
        widen(*communities_ever_of(person_of(self.request)))
        mine = Withdrawal.objects.filter(person=person_of(self.request))
        return mine.select_related("community").prefetch_related("stages")


class UsedInSerializer(serializers.Serializer[Any]):
    """A release or an adapter that holds your words."""

    id = serializers.IntegerField()
    state = serializers.CharField(help_text="in use, marked (words were taken back since) or deleted")


class GivenSerializer(serializers.Serializer[Any]):
    """What you gave to one community, and what it is used for."""

    community = serializers.SlugField()
    answers = serializers.IntegerField()
    taken_back = serializers.IntegerField()
    to_erase = serializers.IntegerField(help_text="Taken back, and their words still kept.")
    reviews = serializers.IntegerField()
    purposes = serializers.ListField(child=serializers.ChoiceField(choices=Purpose.choices))
    receipts = serializers.ListField(child=serializers.UUIDField())
    releases = UsedInSerializer(many=True)
    adapters = UsedInSerializer(many=True)


class DataView(APIView):
    """Your own data."""

    @extend_schema(responses=GivenSerializer(many=True))
    def get(self, request: Request) -> Response:
        """What you gave, by community; the answers themselves are at `answers/?mine=1`."""
        person = person_of(request)
        widen(*communities_ever_of(person))
        return Response(GivenSerializer([_told(one) for one in given_by(person)], many=True).data)


def _told(given: Given) -> dict[str, Any]:
    return {
        "community": given.community.slug,
        **{name: getattr(given, name) for name in ("answers", "taken_back", "to_erase", "reviews")},
        "purposes": [value for value, _ in given.purposes],
        "receipts": [receipt.pk for receipt in given.receipts],
        "releases": [
            {"id": one.pk, "state": _use(is_gone=one.erased_at is not None, is_marked=one.contains_withdrawn)}
            for one in given.releases
        ],
        "adapters": [
            {"id": one.pk, "state": _use(is_gone=one.deleted_at is not None, is_marked=one.contains_withdrawn)}
            for one in given.adapters
        ],
    }


def _use(*, is_gone: bool, is_marked: bool) -> str:
    if is_gone:
        return "deleted"
    return "marked" if is_marked else "in use"


class EverythingView(APIView):
    """Everything that is kept about you."""

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, request: Request) -> Response:
        """All of it as JSON: the `data.json` of the page “My data”. It holds no words and no names of others."""
        person = person_of(request)
        widen(*communities_ever_of(person))
        return Response(everything_about(person, now=timezone.now()))
