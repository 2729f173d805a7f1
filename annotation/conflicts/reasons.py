"""Why a conflict came to the experts: named once, told by the note of the event that sent it there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from annotation.answers import notes


class Why(models.TextChoices):
    """The rules by which something reaches an expert."""

    HARM = "harm", _("Called offensive or personal")
    APPEAL = "appeal", _("Its author asked")
    REQUEST = "request", _("A steward asked")
    CONTESTED = "contested", _("No majority among the answers")
    TIE = "tie", _("As many for it as against it")
    NO_AGREEMENT = "no_agreement", _("Peers did not agree")
    DOUBTED = "doubted", _("A label was doubted")
    HARD = "hard", _("Hard for a model")
    REOPENED = "reopened", _("A decision was opened again")


OF_NOTE: Mapping[str, Why] = MappingProxyType(
    {
        notes.HARMFUL: Why.HARM,
        notes.APPEALED: Why.APPEAL,
        notes.KEPT: Why.APPEAL,
        notes.REQUESTED: Why.REQUEST,
        notes.CONTESTED: Why.CONTESTED,
        notes.DIFFERENT: Why.CONTESTED,
        notes.TIED: Why.TIE,
        notes.DISAGREED: Why.NO_AGREEMENT,
        notes.DOUBTED: Why.DOUBTED,
        notes.HARD: Why.HARD,
        notes.REOPENED: Why.REOPENED,
    }
)

# Reasons for a decision that one key chooses; experts write their own words wherever these do not say it.
STOCK = (
    gettext_noop("It follows the guidelines."),
    gettext_noop("It says what the source says."),
    gettext_noop("It is how people say it."),
    gettext_noop("The marks begin and end where they should."),
    gettext_noop("The spelling is the agreed one."),
    gettext_noop("Both are used, in different places."),
)


def why(note: str) -> Why:
    """The reason behind a note; anything else came from peers."""
    return OF_NOTE.get(note, Why.NO_AGREEMENT)
