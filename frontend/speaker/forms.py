"""The speaker's forms. They check shapes only; what may be stored is for the services to say."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.answers.models import Answer, Review
from annotation.projects.models import Assignment
from care.models import Purpose
from people.models import Community, Orthography, Variety


class Lines(forms.CharField):
    """Text of several lines, kept exactly as it was typed: cleaning it is a service's work."""

    def __init__(self, *, rows: int = 3, **kwargs: Any) -> None:
        super().__init__(strip=False, required=False, widget=forms.Textarea(attrs={"rows": rows}), **kwargs)


class AnswerForm(forms.Form):
    """An answer, or the reason for skipping: two buttons of one form, so that neither loses text.

    `text` is for kinds whose answers are words; the fields of other kinds are read by `Kind.from_form`.
    """

    assignment = forms.IntegerField(widget=forms.HiddenInput)
    client_id = forms.UUIDField(widget=forms.HiddenInput)
    suggestion = forms.IntegerField(widget=forms.HiddenInput, required=False)
    text = Lines(rows=4, label=_("Your text"))
    reason = forms.ChoiceField(
        label=_("Why do you skip it?"),
        choices=Assignment.SkipReason.choices,
        widget=forms.RadioSelect,
        required=False,
    )
    note = Lines(rows=2, label=_("Anything to add?"))


class TakeForm(forms.Form):
    """How large a packet shall be."""

    size = forms.TypedChoiceField(
        label=_("How many?"),
        choices=[(size, str(size)) for size in (10, 20, 30, 50)],
        coerce=int,
        initial=20,
        widget=forms.RadioSelect,
    )


class ReviewForm(forms.Form):
    """A verdict on one version of an answer."""

    answer = forms.UUIDField(widget=forms.HiddenInput)
    version = forms.IntegerField(widget=forms.HiddenInput)
    client_id = forms.UUIDField(widget=forms.HiddenInput)
    verdict = forms.CharField(required=False)
    text = Lines(rows=4, label=_("How would you write it?"))
    reason = forms.ChoiceField(
        label=_("What is wrong with it?"),
        choices=Review.Reason.choices,
        widget=forms.RadioSelect,
        required=False,
    )
    note = Lines(rows=2, label=_("A word to its author and the experts"))


class EditForm(forms.Form):
    """New text for an answer that nobody has reviewed yet."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    text = Lines(rows=4, label=_("Your text"))


class AppealForm(forms.Form):
    """A word to the expert who looks at a rejected answer again."""

    note = Lines(rows=3, label=_("What should the expert know?"))


class ProfileForm(forms.Form):
    """What a person speaks and writes, of what the community has named."""

    varieties = forms.ModelMultipleChoiceField(
        label=_("Varieties"), queryset=Variety.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )
    orthographies = forms.ModelMultipleChoiceField(
        label=_("Ways of writing"),
        queryset=Orthography.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, community: Community, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("varieties", "orthographies"):
            self.fields[name].queryset = getattr(community, name).all()  # type: ignore[attr-defined]


class PlayForm(forms.Form):
    """How a person plays."""

    companion_name = forms.CharField(label=_("Name of your fire"), max_length=40, required=False)
    is_hidden = forms.BooleanField(
        label=_("Hide me from every board"), required=False, help_text=_("You keep your points; nobody else sees them.")
    )


class WordsFilter(forms.Form):
    """Which of my answers to list."""

    state = forms.ChoiceField(choices=Answer.State.choices)


class ConsentForm(forms.Form):
    """The purposes that a person allows now, on top of those in `kept`."""

    policy = forms.IntegerField(widget=forms.HiddenInput)
    purposes = forms.MultipleChoiceField(required=False)

    def __init__(self, *args: Any, offered: Collection[str], kept: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purposes"].choices = [(p, Purpose(p).label) for p in offered]  # type: ignore[attr-defined]
        self.kept = set(kept)

    def clean_purposes(self) -> list[str]:
        """Saving the same receipt again would say nothing new."""
        chosen: list[str] = self.cleaned_data["purposes"]
        if self.kept and not chosen:
            raise forms.ValidationError(_("Tick what you would like to allow as well."))
        return chosen


class WithdrawConsentForm(forms.Form):
    """The purposes to take back, among those that are allowed now."""

    purposes = forms.MultipleChoiceField(error_messages={"required": _("Tick what you would like to take back.")})

    def __init__(self, *args: Any, live: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["purposes"].choices = [(p, Purpose(p).label) for p in live]  # type: ignore[attr-defined]


class RenderingCheckForm(forms.Form):
    """Whether a rendering of the consent text says the same; what is wrong with it, when it does not."""

    rendering = forms.IntegerField(widget=forms.HiddenInput)
    sha256 = forms.CharField(widget=forms.HiddenInput, max_length=64)
    says_the_same = forms.ChoiceField(
        label=_("Do both say the same?"),
        choices=[("yes", _("Yes, and it is good to read")), ("no", _("No, something should be changed"))],
        widget=forms.RadioSelect,
    )
    objection = forms.CharField(
        label=_("What should be changed"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def clean(self) -> dict[str, Any]:
        """An objection needs its words, and there is none where all is well."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("says_the_same") == "no" and not given.get("objection", "").strip():
            self.add_error("objection", _("Say what should be changed."))
        if given.get("says_the_same") == "yes":
            given["objection"] = ""
        return given
