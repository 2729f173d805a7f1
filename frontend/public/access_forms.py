"""The questions of a request for access, a few on each screen; each screen is kept when it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from care import duo
from care.agreements import ALWAYS_FORBIDDEN, LONGEST_MONTHS, OFFERED, require_near
from care.models import Agreement, Commitment, Purpose
from care.quorum import months_after
from people.models import Person
from people.refusals import Invalid
from training.releases.models import Release, ReleaseItem

WORDS = forms.Textarea(attrs={"rows": 4})
FEW_WORDS = forms.Textarea(attrs={"rows": 2})
COUNTRY_HELP = _("Two capital letters (ISO 3166), such as MX.")


class PartForm(forms.Form):
    """Some terms of an agreement; `terms` are what is stored."""

    title: Any = ""

    def __init__(self, agreement: Agreement, data: Any = None) -> None:
        self.agreement = agreement
        super().__init__(data, initial=self.now_stored(agreement))

    def now_stored(self, agreement: Agreement) -> dict[str, Any]:
        """What the fields begin with."""
        return {name: getattr(agreement, name) for name in self.base_fields if hasattr(agreement, name)}

    def terms(self) -> dict[str, Any]:
        """What is handed to `save_terms`. Raises Invalid."""
        return dict(self.cleaned_data)


class WhoForm(PartForm):
    """Who asks."""

    title = _("Who asks")
    organisation = forms.CharField(label=_("Your organisation"), max_length=200)
    tier = forms.ChoiceField(label=_("What is it?"), choices=Agreement.Tier.choices, widget=forms.RadioSelect)
    country = forms.CharField(label=_("In which country?"), max_length=2, help_text=COUNTRY_HELP)

    def clean_country(self) -> str:
        """In capital letters."""
        return str(self.cleaned_data["country"]).upper()


class WhatForm(PartForm):
    """What for, and which data."""

    title = _("What for")
    aim = forms.CharField(label=_("What do you want to do with the words, and why?"), max_length=3000, widget=WORDS)
    purposes = forms.MultipleChoiceField(
        label=_("Which uses do you need?"),
        choices=[(purpose.value, purpose.label) for purpose in OFFERED],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("In the words in which authors are asked. Only what all of them allow is given out."),
    )
    releases = forms.TypedMultipleChoiceField(
        label=_("Which releases?"), coerce=int, widget=forms.CheckboxSelectMultiple
    )
    covers_later = forms.BooleanField(
        label=_("Also later releases of the same projects"),
        required=False,
        help_text=_("So that you can replace one from which words were taken back."),
    )

    def __init__(self, agreement: Agreement, data: Any = None) -> None:
        super().__init__(agreement, data)
        rows = Release.objects.trainable().filter(community=agreement.community).order_by("-number")
        self.fields["releases"].choices = [(row.number, _release_words(row)) for row in rows]  # type: ignore[attr-defined]


def _release_words(release: Release) -> str:
    said = gettext("Release %(number)s: %(sentences)s sentences, for “%(purpose)s”")
    sentences = sum(int(release.counts.get(split, 0)) for split in ReleaseItem.Split.values)
    values = {"number": release.number, "sentences": number_format(sentences, force_grouping=True)}
    return said % {**values, "purpose": Purpose(release.purpose).label}


class WhereForm(PartForm):
    """Where it is worked with, and by whom."""

    title = _("Where, and who else")
    computing = forms.CharField(
        label=_("On whose computers, and how are they guarded?"), max_length=500, widget=FEW_WORDS
    )
    computing_countries = forms.CharField(
        label=_("In which countries are these computers?"),
        max_length=100,
        help_text=_("Two capital letters each (ISO 3166), with spaces between."),
    )
    users = forms.CharField(
        label=_("Who else may download?"),
        required=False,
        max_length=2000,
        widget=FEW_WORDS,
        help_text=_("Their usernames on this site, with spaces between. You are named already."),
    )

    def now_stored(self, agreement: Agreement) -> dict[str, Any]:
        """Lists as words."""
        others = agreement.users.exclude(pk=agreement.applicant_id).order_by("username")
        return {
            "computing": agreement.computing,
            "computing_countries": " ".join(agreement.computing_countries),
            "users": " ".join(others.values_list("username", flat=True)),
        }

    def terms(self) -> dict[str, Any]:
        """Words as lists. Raises Invalid where nobody has such a username."""
        given = self.cleaned_data
        names = set(given["users"].replace(",", " ").split())
        found = list(Person.objects.filter(username__in=names, is_active=True))
        if unknown := sorted(names - {person.username for person in found}):
            raise Invalid("Nobody here has the username %(name)s.", field="users", name=unknown[0])
        countries = sorted(set(given["computing_countries"].upper().replace(",", " ").split()))
        return {"computing": given["computing"], "computing_countries": countries, "users": found}


def _code_words(code: duo.Code) -> Any:
    """Shorthand, number and meaning; the meaning in the language of whoever reads."""
    return format_lazy("{} ({}): {}", code.shorthand, code.identifier, code.meaning)


class LimitsForm(PartForm):
    """What is forbidden, and what comes back."""

    title = _("Limits, and what comes back")
    forbidden = forms.MultipleChoiceField(
        label=_("What else will you not do?"),
        choices=[choice for choice in Agreement.Forbidden.choices if choice[0] not in ALWAYS_FORBIDDEN],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Giving the data on, and finding out who wrote something, are always forbidden."),
    )
    forbidden_words = forms.CharField(
        label=_("And in your own words"), required=False, max_length=1000, widget=FEW_WORDS
    )
    publication = forms.ChoiceField(
        label=_("What happens before something is published?"),
        choices=Agreement.Publication.choices,
        widget=forms.RadioSelect,
    )
    publication_words = forms.CharField(
        label=_("More about publishing"), required=False, max_length=1000, widget=FEW_WORDS
    )
    comes_back = forms.CharField(
        label=_("What do you make from the words, and how do you give it back?"), max_length=1000, widget=FEW_WORDS
    )
    duo = forms.MultipleChoiceField(
        label=_("Codes of the Data Use Ontology"),
        choices=[(code.shorthand, _code_words(code)) for code in duo.OFFERED],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("For catalogues that read them. What is agreed is what the words say."),
    )


class TimeForm(PartForm):
    """From when, and for how long."""

    title = _("For how long")
    starts_on = forms.DateField(
        label=_("From which day?"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    months = forms.IntegerField(
        label=_("For how many months?"), min_value=1, max_value=LONGEST_MONTHS, help_text=_("24 at most.")
    )

    def now_stored(self, agreement: Agreement) -> dict[str, Any]:
        """The end as a number of months."""
        start, end = agreement.starts_on, agreement.ends_at.astimezone(UTC)
        months = (end.year - start.year) * 12 + end.month - start.month
        return {"starts_on": start, "months": min(max(months, 1), LONGEST_MONTHS)}

    def terms(self) -> dict[str, Any]:
        """The end as a moment: midnight (UTC) of the same day of a month. Raises Invalid where that is far away."""
        require_near(self.cleaned_data["starts_on"], timezone.now())
        begins = datetime.combine(self.cleaned_data["starts_on"], time(), UTC)
        return {"starts_on": begins.date(), "ends_at": months_after(begins, self.cleaned_data["months"])}


PARTS: Mapping[str, type[PartForm]] = {
    "who": WhoForm,
    "what": WhatForm,
    "where": WhereForm,
    "limits": LimitsForm,
    "time": TimeForm,
}


class PromiseForm(forms.Form):
    """One thing that comes back to the community."""

    kind = forms.ChoiceField(label=_("What is it?"), choices=Commitment.Kind.choices, widget=forms.RadioSelect)
    words = forms.CharField(
        label=_("What exactly, and how much?"),
        max_length=500,
        widget=FEW_WORDS,
        help_text=_("Everybody can read this, with the name of your organisation."),
    )
    due_on = forms.DateField(
        label=_("By which day?"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
