"""Deciding which adapters the community uses."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _

from frontend.desk import show_refusal
from frontend.steward.forms import AdapterForm
from frontend.steward.views.home import StewardView
from people.refusals import Refusal
from training.runs.models import Adapter
from training.runs.samples import readable_samples
from training.runs.services import decide_adapter

TOLD = {
    Adapter.State.APPROVED: _("Approved: every member can try this adapter now."),
    Adapter.State.REFUSED: _("Refused. It is used nowhere."),
    Adapter.State.RETIRED: _("Retired. It is used nowhere any more."),
}


class AdaptersView(StewardView):
    """All adapters, those that wait for a decision first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Read them."""
        adapters = Adapter.objects.visible_to(self.person).filter(community=self.community)
        adapters = adapters.select_related("run__release")
        context = {
            "community": self.community,
            "waiting": adapters.filter(state=Adapter.State.CANDIDATE),
            "decided": adapters.exclude(state=Adapter.State.CANDIDATE),
        }
        return render(request, "steward/adapters.html", context)


class AdapterView(StewardView):
    """One adapter: figures, samples, what it learnt from, and the decision."""

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
        context = {
            "community": self.community,
            "adapter": adapter,
            "run": adapter.run,
            "form": form,
            "samples": readable_samples(adapter, self.person),
            "events": adapter.events.select_related("actor"),
        }
        return render(self.request, "steward/adapter.html", context, status=status)
