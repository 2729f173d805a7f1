"""The words of roles and buttons that a community may put its own for."""

from __future__ import annotations

from annotation.kinds import KINDS
from annotation.kinds.contract import gettext_noop

ROLES = [
    gettext_noop("Speaker"),
    gettext_noop("Expert"),
    gettext_noop("Researcher"),
    gettext_noop("Steward"),
    gettext_noop("Elder"),
]
DESKS = [gettext_noop("Speak"), gettext_noop("Decide"), gettext_noop("Train"), gettext_noop("Try")]
BUTTONS = [
    gettext_noop("Go on with what comes next"),
    gettext_noop("Take along"),
    gettext_noop("Send, and show the next"),
    gettext_noop("Done, and show the next"),
    gettext_noop("Skip this one"),
    gettext_noop("Good"),
    gettext_noop("Not sure"),
    gettext_noop("Correct it"),
    gettext_noop("Not acceptable"),
    gettext_noop("Points"),
    gettext_noop("My words"),
]
OWN_WORDS = [*ROLES, *DESKS, *BUTTONS, *(kind.verb for kind in KINDS.values())]
