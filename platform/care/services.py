"""Consent: publishing a policy, giving a receipt, withdrawing purposes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from care.deciding import is_suspended, require_decision
from care.elections import policy_subject
from care.models import NEEDED, Grant, Matter, Policy, Purpose, Receipt
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import require_role


class ConsentMissing(NotAllowed):
    """The person has not agreed to what this act needs."""


class PolicyChanged(Conflicting):
    """The person agreed to a text that is no longer the published one; they must read the new one."""


class UnknownPurpose(Invalid):
    """A purpose was named that the policy does not offer, or one that the work needs was left out."""


@transaction.atomic
def publish_policy(
    *, community: Community, text: str, purposes: Sequence[str], published_by: Person, now: datetime
) -> Policy:
    """Publish the next version of the community's consent text; it replaces the one before."""
    require_role(published_by, community, Role.STEWARD)
    unknown = set(purposes) - set(Purpose.values)
    missing = set(NEEDED) - set(purposes)
    if unknown or missing:
        raise UnknownPurpose(
            "Unknown: %(unknown)s. Needed for the work itself: %(missing)s.",
            unknown=", ".join(sorted(unknown)) or "–",
            missing=", ".join(sorted(missing)) or "–",
        )
    Community.objects.select_for_update().get(pk=community.pk)
    subject = policy_subject(text, purposes)
    require_decision(
        community=community, matter=Matter.POLICY, subject=subject, actor=published_by, now=now, purposes=purposes
    )
    latest = Policy.objects.filter(community=community).aggregate(last=Max("version"))["last"] or 0
    Policy.objects.filter(community=community, state=Policy.State.PUBLISHED).update(state=Policy.State.REPLACED)
    policy = Policy.objects.create(
        community=community,
        version=latest + 1,
        text=text,
        purposes=[p for p in Purpose.values if p in purposes],
        text_sha256=hashlib.sha256(text.encode()).hexdigest(),
        state=Policy.State.PUBLISHED,
        created_by=published_by,
        published_at=now,
    )
    append_entry(
        action="policy.published",
        subject=f"policy:{policy.pk}",
        community=community.slug,
        actor=str(published_by.pk),
        now=now,
        details={"version": policy.version, "text_sha256": policy.text_sha256},
    )
    return policy


def published_policy(community: Community) -> Policy | None:
    """The consent text in force, if the stewards published one."""
    return Policy.objects.filter(community=community, state=Policy.State.PUBLISHED).first()


def current_receipt(person: Person, community: Community) -> Receipt | None:
    """The person's receipt in force, whichever version of the policy it names."""
    return Receipt.objects.filter(person=person, community=community, ended_at__isnull=True).first()


def require_consent(person: Person, community: Community) -> Receipt:
    """The receipt under which the person may contribute now.

    Raises ConsentMissing without one, PolicyChanged when the published text is a newer one.
    """
    receipt = current_receipt(person, community)
    if receipt is None:
        raise ConsentMissing("Before your first contribution, read how your words are used and choose.")
    if receipt.policy.state != Policy.State.PUBLISHED:
        raise PolicyChanged("The text on how your words are used has changed. Please read it and choose again.")
    subject = policy_subject(receipt.policy.text, receipt.policy.purposes)
    if is_suspended(community=community, matter=Matter.POLICY, subject=subject):
        raise ConsentMissing("A steward has suspended the text that you agreed to. Nobody can contribute meanwhile.")
    live = set(receipt.grants.filter(withdrawn_at__isnull=True).values_list("purpose", flat=True))
    if not set(NEEDED) <= live:
        raise ConsentMissing("You withdrew what this work needs. You can agree again at any time.")
    return receipt


@transaction.atomic
def give_consent(*, person: Person, policy: Policy, purposes: Collection[str], now: datetime) -> Receipt:
    """Store a new receipt with one grant per chosen purpose; it replaces the person's current one.

    Purposes that were allowed before and are not chosen now are withdrawn, for the earlier words too.
    """
    if policy.state != Policy.State.PUBLISHED:
        raise PolicyChanged("This text was replaced by a newer one. Please read that one.")
    chosen = set(purposes)
    if chosen - set(policy.purposes) or not set(NEEDED) <= chosen:
        raise UnknownPurpose("Choose among the purposes of this policy; the needed ones cannot be left out.")
    community = policy.community
    Person.objects.select_for_update().get(pk=person.pk)
    Receipt.objects.filter(person=person, community=community, ended_at__isnull=True).update(ended_at=now)
    dropped = set(Purpose.values) - chosen
    Grant.objects.filter(
        receipt__person=person, receipt__community=community, purpose__in=dropped, withdrawn_at__isnull=True
    ).update(withdrawn_at=now)
    body = [person.pk, community.slug, policy.version, policy.text_sha256, sorted(chosen), now.isoformat()]
    receipt = Receipt.objects.create(
        person=person,
        community=community,
        policy=policy,
        policy_sha256=policy.text_sha256,
        given_at=now,
        sha256=hashlib.sha256(json.dumps(body).encode()).hexdigest(),
    )
    Grant.objects.bulk_create([Grant(receipt=receipt, purpose=p) for p in Purpose.values if p in chosen])
    append_entry(
        action="consent.given",
        subject=f"receipt:{receipt.pk}",
        community=community.slug,
        actor=str(person.pk),
        now=now,
        details={"sha256": receipt.sha256, "purposes": sorted(chosen)},
    )
    return receipt


@transaction.atomic
def withdraw_purposes(*, person: Person, community: Community, purposes: Collection[str], now: datetime) -> int:
    """Withdraw purposes for all of the person's words in the community, past and present.

    Returns the number of grants ended. Withdrawing everything ends the receipt.
    """
    Person.objects.select_for_update().get(pk=person.pk)
    ended = Grant.objects.filter(
        receipt__person=person, receipt__community=community, purpose__in=purposes, withdrawn_at__isnull=True
    ).update(withdrawn_at=now)
    receipts = Receipt.objects.filter(person=person, community=community, ended_at__isnull=True)
    for receipt in receipts:
        if not receipt.grants.filter(withdrawn_at__isnull=True).exists():
            Receipt.objects.filter(pk=receipt.pk).update(ended_at=now)
    if ended:
        append_entry(
            action="consent.withdrawn",
            subject=f"person:{person.pk}",
            community=community.slug,
            actor=str(person.pk),
            now=now,
            details={"purposes": sorted(purposes), "grants": ended},
        )
    return ended
