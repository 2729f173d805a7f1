"""Asking people which of two models' texts is better, and what they said."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Count, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from frontend.desk import show_refusal
from frontend.researcher.views.home import ResearchView
from frontend.researcher.views.mining import OneProbe
from people.refusals import Refusal
from training.mining.models import Probe, Trial
from training.mining.preferred import BASE, outcome_of
from training.mining.trials import open_trial
from training.runs.models import Adapter


class OpenTrialView(OneProbe):
    """The form on a reading's page that opens a trial."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Open the project."""
        probe = self.probe(pk)
        form = self.trial_form(probe, request.POST)
        if not form.is_valid():
            return self.page(probe, trial_form=form, status=422)
        given = dict(form.cleaned_data)
        others: list[Probe] = list(given.pop("others", ()))
        try:
            trial = open_trial(probes=[probe, *others], opened_by=self.person, now=self.now, **given)
        except Refusal as refusal:
            return self.page(probe, trial_form=form, status=show_refusal(form, refusal))
        messages.success(request, _("The project is open: speakers find it on their desk."))
        return redirect("researcher:trial", slug=self.community.slug, pk=trial.pk)


class TrialView(ResearchView):
    """One trial: how far it is, and once it is over what people prefer."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read it."""
        visible = Trial.objects.visible_to(self.person).filter(community=self.community)
        trial: Trial = get_object_or_404(visible.select_related("project", "of"), pk=pk)
        outcome = outcome_of(trial)
        keys = [strength.model for strength in outcome.strengths if strength.model != BASE] if outcome else []
        adapters = Adapter.objects.select_related("run").in_bulk(keys)
        context = {
            "community": self.community,
            "trial": trial,
            "progress": trial.project.tasks.aggregate(pairs=Count("pk"), given=Sum("answered"), wanted=Sum("wanted")),
            "outcome": outcome,
            "strengths": [(adapters.get(one.model), one) for one in outcome.strengths] if outcome else [],
            "duels": [
                (adapters.get(one), adapters.get(other), share)
                for (one, other), share in (outcome.duels.items() if outcome else ())
                if one != BASE and (other == BASE or one > other)
            ],
        }
        return render(request, "researcher/trial.html", context)
