"""Forms for labels, holds and uses that are stopped."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from annotation.projects.models import Project
from care.labels import LABELS
from care.models import Purpose, Restriction
from people.models import Community, Person

Kind = Restriction.Kind


class SubjectField(forms.ChoiceField):
    """What a label or a hold is on: the community, a project, a document, or somebody's words."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(label=_("On what"), **kwargs)

    def offer(self, community: Community, person: Person) -> None:
        """Everything of the community that may carry one."""
        projects = Project.objects.visible_to(person).filter(community=community).order_by("title")
        members = Person.objects.filter(memberships__community=community).distinct().order_by("username")
        self.choices = [
            (f"{Kind.COMMUNITY}:{community.pk}", _("Everything in the community")),
            (_("Projects"), [(f"{Kind.PROJECT}:{one.pk}", one.title) for one in projects]),
            (_("Documents"), [(f"{Kind.SOURCE}:{one.pk}", one.title) for one in community.sources.order_by("title")]),
            (_("Somebody's words"), [(f"{Kind.PERSON}:{one.pk}", one.name) for one in members]),
        ]

    def clean(self, value: Any) -> tuple[str, str]:
        """Kind and key."""
        kind, _colon, key = str(super().clean(value)).partition(":")
        return kind, key


class LabelForm(forms.Form):
    """A Local Contexts label on something."""

    label_on = SubjectField()
    code = forms.ChoiceField(label=_("Label or notice"))
    season_from = forms.CharField(
        label=_("From (seasonal labels)"), required=False, max_length=5, help_text=_("Month and day, such as 06-21.")
    )
    season_to = forms.CharField(label=_("To"), required=False, max_length=5)

    def __init__(self, *args: Any, community: Community, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["label_on"].offer(community, person)  # type: ignore[attr-defined]
        self.fields["code"].choices = [(one.code, one.name) for one in LABELS.values()]  # type: ignore[attr-defined]


class HoldForm(forms.Form):
    """A hold on something, at once and by one steward."""

    held = SubjectField()
    hides = forms.TypedChoiceField(
        label=_("How far"),
        choices=[
            ("", _("No new use; members still see and check it")),
            ("yes", _("Hide it from everybody but its author")),
        ],
        coerce=bool,
        empty_value=False,
        required=False,
        widget=forms.RadioSelect,
    )
    cause = forms.ChoiceField(
        label=_("Because"),
        choices=[
            (Restriction.Cause.HOLD, _("it must be decided on first")),
            (Restriction.Cause.DECEASED, _("its author has died")),
            (Restriction.Cause.MINOR, _("its author is under age")),
        ],
    )
    note = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, community: Community, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["held"].offer(community, person)  # type: ignore[attr-defined]


class StopForm(forms.Form):
    """One use of everything in the community that is to stop."""

    purpose = forms.ChoiceField(label=_("Use"), choices=Purpose.choices)
    why = forms.CharField(label=_("Reason"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))


class FollowForm(forms.Form):
    """A project of the Local Contexts Hub whose labels are to hold here."""

    hub_id = forms.CharField(
        label=_("The project's unique id at the Hub"), max_length=40, help_text=_("36 letters and digits with dashes.")
    )
    followed_for = SubjectField()

    def __init__(self, *args: Any, community: Community, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["followed_for"].offer(community, person)  # type: ignore[attr-defined]
