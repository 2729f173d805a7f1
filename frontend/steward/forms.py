"""The stewards' forms: shape only, the services decide what is possible."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Count
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop, ngettext

from annotation.aggregation.verdicts import MOST_VOTES
from annotation.corpora.models import Source
from annotation.kinds import Kind
from frontend.steward.kind_settings import PREFIX, fields_of, settings_from
from people.models import LANGUAGE_TAG, SCRIPT, Community, Orthography, Role, Variety

# Name, words, and the settings of the rule.
CHECKING: list[tuple[str, Any, dict[str, int]]] = [
    ("community", gettext_noop("as the community has decided"), {}),
    ("two", gettext_noop("the first two who agree; a third when they do not"), {"concordant": 2, "most": 3}),
    ("three", gettext_noop("three who agree, of five at most"), {"concordant": 3, "most": 5}),
    ("one", gettext_noop("one is enough (for very small groups)"), {"concordant": 1, "most": 1}),
]
CADENCES = [(24, _("once a day")), (24 * 7, _("once a week")), (24 * 30, _("once a month"))]


class UploadForm(forms.Form):
    """A file of sentences with its terms."""

    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "A .tsv, .csv or .jsonl file in UTF-8. The first line names the columns; one is called text. "
            "The columns reference, document and variety may be there too."
        ),
        widget=forms.FileInput(attrs={"accept": ".tsv,.csv,.jsonl,.ndjson,.txt,.tab"}),
    )
    title = forms.CharField(
        label=_("Title"), max_length=300, help_text=_("For sentences that name no document of their own.")
    )
    language_tag = forms.CharField(
        label=_("Language of the sentences"),
        max_length=64,
        validators=[LANGUAGE_TAG],
        help_text=_("The tag of the language to translate from, such as es or en."),
    )
    licence = forms.CharField(
        label=_("Licence"),
        max_length=200,
        help_text=_(
            "On what terms the text may be used, such as CC BY 4.0. Texts under terms that forbid changes, or that "
            "suit no others here, are not worked on together."
        ),
    )


class ManyFiles(forms.FileField):
    """Several files in one field; at least one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=SeveralFilesInput(attrs={"accept": "image/*"}), **kwargs)

    def clean(self, data: Any, initial: Any = None) -> Any:
        """A list of checked files."""
        files = data if isinstance(data, list) else [data]
        return [super(ManyFiles, self).clean(file, initial) for file in files or [None]]


class SeveralFilesInput(forms.ClearableFileInput):
    """A file input that takes several."""

    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class PicturesForm(forms.Form):
    """Pictures to write about, with their terms."""

    files = ManyFiles(
        label=_("Pictures"),
        help_text=_(
            "JPEG, PNG, WebP or GIF. Name each file by what it shows, such as market-in-the-morning.jpg: the name is "
            "read to people who cannot see it. They are made small, and the place and camera are left out."
        ),
    )
    prompt = forms.CharField(label=_("What is asked"), max_length=500)
    title = forms.CharField(label=_("Title"), max_length=300)
    language_tag = forms.CharField(label=_("Language of the question"), max_length=64, validators=[LANGUAGE_TAG])
    licence = forms.CharField(
        label=_("Licence"), max_length=200, help_text=_("On what terms the pictures may be used and shown.")
    )


class DocumentsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Documents, told apart by variety and length where titles are the same."""

    def label_from_instance(self, obj: Any) -> str:
        """Title, variety, number of sentences."""
        sentences = ngettext("%(number)s sentence", "%(number)s sentences", obj.items_total)
        facts = [obj.variety.name] if obj.variety else []
        return f"{obj.title} ({', '.join([*facts, sentences % {'number': obj.items_total}])})"


class ProjectForm(forms.Form):
    """A project of one kind to open: its texts, languages and settings, and how its answers are checked."""

    title = forms.CharField(label=_("Title"), max_length=200)
    sources = DocumentsField(
        label=_("Documents to work on"), queryset=Source.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    source_language_name = forms.CharField(
        label=_("Language of the documents"),
        max_length=120,
        help_text=_("As people say it, such as Spanish."),
    )
    source_language_tag = forms.CharField(
        label=_("Its language tag"), max_length=64, validators=[LANGUAGE_TAG], help_text=_("Such as es.")
    )
    target_language_name = forms.CharField(
        label=_("Language of the answers"), max_length=120, required=False, help_text=_("Empty: the community's own.")
    )
    target_language_tag = forms.CharField(
        label=_("Tag of that language"), max_length=64, validators=[LANGUAGE_TAG], required=False
    )
    target_script = forms.CharField(
        label=_("Script of the answers"),
        max_length=4,
        validators=[SCRIPT],
        required=False,
        help_text=_("ISO 15924, such as Latn or Arab."),
    )
    target_direction = forms.ChoiceField(
        label=_("Direction of the answers"),
        choices=[("", _("as the community writes")), *Community.Direction.choices],
        required=False,
    )
    variety = forms.ModelChoiceField(
        label=_("Variety"), queryset=Variety.objects.none(), required=False, empty_label=_("any")
    )
    orthography = forms.ModelChoiceField(
        label=_("Orthography"),
        queryset=Orthography.objects.none(),
        required=False,
        empty_label=_("none in particular"),
    )
    guidelines = forms.CharField(
        label=_("Guidelines"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("What speakers and reviewers should know. They read it beside every sentence."),
    )
    lease_minutes = forms.IntegerField(
        label=_("Minutes for one task"),
        initial=10,
        min_value=1,
        max_value=1440,
        help_text=_("After that, somebody else may get it."),
    )

    answers = forms.IntegerField(
        label=_("Answers wanted"),
        min_value=1,
        max_value=20,
        help_text=_("Independent answers to each task, by different people."),
    )
    checking = forms.ChoiceField(
        label=_("When peers have settled an answer"), choices=[(name, _(words)) for name, words, _rule in CHECKING]
    )
    guard = forms.BooleanField(
        label=_("Guard the votes"),
        required=False,
        initial=True,
        help_text=_(
            "Some answers are known to experts and show who reads carefully. Who has not shown it yet gives first "
            "votes only, and the votes of careless people stop counting."
        ),
    )

    def __init__(self, *args: Any, community: Community, kind: Kind, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        self.fields.update(fields_of(kind))
        self.fields["answers"].initial = kind.stop["answers"]
        if not kind.is_reviewed:
            del self.fields["checking"], self.fields["guard"]
        sources = (
            community.sources.select_related("variety").annotate(items_total=Count("items")).order_by("title", "pk")
        )
        self.fields["sources"].queryset = sources  # type: ignore[attr-defined]
        self.fields["sources"].initial = sources
        self.fields["variety"].queryset = community.varieties.all()  # type: ignore[attr-defined]
        self.fields["orthography"].queryset = community.orthographies.all()  # type: ignore[attr-defined]

    MORE = (
        "target_language_name",
        "target_language_tag",
        "target_script",
        "target_direction",
        "variety",
        "orthography",
        "lease_minutes",
    )

    def first_fields(self) -> list[forms.BoundField]:
        """What every project needs, its kind's own settings among it."""
        return [field for field in self if field.name not in self.MORE]

    def more_fields(self) -> list[forms.BoundField]:
        """What is seldom changed."""
        return [self[name] for name in self.MORE]

    def more_is_wrong(self) -> bool:
        """Whether a folded field has something to say."""
        return any(name in self.errors for name in self.MORE)

    def project(self) -> dict[str, Any]:
        """The fields of the project that was asked for."""
        typed = self.cleaned_data
        own = {name: value for name, value in typed.items() if not name.startswith(PREFIX)}
        rule = {**self.kind.stop, "answers": own.pop("answers")}
        if rule["stop"] != "total":
            rule["at_most"] = max(rule["answers"], self.kind.stop["at_most"])
        checking = own.pop("checking", CHECKING[0][0])
        rule.update(next(settings for name, _words, settings in CHECKING if name == checking))
        rule["guard"] = own.pop("guard", True)
        return {**own, "kind": self.kind.slug, "settings": settings_from(self.kind, typed), "rule": rule}


class ReasonForm(forms.Form):
    """Why a steward does something about somebody's votes."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Stewards can read it, and you will want to tell the person."),
    )


class ScheduleForm(forms.Form):
    """When a project trains without anybody asking."""

    is_allowed = forms.BooleanField(label=_("Allow scheduled training"), required=False)
    minimum_new_items = forms.IntegerField(
        label=_("New sentences needed"),
        initial=100,
        help_text=_("Validated, and allowed for training, since the last run."),
    )
    withdrawn_percent = forms.IntegerField(
        label=_("Or so many percent taken back"),
        initial=0,
        required=False,
        help_text=_("Of the sentences of the last run. 0: not for that."),
    )
    cadence_hours = forms.TypedChoiceField(label=_("At most"), choices=CADENCES, coerce=int, initial=24 * 7)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A cadence that was set through the API stays choosable, so that saving the form does not change it.
        hours = self.initial.get("cadence_hours")
        if hours and hours not in dict(CADENCES):
            self.fields["cadence_hours"].choices = [*CADENCES, (hours, _("every %(hours)s hours") % {"hours": hours})]  # type: ignore[attr-defined]

    def clean_withdrawn_percent(self) -> int:
        """Left empty, it is as good as 0."""
        return self.cleaned_data["withdrawn_percent"] or 0


class GrantForm(forms.Form):
    """A role for somebody who has an account."""

    username = forms.CharField(label=_("Username"), max_length=150)
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class InviteForm(forms.Form):
    """An invitation link."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    uses = forms.IntegerField(
        label=_("How many people"),
        initial=1,
        min_value=1,
        max_value=1000,
        help_text=_("The link works that often, for 14 days."),
    )


class AdapterForm(forms.Form):
    """A decision on an adapter."""

    note = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=1000,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Members can read it. Needed when you refuse or retire."),
    )


class JudgingForm(forms.Form):
    """Having the answers of a project judged."""

    kind = forms.ChoiceField(
        label=_("How?"),
        choices=[("compare", _("Two answers to one task are compared")), ("rate", _("Each answer is rated"))],
        widget=forms.RadioSelect,
        initial="compare",
    )
    title = forms.CharField(label=_("Title of the new project"), max_length=200)


class RuleForm(forms.Form):
    """How many verdicts settle an answer."""

    concordant = forms.IntegerField(label=_("People who must agree"), min_value=1, max_value=MOST_VOTES)
    most = forms.IntegerField(
        label=_("People asked at most"),
        min_value=1,
        max_value=MOST_VOTES,
        help_text=_("When they have not settled it, an expert decides."),
    )
    unsure_limit = forms.IntegerField(
        label=_("Unsure people after whom an expert decides at once"), min_value=1, max_value=MOST_VOTES
    )


class ProjectRuleForm(RuleForm):
    """The same for one project, which may leave it to its community."""

    is_own = forms.BooleanField(
        label=_("This project has a rule of its own"),
        required=False,
        help_text=_("Without it, the rule of the community holds, and the numbers below say nothing."),
    )
    guard = forms.BooleanField(label=_("Guard the votes"), required=False)
    field_order = ("is_own", "concordant", "most", "unsure_limit", "guard")

    def votes(self) -> dict[str, Any]:
        """What the project says of its own."""
        given = dict(self.cleaned_data)
        guard = {"guard": given.pop("guard")}
        return {**given, **guard} if given.pop("is_own") else guard
