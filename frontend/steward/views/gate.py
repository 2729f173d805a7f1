"""What an adapter has to pass, having it compared or measured again, and going back to the one before."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from frontend.desk import show_refusal
from frontend.steward.forms import AdapterForm
from frontend.steward.gate_forms import BoundsForm
from frontend.steward.views.adapters import AdapterView
from frontend.steward.views.home import StewardView
from people.refusals import Refusal
from training.runs.bias import ask_for_bias
from training.runs.jobs import ring_comparison, ring_reading
from training.runs.promotion import bounds_of, roll_back, set_bounds


class GateView(StewardView):
    """The community's bounds."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """As they are."""
        return self._page(BoundsForm.showing(bounds_of(self.community)))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Set them."""
        form = BoundsForm(request.POST)
        if not form.is_valid():
            return self._page(form, 422)
        try:
            set_bounds(community=self.community, bounds=form.bounds(), set_by=self.person, now=self.now)
        except Refusal as refusal:
            return self._page(form, show_refusal(form, refusal))
        messages.success(request, _("The bounds are set, and stand in the record."))
        return redirect("steward:gate", slug=self.community.slug)

    def _page(self, form: BoundsForm, status: int = 200) -> HttpResponse:
        return render(self.request, "steward/gate.html", {"community": self.community, "form": form}, status=status)


class CompareView(AdapterView):
    """Having an adapter compared with the one that is in service now."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """There is nothing to read here by itself."""
        return redirect("steward:adapter", slug=self.community.slug, pk=self._adapter(pk).pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ring a worker."""
        adapter = self._adapter(pk)
        ring_comparison(adapter)
        messages.success(request, _("A worker compares it now. Load this page again in some minutes."))
        return redirect("steward:adapter", slug=self.community.slug, pk=adapter.pk)


class BiasView(CompareView):
    """Having an adapter read on the pairs of sentences that the community wrote."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ring a worker."""
        adapter = self._adapter(pk)
        try:
            reading = ask_for_bias(adapter=adapter, asked_by=self.person, now=self.now)
        except Refusal as refusal:
            form = AdapterForm({"note": ""})
            return self._page(adapter, form, status=show_refusal(form, refusal))
        ring_reading(reading)
        messages.success(request, _("A worker reads the pairs now. Load this page again in some minutes."))
        return redirect("steward:adapter", slug=self.community.slug, pk=adapter.pk)


class BackView(CompareView):
    """Going back to the adapter that was in service before."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """At once."""
        adapter = self._adapter(pk)
        try:
            earlier = roll_back(adapter=adapter, rolled_back_by=self.person, now=self.now)
        except Refusal as refusal:
            form = AdapterForm({"note": ""})
            return self._page(adapter, form, status=show_refusal(form, refusal))
        told = _("The adapter of run %(number)s is in service again.") % {"number": earlier.run.number}
        messages.success(request, told)
        return redirect("steward:adapter", slug=self.community.slug, pk=earlier.pk)
