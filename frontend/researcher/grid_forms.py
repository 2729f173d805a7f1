"""The form of a grid: which methods, ranks and amounts, and how often each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from frontend.researcher.beside_forms import BesideForm
from frontend.researcher.forms import WORDS
from people.refusals import Invalid
from training.recipes.configuration import METHODS, RecipeSettings
from training.runs.grids import LEAST_SEEDS, Plan, plan_of
from training.runs.grids import METHODS as OFFERED
from training.runs.models import Addition

# What all runs of a grid have in common and people set; everything else has the recipe's defaults.
COMMON = ("learning_rate", "epochs", "max_steps", "patience", "batch_size", "seed")


class GridForm(BesideForm):
    """What differs from run to run, and what all have in common."""

    methods = forms.MultipleChoiceField(
        label=_("Methods"),
        choices=[(name, METHODS[name]) for name in OFFERED],
        widget=forms.CheckboxSelectMultiple,
        initial=list(OFFERED),
    )
    ranks = forms.CharField(label=_("Ranks"), initial="16", help_text=_("With commas between them, such as 4, 16."))
    budgets = forms.CharField(
        label=_("How much it learns from"),
        initial="25%, 50%, 100%",
        help_text=_("Shares of the tokens to learn from, or numbers of tokens, with commas between them."),
    )
    seeds = forms.IntegerField(
        label=_("How often each"),
        initial=LEAST_SEEDS,
        help_text=_("With another seed each time: what differs between them is chance. Three at least."),
    )

    def __init__(self, *args: Any, additions: QuerySet[Addition], bases: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # None of the methods of a grid reads plain text.
        self.offer(additions.exclude(kind=Addition.Kind.TEXT), bases)
        defaults = vars(RecipeSettings())
        for key in COMMON:
            label, help_text = WORDS[key]
            kind = forms.FloatField if isinstance(defaults[key], float) else forms.IntegerField
            widget = forms.NumberInput(attrs={"step": "any"}) if kind is forms.FloatField else forms.NumberInput()
            self.fields[key] = kind(label=label, help_text=help_text, initial=defaults[key], widget=widget)

    @property
    def first_fields(self) -> list[forms.BoundField]:
        """What differs between the runs, but for the methods."""
        return [self[name] for name in ("ranks", "budgets", "seeds")]

    @property
    def common_fields(self) -> list[forms.BoundField]:
        """What is the same in all of them."""
        return [self[name] for name in COMMON]

    def clean_ranks(self) -> list[int]:
        """Whole numbers."""
        parts = _parts(self.cleaned_data["ranks"])
        if not parts or not all(part.isdecimal() and len(part) < 6 for part in parts):
            raise forms.ValidationError(_("Write whole numbers, with commas between them."))
        return [int(part) for part in parts]

    def clean_budgets(self) -> list[str]:
        """As they were written, one by one."""
        return _parts(self.cleaned_data["budgets"])

    def plan(self) -> Plan:
        """What was chosen. Raises Invalid."""
        chosen = {name: self.cleaned_data[name] for name in ("methods", "ranks", "budgets", "seeds")}
        plan = plan_of(**chosen, given={"recipe": {key: self.cleaned_data[key] for key in COMMON}})
        try:
            plan.settings()
        except Invalid as refusal:
            # The recipe names its settings; here the ranks are the ones that can be out of its bounds.
            refusal.field = "ranks" if "recipe.rank" in str(refusal) or "recipe.alpha" in str(refusal) else ""
            raise
        return plan


def _parts(written: str) -> list[str]:
    return [part for part in (one.strip() for one in written.split(",")) if part]
