"""Age and guardians: whether people are asked for their age, who is under age, and who agrees for them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from care.ages import record_guardian, set_age_rule, state_age
from care.models import AgeBand, AgeRule, Receipt
from frontend.desk import show_refusal
from frontend.steward.views.home import StewardView
from people.refusals import Refusal


class AgeRuleForm(forms.Form):
    """From which age on somebody decides for themselves; empty asks nobody."""

    years = forms.IntegerField(
        label=gettext_lazy("People are of age at"),
        required=False,
        min_value=10,
        max_value=25,
        help_text=gettext_lazy("In years. Left empty, nobody is asked."),
    )
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"), max_length=64, help_text=gettext_lazy("Such as America/Mexico_City.")
    )


class GuardianForm(forms.Form):
    """Who agrees for somebody under age."""

    guardian = forms.CharField(
        label=gettext_lazy("Name of the guardian"),
        max_length=200,
        help_text=gettext_lazy("It is sealed in the record and shown on no page."),
    )


class AgesView(StewardView):
    """The setting and the list."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The page."""
        return self._page(self._rule_form())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Set from when on people are of age."""
        form = AgeRuleForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            set_age_rule(community=self.community, set_by=self.person, now=self.now, **form.cleaned_data)
        except Refusal as refusal:
            return self._page(form, status=show_refusal(form, refusal))
        messages.success(request, _("Saved."))
        return redirect("steward:ages", slug=self.community.slug)

    def _rule_form(self) -> AgeRuleForm:
        rule = AgeRule.objects.filter(community=self.community).first()
        initial = {"years": rule.years, "time_zone": rule.time_zone} if rule else {"time_zone": "UTC"}
        return AgeRuleForm(initial=initial)

    def _page(self, form: AgeRuleForm, *, status: int = 200) -> HttpResponse:
        bands = AgeBand.objects.filter(community=self.community).exclude(band=AgeBand.Band.ADULT)
        receipts = Receipt.objects.filter(community=self.community, ended_at=None).select_related("guardian_witness")
        held = {receipt.person_id: receipt for receipt in receipts}
        context = {
            "community": self.community,
            "form": form,
            "minors": [(band, held.get(band.person_id)) for band in bands.select_related("person")],
            "guardian_form": GuardianForm(),
        }
        return render(self.request, "steward/ages.html", context, status=status)


class MinorView(StewardView):
    """Somebody under age: a guardian agrees, or a mistake is put right."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do it."""
        bands = AgeBand.objects.filter(community=self.community).select_related("person")
        band: AgeBand = get_object_or_404(bands, pk=pk)
        about: dict[str, Any] = {"person": band.person, "community": self.community, "now": self.now}
        try:
            if "adult" in request.POST:
                state_age(band=AgeBand.Band.ADULT, of_age_in="", stated_by=self.person, **about)
            else:
                guardian = request.POST.get("guardian", "")
                record_guardian(guardian=guardian, witnessed_by=self.person, **about)
        except Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Written down."))
        return redirect("steward:ages", slug=self.community.slug)
