"""The researcher's forms: shape only, the services and the recipe decide what is possible."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from annotation.answers.models import Answer
from annotation.projects.models import Project
from frontend.researcher.beside_forms import BesideForm
from people.models import Community, Person, Variety
from training.releases.services import PURPOSES
from training.runs.models import Addition

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    Words = str | _StrPromise

SHOWN_STATES = (Answer.State.SUBMITTED, Answer.State.VALIDATED, Answer.State.REJECTED, Answer.State.DISPUTED)
# The settings that most people look at first; a recipe's other settings follow under “more”.
FIRST = ("rank", "alpha", "learning_rate", "epochs", "batch_size", "max_length", "seed")
METHOD_WORDS: dict[str, Words] = {
    "qlora": _(
        "QLoRA: a small adapter learns beside the base model, which stays frozen in 4 bits. It saves memory with large "
        "models."
    ),
    "lora": _("LoRA: the same beside a base model in full precision. It is a little faster."),
    "qdylora": _("QDyLoRA: like QLoRA, and one run trains every size of adapter. The result says how small it may be."),
    "dylora": _("DyLoRA: the same beside a base model in full precision."),
    "full": _(
        "Full fine-tuning: the whole model learns, to compare with; it is used nowhere. Choose a tenth of the learning "
        "rate."
    ),
    "continue_pretraining": _("Continued pre-training: the model reads the language as plain text first."),
    "kto": _("KTO: after the answers, it learns from what people accepted and turned down."),
    "dpo": _("DPO: after the answers, it learns which of two people find better."),
    "reward": _("Reward model: like DPO, but a number for each answer is learnt; how it writes stays as it is."),
    "self_evolution": _("Self-evolution: after the answers, it learns to prefer them over its own worst tries."),
}
WORDS: dict[str, tuple[Words, Words]] = {
    "method": (_("Method"), ""),
    "rank": (_("Rank"), _("Size of the adapter. A larger one learns more and forgets more.")),
    "alpha": (_("Alpha"), _("Strength of the adapter; twice the rank is a good start.")),
    "learning_rate": (_("Learning rate"), _("Size of one step, such as 0.001.")),
    "epochs": (_("Epochs"), _("How often the run reads all training sentences.")),
    "batch_size": (_("Batch size"), _("Sentences per step.")),
    "max_length": (_("Maximum length"), _("Longest sentence pair, in tokens; longer ones are left out.")),
    "seed": (_("Seed"), _("The same seed repeats the same run.")),
    "dropout": (_("Dropout"), ""),
    "warmup": (_("Warm-up"), _("Share of the steps in which the learning rate rises.")),
    "max_steps": (_("Steps at most"), _("0: as many as the epochs need.")),
    "clip": (_("Gradient clipping"), ""),
    "weight_decay": (_("Weight decay"), ""),
    "validate_every": (_("Steps between two validations"), ""),
    "checkpoint_every": (_("Steps between two checkpoints"), ""),
    "threads": (_("Processor threads"), ""),
    "token_share": (_("Share of the tokens to learn from"), _("1: all of them.")),
    "token_budget": (_("Tokens to learn from at most"), _("0: all of them.")),
    "patience": (
        _("Patience"),
        _("It ends after so many validations in a row without a better one, and keeps the best. 0: it does not."),
    ),
    "tokens_at_once": (_("Tokens read at once"), _("Fewer need less memory; the result is the same.")),
    "shards": (
        _("Groups of contributors (shards)"),
        _(
            "0: none. With LoRA and QLoRA, each group can teach an adapter of its own. When words are taken back, the "
            "model goes on at once without that group, and only that group is trained again. It learns less well so: "
            "the gate refuses it where more than a tenth of what was gained is lost."
        ),
    ),
    "shard_control": (
        _("Measure what groups cost"),
        _(
            "With groups, one more adapter learns from everybody, to compare with: the run takes about twice as long. "
            "The gate refuses groups whose cost was not measured."
        ),
    ),
    "max_items": (_("Held-out sentences to measure"), ""),
    "generate_items": (_("Held-out sentences to translate"), ""),
    "max_new_tokens": (_("Tokens at most in a translation"), ""),
    "samples": (_("Samples to show"), ""),
    "shots": (
        _("Examples shown to the base model"),
        _("An adapter must beat the base model that sees these before each question."),
    ),
    "memorised": (
        _("Sentences to measure what it knows by heart"),
        _("Of those that it learnt from, and as many held-out ones. 0: not measured, and it cannot pass the gate."),
    ),
    "seeds": (
        _("Trainings to measure, with other seeds"),
        _("3 or more say how far a result depends on chance. Only the first one is kept, and each takes as long."),
    ),
    "preference_epochs": (_("Passes over what is better"), ""),
    "preference_learning_rate": (_("Learning rate for what is better"), _("A tenth of the other one is a good start.")),
    "beta": (_("Beta"), _("A smaller one lets the model move further away from what it learnt before.")),
    "anchor": (_("Anchor"), _("Keeps the better answers likely, for DPO and self-evolution.")),
    "rounds": (_("Rounds"), _("Of self-evolution.")),
    "tries": (_("Tries"), _("Answers of its own to each request in a round.")),
    "longest_try": (_("Tokens at most in a try"), ""),
    "margin": (_("Margin"), _("Points of chrF++ by which a try must be worse.")),
    "both_directions": (_("Translations the other way round, too"), ""),
    "synthetic_share": (
        _("Share of machine-written rows at most"),
        _("Of these and the release’s own rows together."),
    ),
    "temperature": (
        _("Temperature of other languages"),
        _("1: their lessons all come. The higher, the fewer come of a language that has many."),
    ),
    "reading_epochs": (_("Passes over the plain text"), ""),
    "replay": (
        _("Replay"),
        _("Share of sentences in the language it knew before, against forgetting."),
    ),
}
# Only shown where there is something to choose that they are about.
ABOUT = {"synthetic_share": Addition.Kind.SYNTHETIC, "temperature": Addition.Kind.RELATED}
# Settings of some methods only, each section under words of its own.
SOME_METHODS: dict[str, Words] = {
    "preference": _("For KTO, DPO, reward models and self-evolution"),
    "reading": _("For continued pre-training"),
    "mixing": _("What else it learns from"),
}


class FreezeForm(forms.Form):
    """What to freeze, and for which purpose."""

    project = forms.ModelChoiceField(label=_("Project"), queryset=Project.objects.none(), empty_label=None)
    purpose = forms.ChoiceField(
        label=_("Purpose"),
        choices=[(purpose.value, purpose.label) for purpose in PURPOSES],
        widget=forms.RadioSelect,
        initial=PURPOSES[0].value,
        help_text=_("Only words whose authors allow this purpose go in."),
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=500,
        help_text=_("Why it was frozen, for those who come later."),
    )
    has_judgements = forms.BooleanField(
        label=_("With what people said of answers"),
        required=False,
        help_text=_("Answers that were turned down go in too, to learn what not to say. KTO and DPO need this."),
    )

    def __init__(self, *args: Any, projects: QuerySet[Project], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["project"].queryset = projects  # type: ignore[attr-defined]


class RunForm(BesideForm):
    """One field for each setting of the recipe, filled with its defaults.

    The recipe's own configuration says which settings there are, so this form cannot fall behind it. Those that are
    about an addition, and the base model, are left out where there is none to choose.
    """

    def __init__(
        self,
        *args: Any,
        defaults: dict[str, dict[str, Any]],
        additions: QuerySet[Addition],
        bases: Sequence[str],
        without: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        """`bases`: names of base models that are everybody's, the usual one first; `without`: methods that are not
        offered."""
        super().__init__(*args, **kwargs)
        self.offer(additions, bases)
        self._places: dict[str, tuple[str, str]] = {}
        flat = [(section, key, value) for section, keys in defaults.items() for key, value in keys.items()]
        for section, key, value in sorted(flat, key=lambda row: _rank_of(row[1])):
            is_here = ABOUT.get(key) in {None, *self.kinds}
            if is_here and (field := _field(key, value)) is not None:
                self.fields[f"{section}-{key}"] = field
                self._places[f"{section}-{key}"] = (section, key)
        offered = [(name, words) for name, words in METHOD_WORDS.items() if name not in without]
        self.fields["recipe-method"].choices = offered  # type: ignore[attr-defined]

    @property
    def method_field(self) -> forms.BoundField:
        """How to train, which comes first."""
        return self["recipe-method"]

    @property
    def first_fields(self) -> list[forms.BoundField]:
        """The settings to look at."""
        return [self[name] for name, (__, key) in self._places.items() if key in FIRST]

    @property
    def more_fields(self) -> list[forms.BoundField]:
        """The settings to leave alone, mostly."""
        return [
            self[name]
            for name, (section, key) in self._places.items()
            if section not in SOME_METHODS and key not in {*FIRST, "method"}
        ]

    @property
    def some_methods(self) -> list[tuple[Words, list[forms.BoundField], bool]]:
        """Settings of some methods only: which methods, the fields, and whether something in them is wrong."""
        found = []
        for wanted, words in SOME_METHODS.items():
            fields = self.addition_fields if wanted == "mixing" else []
            fields += [self[name] for name, (section, __) in self._places.items() if section == wanted]
            found.append((words, fields, any(field.errors for field in fields)))
        return found

    @property
    def more_has_errors(self) -> bool:
        """Whether the folded part must be open, because something in it is wrong."""
        return any(field.errors for field in self.more_fields)

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """What was chosen, by section, as the recipe reads it."""
        chosen: dict[str, dict[str, Any]] = {}
        for name, (section, key) in self._places.items():
            chosen.setdefault(section, {})[key] = self.cleaned_data[name]
        return chosen


def _rank_of(key: str) -> int:
    return FIRST.index(key) if key in FIRST else len(FIRST)


def _field(key: str, value: Any) -> forms.Field | None:
    """A field for a value of this type; lists and the like keep the recipe's default."""
    label, help_text = WORDS.get(key, (key.replace("_", " ").capitalize(), ""))
    if key == "method":
        return forms.ChoiceField(
            label=label, choices=list(METHOD_WORDS.items()), initial=value, widget=forms.RadioSelect
        )
    if isinstance(value, bool):
        return forms.BooleanField(label=label, help_text=help_text, initial=value, required=False)
    if isinstance(value, int):
        return forms.IntegerField(label=label, help_text=help_text, initial=value)
    if isinstance(value, float):
        widget = forms.NumberInput(attrs={"step": "any"})
        return forms.FloatField(label=label, help_text=help_text, initial=value, widget=widget)
    if isinstance(value, str):
        return forms.CharField(label=label, help_text=help_text, initial=value, required=False)
    return None


class DatasetForm(forms.Form):
    """Which answers to look at; everything may be left open."""

    words = forms.CharField(label=_("Words"), required=False, max_length=200)
    project = forms.ModelChoiceField(
        label=_("Project"), queryset=Project.objects.none(), required=False, empty_label=_("All projects")
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("Any")), *((state.value, state.label) for state in SHOWN_STATES)],
    )
    variety = forms.ModelChoiceField(
        label=_("Variety"), queryset=Variety.objects.none(), required=False, empty_label=_("Any")
    )
    purpose = forms.ChoiceField(
        label=_("Allowed for"),
        required=False,
        choices=[("", _("Any")), *((purpose.value, purpose.label) for purpose in PURPOSES)],
    )

    def __init__(self, *args: Any, community: Community, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        projects = Project.objects.visible_to(person).filter(community=community)
        self.fields["project"].queryset = projects.order_by("title")  # type: ignore[attr-defined]
        self.fields["variety"].queryset = community.varieties.order_by("name")  # type: ignore[attr-defined]
