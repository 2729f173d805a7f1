"""Starting a run, watching it, and reading what it made."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from frontend.desk import show_refusal
from frontend.energy import foretold, told_of_run
from frontend.researcher.forms import RunForm
from frontend.researcher.intruders import intruders_in
from frontend.researcher.progress import read_card, run_progress
from frontend.researcher.views.home import ResearchView
from people.models import Role
from people.refusals import Invalid, Refusal
from people.services import has_role
from training.metering.foresight import recalled
from training.mining.preferred import preferred_of
from training.recipes.configuration import FROM_VOTES
from training.releases.models import Release
from training.runs.base_models import DEFAULT
from training.runs.bias import ask_for_bias
from training.runs.elsewhere import comes_back, goes_elsewhere
from training.runs.energy import foretell_run, spent_by
from training.runs.findings import findings_of
from training.runs.intruders import ask_for_intruders
from training.runs.jobs import ring, ring_reading
from training.runs.models import Adapter, Addition, Run
from training.runs.promotion import gate_of, recommend_adapter, recommenders
from training.runs.samples import readable_samples
from training.runs.services import cancel_run, checked_settings, queue_run, resume_run
from training.runs.vocabularies import names_of_provided

STOP_POLLING = 286  # the status with which htmx ends an "every 3s" trigger


class StartView(ResearchView):
    """The form that starts a run on a release."""

    roles = (Role.RESEARCHER,)

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The recipe's settings with their defaults."""
        release = self._release(pk)
        return self._page(release, self._form(release))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Queue the run and wake a worker."""
        release = self._release(pk)
        form = self._form(release, request.POST)
        if not form.is_valid():
            return self._page(release, form, status=422)
        if request.POST.get("act") == "reckon":
            return self._page(release, form)
        try:
            run = queue_run(
                release=release,
                started_by=self.person,
                now=self.now,
                given=form.settings,
                base_model=form.base_model,
                additions=form.additions,
            )
        except Refusal as refusal:
            return self._page(release, form, status=show_refusal(form, refusal))
        ring(run)
        messages.success(request, _("Run %(number)s waits for the training worker.") % {"number": run.number})
        return redirect("researcher:run", slug=self.community.slug, pk=run.pk)

    def _form(self, release: Release, data: Any = None) -> RunForm:
        additions = Addition.objects.visible_to(self.person).for_project(release.project).there()
        without = () if release.judged else FROM_VOTES
        return RunForm(
            data,
            defaults=checked_settings({}),
            additions=additions,
            bases=names_of_provided(),
            without=without,
        )

    def _release(self, pk: int) -> Release:
        visible = Release.objects.visible_to(self.person).filter(community=self.community)
        release: Release = get_object_or_404(visible.select_related("project"), pk=pk)
        return release

    def _expected(self, release: Release, chosen: dict[str, Any], base_model: str) -> dict[str, Any] | None:
        """What such a run will take; nothing where the settings cannot be."""
        try:
            settings = checked_settings(chosen)
        except Invalid:
            return None
        return foretold(foretell_run(release=release, chosen=settings, base_model=base_model or DEFAULT))

    def _page(self, release: Release, form: RunForm, *, status: int = 200) -> HttpResponse:
        chosen, base_model = (form.settings, form.base_model) if form.is_bound and form.is_valid() else ({}, "")
        context = {
            "community": self.community,
            "release": release,
            "form": form,
            "expected": self._expected(release, chosen, base_model),
        }
        return render(self.request, "researcher/start.html", context, status=status)


class OneRun(ResearchView):
    """What all pages of one run share."""

    def run(self, pk: int) -> Run:
        """The run, if this person may see it."""
        visible = Run.objects.visible_to(self.person).filter(community=self.community)
        run: Run = get_object_or_404(visible.select_related("release__project", "community", "started_by"), pk=pk)
        return run

    def page(self, run: Run, *, status: int = 200, refusal: Refusal | None = None) -> HttpResponse:
        """The run's page."""
        adapter = Adapter.objects.visible_to(self.person).filter(run=run).first()
        checks = gate_of(adapter, steward=None) if adapter else []
        stand_for_it = recommenders(adapter, other_than=None) if adapter else []
        context = {
            **self.live_context(run),
            "refusal": refusal,
            "adapter": adapter,
            "goes_elsewhere": self.may_train and goes_elsewhere(run),
            "comes_back": self.may_train and comes_back(run),
            "has_card": bool(read_card(run)),
            "checks": checks,
            "gate_is_open": all(check.has_passed for check in checks),
            "findings": findings_of([adapter])[adapter.pk] if adapter else None,
            "preferred": preferred_of([adapter])[adapter.pk] if adapter else [],
            "intruders": intruders_in(adapter) if adapter and not adapter.contains_withdrawn else None,
            "measure": reverse("researcher:bias", args=[self.community.slug, run.pk]),
            "recommenders": stand_for_it,
            "may_recommend": self.may_train and self.person not in stand_for_it,
            "samples": readable_samples(adapter, self.person) if adapter else [],
            "spent": told_of_run(spent_by(run)),
            "expected": foretold(recalled(run.foretold)),
            "is_steward": has_role(self.person, self.community, Role.STEWARD),
        }
        return render(self.request, "researcher/run.html", context, status=status)

    def live_context(self, run: Run) -> dict[str, Any]:
        """What changes while the run is going on."""
        return {
            "community": self.community,
            "run": run,
            "live": run_progress(run),
            "events": run.events.select_related("actor"),
            "additions": run.additions.select_related("made_by"),
            "may_train": self.may_train,
        }


class RunView(OneRun):
    """One run."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read it."""
        return self.page(self.run(pk))


class LiveView(OneRun):
    """The part of the run's page that changes, for htmx to put in place."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The fragment; once the run is over, the whole page is fetched again for its results."""
        run = self.run(pk)
        if run.is_live:
            return render(request, "researcher/_live.html", self.live_context(run))
        response = HttpResponse(status=STOP_POLLING)
        response["HX-Refresh"] = "true"
        return response


class _ActView(OneRun):
    """A button on the run's page."""

    def act(self, run: Run) -> str:
        """Do it; returns what to tell the person."""
        raise NotImplementedError

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do it, or show on the same page why not."""
        run = self.run(pk)
        try:
            told = self.act(run)
        except Refusal as refusal:
            return self.page(run, status=refusal.status, refusal=refusal)
        messages.success(request, told)
        return redirect("researcher:run", slug=self.community.slug, pk=run.pk)


class CancelView(_ActView):
    """Stopping a run."""

    def act(self, run: Run) -> str:
        """Ask it to stop after its present step."""
        cancel_run(run=run, cancelled_by=self.person, now=self.now)
        return _("The run stops after its present step. What it learnt so far is kept.")


class ResumeView(_ActView):
    """Going on with a run."""

    def act(self, run: Run) -> str:
        """Queue it again."""
        ring(resume_run(run=run, resumed_by=self.person, now=self.now))
        return _("The run goes on from its last checkpoint.")


class RecommendView(_ActView):
    """Standing for what the run made."""

    roles = (Role.RESEARCHER,)

    def act(self, run: Run) -> str:
        """The first of the two who let an adapter be used."""
        adapter = get_object_or_404(Adapter.objects.visible_to(self.person), run=run)
        recommend_adapter(adapter=adapter, recommended_by=self.person, now=self.now)
        return _("You recommend this adapter. A steward decides on it.")


class BiasView(_ActView):
    """Having what the run made read on the pairs of sentences that the community wrote."""

    def act(self, run: Run) -> str:
        """Ring a worker."""
        adapter = get_object_or_404(Adapter.objects.visible_to(self.person).select_related("community"), run=run)
        ring_reading(ask_for_bias(adapter=adapter, asked_by=self.person, now=self.now))
        return _("A worker reads the pairs now. Load this page again in some minutes.")


class IntrudersView(_ActView):
    """Having what the run made searched for intruder dimensions."""

    def act(self, run: Run) -> str:
        """Ring a worker."""
        adapter = get_object_or_404(Adapter.objects.visible_to(self.person).select_related("community"), run=run)
        ring_reading(ask_for_intruders(adapter=adapter, asked_by=self.person, now=self.now))
        return _("A worker looks for them now. Load this page again in some minutes.")


class CardView(OneRun):
    """The adapter's card as the recipe wrote it."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Plain text on a page."""
        run = self.run(pk)
        card = read_card(run)
        if not card:
            raise Http404("This run has no card.")
        return render(request, "researcher/card.html", {"community": self.community, "run": run, "card": card})
