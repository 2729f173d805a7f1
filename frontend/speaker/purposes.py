"""What each purpose of a consent policy means, in the words of the speaker's pages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from care.models import NEEDED, Purpose

MEANINGS = {
    Purpose.DISPLAY_MEMBERS: _("Members see what you write. Without this nobody could check it."),
    Purpose.PEER_REVIEW: _("Others say whether a sentence is good, and may suggest a better wording."),
    Purpose.DISPLAY_PUBLIC: _("Your sentences may be shown to people outside this community."),
    Purpose.CREDIT_NAME: _("Your name stands beside your words. Without this a made-up sign stands there."),
    Purpose.RESEARCH: _("People who study the language may read and count your sentences."),
    Purpose.EVALUATE_MODELS: _("Your sentences may be kept aside to measure how well a model knows the language."),
    Purpose.TRAIN_NONCOMMERCIAL: _("A language model may learn from your sentences, when nobody earns money with it."),
    Purpose.TRAIN_COMMERCIAL: _(
        "A language model may learn from your sentences, and a business may earn money with it."
    ),
    Purpose.RELEASE_DATASET: _("Your sentences may be published. What others have copied cannot be called back."),
    Purpose.RELEASE_ADAPTER: _("A model that learnt from you may be published. Copies cannot be called back."),
    Purpose.PROCESS_OUTSIDE_COUNTRY: _("The computers that work with your sentences may stand abroad."),
}


@dataclass(frozen=True)
class Choice:
    """One purpose as a page shows it."""

    value: str
    label: str
    meaning: str
    is_needed: bool
    is_ticked: bool
    was_allowed: bool


def choices_of(offered: Collection[str], *, ticked: Collection[str], before: Collection[str]) -> list[Choice]:
    """The offered purposes with their meanings; `before` are those the person had allowed so far."""
    return [
        Choice(
            value=purpose.value,
            label=purpose.label,
            meaning=str(MEANINGS[purpose]),
            is_needed=purpose in NEEDED,
            is_ticked=purpose in NEEDED or purpose.value in ticked,
            was_allowed=purpose.value in before,
        )
        for purpose in sorted(map(Purpose, offered), key=lambda purpose: purpose not in NEEDED)
    ]
