"""The questions of a proposal, one on each screen; what was answered before travels along, so nothing needs scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from annotation.projects.models import Project
from care.deciding import propose
from care.effects import is_alone
from care.elections import rules_of
from care.models import Matter, Proposal, Purpose, Restriction
from care.quorum import Kind, RuleSet
from frontend.steward.queries import restriction_lines
from people.models import Community, Person, Role
from people.services import has_role
from training.exports.services import subject_of_export
from training.releases.models import Release
from training.runs.models import Adapter
from training.runs.promotion import bounds_in_words

# What is proposed from here; the others begin on the page of what they are about.
OFFERED = (
    Matter.ADAPTER,
    Matter.RUN,
    Matter.STANDING,
    Matter.SCHEDULE,
    Matter.RELEASE,
    Matter.PROJECT,
    Matter.LABEL,
)
# A consent text comes from its own page, with the text itself and its terms.
CARRIED = ("policy_text", "policy_purposes", "policy_terms", "policy_waiver")
WORDS = forms.Textarea(attrs={"rows": 5})


class Questions:
    """What is asked for one proposal, in order, and what was answered so far."""

    def __init__(self, community: Community, person: Person, given: QueryDict) -> None:
        self.community, self.person, self.given = community, person, given
        self.matter = given.get("matter", "")

    def fields(self) -> dict[str, forms.Field]:
        """Every question of this matter by its name."""
        offered = [(matter.value, matter.label) for matter in OFFERED]
        if self.matter == Matter.POLICY:
            offered.append((Matter.POLICY.value, Matter.POLICY.label))
        asked: dict[str, forms.Field] = {
            "matter": forms.ChoiceField(
                label=_("What should the community decide on?"), choices=offered, widget=forms.RadioSelect
            )
        }
        if self.matter not in dict(offered):
            return asked
        asked["subject"] = self._subject()
        if self.matter == Matter.STANDING:
            asked["runs"] = forms.IntegerField(label=_("How many runs in thirty days?"), min_value=1, max_value=1000)
            asked["hours"] = forms.IntegerField(
                label=_("How many hours of training in thirty days?"), min_value=1, max_value=720
            )
        asked["text"] = forms.CharField(label=_("What is proposed, and why?"), max_length=5000, widget=WORDS)
        asked["harm"] = forms.CharField(
            label=_("Whom could it harm, and how is that prevented?"), max_length=5000, widget=WORDS, required=False
        )
        asked["benefit"] = forms.CharField(
            label=_("What does the community get from it?"), max_length=5000, widget=WORDS, required=False
        )
        rule = rules_of(self.community, self.matter)
        if not is_alone(rule):
            asked["days"] = forms.IntegerField(
                label=_("How many days is the vote open?"),
                min_value=max(1, rule.min_days),
                max_value=rule.max_days,
                initial=rule.max_days,
            )
        return asked

    def _subject(self) -> forms.Field:
        """What it is about: one of what there is, or words of one's own."""
        which = _("Which one?")
        mine = {"community": self.community}
        rows: list[tuple[str, str]] = []
        if self.matter == Matter.ADAPTER:
            said = gettext("Adapter of run %(number)s")
            found = Adapter.objects.filter(**mine).select_related("run")
            rows = [(f"adapter:{row.pk}", said % {"number": row.run.number}) for row in found]
            out = gettext("Letting the adapter of run %(number)s out, as files")
            rows += [(subject_of_export(row), out % {"number": row.run.number}) for row in found.usable()]
            if (bounds := self.given.get("subject", "")).startswith("gate:"):
                rows = [(bounds, bounds_in_words(bounds))]
        elif self.matter == Matter.RUN:
            said = gettext("Release %(number)s of %(title)s")
            releases = Release.objects.filter(**mine).select_related("project").order_by("-number")
            rows = [
                (f"release:{row.pk}", said % {"number": row.number, "title": row.project.title}) for row in releases
            ]
        elif self.matter in {Matter.SCHEDULE, Matter.RELEASE}:
            rows = [(f"project:{row.pk}", row.title) for row in Project.objects.filter(**mine)]
        elif self.matter == Matter.STANDING:
            rows = [(f"community:{self.community.pk}", self.community.name)]
        elif self.matter == Matter.POLICY:
            rows = [(self.given.get("subject", ""), gettext("The consent text that you wrote"))]
        elif self.matter == Matter.LABEL:
            rows = self._restrictions()
        else:
            return SubjectField("project", _("What is its title?"), _("Exactly as the project will be called."))
        return forms.ChoiceField(label=which, choices=rows, widget=forms.RadioSelect)

    def _restrictions(self) -> list[tuple[str, str]]:
        """What stands and can be lifted, by the subject that `care.restricting.lift` asks a decision on."""
        standing = Restriction.objects.live().filter(community=self.community)
        # Whose words are held back, and why, is for stewards to read.
        if not has_role(self.person, self.community, Role.STEWARD):
            standing = standing.exclude(kind=Restriction.Kind.PERSON)
        lines = restriction_lines(self.community, list(standing))
        return [(f"restriction:{line.row.pk}", f"{line.name} · {line.on}") for line in lines]

    def next_question(self) -> forms.Form | None:
        """The first question without a good answer, or None when all are answered."""
        for name, field in self.fields().items():
            was_asked = name in self.given or (name == self.given.get("asked"))
            form = QuestionForm(name, field, self.given if was_asked else None)
            if not was_asked or not form.is_valid():
                return form
        return None

    def carried(self, asked: str) -> list[tuple[str, str]]:
        """What was answered before the question that is asked, for hidden fields."""
        before = list(self.fields())
        names = [*before[: before.index(asked)], *CARRIED]
        return [(name, value) for name in names for value in self.given.getlist(name)]

    def place(self, asked: str) -> tuple[int, int]:
        """Which question of how many."""
        names = list(self.fields())
        return names.index(asked) + 1, len(names)

    def answers(self) -> Mapping[str, Any]:
        """All answers, checked."""
        every = {}
        for name, field in self.fields().items():
            form = QuestionForm(name, field, self.given)
            form.full_clean()
            every[name] = form.cleaned_data[name]
        return every

    def propose(self, now: Any) -> Proposal:
        """Propose what was answered. Raises Refusal."""
        every = dict(self.answers())
        conditions = {name: every.pop(name) for name in ("runs", "hours") if name in every}
        purposes = self.given.getlist("policy_purposes")
        if self.matter == Matter.POLICY:
            conditions["text"] = self.given.get("policy_text", "")
            conditions["terms"] = _mapping(self.given.get("policy_terms", ""))
            if waiver := self.given.get("policy_waiver", "").strip():
                conditions["waiver"] = waiver
        if every["subject"].startswith("publish:"):
            purposes = [Purpose.RELEASE_ADAPTER]
        about = {"conditions": conditions, "purposes": purposes, "configured_by": self._configured_by(every["subject"])}
        return propose(community=self.community, proposer=self.person, now=now, **about, **every)

    def _configured_by(self, subject: str) -> Person | None:
        """Who set up what an adapter was made with."""
        kind, _colon, number = subject.partition(":")
        if self.matter != Matter.ADAPTER or kind not in {"adapter", "publish"}:
            return None
        return Adapter.objects.select_related("run__started_by").get(pk=int(number)).run.started_by


def _mapping(text: str) -> dict[str, Any]:
    """What a hidden field carries as JSON; nothing when somebody has spoilt it, which the decision then refuses."""
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return read if isinstance(read, dict) else {}


class SubjectField(forms.CharField):
    """Words of one's own that become kind:words."""

    def __init__(self, kind: str, label: Any, help_text: Any) -> None:
        super().__init__(label=label, help_text=help_text, max_length=200)
        self.kind = kind

    def clean(self, value: Any) -> str:
        """With the kind before it."""
        return f"{self.kind}:{super().clean(str(value or '').removeprefix(f'{self.kind}:'))}"


class QuestionForm(forms.Form):
    """One question."""

    def __init__(self, name: str, field: forms.Field, data: QueryDict | None) -> None:
        super().__init__(data)
        self.name = name
        self.fields[name] = field


class RulesForm(forms.Form):
    """How the community decides; what is not asked stays as the preset has it."""

    kind = forms.ChoiceField(
        label=_("How do you decide?"),
        widget=forms.RadioSelect,
        choices=[
            (Kind.SINGLE.value, _("One steward decides alone")),
            (Kind.QUORUM.value, _("By a vote, when enough take part")),
            (Kind.CONSENSUS.value, _("By consensus: nobody is against it")),
            (Kind.ELDER_VETO.value, _("By a vote, and an elder may stop it")),
        ],
    )
    matter = forms.ChoiceField(
        label=_("On what?"),
        required=False,
        choices=[("", _("everything without a rule of its own")), *Matter.choices[:10]],
    )
    quorum = forms.IntegerField(label=_("Per cent who must take part"), min_value=1, max_value=100, initial=50)
    risky_quorum = forms.IntegerField(
        label=_("The same for training, releases and work abroad"), min_value=1, max_value=100, initial=60
    )
    min_days = forms.IntegerField(label=_("Days a vote is open, at least"), min_value=0, max_value=90, initial=3)
    max_days = forms.IntegerField(label=_("Days a vote is open, at most"), min_value=1, max_value=90, initial=14)
    cooling_off_hours = forms.IntegerField(
        label=_("Hours for appeals before a decision holds"), min_value=0, max_value=720, initial=72
    )
    grant_max_months = forms.IntegerField(
        label=_("Months a decision holds, at most"), min_value=1, max_value=24, initial=12
    )
    text = forms.CharField(label=_("Why?"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))

    def rule(self, presets: Mapping[Kind, RuleSet]) -> dict[str, Any]:
        """The preset with what was typed. One steward alone needs none of it."""
        typed = self.cleaned_data
        kind = Kind(typed["kind"])
        if kind == Kind.SINGLE:
            return presets[kind].as_mapping()
        numbers = ("min_days", "max_days", "cooling_off_hours", "grant_max_months")
        shares = {name: f"{typed[name]}/100" for name in ("quorum", "risky_quorum")}
        return {**presets[kind].as_mapping(), **{name: typed[name] for name in numbers}, **shares}
