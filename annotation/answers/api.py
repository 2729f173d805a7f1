"""API of answers and reviews. Withdrawal is in `training.runs.api`, because it reaches releases and adapters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, views, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.answers.findings import Look, told
from annotation.answers.models import Answer, Review, Suggestion
from annotation.answers.reviews import AXES, next_review, review_answer
from annotation.answers.services import appeal, edit_answer, submit_answer
from annotation.answers.suggestions import MOST_AT_ONCE, add_suggestions
from annotation.projects.models import Assignment, Project
from care.reach import communities_ever_of
from people.api import person_of
from people.models import Role
from people.services import require_role
from people.tenants import widen

LONGEST_BODY = 2_000_000  # the services say what is too long, and why; this only bounds the work


class AnswerSerializer(serializers.ModelSerializer[Answer]):
    """An answer and the receipt it was given under."""

    project = serializers.IntegerField(source="task.project_id", read_only=True)
    kind = serializers.CharField(source="task.project.kind", read_only=True)
    source = serializers.CharField(source="task.item.text", read_only=True)
    document = serializers.CharField(source="task.item.source.title", read_only=True)
    warnings = serializers.SerializerMethodField()
    began_with = serializers.CharField(
        source="suggestion.made_by", read_only=True, default="", help_text="The model whose suggestion it began with."
    )
    is_mine = serializers.SerializerMethodField()

    class Meta:
        model = Answer
        fields = [
            "id",
            "project",
            "source",
            "document",
            "kind",
            "text",
            "payload",
            "warnings",
            "version",
            "state",
            "receipt",
            "client_id",
            "began_with",
            "is_mine",
            "created_at",
            "changed_at",
            "settled_at",
        ]

    def get_warnings(self, answer: Answer) -> dict[str, list[str]]:
        """What was noticed in it: `confirmed` by its author, or only `noticed` when it arrived."""
        return told(answer.warnings)

    def to_representation(self, instance: Answer) -> dict[str, Any]:
        """Gold looks like any other answer that waits, to those whom it may still be given."""
        shown = super().to_representation(instance)
        if getattr(instance, "might_come_as_gold", False):
            shown |= {"state": Answer.State.SUBMITTED.value, "settled_at": None}
        return shown

    def get_is_mine(self, answer: Answer) -> bool:
        """Whether the asking person wrote it."""
        return answer.author_id == self.context["request"].user.pk


class LookSerializer(serializers.Serializer[Any]):
    """What the author has looked at; an answer that needs a look is refused with `warnings`, each with its key."""

    confirmed = serializers.ListField(
        child=serializers.CharField(max_length=2000), required=False, default=list, max_length=500
    )
    later = serializers.BooleanField(
        required=False, default=False, help_text="Written offline, so that nobody can be asked: stored with warnings."
    )


class NewAnswerSerializer(LookSerializer):
    """An answer to send; `client_id` makes sending twice harmless."""

    assignment = serializers.IntegerField()
    text = serializers.CharField(max_length=LONGEST_BODY, trim_whitespace=False, allow_blank=True, required=False)
    payload = serializers.DictField(required=False, help_text="For kinds whose answers are more than words.")
    suggestion = serializers.IntegerField(required=False, help_text="The suggestion that its author began with.")
    client_id = serializers.UUIDField()


class EditSerializer(LookSerializer):
    """A new answer for the version that was read."""

    text = serializers.CharField(max_length=LONGEST_BODY, trim_whitespace=False, allow_blank=True, required=False)
    payload = serializers.DictField(required=False)
    version = serializers.IntegerField(min_value=1)


class AppealSerializer(serializers.Serializer[Any]):
    """A word to the expert."""

    note = serializers.CharField(max_length=1000, required=False, default="", allow_blank=True)


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """A verdict on the version that was read."""

    fixed_text = serializers.CharField(
        write_only=True, required=False, default="", allow_blank=True, max_length=LONGEST_BODY
    )
    fixed_payload = serializers.DictField(write_only=True, required=False)
    confirmed = serializers.ListField(
        child=serializers.CharField(max_length=2000), write_only=True, required=False, max_length=500
    )
    later = serializers.BooleanField(write_only=True, required=False)
    reason = serializers.ChoiceField(choices=Review.Reason.choices, required=False, default="", allow_blank=True)
    version = serializers.IntegerField(min_value=1)

    class Meta:
        model = Review
        fields = [
            "id",
            "answer",
            "version",
            "verdict",
            "reason",
            "note",
            "right_language",
            "acceptable",
            "appropriate",
            "fixed_text",
            "fixed_payload",
            "confirmed",
            "later",
            "fix",
            "client_id",
            "created_at",
        ]
        read_only_fields = ["answer", "fix", "created_at"]

    def to_representation(self, instance: Review) -> dict[str, Any]:
        """Without the note of somebody whose words are hidden."""
        shown = super().to_representation(instance)
        return {**shown, "note": ""} if getattr(instance, "is_hushed", False) else shown


def _with_look(given: Mapping[str, Any]) -> dict[str, Any]:
    """What was sent, with `confirmed` and `later` as the look that services ask for."""
    fields = dict(given)
    look = Look(frozenset(fields.pop("confirmed", ())), later=fields.pop("later", False))
    return {**fields, "look": look}


class AnswerViewSet(viewsets.ReadOnlyModelViewSet[Answer]):
    """Your answers (`?mine=1`) and those of your communities."""

    serializer_class = AnswerSerializer
    queryset = Answer.objects.none()
    cursor_ordering = ("-created_at", "pk")
    lookup_value_converter = "uuid"

    def get_queryset(self) -> QuerySet[Answer]:
        """Visible answers, by state or only one's own when asked."""
        if getattr(self, "swagger_fake_view", False):
            return Answer.objects.none()
        person = person_of(self.request)
        # One's own words stay so when one has left.
        widen(*communities_ever_of(person))
        answers = Answer.objects.visible_to(person).as_seen_by(person)
        answers = answers.select_related("task__item__source", "task__project__community", "suggestion")
        if self.request.query_params.get("mine"):
            answers = answers.filter(author=person)
        state = self.request.query_params.get("state")
        if state not in Answer.State.values:
            return answers
        if state == Answer.State.SUBMITTED:
            return answers.filter(Q(state=state) | Q(might_come_as_gold=True))
        return answers.filter(state=state, might_come_as_gold=False)

    @extend_schema(request=NewAnswerSerializer, responses={201: AnswerSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer a task that is leased to you."""
        given = NewAnswerSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = _with_look(given.validated_data)
        person = person_of(request)
        assignment = get_object_or_404(Assignment.objects.visible_to(person), pk=fields.pop("assignment"))
        answer = submit_answer(assignment=assignment, author=person, now=timezone.now(), **fields)
        return Response(self.get_serializer(answer).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=EditSerializer, responses=AnswerSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Edit your answer until somebody has reviewed it."""
        given = EditSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        answer = edit_answer(
            answer=self.get_object(), author=person_of(request), now=timezone.now(), **_with_look(given.validated_data)
        )
        return Response(self.get_serializer(answer).data)

    @extend_schema(request=AppealSerializer, responses=AnswerSerializer)
    @action(detail=True, methods=["post"])
    def appeal(self, request: Request, pk: str) -> Response:
        """Ask an expert about your answer that was not accepted."""
        given = AppealSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        answer = appeal(answer=self.get_object(), author=person_of(request), now=timezone.now(), **given.validated_data)
        return Response(self.get_serializer(answer).data)

    @extend_schema(request=ReviewSerializer, responses={201: ReviewSerializer})
    @action(detail=True, methods=["post"])
    def reviews(self, request: Request, pk: str) -> Response:
        """Give your verdict."""
        given = ReviewSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = _with_look(given.validated_data)
        axes = {axis: fields.pop(axis) for axis in AXES if axis in fields}
        review = review_answer(
            answer=self.get_object(), reviewer=person_of(request), now=timezone.now(), axes=axes, **fields
        )
        return Response(ReviewSerializer(review).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={200: AnswerSerializer, 204: None})
    @action(detail=False, methods=["get"], url_path="next-review/<int:project>")
    def next_review(self, request: Request, project: int) -> Response:
        """An answer of the project that waits for your verdict; 204 when none does."""
        person = person_of(request)
        row = get_object_or_404(Project.objects.visible_to(person), pk=project)
        require_role(person, row.community, Role.SPEAKER, Role.EXPERT)
        answer = next_review(project=row, person=person, now=timezone.now())
        if answer is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(self.get_serializer(self.get_queryset().get(pk=answer.pk)).data)


class SuggestionSerializer(serializers.ModelSerializer[Suggestion]):
    """What a model proposes for a task."""

    class Meta:
        model = Suggestion
        fields = ["id", "task", "text", "payload", "made_by", "made_at"]


class ProposalSerializer(serializers.Serializer[Any]):
    """One row to keep."""

    task = serializers.IntegerField()
    text = serializers.CharField(max_length=LONGEST_BODY, required=False, default="", allow_blank=True)
    payload = serializers.DictField(required=False, default=dict)


class ProposalsSerializer(serializers.Serializer[Any]):
    """Proposals of one model."""

    made_by = serializers.CharField(max_length=200)
    rows = ProposalSerializer(many=True)


class KeptSerializer(serializers.Serializer[Any]):
    """What became of them."""

    kept = serializers.IntegerField()
    problems = serializers.ListField(child=serializers.DictField())


class SuggestionsView(views.APIView):
    """What models propose for the open tasks of a project."""

    def _project(self, request: Request, pk: int) -> Project:
        project: Project = get_object_or_404(Project.objects.visible_to(person_of(request)), pk=pk)
        return project

    @extend_schema(responses=SuggestionSerializer(many=True))
    def get(self, request: Request, pk: int) -> Response:
        """The newest thousand."""
        found = Suggestion.objects.shown().filter(task__project=self._project(request, pk))[:MOST_AT_ONCE]
        return Response(SuggestionSerializer(found, many=True).data)

    @extend_schema(request=ProposalsSerializer, responses={201: KeptSerializer})
    def post(self, request: Request, pk: int) -> Response:
        """Keep proposals of a model; the answer names those that were not."""
        project = self._project(request, pk)
        given = ProposalsSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        kept, problems = add_suggestions(
            project=project,
            added_by=person_of(request),
            now=timezone.now(),
            **given.validated_data,
        )
        return Response({"kept": kept, "problems": problems}, status=status.HTTP_201_CREATED)
