"""PURE: how an access agreement and what it promises go from state to state; drawn in docs/agreements.md."""

from __future__ import annotations

from care.states import Step, drawn

AGREEMENT = (
    Step("", "begin", "draft", "the applicant, or a steward for them"),
    Step("draft", "submit", "submitted", "the applicant"),
    Step("returned", "submit", "submitted", "the applicant"),
    Step("submitted", "return", "returned", "one steward"),
    Step("submitted", "reject", "rejected", "the votes, or one steward where the rules say so"),
    Step("submitted", "approve", "approved", "a decision of the community"),
    Step("approved", "activate", "active", "the applicant and a steward, when both have signed"),
    Step("active", "suspend", "suspended", "one steward, or the platform's staff"),
    Step("suspended", "go on", "active", "a decision of the community, or time when nobody ratified it"),
    Step("approved", "revoke", "revoked", "one steward, or a decision of the community"),
    Step("active", "revoke", "revoked", "one steward, or a decision of the community"),
    Step("suspended", "revoke", "revoked", "a decision of the community"),
    Step("approved", "expire", "expired", "time"),
    Step("active", "expire", "expired", "time"),
    Step("suspended", "expire", "expired", "time"),
    Step("draft", "close", "closed", "the applicant"),
    Step("submitted", "close", "closed", "the applicant"),
    Step("returned", "close", "closed", "the applicant"),
    Step("approved", "close", "closed", "the applicant"),
    Step("active", "close", "closed", "the applicant"),
    Step("suspended", "close", "closed", "the applicant"),
)
COMMITMENT = (
    Step("", "promise", "promised", "the applicant"),
    Step("promised", "fall due", "due", "time: two weeks before its day"),
    Step("due", "miss", "overdue", "time: the day after its day"),
    Step("promised", "deliver", "delivered", "the applicant, with evidence"),
    Step("due", "deliver", "delivered", "the applicant, with evidence"),
    Step("overdue", "deliver", "delivered", "the applicant, with evidence"),
    Step("delivered", "send back", "due", "a steward: it was not received"),
    Step("delivered", "confirm", "confirmed", "a steward"),
)
MACHINES = {"Agreement": AGREEMENT, "Commitment": COMMITMENT}
# What a step of the decision on an agreement does to the agreement itself.
FOLLOWING = {
    "suspend": "suspend",
    "lift": "go on",
    "lapse": "go on",
    "revoke": "revoke",
    "give up": "revoke",
    "expire": "expire",
}


def drawn_agreements() -> str:
    """Both machines, as the document holds them."""
    return drawn(MACHINES)
