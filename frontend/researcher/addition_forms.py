"""Forms about what runs learn from beside a release: bringing a file in, and having rows or tokens made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from people.models import LANGUAGE_TAG
from training.runs.additions import UPLOADED
from training.runs.models import Addition, Run
from training.runs.vocabularies import FEWEST, MOST, USUAL

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words = str | _StrPromise

# Why a row that a machine wrote was not kept, as `training.recipes.synthetic` says it.
DROPPED = {
    "empty": _("nothing was written"),
    "length": _("much longer or shorter than what people wrote"),
    "repeats": _("says one thing over and over"),
    "meaning": _("did not come back with the same meaning"),
    "label": _("was not sorted into its class"),
    "copied": _("nearly the same as what was there"),
}


class AdditionForm(forms.Form):
    """A file with where it is from."""

    kind = forms.ChoiceField(
        label=_("What is it?"),
        choices=[(kind.value, kind.label) for kind in UPLOADED],
        widget=forms.RadioSelect,
        initial=UPLOADED[0].value,
    )
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "In UTF-8. Plain text: a .txt file with a passage a line, or JSON Lines with id and text. Lessons in other "
            "languages: JSON Lines with id, language and lesson (system, request, completion)."
        ),
        widget=forms.FileInput(attrs={"accept": ".txt,.text,.jsonl,.ndjson"}),
    )
    title = forms.CharField(label=_("Title"), max_length=200)
    origin = forms.CharField(
        label=_("Where it is from"),
        max_length=500,
        help_text=_("Who wrote or collected it, and where it was published. Runs that learn from it say so."),
    )
    terms = forms.CharField(
        label=_("Terms"),
        max_length=300,
        help_text=_("On what terms it may be used to train models, such as CC BY 4.0, or who allowed it."),
    )
    language = forms.CharField(
        label=_("Language of the text"),
        max_length=64,
        required=False,
        validators=[LANGUAGE_TAG],
        help_text=_("A tag such as ote or es, for plain text. Lessons in other languages name theirs line by line."),
    )


class TokensForm(forms.Form):
    """Out of which run's words tokens are learnt, and how many."""

    run = forms.TypedChoiceField(
        label=_("Run"), coerce=int, help_text=_("Of its release and of the plain text that it read, if any.")
    )
    wanted = forms.IntegerField(
        label=_("New tokens at most"),
        min_value=FEWEST,
        max_value=MOST,
        initial=USUAL,
        help_text=_("1000 to 2000 suit some thousand sentences. Of few sentences, fewer are found."),
    )

    def __init__(self, *args: Any, runs: Sequence[Run], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["run"].choices = choices_of(runs)  # type: ignore[attr-defined]


class RowsForm(forms.Form):
    """Which run makes rows, and how."""

    run = forms.TypedChoiceField(label=_("Run"), coerce=int)
    how = forms.ChoiceField(label=_("How"), choices=Addition.How.choices, widget=forms.RadioSelect)

    def __init__(self, *args: Any, runs: Sequence[Run], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["run"].choices = choices_of(runs)  # type: ignore[attr-defined]


def choices_of(runs: Sequence[Run]) -> list[tuple[int, Words]]:
    """Runs to choose from, with what they learnt."""
    name = _("Run %(number)s: %(title)s")
    return [(run.pk, name % {"number": run.number, "title": run.release.project.title}) for run in runs]
