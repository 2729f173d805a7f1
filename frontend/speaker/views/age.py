"""Saying how old one is, where the community asks."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dates import MONTHS
from django.utils.translation import gettext_lazy as _

from care.ages import band_of, must_say_age, state_age
from care.models import AgeBand
from frontend.desk import DeskView, show_refusal
from people.refusals import Refusal


class AgeForm(forms.Form):
    """A band, and for who is under age the month of coming of age."""

    band = forms.ChoiceField(label=_("How old are you?"), choices=AgeBand.Band.choices, widget=forms.RadioSelect)
    month = forms.TypedChoiceField(
        label=_("Month in which you come of age"), required=False, coerce=int, empty_value=None
    )
    year = forms.IntegerField(label=_("Year in which you come of age"), required=False, min_value=2000, max_value=2100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["month"].choices = [("", "–"), *MONTHS.items()]  # type: ignore[attr-defined]

    @property
    def of_age_in(self) -> str:
        """Year and month, as they are kept; empty when one is left out."""
        month, year = self.cleaned_data.get("month"), self.cleaned_data.get("year")
        return f"{year:04d}-{month:02d}" if month and year else ""


class AgeView(DeskView):
    """One question, before the page about consent."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask, unless it was answered or nobody asks."""
        if not must_say_age(self.person, self.community):
            return redirect(self._consent)
        return self._page(AgeForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Keep the answer."""
        if not must_say_age(self.person, self.community):
            return redirect(self._consent)
        form = AgeForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            state_age(
                person=self.person,
                community=self.community,
                band=form.cleaned_data["band"],
                of_age_in=form.of_age_in,
                stated_by=self.person,
                now=self.now,
            )
        except Refusal as refusal:
            if getattr(refusal, "field", "") == "of_age_in":
                form.add_error("year", str(refusal))
                return self._page(form, status=refusal.status)
            return self._page(form, status=show_refusal(form, refusal))
        return redirect(self._consent)

    @property
    def _consent(self) -> str:
        query = self.request.GET.urlencode()
        address = reverse("speaker:consent", args=[self.community.slug])
        return f"{address}?{query}" if query else address

    def _page(self, form: AgeForm, *, status: int = 200) -> HttpResponse:
        context = {"community": self.community, "form": form, "known": band_of(self.person, self.community)}
        return render(self.request, "speaker/age.html", context, status=status)
