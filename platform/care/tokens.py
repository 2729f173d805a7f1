"""Tokens that open the releases of one agreement: shown once, stored as a hash, and asked anew at each request."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.db import transaction

from care.agreements import require_not_named
from care.models import Agreement, AgreementToken
from ledger.services import append_entry
from people.models import Person
from people.refusals import Conflicting, NotAllowed
from people.tenants import every_community

# So that a token which somebody published by mistake can be found.
PREFIX = "wha_"


@transaction.atomic
def make_token(*, agreement: Agreement, person: Person, now: datetime) -> str:
    """A new token for one of the agreement's people; the one before it opens nothing any more.

    It is returned this once and never stored. Raises NotAllowed while the agreement is not in force.
    """
    live = Agreement.objects.select_for_update(of=("self",)).in_force(now).filter(pk=agreement.pk).first()
    if live is None or not live.users.filter(pk=person.pk).exists():
        raise NotAllowed("Tokens are for people named in an agreement that is in force.")
    secret = PREFIX + secrets.token_urlsafe(32)
    AgreementToken.objects.filter(agreement=live, person=person, ended_at__isnull=True).update(ended_at=now)
    AgreementToken.objects.create(agreement=live, person=person, secret_sha256=_hash(secret), made_at=now)
    append_entry(
        action="agreement.token_made",
        subject=live.subject,
        community=live.community.slug,
        actor=str(person.pk),
        now=now,
    )
    return secret


@transaction.atomic
def end_token(*, agreement: Agreement, person: Person, ended_by: Person, now: datetime) -> None:
    """Let somebody's token open nothing any more, and break off what is being downloaded with it: by whoever holds it,
    or by a steward who is not named in the agreement. Raises NotAllowed, Conflicting where there is none."""
    if ended_by.pk != person.pk:
        require_not_named(agreement, ended_by)
    live = AgreementToken.objects.filter(agreement=agreement, person=person, ended_at__isnull=True)
    if not live.update(ended_at=now):
        raise Conflicting("There is no such token any more.")
    append_entry(
        action="agreement.token_ended",
        subject=agreement.subject,
        community=agreement.community.slug,
        actor=str(ended_by.pk),
        now=now,
        details={"by_holder": ended_by.pk == person.pk},
    )


def find_token(*, secret: str, now: datetime) -> AgreementToken | None:
    """The live token behind a secret: its agreement is in force at that moment, and still names its person."""
    rows = AgreementToken.objects.select_related("agreement", "person").filter(secret_sha256=_hash(secret))
    with every_community():
        token: AgreementToken | None = rows.filter(ended_at__isnull=True, person__is_active=True).first()
        if token is None:
            return None
        named = Agreement.objects.in_force(now).filter(pk=token.agreement_id, users=token.person)
        return token if named.exists() else None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
