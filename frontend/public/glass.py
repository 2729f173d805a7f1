"""Broken glass: how the platform's staff ask for it, and what a community sees of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View

from care.glass import MOST_HOURS, break_glass, end_glass
from care.models import BrokenGlass
from frontend.desk import DeskView, show_refusal
from people.models import Community, Person, Role
from people.refusals import Refusal
from people.services import has_role


class GlassForm(forms.Form):
    """Which community, why, and for how long."""

    community = forms.SlugField(
        label=gettext_lazy("Community"), help_text=gettext_lazy("The short name in its addresses.")
    )
    reason = forms.CharField(
        label=gettext_lazy("Why do you need to read it?"),
        max_length=1000,
        help_text=gettext_lazy("The community reads this."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    hours = forms.IntegerField(label=gettext_lazy("For how many hours"), min_value=1, max_value=MOST_HOURS, initial=1)


class GlassView(LoginRequiredMixin, View):
    """For the platform's staff alone: asking for a look, and what one may look at now."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Whoever is not of the staff finds nothing here."""
        if isinstance(request.user, Person) and not request.user.is_staff:
            raise Http404("No such page.")
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form and the list."""
        return self._page(GlassForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Break it, or end it."""
        if "end" in request.POST:
            return self._end(request.POST["end"])
        form = GlassForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        given = form.cleaned_data
        community = Community.objects.filter(slug=given.pop("community")).first()
        if community is None:
            form.add_error("community", _("There is no such community."))
            return self._page(form, status=422)
        try:
            break_glass(community=community, person=self._person, now=timezone.now(), **given)
        except Refusal as refusal:
            return self._page(form, status=show_refusal(form, refusal))
        messages.success(request, _("You may read now. The community’s stewards have been told."))
        return redirect("public:glass")

    def _end(self, number: str) -> HttpResponse:
        mine = BrokenGlass.objects.filter(person=self._person)
        glass = get_object_or_404(mine, pk=int(number) if number.isdecimal() else 0)
        try:
            end_glass(glass=glass, ended_by=self._person, now=timezone.now())
        except Refusal as refusal:
            messages.error(self.request, str(refusal))
        return redirect("public:glass")

    @property
    def _person(self) -> Person:
        person = self.request.user
        if not isinstance(person, Person):
            raise Http404("No such page.")
        return person

    def _page(self, form: GlassForm, *, status: int = 200) -> HttpResponse:
        mine = BrokenGlass.objects.live(timezone.now()).filter(person=self._person).select_related("community")
        return render(self.request, "public/glass.html", {"form": form, "mine": mine}, status=status)


class GlassesView(DeskView):
    """For every member: who of the platform's staff has read here, why, and until when."""

    opens_to_glass = True

    def get(self, request: HttpRequest) -> HttpResponse:
        """The list."""
        context = {
            "community": self.community,
            "glasses": BrokenGlass.objects.filter(community=self.community).select_related("person", "ended_by"),
            "live": set(
                BrokenGlass.objects.live(self.now).filter(community=self.community).values_list("pk", flat=True)
            ),
            "is_steward": has_role(self.person, self.community, Role.STEWARD),
        }
        return render(request, "public/glasses.html", context)


class EndGlassView(DeskView):
    """A steward ends it."""

    roles = (Role.STEWARD,)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """At once."""
        glass = get_object_or_404(BrokenGlass.objects.filter(community=self.community), pk=pk)
        try:
            end_glass(glass=glass, ended_by=self.person, now=self.now)
        except Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Ended: they read nothing here any more."))
        return redirect("public:glasses", slug=self.community.slug)
