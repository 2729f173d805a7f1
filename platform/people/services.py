"""Writes about people: founding a community, joining, inviting, leaving."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from ledger.services import append_entry
from people.models import Community, Invitation, Membership, Orthography, Person, Role, Variety
from people.refusals import Conflicting, NotAllowed, TooLate
from people.tenants import every_community, widen

INVITATION_LIFETIME = timedelta(days=14)


class InvitationIsSpent(TooLate):
    """The link was used up, has expired, or never existed."""


class LastSteward(Conflicting):
    """A community must keep at least one steward."""


def has_role(person: Person, community: Community, *roles: str) -> bool:
    """Whether the person holds one of the roles in the community now (any role when none is named).

    Nobody whose account is suspended holds any.
    """
    held = Membership.objects.of_active().live().filter(person=person, community=community)
    return held.filter(role__in=roles).exists() if roles else held.exists()


def require_role(person: Person, community: Community, *roles: str) -> None:
    """Raise NotAllowed unless the person holds one of the roles in the community now."""
    if not has_role(person, community, *roles):
        if not roles:
            raise NotAllowed("This is for members of %(community)s.", community=community.name)
        wanted = " / ".join(str(Role(role).label) for role in roles)
        raise NotAllowed("This needs the role %(role)s in %(community)s.", role=wanted, community=community.name)


@transaction.atomic
def found_community(
    *,
    founder: Person,
    now: datetime,
    varieties: Sequence[dict[str, str]] = (),
    orthographies: Sequence[dict[str, str]] = (),
    **fields: Any,
) -> Community:
    """Create a community with its varieties and orthographies; the founder becomes its first steward.

    Raises django ValidationError when a code is malformed.
    """
    community = Community(created_at=now, **fields)
    community.full_clean()
    community.save()
    widen(community.pk)
    for row in varieties:
        variety = Variety(community=community, **row)
        variety.full_clean()
        variety.save()
    for row in orthographies:
        orthography = Orthography(community=community, **row)
        orthography.full_clean()
        orthography.save()
    Membership.objects.create(person=founder, community=community, role=Role.STEWARD, since=now)
    append_entry(
        action="community.founded",
        subject=f"community:{community.pk}",
        community=community.slug,
        actor=str(founder.pk),
        now=now,
        private={"name": community.name, "language_tag": community.language_tag},
    )
    return community


@transaction.atomic
def grant_role(*, person: Person, community: Community, role: str, granted_by: Person, now: datetime) -> Membership:
    """Give a person a role; giving a role twice changes nothing. Callers have checked who may (`add_member`)."""
    membership, created = Membership.objects.get_or_create(
        person=person, community=community, role=role, ended_at=None, defaults={"since": now}
    )
    if created:
        append_entry(
            action="membership.granted",
            subject=f"person:{person.pk}",
            community=community.slug,
            actor=str(granted_by.pk),
            now=now,
            details={"role": role},
        )
    return membership


def add_member(*, person: Person, community: Community, role: str, added_by: Person, now: datetime) -> Membership:
    """A steward gives a role to somebody who has an account."""
    require_role(added_by, community, Role.STEWARD)
    return grant_role(person=person, community=community, role=role, granted_by=added_by, now=now)


@transaction.atomic
def end_membership(*, membership: Membership, ended_by: Person, now: datetime, even_last: bool = False) -> None:
    """End a role. Raises LastSteward rather than leave a community without one, unless `even_last`: after a restore,
    for somebody who is gone."""
    community = Community.objects.select_for_update().get(pk=membership.community_id)
    if ended_by.pk != membership.person_id:
        require_role(ended_by, community, Role.STEWARD)
    stewards = community.memberships.filter(role=Role.STEWARD, ended_at__isnull=True)
    if membership.role == Role.STEWARD and stewards.count() <= 1 and not even_last:
        raise LastSteward("Name another steward first: a community must keep one.")
    Membership.objects.filter(pk=membership.pk, ended_at__isnull=True).update(ended_at=now)
    append_entry(
        action="membership.ended",
        subject=f"person:{membership.person_id}",
        community=community.slug,
        actor=str(ended_by.pk),
        now=now,
        details={"role": membership.role},
    )


@transaction.atomic
def join_open_community(*, person: Person, community: Community, now: datetime) -> Membership:
    """Join an open community as a speaker. Raises NotAllowed when it is by invitation only."""
    if not community.is_open:
        raise NotAllowed("This community is joined by invitation.")
    widen(community.pk)
    return grant_role(person=person, community=community, role=Role.SPEAKER, granted_by=person, now=now)


@transaction.atomic
def invite(*, community: Community, role: str, invited_by: Person, now: datetime, uses: int = 1) -> str:
    """Make an invitation and return its secret, which is shown once and never stored."""
    require_role(invited_by, community, Role.STEWARD)
    secret = secrets.token_urlsafe(24)
    Invitation.objects.create(
        community=community,
        role=role,
        invited_by=invited_by,
        created_at=now,
        uses_left=uses,
        expires_at=now + INVITATION_LIFETIME,
        secret_sha256=hashlib.sha256(secret.encode()).hexdigest(),
    )
    append_entry(
        action="membership.invited",
        subject=f"community:{community.pk}",
        community=community.slug,
        actor=str(invited_by.pk),
        now=now,
        details={"role": role, "uses": uses},
    )
    return secret


def find_invitation(*, secret: str, now: datetime) -> Invitation:
    """The live invitation behind a secret. Raises InvitationIsSpent."""
    sha256 = hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
    with every_community():
        invitation = Invitation.objects.select_related("community").filter(secret_sha256=sha256).first()
    if invitation is None or invitation.uses_left < 1 or invitation.expires_at <= now:
        raise InvitationIsSpent("This invitation was used up or has expired. Ask a steward for a new one.")
    widen(invitation.community_id)
    return invitation


@transaction.atomic
def accept_invitation(*, person: Person, secret: str, now: datetime) -> Membership:
    """Join with the invitation's role. Raises InvitationIsSpent."""
    invitation = find_invitation(secret=secret, now=now)
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if invitation.uses_left < 1:
        raise InvitationIsSpent("This invitation was used up. Ask a steward for a new one.")
    if not has_role(person, invitation.community, invitation.role):
        Invitation.objects.filter(pk=invitation.pk).update(uses_left=invitation.uses_left - 1)
    return grant_role(
        person=person,
        community=invitation.community,
        role=invitation.role,
        granted_by=invitation.invited_by,
        now=now,
    )


@transaction.atomic
def show_names_to_experts(*, community: Community, are_shown: bool, changed_by: Person, now: datetime) -> None:
    """Let experts read who wrote and checked what they decide on, or hide it again. Raises NotAllowed."""
    require_role(changed_by, community, Role.STEWARD)
    community.experts_see_names = are_shown
    community.save(update_fields=["experts_see_names"])
    append_entry(
        action="experts.names_shown" if are_shown else "experts.names_hidden",
        subject=f"community:{community.pk}",
        community=community.slug,
        actor=str(changed_by.pk),
        now=now,
    )
