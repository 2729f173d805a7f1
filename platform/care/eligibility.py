"""Whether something may be used for a purpose: the rule, in one place. Pure: no Django, no database.

`annotation.answers.querysets.AnswerQuerySet.eligible_for` says the same to the database as a query, and a policy of the
database itself (row security) as a predicate of every row that is read for a purpose; a test holds the three equal.

Two keys, and each can refuse alone: everybody whose words are in it consents, and the community allows the purpose, by
a policy that offers it and a decision on this policy that stands.
Then no label, protocol or hold may stand against it, and it must be validated, unless the purpose is to see and check.
There is one exception, for whoever asks for it by name: a counter-example, which teaches a model what not to say.
Whatever is not known is refused.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from care.labels import EVERYTHING, blocked_by


class Consent(StrEnum):
    """States of a consent, by the names of the Data Privacy Vocabulary 2 (consent_status)."""

    UNKNOWN = "unknown"
    REQUESTED = "requested"
    DEFERRED = "request_deferred"
    REFUSED = "refused"
    GIVEN = "given"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    RENEWED = "renewed_given"


class Allowed(StrEnum):
    """What a community says to a purpose."""

    NO_POLICY = "no_policy"
    NOT_OFFERED = "not_offered"
    NOT_DECIDED = "not_decided"
    """No decision stands behind the policy: there is none, or it was taken back."""
    SUSPENDED = "suspended"
    """The purpose, or the decision on the policy."""
    RUN_OUT = "run_out"
    """The time of the decision is over: what goes on among members goes on, and no new use begins."""
    IN_FORCE = "in_force"


class Hold(StrEnum):
    """A hold keeps from new uses; a hold on display hides as well."""

    NONE = "none"
    USE = "use"
    DISPLAY = "display"


class Why(StrEnum):
    """Why something may not be used, the first reason that is found."""

    PURPOSE = "unknown_purpose"
    CONSENT = "consent"
    COMMUNITY = "community"
    LABEL = "label"
    HOLD = "hold"
    NOT_VALIDATED = "not_validated"


VALID = frozenset({Consent.GIVEN, Consent.RENEWED})
# Seeing and checking is how something becomes validated.
BEFORE_VALIDATION = frozenset({"display_members", "peer_review", "credit_name"})
ALLOWING = frozenset({Allowed.IN_FORCE})
ALLOWING_STILL = ALLOWING | {Allowed.RUN_OUT}
HELD = {Hold.NONE: frozenset[str](), Hold.USE: EVERYTHING - BEFORE_VALIDATION, Hold.DISPLAY: EVERYTHING}


@dataclass(frozen=True)
class Facts:
    """All that decides, at one moment."""

    consents: Collection[Consent]
    """One for everybody whose words are in it, for this purpose; nobody's words are used without any."""
    community: Allowed
    labels: Collection[str] = ()
    in_season: bool = False
    hold: Hold = Hold.NONE
    kept_from: Collection[str] = ()
    """What the words of somebody under age are not used for."""
    is_validated: bool = True
    is_counter_example: bool = False
    """Turned down for what it says: not for harm in it, and not only to make room for another one."""


def refusal(purpose: str, facts: Facts, *, counter_examples: bool = False) -> Why | None:
    """Why it may not be used for the purpose; None when it may. `counter_examples`: these may be used as such, too."""
    is_settled = facts.is_validated or (counter_examples and facts.is_counter_example)
    against = {
        Why.PURPOSE: purpose not in EVERYTHING,
        Why.CONSENT: not facts.consents or not VALID.issuperset(facts.consents),
        Why.COMMUNITY: facts.community not in (ALLOWING_STILL if purpose in BEFORE_VALIDATION else ALLOWING),
        Why.LABEL: purpose in blocked_by(facts.labels, in_season=facts.in_season),
        Why.HOLD: purpose in HELD[facts.hold] or purpose in facts.kept_from,
        Why.NOT_VALIDATED: not is_settled and purpose not in BEFORE_VALIDATION,
    }
    return next((why for why, stands in against.items() if stands), None)
