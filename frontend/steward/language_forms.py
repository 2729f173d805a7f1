"""The stewards' forms for varieties, ways of writing, and the community's own words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from annotation.kinds import KINDS
from frontend.own_words import BUTTONS, DESKS, OWN_WORDS, ROLES
from people.language import LONGEST_WORDS
from people.models import Community, Orthography, Variety


class RowForm(forms.Form):
    """One row to change, or an empty one to add; `row` is None then."""

    pk = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, row: Orthography | Variety | None = None, **kwargs: Any) -> None:
        self.row = row
        number = row.pk if row else "new"
        super().__init__(*args, auto_id=f"{type(self).__name__}_{number}_%s", **kwargs)
        if row and not self.is_bound:
            self.initial = {name: getattr(row, name) for name in self.fields}


class OrthographyForm(RowForm):
    """A way of writing."""

    name = forms.CharField(label=pgettext_lazy("of a way of writing", "Name"), max_length=120)
    script = forms.CharField(
        label=_("Script"), max_length=4, help_text=_("ISO 15924 code, such as Latn."), initial="Latn"
    )
    characters = forms.CharField(
        label=_("Letters that keyboards lack"),
        required=False,
        max_length=400,
        help_text=_("With spaces between; a:ä,â offers ä and â by a long press on a."),
    )


class VarietyForm(RowForm):
    """A variety."""

    code = forms.SlugField(label=_("Short code"), max_length=32)
    name = forms.CharField(label=pgettext_lazy("of a variety", "Name"), max_length=120)


class OwnWordsForm(forms.Form):
    """A line for each word that a community may put its own for; the site's word is the label."""

    def __init__(self, *args: Any, community: Community, **kwargs: Any) -> None:
        super().__init__(*args, auto_id="own_%s", **kwargs)
        for number, word in enumerate(OWN_WORDS):
            self.fields[f"word{number}"] = forms.CharField(
                label=gettext(word),
                required=False,
                max_length=LONGEST_WORDS,
                initial=community.own_words.get(word, ""),
                widget=forms.TextInput(attrs={"lang": community.language_tag, "dir": "auto"}),
            )

    @property
    def words(self) -> dict[str, str]:
        """What was written for each word."""
        return {word: self.cleaned_data[f"word{number}"] for number, word in enumerate(OWN_WORDS)}

    @property
    def groups(self) -> Iterator[tuple[str, list[BoundField]]]:
        """The lines under headings."""
        kinds = [kind.verb for kind in KINDS.values()]
        titles = [(_("Roles"), ROLES), (_("Desks"), DESKS), (_("Buttons"), BUTTONS), (_("Kinds of work"), kinds)]
        for title, words in titles:
            yield str(title), [self[f"word{OWN_WORDS.index(word)}"] for word in words]


class FontForm(forms.Form):
    """A font of the community's own."""

    file = forms.FileField(
        label=_("Font file"),
        help_text=_("A .ttf, .otf, .woff or .woff2 file. Only the letters of your script are kept of it."),
        widget=forms.FileInput(attrs={"accept": ".ttf,.otf,.woff,.woff2"}),
    )
    name = forms.CharField(label=pgettext_lazy("of a font", "Name"), max_length=120)
    licence = forms.CharField(
        label=_("Licence"), max_length=200, help_text=_("It must allow to send the font to others, such as OFL 1.1.")
    )
