"""Breaking the glass: the platform's staff read a community's pages for a reason, for hours, and before its eyes."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from care.harm import tell_stewards
from care.models import BrokenGlass, StewardNotice
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import has_role, require_role
from people.tenants import widen

MOST_HOURS = 4
SHORTEST_REASON = 10


def glass_of(person: Person, slug: str, now: datetime) -> BrokenGlass | None:
    """What lets the person read the community's pages at that moment, when they are staff and broke its glass."""
    if not (person.is_staff and person.is_active):
        return None
    return BrokenGlass.objects.live(now).filter(person=person, community__slug=slug).select_related("community").first()


@transaction.atomic
def break_glass(*, community: Community, person: Person, reason: str, hours: int, now: datetime) -> BrokenGlass:
    """Let somebody of the platform's staff read the community's pages from now on, four hours at most.

    Its stewards are told in the same transaction, and every member can read who, why and until when.
    Raises NotAllowed, Invalid, Conflicting.
    """
    if not (person.is_staff and person.is_active):
        raise NotAllowed("This is for the platform’s staff.")
    if has_role(person, community):
        raise Conflicting("You belong to this community; you need no other way in.")
    if len(reason.strip()) < SHORTEST_REASON:
        raise Invalid("Give the reason in a sentence: the community reads it.", field="reason")
    if not 1 <= hours <= MOST_HOURS:
        raise Invalid("From one hour to %(most)s.", field="hours", most=MOST_HOURS)
    widen(community.pk)
    Community.objects.select_for_update().get(pk=community.pk)
    if BrokenGlass.objects.live(now).filter(community=community, person=person).exists():
        raise Conflicting("You can read this community’s pages already. When that is over, ask again.")
    glass = BrokenGlass.objects.create(
        community=community,
        person=person,
        reason=reason.strip()[:1000],
        broken_at=now,
        ends_at=now + timedelta(hours=hours),
    )
    tell_stewards(community=community, kind=StewardNotice.Kind.GLASS, subject=f"glass:{glass.pk}", now=now)
    append_entry(
        action="glass.broken",
        subject=f"glass:{glass.pk}",
        community=community.slug,
        actor=str(person.pk),
        now=now,
        details={"hours": hours},
        private={"reason": glass.reason},
    )
    return glass


@transaction.atomic
def end_glass(*, glass: BrokenGlass, ended_by: Person, now: datetime) -> None:
    """A steward, or whoever broke it, ends it at once. Raises NotAllowed, Conflicting."""
    current = BrokenGlass.objects.select_for_update(of=("self",)).select_related("community").get(pk=glass.pk)
    if ended_by.pk != current.person_id:
        require_role(ended_by, current.community, Role.STEWARD)
    if current.ended_at is not None or current.ends_at <= now:
        raise Conflicting("This is over already.")
    current.ended_at, current.ended_by = now, ended_by
    current.save(update_fields=["ended_at", "ended_by"])
    append_entry(
        action="glass.ended",
        subject=f"glass:{current.pk}",
        community=current.community.slug,
        actor=str(ended_by.pk),
        now=now,
    )
