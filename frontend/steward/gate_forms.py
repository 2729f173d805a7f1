"""What the gate asks for, in the units that people read: the database keeps whole numbers."""

from __future__ import annotations

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from training.runs.gate import Bounds

# How many of a stored bound's units make one of the form's.
UNITS = {
    **{"least_sentences": 1, "least_gain": 10, "most_score_loss": 100},
    **{"most_forgetting": 1000, "most_bias": 1000, "most_memorised": 100},
}


class BoundsForm(forms.Form):
    """The six numbers of the gate that a community may choose."""

    least_sentences = forms.IntegerField(
        label=_("Held-out sentences, at least"),
        help_text=_("How many must have been measured. From fewer than 30, nothing can be told for sure."),
    )
    least_gain = forms.DecimalField(
        label=_("Bits saved, at least, in percent"),
        decimal_places=1,
        help_text=_("Against the base model, and against the adapter in service."),
    )
    most_score_loss = forms.DecimalField(
        label=_("Points lost in the task’s score, at most"),
        decimal_places=2,
        help_text=_("chrF++ for texts, accuracy for classes, F1 for marks; each from 0 to 100."),
    )
    most_forgetting = forms.DecimalField(
        label=_("Bits per byte forgotten of other languages, at most"), decimal_places=3
    )
    most_bias = forms.DecimalField(
        label=_("Bias against the base model, in nats per byte, at most"),
        decimal_places=3,
        help_text=_("How much further it may lean to one group of people; asked once there are 20 pairs of sentences."),
    )
    most_memorised = forms.DecimalField(
        label=_("Bits known by heart, at most"),
        decimal_places=2,
        help_text=_("How much more surely it may know answers that it learnt from than answers that it never saw."),
    )

    @classmethod
    def showing(cls, bounds: Bounds) -> BoundsForm:
        """The form with the bounds as they are."""
        values: dict[str, Any] = {
            name: value if UNITS[name] == 1 else Decimal(value) / UNITS[name] for name, value in asdict(bounds).items()
        }
        return cls(initial=values)

    def bounds(self) -> Bounds:
        """What was sent."""
        return Bounds(**{name: int(self.cleaned_data[name] * unit) for name, unit in UNITS.items()})
