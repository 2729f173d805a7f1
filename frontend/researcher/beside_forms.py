"""What the forms of runs and of grids have in common: the base model, and what is learnt from beside the release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from training.runs.models import Addition

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words = str | _StrPromise

ADDITION_WORDS: dict[str, tuple[Words, Words]] = {
    "text": (_("Plain text to read first"), _("Continued pre-training reads it before it learns.")),
    "related": (_("Lessons in other languages"), _("Languages that are near to this one help most.")),
    "synthetic": (
        _("Rows that a machine wrote"),
        _("Only those count whose sentences of origin are in the training part of this release."),
    ),
}


class BesideForm(forms.Form):
    """A field for the base model and one for each kind of addition, each only where there is something to choose."""

    base = forms.ChoiceField(label=_("Base model"), help_text=_("What the adapter learns beside. It stays as it is."))

    def offer(self, additions: QuerySet[Addition], bases: Sequence[str]) -> None:
        """Put in the fields. `bases`: names of base models that are everybody's, the usual one first; a base with more
        tokens is an addition."""
        larger = additions.filter(kind=Addition.Kind.VOCABULARY).select_related("made_by", "community").order_by("pk")
        self._larger = {one.base_model: one for one in larger}
        named = [(name, f"{one.name} ({one.made_by.base_model})") for name, one in self._larger.items()]
        self.fields["base"].choices = [*((name, name) for name in bases), *named]  # type: ignore[attr-defined]
        if len(bases) + len(named) < 2:
            del self.fields["base"]
        self.kinds = [kind for kind in ADDITION_WORDS if additions.filter(kind=kind).exists()]
        for kind in self.kinds:
            label, help_text = ADDITION_WORDS[kind]
            some = additions.filter(kind=kind).select_related("made_by")
            about = {"label": label, "help_text": help_text, "required": False, "empty_label": _("None")}
            self.fields[kind] = forms.ModelChoiceField(queryset=some, **about)

    @property
    def base_field(self) -> forms.BoundField | None:
        """What to train on, where there is a choice."""
        return self["base"] if "base" in self.fields else None

    @property
    def addition_fields(self) -> list[forms.BoundField]:
        """What else it learns from, where there is something."""
        return [self[kind] for kind in self.kinds]

    @property
    def additions(self) -> list[Addition]:
        """What was chosen to be learnt from beside the release; a base with more tokens is one."""
        larger = self._larger.get(self.cleaned_data.get("base", ""))
        chosen = [self.cleaned_data[kind] for kind in self.kinds] + [larger]
        return [one for one in chosen if one is not None]

    @property
    def base_model(self) -> str:
        """The name of the base model that was chosen; empty for the usual one."""
        return str(self.cleaned_data.get("base", ""))
