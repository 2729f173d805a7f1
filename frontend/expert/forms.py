"""The expert's form: shape only, `annotation.conflicts.services` decides what is possible."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.conflicts.models import Adjudication


class DecisionForm(forms.Form):
    """A decision with its reason; a correction is read by the kind of the task, `text` where it is words."""

    decision = forms.ChoiceField(
        label=_("Your decision"), choices=Adjudication.Decision.choices, widget=forms.RadioSelect
    )
    text = forms.CharField(
        label=_("Corrected wording"), required=False, strip=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    reason = forms.CharField(
        label=_("Reason"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("The author and the reviewers will read it."),
    )


class GoldForm(forms.Form):
    """A settled answer, and what a careful reviewer must say of it."""

    answer = forms.UUIDField()
    verdict = forms.ChoiceField(choices=[("approve", _("Good")), ("reject", _("Not acceptable"))])
