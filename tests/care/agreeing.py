"""What the tests of access agreements share: a request, and the way of it to an agreement in force."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from care.agreements import begin_agreement, put_to_decision, save_terms, sign_agreement, submit_agreement
from care.benefits import promise_benefit
from care.models import Agreement, Commitment
from people.models import Community, Person
from tests.conftest import NOW

ENDS = datetime(2027, 3, 2, 9, 0, tzinfo=UTC)
TERMS: dict[str, Any] = {
    "organisation": "Institute of Tests",
    "country": "MX",
    "tier": "research",
    "aim": "To see how well a model learns.",
    "purposes": ["train_noncommercial"],
    "releases": [1],
    "computing": "Our own machine, behind a lock.",
    "computing_countries": ["MX"],
    "publication": "copy",
    "comes_back": "The model and what we measured.",
    "starts_on": NOW.date(),
    "ends_at": ENDS,
}


def open_door(community: Community) -> None:
    """Let anybody with an account ask."""
    Community.objects.filter(pk=community.pk).update(is_open=True)
    community.is_open = True


def drafted(community: Community, applicant: Person, *, promises: bool = True, **changes: Any) -> Agreement:
    """A request with all its answers, not yet sent."""
    open_door(community)
    made = begin_agreement(community=community, applicant=applicant, begun_by=applicant, now=NOW)
    made = save_terms(agreement=made, saved_by=applicant, now=NOW, **{**TERMS, **changes})
    if promises:
        promised(made)
    return made


def promised(agreement: Agreement, due_on: date = date(2026, 6, 1), now: datetime = NOW) -> Commitment:
    """Something that its applicant promises."""
    by = agreement.applicant
    words = "Two days of lessons in the village."
    return promise_benefit(agreement=agreement, promised_by=by, kind="training", words=words, due_on=due_on, now=now)


def submitted(community: Community, applicant: Person, **changes: Any) -> Agreement:
    """A request that waits for the community."""
    made = drafted(community, applicant, **changes)
    return submit_agreement(agreement=made, submitted_by=applicant, now=NOW)


def approved(community: Community, applicant: Person, steward: Person, **changes: Any) -> Agreement:
    """One steward has decided on it, alone."""
    made = submitted(community, applicant, **changes)
    waives = not made.commitments.exists()
    put_to_decision(agreement=made, proposer=steward, now=NOW, text="They are welcome.", waives_benefits=waives)
    made.refresh_from_db()
    return made


def active(community: Community, applicant: Person, steward: Person, **changes: Any) -> Agreement:
    """Signed by both."""
    made = approved(community, applicant, steward, **changes)
    for person in (applicant, steward):
        made = sign_agreement(agreement=made, signed_by=person, now=NOW)
    return made
