"""API of trials: opening one, how far it is, what people prefer. It tells of no text who wrote it, and names nobody."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from annotation.aggregation.preferences import Share
from people.api import person_of
from training.mining.models import Probe, Trial
from training.mining.preferred import BASE, outcome_of
from training.mining.trials import FEWEST_VOTES, MOST_VOTES, USUAL_VOTES, open_trial


class ShareSerializer(serializers.Serializer[Any]):
    """How often one was chosen, of the times that either was, with its 95 % interval."""

    won = serializers.IntegerField()
    of = serializers.IntegerField()
    share = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class StrengthSerializer(serializers.Serializer[Any]):
    """A Bradley–Terry score: the log-odds of being preferred to an average one, with its 95 % interval."""

    adapter = serializers.IntegerField(allow_null=True, help_text="Null is the base model.")
    score = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class DuelSerializer(ShareSerializer):
    """How often an adapter was preferred to another, or to the base model."""

    adapter = serializers.IntegerField()
    rival = serializers.IntegerField(allow_null=True, help_text="Null is the base model.")


class OutcomeSerializer(serializers.Serializer[Any]):
    """What people prefer; nobody is named."""

    votes = serializers.IntegerField()
    people = serializers.IntegerField()
    sentences = serializers.IntegerField()
    same = serializers.IntegerField(help_text="Votes that found both alike.")
    bad = serializers.IntegerField(help_text="Votes that found both bad.")
    strengths = StrengthSerializer(many=True)
    duels = DuelSerializer(many=True)
    agreed = serializers.FloatField(allow_null=True, help_text="Share of two votes on one pair that say the same.")
    alpha = serializers.FloatField(allow_null=True, help_text="The same beyond chance (Krippendorff).")
    first_shown = ShareSerializer(allow_null=True, help_text="How often what stood first was chosen.")


class TrialSerializer(serializers.ModelSerializer[Trial]):
    """A trial; its outcome is null until nobody is asked any more and three people have said something."""

    community = serializers.SlugRelatedField(slug_field="slug", read_only=True)
    is_over = serializers.BooleanField(read_only=True)
    outcome = serializers.SerializerMethodField()

    class Meta:
        model = Trial
        fields = ["id", "community", "project", "of", "same", "opened_at", "is_over", "outcome"]

    @extend_schema_field(OutcomeSerializer(allow_null=True))
    def get_outcome(self, trial: Trial) -> dict[str, Any] | None:
        """What the votes come to."""
        found = outcome_of(trial)
        if found is None:
            return None
        return {
            "votes": found.votes,
            "people": found.people,
            "sentences": found.sentences,
            "same": found.same,
            "bad": found.bad,
            "strengths": [
                {"adapter": one.model or None, "score": one.score, "low": one.low, "high": one.high}
                for one in found.strengths
            ],
            "duels": [
                {"adapter": one, "rival": other or None, **_told(share)}
                for (one, other), share in found.duels.items()
                if one != BASE
            ],
            "agreed": found.agreed,
            "alpha": found.alpha.value,
            "first_shown": _told(found.first_shown) if found.first_shown else None,
        }


def _told(share: Share) -> dict[str, float]:
    return {"won": share.won, "of": share.of, "share": share.share, "low": share.low, "high": share.high}


class NewTrialSerializer(serializers.Serializer[Any]):
    """Finished readings of held-out answers, and how many people compare each pair of texts."""

    probes = serializers.ListField(child=serializers.IntegerField(), min_length=1, max_length=20)
    title = serializers.CharField(max_length=200)
    votes = serializers.IntegerField(min_value=FEWEST_VOTES, max_value=MOST_VOTES, default=USUAL_VOTES)


class TrialViewSet(viewsets.ReadOnlyModelViewSet[Trial]):
    """Trials of your communities, in which people compare what models wrote."""

    serializer_class = TrialSerializer
    queryset = Trial.objects.none()
    cursor_ordering = ("-opened_at", "pk")
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Trial]:
        """Visible trials."""
        if getattr(self, "swagger_fake_view", False):
            return Trial.objects.none()
        return Trial.objects.visible_to(person_of(self.request)).select_related("community", "project")

    @extend_schema(request=NewTrialSerializer, responses={201: TrialSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Open one; for researchers and stewards."""
        given = NewTrialSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        visible = Probe.objects.visible_to(person_of(request)).select_related("project", "adapter__run", "rival__run")
        probes = [get_object_or_404(visible, pk=pk) for pk in dict.fromkeys(fields.pop("probes"))]
        trial = open_trial(probes=probes, opened_by=person_of(request), now=timezone.now(), **fields)
        return Response(self.get_serializer(trial).data, status=status.HTTP_201_CREATED)
