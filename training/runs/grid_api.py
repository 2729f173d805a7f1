"""API of grids of runs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from people.api import person_of
from training.releases.models import Release
from training.runs.beside_api import BesideSerializer, additions_among
from training.runs.cells import cells_of, seconds_for
from training.runs.grids import METHODS, Plan, base_of_grid, cancel_grid, plan_of, start_grid
from training.runs.jobs import ring_grid
from training.runs.models import Grid, Run


class GridSerializer(serializers.ModelSerializer[Grid]):
    """A grid: what its runs differ in, and how many of them are in which state."""

    community = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    states = serializers.SerializerMethodField()
    base_model = serializers.SerializerMethodField(help_text="Of all of its runs.")
    additions = serializers.SerializerMethodField(help_text="What all of its runs learn from beside the release.")

    class Meta:
        model = Grid
        fields = [
            *("id", "community", "number", "release", "methods", "ranks", "budgets", "seeds", "states"),
            *("base_model", "additions", "created_at"),
        ]

    def get_states(self, grid: Grid) -> dict[str, int]:
        """How many runs are in each state."""
        return dict(Counter(grid.runs.values_list("state", flat=True)))  # type: ignore[attr-defined]

    def get_base_model(self, grid: Grid) -> str:
        """Its name."""
        first = self._first(grid)
        return first.base_model if first else ""

    def get_additions(self, grid: Grid) -> list[int]:
        """Their ids."""
        first = self._first(grid)
        return sorted(first.additions.values_list("pk", flat=True)) if first else []

    def _first(self, grid: Grid) -> Run | None:
        # All runs of a grid have the same.
        found: Run | None = grid.runs.order_by("pk").first()  # type: ignore[attr-defined]
        return found


class NewGridSerializer(BesideSerializer):
    """What to train. `budgets` are shares such as "25%" or numbers of tokens, `seeds` says how often each is trained.

    `settings` are the recipe's, as for a run, the same in all runs.
    """

    release = serializers.IntegerField()
    methods = serializers.ListField(child=serializers.ChoiceField(choices=METHODS), min_length=1)
    ranks = serializers.ListField(child=serializers.IntegerField(), min_length=1)
    budgets = serializers.ListField(child=serializers.CharField(max_length=20), min_length=1)
    seeds = serializers.IntegerField()
    settings = serializers.DictField(required=False, default=dict)


class EstimateSerializer(serializers.Serializer[Any]):
    """How many runs a grid would be, and about how many seconds they take one after the other; null: nothing says."""

    runs = serializers.IntegerField()
    seconds = serializers.FloatField(allow_null=True)


class MeanSerializer(serializers.Serializer[Any]):
    """A mean over seeds with its 95 percent interval; null while there is one value."""

    value = serializers.FloatField()
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class CellSerializer(serializers.Serializer[Any]):
    """A method, a rank and an amount, and what its runs came to so far."""

    method = serializers.CharField()
    rank = serializers.IntegerField()
    token_share = serializers.FloatField()
    token_budget = serializers.IntegerField()
    runs = serializers.ListField(child=serializers.IntegerField(), source="run_ids")
    states = serializers.DictField(child=serializers.IntegerField())
    tokens = serializers.FloatField(allow_null=True)
    bpb = MeanSerializer(allow_null=True)
    base_bpb = serializers.FloatField(allow_null=True)
    tokens_per_second = serializers.FloatField(allow_null=True)
    watt_hours = serializers.FloatField(allow_null=True)
    adapter_bytes = serializers.IntegerField(allow_null=True)


class GridViewSet(viewsets.ReadOnlyModelViewSet[Grid]):
    """Grids of communities in which you are a researcher or a steward."""

    serializer_class = GridSerializer
    queryset = Grid.objects.none()
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Grid]:
        """Visible grids."""
        if getattr(self, "swagger_fake_view", False):
            return Grid.objects.none()
        return Grid.objects.visible_to(person_of(self.request)).select_related("community", "release")

    @extend_schema(request=NewGridSerializer, responses={201: GridSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Start every run of it; runs that were started by themselves go before them."""
        release, plan, beside = self._asked(request)
        grid = start_grid(release=release, plan=plan, started_by=person_of(request), now=timezone.now(), **beside)
        ring_grid(grid)
        return Response(self.get_serializer(grid).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=NewGridSerializer, responses=EstimateSerializer)
    @action(detail=False, methods=["post"])
    def estimate(self, request: Request) -> Response:
        """Say what starting it would mean; nothing is started."""
        release, plan, beside = self._asked(request)
        chosen, base = plan.settings(), base_of_grid(release=release, plan=plan, **beside)
        return Response(EstimateSerializer({"runs": len(chosen), "seconds": seconds_for(release, chosen, base)}).data)

    @extend_schema(request=None, responses=GridSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop all runs of it that wait or run."""
        grid = self.get_object()
        cancel_grid(grid=grid, cancelled_by=person_of(request), now=timezone.now())
        return Response(self.get_serializer(grid).data)

    @extend_schema(responses=CellSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def cells(self, request: Request, pk: str) -> Response:
        """What it came to so far, cell by cell."""
        return Response(CellSerializer(cells_of(self.get_object()), many=True).data)

    def _asked(self, request: Request) -> tuple[Release, Plan, dict[str, Any]]:
        given = NewGridSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        release = get_object_or_404(Release.objects.visible_to(person_of(request)), pk=fields.pop("release"))
        chosen = additions_among(fields.pop("additions"), release, person_of(request))
        beside = {"additions": chosen, "base_model": fields.pop("base_model")}
        return release, plan_of(given=fields.pop("settings"), **fields), beside
