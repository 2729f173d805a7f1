"""Grids of runs: starting one, watching it, and taking its figures home."""

from __future__ import annotations

import csv
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import ngettext

from frontend.desk import show_refusal
from frontend.energy import told_of_run
from frontend.researcher.grid_charts import charts_of
from frontend.researcher.grid_forms import GridForm
from frontend.researcher.progress import spoken_seconds
from frontend.researcher.views.home import ResearchView
from frontend.researcher.views.runs import STOP_POLLING
from people.models import Role
from people.refusals import Refusal
from training.releases.models import Release
from training.runs.cells import CSV_COLUMNS, cells_of, rows_of, seconds_for
from training.runs.energy import spent_together
from training.runs.grids import Plan, cancel_grid, start_grid
from training.runs.jobs import ring_grid
from training.runs.models import Addition, Grid, Run
from training.runs.vocabularies import base_for, names_of_provided


def _told(plan: Plan, form: GridForm) -> str:
    """What somebody was told about, to be known again."""
    return f"{plan} {form.base_model} {sorted(one.pk for one in form.additions)}"


class StartGridView(ResearchView):
    """The form that starts a grid on a release: first it says what that would be, then it starts it."""

    roles = (Role.RESEARCHER,)

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The form with its defaults."""
        release = self._release(pk)
        return self._page(release, self._form(release))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say how many runs it would be and how long they take; start them where that was said before."""
        release = self._release(pk)
        form = self._form(release, request.POST)
        if not form.is_valid():
            return self._page(release, form, status=422)
        try:
            plan = form.plan()
            # Whoever changed something since they were told is told again.
            if request.POST.get("told") != _told(plan, form):
                return self._page(release, form, plan=plan)
            grid = start_grid(
                release=release,
                plan=plan,
                started_by=self.person,
                now=self.now,
                base_model=form.base_model,
                additions=form.additions,
            )
        except Refusal as refusal:
            return self._page(release, form, status=show_refusal(form, refusal))
        ring_grid(grid)
        number = grid.runs.count()
        told = ngettext("%(number)s run waits.", "%(number)s runs wait. Other runs go before them.", number)
        messages.success(request, told % {"number": number})
        return redirect("researcher:grid", slug=self.community.slug, pk=grid.pk)

    def _form(self, release: Release, data: Any = None) -> GridForm:
        additions = Addition.objects.visible_to(self.person).for_project(release.project).there()
        return GridForm(data, additions=additions, bases=names_of_provided())

    def _release(self, pk: int) -> Release:
        visible = Release.objects.visible_to(self.person).filter(community=self.community)
        release: Release = get_object_or_404(visible.select_related("project"), pk=pk)
        return release

    def _page(self, release: Release, form: GridForm, *, plan: Plan | None = None, status: int = 200) -> HttpResponse:
        chosen = plan.settings() if plan else []
        base = base_for(form.base_model, form.additions) if plan else ""
        context = {
            "community": self.community,
            "release": release,
            "form": form,
            "plan": _told(plan, form) if plan else "",
            "size": len(chosen),
            "time": spoken_seconds(seconds_for(release, chosen, base)) if plan else "",
        }
        return render(self.request, "researcher/start_grid.html", context, status=status)


class OneGrid(ResearchView):
    """What all pages of one grid share."""

    def grid(self, pk: int) -> Grid:
        """The grid, if this person may see it."""
        visible = Grid.objects.visible_to(self.person).filter(community=self.community)
        grid: Grid = get_object_or_404(visible.select_related("release__project", "community", "started_by"), pk=pk)
        return grid

    def live_context(self, grid: Grid) -> dict[str, Any]:
        """What changes while its runs are going on."""
        cells = cells_of(grid)
        runs = list(grid.runs.select_related("adapter").order_by("pk"))
        return {
            "community": self.community,
            "grid": grid,
            "cells": cells,
            "charts": charts_of(grid, cells),
            "runs": runs,
            "is_live": any(run.is_live for run in runs),
            "over": sum(not run.is_live for run in runs),
            "failed": sum(run.state == run.State.FAILED for run in runs),
            "spent": told_of_run(spent_together(runs)),
        }

    def page(self, grid: Grid, *, status: int = 200, refusal: Refusal | None = None) -> HttpResponse:
        """The grid's page."""
        # All of its runs learn on the same base model, and from the same beside the release.
        first: Run | None = grid.runs.order_by("pk").first()
        context = {
            **self.live_context(grid),
            "refusal": refusal,
            "base_model": first.base_model if first else "",
            "additions": first.additions.select_related("made_by").order_by("pk") if first else (),
        }
        return render(self.request, "researcher/grid.html", context, status=status)


class GridView(OneGrid):
    """One grid."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read it."""
        return self.page(self.grid(pk))


class LiveGridView(OneGrid):
    """The part of the grid's page that changes, for htmx to put in place."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The fragment; once all runs are over, the whole page is fetched again."""
        context = self.live_context(self.grid(pk))
        if context["is_live"]:
            return render(request, "researcher/_grid_live.html", context)
        response = HttpResponse(status=STOP_POLLING)
        response["HX-Refresh"] = "true"
        return response


class CancelGridView(OneGrid):
    """Stopping all runs of a grid."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop those that wait or run."""
        grid = self.grid(pk)
        try:
            number = cancel_grid(grid=grid, cancelled_by=self.person, now=self.now)
        except Refusal as refusal:
            return self.page(grid, status=refusal.status, refusal=refusal)
        told = ngettext("%(number)s run is stopped.", "%(number)s runs are stopped.", number)
        messages.success(request, told % {"number": number})
        return redirect("researcher:grid", slug=self.community.slug, pk=grid.pk)


class GridFileView(OneGrid):
    """A grid's figures as a file."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A line for each run."""
        grid = self.grid(pk)
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{self.community.slug}-grid-{grid.number}.csv"'
        writer = csv.writer(response)
        writer.writerow(CSV_COLUMNS)
        writer.writerows(rows_of(grid))
        return response
