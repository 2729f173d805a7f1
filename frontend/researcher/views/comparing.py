"""Runs beside each other, and a run's folder to take home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

from frontend.charts import MOST_LINES
from frontend.researcher.grid_charts import curves_of
from frontend.researcher.views.home import ResearchView
from frontend.researcher.views.runs import OneRun
from people.handing import while_allowed
from people.refusals import Conflicting
from training.releases.models import Release
from training.runs.archives import zip_run
from training.runs.beside import not_usable_behind, why_withdrawn
from training.runs.models import Run
from training.runs.services import folder_of

NEWEST = 30


@dataclass(frozen=True)
class Row:
    """Something that is said of each of the runs."""

    name: str
    values: list[Any]
    section: str = ""

    @property
    def differs(self) -> bool:
        """Whether it is not the same for all."""
        return any(value != self.values[0] for value in self.values)


class CompareView(ResearchView):
    """The curves of several runs in one picture, their settings where they differ, and what they made."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """`?run=` names each by its id."""
        runs = Run.objects.visible_to(self.person).filter(community=self.community).select_related("release", "adapter")
        wanted = {int(one) for one in request.GET.getlist("run") if one.isdecimal() and len(one) < 16}
        chosen = list(runs.filter(pk__in=wanted).order_by("number")[:MOST_LINES])
        context = {
            "community": self.community,
            "chosen": chosen,
            "others": runs.exclude(pk__in=wanted).order_by("-number")[:NEWEST],
            "most": MOST_LINES,
            "pictures": curves_of(chosen),
            "is_live": any(run.is_live for run in chosen),
            "address": request.get_full_path(),
            "settings": [row for row in settings_of(chosen) if row.differs],
            "made": made_by(chosen),
        }
        return render(request, "researcher/compare.html", context)


def settings_of(runs: Sequence[Run]) -> list[Row]:
    """What the runs were made with: release, base model, and every setting of the recipe."""
    rows = [
        Row(_("Release"), [run.release.number for run in runs]),
        Row(_("Base model"), [run.base_model for run in runs]),
    ]
    keys = sorted({(section, key) for run in runs for section, keys in run.settings.items() for key in keys})
    return rows + [
        Row(key, [run.settings.get(section, {}).get(key, "") for run in runs], "" if section == "recipe" else section)
        for section, key in keys
    ]


def made_by(runs: Sequence[Run]) -> list[Row]:
    """What the finished ones came to."""
    adapters = [getattr(run, "adapter", None) for run in runs]
    if not any(adapters):
        return []
    reports = [adapter.report if adapter else {} for adapter in adapters]
    figures = (
        (_("bits per byte, base"), [adapter and round(adapter.base_bpb, 3) for adapter in adapters]),
        (_("bits per byte, adapter"), [adapter and round(adapter.adapter_bpb, 3) for adapter in adapters]),
        (_("chrF++, adapter"), [_rounded(adapter.adapter_chrf) if adapter else None for adapter in adapters]),
        (_("tokens per second"), [report.get("tokens_per_second") for report in reports]),
        (_("seconds"), [report.get("seconds") and round(report["seconds"]) for report in reports]),
        (_("memory at most, MB"), [report.get("peak_memory_mb") for report in reports]),
        (_("energy, Wh"), [_rounded(report.get("energy", {}).get("wh"), 2) for report in reports]),
    )
    return [Row(name, values) for name, values in figures]


def _rounded(figure: float | None, places: int = 1) -> float | None:
    return None if figure is None else round(figure, places)


class DownloadRunView(OneRun):
    """A run's folder as one file: its config.toml, its log, and its report where it finished; not what it learnt."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The zip, unless words that it learnt from were withdrawn, or may not be used now."""
        run = self.run(pk)
        if why_withdrawn(run):
            why = "Words in this release were withdrawn, so it is not handed out any more. Freeze a new one."
            return self._refused(run, Conflicting(why))
        if not_usable_behind(run):
            why = "Words in this release may not be used now, so it is not handed out."
            return self._refused(run, Conflicting(why))
        if not folder_of(run).is_dir():
            return self._refused(run, Conflicting("The files of this run are missing on this machine."))
        name = f"run-{run.number}"
        file = zip_run(folder_of(run), name=name)
        response = FileResponse(
            file, as_attachment=True, filename=f"{self.community.slug}-{name}.zip", content_type="application/zip"
        )
        response.streaming_content = while_allowed(response.streaming_content, lambda: self._still(run))
        return response

    def _refused(self, run: Run, refusal: Conflicting) -> HttpResponse:
        return self.page(run, status=refusal.status, refusal=refusal)

    def _still(self, run: Run) -> bool:
        """Whether the person may read it now, and no words behind it were withdrawn since the download began."""
        visible = Release.objects.visible_to(self.person).trainable().filter(pk=run.release_id)
        return visible.exists() and not why_withdrawn(run)
