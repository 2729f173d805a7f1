"""What the tests of decisions share: a community that votes, and votes cast in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from care.deciding import close_proposal, open_proposal, set_rules
from care.models import Decision, Proposal
from care.quorum import PRESETS, Kind
from care.voting import vote
from people.models import Community, Person, Role
from people.services import grant_role
from tests.conftest import NOW, make_person


def make_stewards(
    community: Community, names: Iterable[str] = ("iris", "jonas"), role: str = Role.STEWARD
) -> list[Person]:
    """More people who may vote."""
    people = [make_person(name) for name in names]
    for person in people:
        grant_role(person=person, community=community, role=role, granted_by=person, now=NOW)
    return people


def adopt(community: Community, steward: Person, kind: Kind = Kind.QUORUM, **changes: Any) -> None:
    """Leave the rule under which one steward decides alone."""
    rule = {**PRESETS[kind].as_mapping(), **changes}
    set_rules(community=community, rule=rule, set_by=steward, now=NOW, text="We vote.")


def opened(
    community: Community, proposer: Person, matter: str = "adapter", subject: str = "adapter:1", **more: Any
) -> Proposal:
    """A proposal that is voted on."""
    fields = {"text": "Let us use it.", "now": NOW, **more}
    return open_proposal(community=community, proposer=proposer, matter=matter, subject=subject, **fields)


def voted(proposal: Proposal, people: Iterable[Person], choice: str = "for", at: datetime = NOW) -> None:
    """All of them vote alike."""
    for person in people:
        vote(proposal=proposal, choice=choice, cast_by=person, now=at)


def closed(proposal: Proposal) -> Decision:
    """Counted when its time is over."""
    return close_proposal(proposal=proposal, now=proposal.closes_at)


def later(**span: int) -> datetime:
    """So long after the beginning."""
    return NOW + timedelta(**span)
