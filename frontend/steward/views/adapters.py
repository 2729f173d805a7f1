"""Deciding which adapters the community uses."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from annotation.answers.models import Suggestion
from frontend.desk import show_refusal
from frontend.steward.forms import AdapterForm
from frontend.steward.views.home import StewardView
from people.refusals import Refusal
from training.mining.preferred import preferred_of
from training.playground.jobs import ring_suggesting
from training.playground.suggesting import AT_ONCE, maker_of, project_of, require_suggesting
from training.runs.findings import findings_of
from training.runs.models import Adapter
from training.runs.promotion import before, gate_of, in_service
from training.runs.samples import readable_samples
from training.runs.services import decide_adapter

TOLD = {
    Adapter.State.APPROVED: _("Approved: every member can try this adapter now."),
    Adapter.State.REFUSED: _("Refused. It is used nowhere."),
    Adapter.State.RETIRED: _("Retired. It is used nowhere any more."),
}


class AdaptersView(StewardView):
    """All adapters, those that wait for a decision first."""

    opens_to_glass = True

    def get(self, request: HttpRequest) -> HttpResponse:
        """Read them."""
        adapters = Adapter.objects.visible_to(self.person).filter(community=self.community)
        adapters = adapters.select_related("run__release")
        context = {
            "community": self.community,
            "waiting": adapters.undecided(),
            "decided": adapters.exclude(state=Adapter.State.CANDIDATE),
        }
        return render(request, "steward/adapters.html", context)


class AdapterView(StewardView):
    """One adapter: figures, samples, what it learnt from, and the decision."""

    opens_to_glass = True

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read it."""
        return self._page(self._adapter(pk), AdapterForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Approve, refuse or retire."""
        adapter = self._adapter(pk)
        form = AdapterForm(request.POST)
        if not form.is_valid():
            return self._page(adapter, form, status=422)
        try:
            decided = decide_adapter(
                adapter=adapter,
                approve=request.POST.get("decision") == "approve",
                decided_by=self.person,
                note=form.cleaned_data["note"],
                now=self.now,
            )
        except Refusal as refusal:
            return self._page(adapter, form, status=show_refusal(form, refusal))
        messages.success(request, TOLD[Adapter.State(decided.state)])
        return redirect("steward:adapter", slug=self.community.slug, pk=adapter.pk)

    def _adapter(self, pk: int) -> Adapter:
        visible = Adapter.objects.visible_to(self.person).filter(community=self.community)
        adapter: Adapter = get_object_or_404(visible.select_related("run__release__project", "community"), pk=pk)
        return adapter

    def _page(self, adapter: Adapter, form: AdapterForm, *, status: int = 200) -> HttpResponse:
        suggested = Suggestion.objects.filter(made_by=maker_of(adapter), task__project=project_of(adapter))
        checks = gate_of(adapter, steward=self.person)
        earlier = before(adapter)
        context = {
            "community": self.community,
            "adapter": adapter,
            "checks": checks,
            "gate_is_open": all(check.has_passed for check in checks),
            "is_in_service": in_service(adapter.run.release.project) == adapter,
            "earlier": earlier,
            "run": adapter.run,
            "additions": adapter.run.additions.select_related("made_by"),
            "form": form,
            "samples": readable_samples(adapter, self.person),
            "suggested": suggested.count(),
            "at_once": AT_ONCE,
            "findings": findings_of([adapter])[adapter.pk],
            "preferred": preferred_of([adapter])[adapter.pk],
            "measure": reverse("steward:bias", args=[self.community.slug, adapter.pk]),
            "events": adapter.events.select_related("actor"),
        }
        return render(self.request, "steward/adapter.html", context, status=status)


class SuggestView(AdapterView):
    """Letting an approved adapter propose answers to open tasks."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """There is nothing to read here by itself."""
        return redirect("steward:adapter", slug=self.community.slug, pk=self._adapter(pk).pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ring a worker, which writes them one by one."""
        adapter = self._adapter(pk)
        try:
            require_suggesting(adapter=adapter, asked_by=self.person)
        except Refusal as refusal:
            form = AdapterForm({"note": ""})
            return self._page(adapter, form, status=show_refusal(form, refusal))
        ring_suggesting(adapter, self.person)
        messages.success(request, _("A worker writes suggestions now, one by one; speakers find them at their tasks."))
        return redirect("steward:adapter", slug=self.community.slug, pk=adapter.pk)
