"""What a project warns its authors about, as a form, and in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from annotation.kinds import Kind
from annotation.text.settings import MOST_RULES

# The groups of annotation.text.settings, as stewards choose among them.
GROUPS: dict[str, Any] = {
    "repeated": _("The same word twice in a row"),
    "mixed": _("Letters of two scripts in one word"),
    "capitals": _("Nothing but capital letters"),
    "mark": _("No mark at the end, where the source has one"),
    "numbers": _("Numbers that the source has not, or that are missing"),
    "length": _("Much shorter or much longer than the source"),
    "copy": _("A copy of the source, or almost one"),
    "again": _("The same, or almost the same, as for another sentence"),
    "language": _("Looks more like the language of the source"),
    "machine": _("Word for word what the model wrote when a member tried this sentence"),
}
# Those that compare an answer with what it says again.
COMPARING = ("mark", "numbers", "length", "copy")
PERCENT = ("shortest", "longest", "copied")
BLANK_RULES = 2


class WordsField(forms.CharField):
    """Words, with blanks or lines between; in `lines`, each line is one entry."""

    def __init__(self, *, lines: bool = False, rows: int = 3, **kwargs: Any) -> None:
        self.lines = lines
        widget = forms.Textarea(attrs={"rows": rows, "spellcheck": "false", "autocapitalize": "off", "dir": "auto"})
        super().__init__(required=False, max_length=1_000_000, widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """A list as it is typed."""
        return ("\n" if self.lines else " ").join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """What was typed as a list."""
        typed = super().clean(value)
        return [entry.strip() for entry in (typed.splitlines() if self.lines else typed.split()) if entry.strip()]


def _count(label: Any, help_text: Any = "", *, least: int | None = None, most: int | None = None) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, help_text=help_text, min_value=least, max_value=most)


class ChecksForm(forms.Form):
    """What is looked for in the texts of a project. The service says what is possible."""

    wanted = forms.MultipleChoiceField(
        label=_("Tell authors about"),
        choices=list(GROUPS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("They may always say that it is right. Whoever checks the answer then reads what they were told."),
    )
    shortest = _count(_("Much shorter: less than so many percent of the source"), _("Empty: 40."), least=0, most=100)
    longest = _count(
        _("Much longer: more than so many percent of the source"), _("Empty: 250."), least=100, most=10_000
    )
    copied = _count(_("Almost a copy: so many percent of it are the same"), _("Empty: 80."), least=10, most=100)
    may_repeat = WordsField(
        label=_("Words that may stand twice in a row"), rows=2, help_text=_("With blanks between them.")
    )
    alphabet = WordsField(
        label=_("All letters of the alphabet"),
        help_text=_(
            "Small letters, with blanks between them; several that count as one letter together, and marks that may "
            "stand on any letter by themselves. Authors are told of every other letter. Empty: letters are not checked."
        ),
    )
    longest_sentence = _count(_("Most words in a sentence"))
    longest_stretch = _count(_("Most characters in a sentence"), _("Where words are written without blanks."))
    longest_word = _count(_("Most characters in a word"))
    common = WordsField(
        label=_("Words that everybody knows"),
        rows=4,
        help_text=_(
            "With blanks or lines between them, in every form that occurs. Authors are shown the words that are not "
            "here."
        ),
    )
    conjunctions = WordsField(
        label=_("Words that join one clause to another"), lines=True, help_text=_("One on each line.")
    )
    most_joined = _count(_("How many of them a sentence may have"), _("Empty: 1."))

    HINTS = ("longest_sentence", "longest_stretch", "longest_word", "common", "conjunctions", "most_joined")

    def __init__(self, *args: Any, kind: Kind, kept: Mapping[str, Any], **kwargs: Any) -> None:
        initial = {name: round(100 * value) if name in PERCENT else value for name, value in kept.items()}
        super().__init__(*args, initial=initial, **kwargs)
        data = self.data if self.is_bound else None
        self.rules = RULES(data, initial=kept.get("rules", []), prefix="rule")
        if not kind.restates:
            left = [(name, words) for name, words in GROUPS.items() if name not in COMPARING]
            self.fields["wanted"].choices = left  # type: ignore[attr-defined]
            for name in PERCENT:
                del self.fields[name]

    def is_valid(self) -> bool:
        """Whether the rules are rules too."""
        return super().is_valid() and self.rules.is_valid()

    def checks_fields(self) -> list[forms.BoundField]:
        """What warns."""
        return [field for field in self if field.name not in self.HINTS]

    def hints_fields(self) -> list[forms.BoundField]:
        """What only says how a text could be simpler."""
        return [self[name] for name in self.HINTS]

    def checks(self) -> dict[str, Any]:
        """The settings that were typed; whether they fit is for the service to say."""
        typed = {name: value for name, value in self.cleaned_data.items() if value is not None}
        typed |= {name: typed[name] / 100 for name in PERCENT if name in typed}
        rules = [rule for rule in self.rules.cleaned_data if any(rule.values())]
        return {**typed, "rules": rules}


class RuleForm(forms.Form):
    """A spelling rule; empty, it is taken away."""

    name = forms.CharField(label=_("Name"), max_length=80, required=False)
    pattern = forms.CharField(
        label=_("Pattern"),
        max_length=200,
        required=False,
        strip=False,
        widget=forms.TextInput(attrs={"class": "mono", "spellcheck": "false", "autocapitalize": "off"}),
        help_text=_("A regular expression that matches what is wrong."),
    )
    message = forms.CharField(label=_("What its author reads"), max_length=300, required=False)

    def clean(self) -> dict[str, str]:
        """Leave three empty strings of a row that says nothing."""
        return {name: self.cleaned_data.get(name, "") for name in ("name", "pattern", "message")}


RULES = forms.formset_factory(RuleForm, extra=BLANK_RULES, max_num=MOST_RULES)


def explained(kept: Mapping[str, Any]) -> list[str]:
    """What the settings do, a sentence each."""
    said = [str(GROUPS[group]) + _figures(group, kept) + "." for group in kept.get("wanted", ())]
    if letters := kept.get("alphabet"):
        said.append(gettext("Letters outside of: %(letters)s.") % {"letters": " ".join(letters)})
    said += [f"{rule['name']}: {rule['message']}" for rule in kept.get("rules", ())]
    for name, words in HINTS.items():
        if value := kept.get(name):
            number = len(value) if isinstance(value, list) else value
            said.append(words(number) % {"number": number})
    return said


def _figures(group: str, kept: Mapping[str, Any]) -> str:
    if group == "length":
        bounds = {"least": round(100 * kept.get("shortest", 0.4)), "most": round(100 * kept.get("longest", 2.5))}
        return " " + gettext("(less than %(least)d %% of it, or more than %(most)d %%)") % bounds
    if group == "copy":
        return " " + gettext("(from %(percent)d %% on)") % {"percent": round(100 * kept.get("copied", 0.8))}
    return ""


HINTS: dict[str, Callable[[int], str]] = {
    "longest_sentence": lambda n: ngettext(
        "Hint: sentences of more than %(number)d word.", "Hint: sentences of more than %(number)d words.", n
    ),
    "longest_stretch": lambda n: ngettext(
        "Hint: sentences of more than %(number)d character.", "Hint: sentences of more than %(number)d characters.", n
    ),
    "longest_word": lambda n: ngettext(
        "Hint: words of more than %(number)d character.", "Hint: words of more than %(number)d characters.", n
    ),
    "common": lambda n: ngettext(
        "Hint: words that are not the %(number)d common one.", "Hint: words not among the %(number)d common ones.", n
    ),
    "conjunctions": lambda n: ngettext(
        "Hint: several clauses in a sentence, by %(number)d conjunction.",
        "Hint: several clauses in a sentence, by %(number)d conjunctions.",
        n,
    ),
}
