"""What keeps words from being used: labels, holds, and uses that a steward has stopped."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from care.hub import follow_project, unfollow_project
from care.jobs import read_hub_job
from care.models import HubProject, Restriction
from care.restricting import lift, place_hold, put_label, suspend_purpose
from frontend.desk import show_refusal, with_way_on
from frontend.steward.queries import restriction_lines
from frontend.steward.restriction_forms import FollowForm, HoldForm, LabelForm, StopForm
from frontend.steward.views.home import StewardView
from people.refusals import Refusal


class RestrictionsView(StewardView):
    """All that stands, and the forms that add to it."""

    opens_to_glass = True

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page."""
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Place what the pressed button says."""
        forms_ = self._forms(request.POST)
        act = next((name for name in forms_ if name in request.POST), "label")
        form = forms_[act]
        if not form.is_valid():
            return self._page(act, form, status=422)
        try:
            self._place(act, form.cleaned_data)
        except Refusal as refusal:
            return self._page(act, form, status=show_refusal(form, refusal))
        messages.success(request, _("Done: it holds from now on."))
        return redirect("steward:restrictions", slug=self.community.slug)

    def _place(self, act: str, given: dict[str, Any]) -> None:
        common = {"community": self.community, "placed_by": self.person, "now": self.now}
        if act == "label":
            kind, key = given["label_on"]
            season = (given["season_from"], given["season_to"])
            put_label(kind=kind, key=key, code=given["code"], season=season, **common)
        elif act == "follow":
            kind, key = given["followed_for"]
            who = {"community": self.community, "followed_by": self.person, "now": self.now}
            follow_project(hub_id=given["hub_id"], kind=kind, key=key, **who)
            transaction.on_commit(read_hub_job.delay)
        elif act == "hold":
            kind, key = given["held"]
            place_hold(kind=kind, key=key, note=given["note"], hides=given["hides"], cause=given["cause"], **common)
        else:
            suspend_purpose(purpose=given["purpose"], note=given["why"], **common)

    def _forms(self, data: Any = None) -> dict[str, forms.Form]:
        who = {"community": self.community, "person": self.person}
        return {
            "label": LabelForm(data, **who),
            "hold": HoldForm(data, **who),
            "stop": StopForm(data),
            "follow": FollowForm(data, **who),
        }

    def _page(self, act: str = "", form: forms.Form | None = None, *, status: int = 200) -> HttpResponse:
        standing = Restriction.objects.live().filter(community=self.community).select_related("placed_by")
        shown = {**self._forms(), **({act: form} if form else {})}
        context = {
            "community": self.community,
            "lines": restriction_lines(self.community, list(standing)),
            "forms": shown,
            "open": act,
            "hub_projects": self.community.hub_projects.prefetch_related("labels"),
        }
        return render(self.request, "steward/restrictions.html", context, status=status)


class LiftView(StewardView):
    """Taking one away."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do it."""
        row = get_object_or_404(Restriction.objects.filter(community=self.community), pk=pk)
        try:
            lift(restriction=row, lifted_by=self.person, now=self.now)
        except Refusal as refusal:
            messages.error(request, with_way_on(refusal))
        else:
            messages.success(request, _("Lifted."))
        return redirect("steward:restrictions", slug=self.community.slug)


class HubView(StewardView):
    """One project of the Local Contexts Hub: read it now, or follow it no more."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do what the pressed button says."""
        project = get_object_or_404(HubProject.objects.filter(community=self.community), pk=pk)
        if "read" in request.POST:
            read_hub_job.delay()
            messages.info(request, _("The Hub is being asked. Reload the page in a moment."))
        else:
            unfollow_project(project=project, unfollowed_by=self.person, now=self.now)
            messages.success(request, _("Followed no more. The labels that came from it stay until they are lifted."))
        return redirect("steward:restrictions", slug=self.community.slug)
