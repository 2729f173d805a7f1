"""The expert's forms: shape only, `annotation.conflicts` decides what is possible."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotation.answers.models import Review
from annotation.conflicts.models import Adjudication
from annotation.conflicts.queue import Conflict
from annotation.conflicts.reasons import STOCK, Why
from annotation.kinds import KINDS
from annotation.revision.batches import Chosen

# What the button for fragments says; it is stored as the decision that it amounts to.
MERGE = "merge"


class QueueFilter(forms.Form):
    """Which conflicts are shown: choices that occur in the queue, and none that would leave it empty."""

    NAMES = ("why", "kind", "label", "variety", "person", "project", "discussed")

    why = forms.ChoiceField(label=_("Reason"), required=False)
    kind = forms.ChoiceField(label=_("Kind of work"), required=False)
    label = forms.ChoiceField(label=_("What it is called"), required=False)
    variety = forms.ChoiceField(label=_("Variety"), required=False)
    person = forms.ChoiceField(label=_("Whose answers"), required=False)
    project = forms.ChoiceField(label=_("Project"), required=False)
    discussed = forms.ChoiceField(label=_("Discussion"), required=False)

    def __init__(self, *args: Any, conflicts: Iterable[Conflict], shows_names: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = list(conflicts)
        whys = {one.value: one.label for row in rows for one in row.whys}
        reasons = {reason: Review.Reason(reason).label for row in rows for reason in row.reasons}
        found = {
            "why": {**{one.value: one.label for one in Why if one.value in whys}, **reasons},
            "kind": {row.task.project.kind: gettext(KINDS[row.task.project.kind].name) for row in rows},
            "label": {label: label for row in rows for label in sorted(row.labels)},
            "variety": {row.variety: row.variety for row in rows if row.variety},
            "person": {
                code: name if shows_names else code for row in rows for code, name in sorted(row.people.items())
            },
            "project": {str(row.task.project_id): row.task.project.title for row in rows},
            "discussed": {"1": gettext("In discussion")} if any(row.remarks for row in rows) else {},
        }
        for name, choices in found.items():
            field = self.fields[name]
            field.choices = [("", gettext("all")), *choices.items()]  # type: ignore[attr-defined]
            if len(choices) < (1 if name == "discussed" else 2):
                field.widget = forms.HiddenInput()

    def chosen(self) -> dict[str, str]:
        """What was chosen, also when it occurs no more: then nothing fits."""
        return {name: self.data.get(name, "") for name in self.NAMES}


class DecisionForm(forms.Form):
    """A decision with its reason; a correction is read by the kind of the task, `text` where it is words."""

    decision = forms.ChoiceField(choices=[*Adjudication.Decision.choices, (MERGE, _("Take what is ticked"))])
    text = forms.CharField(
        label=_("Corrected wording"), required=False, strip=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    stock = forms.TypedChoiceField(
        label=_("Reason"),
        choices=[(str(number), _(words)) for number, words in enumerate(STOCK)],
        coerce=int,
        required=False,
        empty_value=None,
    )
    reason = forms.CharField(
        label=_("Reason"),
        strip=False,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The authors and the reviewers will read it."),
    )

    def clean(self) -> dict[str, Any]:
        """A reason in one's own words, or one of those that stand ready."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        stock = cleaned.get("stock")
        if not (cleaned.get("reason") or "").strip():
            cleaned["reason"] = "" if stock is None else STOCK[stock]
        if not cleaned["reason"]:
            self.add_error("reason", gettext("Choose a reason, or write one."))
        return cleaned


class ReasonForm(forms.Form):
    """Why a decision is opened again."""

    reason = forms.CharField(
        label=_("Why is it opened again?"), strip=False, widget=forms.Textarea(attrs={"rows": 2, "id": "id_again"})
    )


class RemarkForm(forms.Form):
    """What is said in the discussion of a conflict."""

    text = forms.CharField(
        label=_("Your remark"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 2, "id": "id_remark"}),
        help_text=_("Experts and stewards read it, nobody else."),
    )


class GoldForm(forms.Form):
    """A settled answer, and what a careful reviewer must say of it."""

    answer = forms.UUIDField()
    verdict = forms.ChoiceField(choices=[("approve", _("Good")), ("reject", _("Not acceptable"))])


class AskForm(forms.Form):
    """A settled answer, and what a steward asks about it."""

    answer = forms.UUIDField()
    note = forms.CharField(label=_("What do you ask?"), strip=False, required=False)


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
