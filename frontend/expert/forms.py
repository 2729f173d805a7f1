"""The expert's form: shape only, `annotation.conflicts.services` decides what is possible."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.conflicts.models import Adjudication
from annotation.revision.batches import Chosen


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


class PlacesField(forms.Field):
    """Ticked places, each as answer:version:start:end; what is nothing like it is left out."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: list[str] | None) -> list[Chosen]:
        """The places, each once."""
        return [place for code in dict.fromkeys(value or []) if (place := _place(code)) is not None]


def _place(code: str) -> Chosen | None:
    answer, *numbers = code.split(":")
    try:
        version, start, end = map(int, numbers)
        return Chosen(UUID(answer), version, start, end)
    except ValueError:
        return None


class BatchForm(forms.Form):
    """One label, or one wording, for all ticked places, and the reason."""

    label = forms.CharField(required=False, strip=False)
    places = PlacesField(required=False)
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The authors will read it."),
    )
