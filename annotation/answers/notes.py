"""Notes that the house itself writes into an answer's history; they are translated where they are shown.

Why an answer waits for an expert is the note of the event that sent it there (`annotation.conflicts.reasons`).
"""

from annotation.kinds.contract import gettext_noop

# On a wording that was turned down only to make room for another one.
ANOTHER_ACCEPTED = "Another wording was accepted."
AGREED = gettext_noop("Two peers agreed.")
DISAGREED = gettext_noop("Three peers disagreed.")
TIED = gettext_noop("As many peers were for it as against it.")
HARMFUL = gettext_noop("A peer found it offensive, or personal data in it.")
APPEALED = gettext_noop("Its author asked an expert.")
DOUBTED = gettext_noop("An expert asks for a decision: the label may be wrong.")
HARD = gettext_noop("A researcher asks for a decision: a model finds this one hard.")
REQUESTED = gettext_noop("A steward asked an expert.")
DIFFERENT = gettext_noop("The answers to this one do not agree.")
CONTESTED = gettext_noop("Those who marked this one do not agree.")
KEPT = gettext_noop("Its author leaves it as it is.")
SENT_AGAIN = gettext_noop("Its author sent it again.")
REOPENED = gettext_noop("The decision was opened again.")
