"""The game: what was earned and why, the boards, the companion; and what one's sentences became."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.rewards.formula import BADGES, POINTS
from annotation.rewards.models import Point
from annotation.rewards.services import PERIODS, balanced_board, board, set_play, standing_of
from frontend.desk import DeskView, show_refusal
from frontend.speaker.forms import PlayForm
from frontend.speaker.queries import impact_of, team_goals
from people.models import Role
from people.refusals import Refusal

PERIOD_WORDS = {
    "day": gettext_lazy("a day"),
    "week": gettext_lazy("a week"),
    "month": gettext_lazy("a month"),
    "all": gettext_lazy("all time"),
}
RECENT = 10


class PlayView(DeskView):
    """Points with their formula, boards, team goals, and how one wants to be seen."""

    opens_to_glass = True

    roles = (Role.SPEAKER, Role.EXPERT)

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page."""
        standing = standing_of(person=self.person, community=self.community, now=self.now)
        form = PlayForm(initial={"is_hidden": standing.is_hidden, "companion_name": standing.companion_name})
        return self._page(form)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Hide or be seen; name the companion."""
        form = PlayForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            set_play(person=self.person, community=self.community, **form.cleaned_data)
        except Refusal as refusal:
            return self._page(form, status=show_refusal(form, refusal))
        messages.success(request, _("Saved."))
        return redirect(reverse("speaker:play", args=[self.community.slug]))

    def _page(self, form: PlayForm, *, status: int = 200) -> HttpResponse:
        period = self.request.GET.get("period", "")
        period = period if period in PERIODS else "week"
        context = {
            "community": self.community,
            "standing": standing_of(person=self.person, community=self.community, now=self.now),
            "board": board(community=self.community, period=period, now=self.now, around=self.person),
            "balanced": balanced_board(community=self.community, around=self.person),
            "period": period,
            "periods": PERIOD_WORDS.items(),
            "points": POINTS,
            "badges": BADGES,
            "lines": Point.objects.visible_to(self.person).of_community(self.community).order_by("-pk")[:RECENT],
            "goals": team_goals(self.community),
            "care": self.person.standings.filter(community=self.community).first(),
            "form": form,
        }
        return render(self.request, "speaker/play.html", context, status=status)


class ImpactView(DeskView):
    """What my sentences became: releases, adapters, and how much better these are."""

    roles = (Role.SPEAKER, Role.EXPERT)

    def get(self, request: HttpRequest) -> HttpResponse:
        """In words."""
        context = {"community": self.community, "impact": impact_of(self.person, self.community)}
        return render(request, "speaker/impact.html", context)
