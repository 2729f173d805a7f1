"""Forms about what models find hard: who reads what, and what is to be done with it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from training.mining.models import Probe
from training.mining.services import EXPERTS, FIRST, LARGEST, MORE, SMALLEST, USUAL, measures_of, ways_back
from training.mining.trials import FEWEST_VOTES, MOST_VOTES, USUAL_VOTES
from training.runs.models import Adapter


class AdapterField(forms.ModelChoiceField):
    """Adapters by project and run."""

    def label_from_instance(self, obj: Adapter) -> str:
        """Such as “Greetings, run 3 (approved)”."""
        run = _("run %(number)s") % {"number": obj.run.number}
        return f"{obj.run.release.project.title}, {run} ({obj.get_state_display()})"


class ProbeForm(forms.Form):
    """Which adapter reads what, and whether another one reads along."""

    adapter = AdapterField(label=_("Adapter"), queryset=Adapter.objects.none(), empty_label=None)
    rival = AdapterField(
        label=_("A second adapter"),
        queryset=Adapter.objects.none(),
        required=False,
        empty_label=_("None"),
        help_text=_("Of the same project: it reads along, and what the two disagree about is shown."),
    )
    beside_base = forms.BooleanField(
        label=_("The base model reads along"),
        required=False,
        help_text=_("Without a second adapter: afterwards people can be asked whose texts are better."),
    )
    of = forms.ChoiceField(
        label=_("What is read"), choices=Probe.Of.choices, widget=forms.RadioSelect, initial=Probe.Of.TASKS
    )
    size = forms.IntegerField(
        label=_("Sentences at most"),
        initial=USUAL,
        min_value=SMALLEST,
        max_value=LARGEST,
        help_text=_("Drawn by chance. Adapters that also write need a few seconds for each."),
    )

    def __init__(self, *args: Any, adapters: QuerySet[Adapter], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("adapter", "rival"):
            self.fields[name].queryset = adapters  # type: ignore[attr-defined]


MEASURE_WORDS = {
    "loss": _("Loss: bits a byte of the answer"),
    "entropy": _("Uncertainty: bits a token"),
    "disagreement": _("Disagreement of the two adapters"),
}
WAY_WORDS = {
    FIRST: _("Hand them out first"),
    EXPERTS: _("Ask the experts to decide"),
    MORE: _("Ask speakers for one answer more"),
}


class SendBackForm(forms.Form):
    """What is to be done with sentences that were ticked."""

    way = forms.ChoiceField(label=_("What is to be done with them"), widget=forms.RadioSelect)
    measure = forms.ChoiceField(label=_("In the order of"), required=False)
    everything = forms.BooleanField(
        label=_("All that were read, not only those that are ticked"), required=False, initial=True
    )
    percent = forms.IntegerField(
        label=_("Percent of them drawn by chance"),
        initial=20,
        min_value=0,
        max_value=100,
        required=False,
        help_text=_("So that it can be seen afterwards what the order was worth."),
    )

    def __init__(self, *args: Any, probe: Probe, measure: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ways = ways_back(probe)
        self.fields["way"].choices = [(way, WAY_WORDS[way]) for way in ways]  # type: ignore[attr-defined]
        self.fields["way"].initial = ways[0]
        choices = [(name, MEASURE_WORDS[name]) for name in measures_of(probe)]
        self.fields["measure"].choices = choices  # type: ignore[attr-defined]
        self.fields["measure"].initial = measure
        if FIRST not in ways:
            for name in ("measure", "everything", "percent"):
                del self.fields[name]


class ProbesField(forms.ModelMultipleChoiceField):
    """Other readings, by who was read."""

    def label_from_instance(self, obj: Probe) -> str:
        """Such as “Run 3, Base model”."""
        rival = _("Run %(number)s") % {"number": obj.rival.run.number} if obj.rival else _("Base model")
        return f"{_('Run %(number)s') % {'number': obj.adapter.run.number}}, {rival}"


class TrialForm(forms.Form):
    """Having people compare what two models wrote, or more where other readings join in."""

    title = forms.CharField(label=_("Title of the new project"), max_length=200)
    votes = forms.IntegerField(
        label=_("How many people"),
        initial=USUAL_VOTES,
        min_value=FEWEST_VOTES,
        max_value=MOST_VOTES,
        help_text=_("Independent answers to each task, by different people."),
    )
    others = ProbesField(
        label=_("Other readings whose texts are compared too"),
        queryset=Probe.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, others: QuerySet[Probe], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["others"].queryset = others  # type: ignore[attr-defined]
        if not others.exists():
            del self.fields["others"]
