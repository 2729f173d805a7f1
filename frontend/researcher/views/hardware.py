"""What training takes of a machine: computed for each base model that is here, and what runs here took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from frontend.researcher.views.home import ResearchView
from training.recipes.base_list import listed
from training.recipes.configuration import IN_FULL_PRECISION, METHODS, WHOLE_MODELS, RecipeSettings
from training.runs.base_models import BaseModel, find_base_model
from training.runs.models import Adapter
from training.runs.needs import ON_GPU, ON_PROCESSOR, Need, NotComputed, Shape, need_of, read_shape, shape_of
from training.runs.vocabularies import bases_of

# One of each sort: what the others add to these is small.
SHOWN = ("qlora", "lora", "full")


@dataclass(frozen=True)
class MethodNeed:
    """What one method takes with one base model."""

    method: str
    on_processor: Need
    on_gpu: Need
    measured_mb: list[int]
    """The most that finished runs here took while they trained, the newest first."""


@dataclass(frozen=True)
class Listed:
    """A base model that may be brought in, and what training on it would take by the first and second of `SHOWN`."""

    name: str
    about: dict[str, Any]
    numbers: int
    needs: list[tuple[Need, Need]]
    """On a processor and on a GPU, by method."""


@dataclass(frozen=True)
class ModelNeeds:
    """A base model with what is known of it."""

    base: BaseModel
    numbers: int | None
    why_not: str
    rows: list[MethodNeed]


class HardwareView(ResearchView):
    """Memory, by base model and method."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """With the recipe's default settings."""
        context = {
            "community": self.community,
            "models": [self._needs(base) for base in bases_of(self.community)],
            "listed": self._listed(),
            "settings": RecipeSettings(),
        }
        return render(request, "researcher/hardware.html", context)

    def _listed(self) -> list[Listed]:
        """What is not here yet."""
        found = []
        for name, about in listed().items():
            if find_base_model(name) is None:
                shape = shape_of(about["config"])
                needs = [both(shape, method) for method in SHOWN[:2]]
                found.append(Listed(name, about, shape.numbers, needs))
        return found

    def _needs(self, base: BaseModel) -> ModelNeeds:
        try:
            shape = read_shape(base.folder)
        except (NotComputed, OSError) as error:
            return ModelNeeds(base, None, str(error), [])
        rows = [MethodNeed(METHODS[method], *both(shape, method), self._measured(base, method)) for method in SHOWN]
        return ModelNeeds(base, shape.numbers, "", rows)

    def _measured(self, base: BaseModel, method: str) -> list[int]:
        adapters = Adapter.objects.visible_to(self.person).filter(
            community=self.community, run__base_model=base.name, run__method=method
        )
        reports: Sequence[dict[str, int]] = adapters.order_by("-created_at").values_list("report", flat=True)[:3]
        return [report["training_memory_mb"] for report in reports if "training_memory_mb" in report]


def both(shape: Shape, method: str) -> tuple[Need, Need]:
    """What a method takes by the recipe's default settings, on a processor and on a GPU."""
    usual = RecipeSettings()
    about = {
        "in_4_bits": method not in IN_FULL_PRECISION,
        "is_whole": method in WHOLE_MODELS,
        "rank": usual.rank,
        "tokens": usual.tokens_at_once,
    }
    return (
        need_of(shape, number_bytes=ON_PROCESSOR, **about),
        need_of(shape, number_bytes=ON_GPU, **about),
    )
