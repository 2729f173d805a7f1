"""Forms for stewards about access agreements."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from care.effects import is_alone
from care.elections import rules_of
from care.models import Agreement, Matter, Purpose

WORDS = forms.Textarea(attrs={"rows": 3})


class InviteForm(forms.Form):
    """Somebody who may ask, where the community is not open to everybody."""

    username = forms.CharField(label=_("Username"), max_length=150)


class DecideForm(forms.Form):
    """Putting a request to the community; alone, this is the decision."""

    text = forms.CharField(label=_("What is proposed, and why?"), max_length=5000, widget=WORDS)
    harm = forms.CharField(
        label=_("Whom could it harm, and how is that prevented?"), required=False, max_length=5000, widget=WORDS
    )

    def __init__(self, agreement: Agreement, data: Any = None) -> None:
        super().__init__(data)
        rule = rules_of(agreement.community, Matter.AGREEMENT)
        self.is_alone = is_alone(rule)
        if not agreement.commitments.exists() and Purpose.TRAIN_COMMERCIAL not in agreement.purposes:
            self.fields["waives_benefits"] = forms.BooleanField(
                label=_("Nothing is promised to us, and that is well"), required=False
            )
        if not self.is_alone:
            least = max(1, rule.min_days)
            self.fields["days"] = forms.IntegerField(
                label=_("How many days is the vote open?"),
                min_value=least,
                max_value=rule.max_days,
                initial=rule.max_days,
            )


class ReasonForm(forms.Form):
    """Words that go with an act: questions, a reason, what is missing."""

    words = forms.CharField(label=_("Reason"), max_length=1000, widget=WORDS)

    def __init__(self, data: Any = None, *, label: Any = None, name: str = "") -> None:
        super().__init__(data, auto_id=f"id_{name}_%s" if name else "id_%s")
        if label:
            self.fields["words"].label = label
