"""The form of a consent text: what people read, what they choose among, and the terms beside it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from care.models import NEEDED, Purpose
from people.models import LANGUAGE_TAG


class LinesField(forms.CharField):
    """Several values, one on each line."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        """Values as lines."""
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> list[str]:  # type: ignore[override]
        """Lines as values."""
        return [line.strip() for line in str(super().clean(value)).splitlines() if line.strip()]


class CountryField(forms.CharField):
    """The code of one country."""

    def clean(self, value: Any) -> str:
        """In capital letters."""
        return str(super().clean(value)).strip().upper()


class CountriesField(forms.CharField):
    """Codes of countries with commas or spaces between them."""

    def prepare_value(self, value: Any) -> Any:
        """Values as one line."""
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> list[str]:  # type: ignore[override]
        """The line as values."""
        return str(super().clean(value)).upper().replace(",", " ").split()


class PolicyForm(forms.Form):
    """A new version of the consent text, and the purposes people choose among."""

    text = forms.CharField(
        label=_("What people read before they choose"),
        max_length=20_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=_("Say who uses the words, for what, where they are kept, and whom to ask."),
    )
    purposes = forms.MultipleChoiceField(
        label=_("Purposes to offer"),
        choices=Purpose.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[purpose.value for purpose in NEEDED],
        help_text=_(
            "Everybody chooses among these, each on its own. The work itself needs two: that members see the words, "
            "and that they check them."
        ),
    )
    controller = forms.CharField(
        label=_("Who answers for the words"),
        max_length=200,
        required=False,
        help_text=_("A body or a person, by name."),
    )
    contact = forms.CharField(
        label=_("How to reach them"),
        max_length=200,
        required=False,
        help_text=_("An address that works for everybody."),
    )
    address = forms.CharField(label=_("Postal address"), max_length=300, required=False)
    jurisdiction = CountryField(label=_("Whose law applies"), required=False, help_text=_("Two letters, such as MX."))
    storage_countries = CountriesField(
        label=_("Countries where the words are kept"), required=False, help_text=_("Two letters each, such as MX, CA.")
    )
    processing_countries = CountriesField(
        label=_("Countries where computers work with them"), required=False, help_text=_("Two letters each.")
    )
    recipients = LinesField(
        label=_("Who else gets the words"), required=False, help_text=_("One on each line; empty: nobody.")
    )
    retention_months = forms.IntegerField(
        label=_("Months for which they are kept"),
        required=False,
        min_value=0,
        max_value=1200,
        help_text=_("0: until somebody takes words back."),
    )
    waiver = forms.CharField(
        label=_("Not checked in your language: why publish it all the same?"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_(
            "Leave it empty once a second speaker has checked the text in your language. "
            "Everybody who reads the text reads this reason."
        ),
    )
    is_material = forms.TypedChoiceField(
        label=_("What changes"),
        choices=[
            ("yes", _("What people agree to: everybody is asked again before they next contribute.")),
            ("", _("Only the wording: whoever agreed before has agreed to this.")),
        ],
        coerce=bool,
        empty_value=False,
        required=False,
        initial="yes",
        widget=forms.RadioSelect,
    )
    TERMS = (
        "controller",
        "contact",
        "address",
        "jurisdiction",
        "storage_countries",
        "processing_countries",
        "recipients",
        "retention_months",
    )

    @property
    def terms(self) -> dict[str, Any]:
        """The terms that were filled in; what is empty stays as it was, but for the recipients."""
        given = {name: self.cleaned_data[name] for name in self.TERMS}
        return {name: value for name, value in given.items() if value or name == "recipients" or value == 0}


class RenderingForm(forms.Form):
    """The draft in one language; after an objection, what its writer says to that."""

    text_sha256 = forms.CharField(widget=forms.HiddenInput, max_length=64)
    language = forms.CharField(widget=forms.HiddenInput, max_length=128)
    rendering = forms.CharField(
        max_length=20_000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14}),
        help_text=_("It says exactly what the draft says. If the draft is in the language already, copy it here."),
    )
    answer = forms.CharField(
        label=_("Your answer to the objection"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The new wording may be answer enough. If the wording stays, say why."),
    )

    def __init__(self, *args: Any, name: str, is_objected: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rendering"].label = _("Write it in %(language)s") % {"language": name}
        if not is_objected:
            del self.fields["answer"]


class OtherLanguageForm(forms.Form):
    """A language that is not among those that the page names."""

    language = forms.CharField(
        label=_("Language tag (BCP 47)"),
        max_length=128,
        validators=[LANGUAGE_TAG],
        help_text=_("Such as ote, quz-PE or sr-Latn."),
    )
