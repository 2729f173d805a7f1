"""Consent: publishing a policy, giving a receipt, withdrawing purposes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import uuid4

import rfc8785
from django.db import transaction
from django.db.models import Max, Q

from care.ages import settle_age
from care.deciding import is_suspended, require_decision
from care.elections import policy_subject, subject_of
from care.models import NEEDED, Grant, Matter, Policy, PolicyDraft, Purpose, Receipt, Rendering
from care.terms import Terms, overtaken
from ledger.checkpoints import checkpoint_after_commit
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import require_role

NOWHERE = "ZZ"  # ISO 3166: a country that nobody has named yet


class ConsentMissing(NotAllowed):
    """The person has not agreed to what this act needs."""


class PolicyChanged(Conflicting):
    """The person agreed to a text that is no longer the published one; they must read the new one."""


class RenderingMissing(Invalid):
    """No second speaker has checked the text in the community's language, and nobody said why it should go without."""


class UnknownPurpose(Invalid):
    """A purpose was named that the policy does not offer, or one that the work needs was left out."""


@transaction.atomic
def publish_policy(
    *,
    community: Community,
    text: str,
    purposes: Sequence[str],
    published_by: Person,
    now: datetime,
    terms: Mapping[str, Any] | None = None,
    is_material: bool = True,
    waiver: str = "",
) -> Policy:
    """Publish the next version of the community's consent text; it replaces the one before.

    It needs a rendering in the community's language that a second speaker has checked (`care.renderings`), or a
    `waiver`: the reason why it goes without, which is decided on and shown with the text.

    A material change asks everybody again. An editorial one keeps every receipt valid, and is refused when a purpose is
    added or the terms become wider. Consents that the new terms overtake end for the purposes concerned, until the
    person agrees again. Raises Invalid, UnknownPurpose, RenderingMissing, DecisionNeeded, NotAllowed.
    """
    require_role(published_by, community, Role.STEWARD)
    check_purposes(purposes)
    Community.objects.select_for_update().get(pk=community.pk)
    before = Policy.objects.select_for_update().filter(community=community, state=Policy.State.PUBLISHED).first()
    agreed = _terms(terms or {}, community, before)
    lost = overtaken(terms_of(before), agreed) if before else frozenset()
    if before and not is_material and (lost or set(purposes) - set(before.purposes)):
        raise Invalid("This is more than an editorial change: people must be asked again.", field="is_material")
    checked = _checked_renderings(community, text)
    waiver = _needed_waiver(community, checked, waiver)
    about = policy_subject(text, purposes, _as_json(agreed), waiver)
    decision = require_decision(
        community=community, matter=Matter.POLICY, subject=about, actor=published_by, now=now, purposes=purposes
    )
    policy = _next_version(
        community,
        text,
        purposes=[p for p in Purpose.values if p in purposes],
        terms=_as_json(agreed),
        renderings=sorted(checked),
        is_material=is_material or before is None,
        waiver=waiver,
        decision=decision,
        created_by=published_by,
        published_at=now,
    )
    given = Grant.objects.live().filter(receipt__in=Receipt.objects.filter(community=community))
    ended = given.filter(purpose__in=lost).update(overtaken_at=now, renewed_at=None)
    append_entry(
        action="policy.published",
        subject=f"policy:{policy.pk}",
        community=community.slug,
        actor=str(published_by.pk),
        now=now,
        details={"version": policy.version, "text_sha256": policy.text_sha256, "overtaken": ended},
        private={"waiver": waiver},
    )
    checkpoint_after_commit(community=community.slug, now=now)
    return policy


def _next_version(community: Community, text: str, **fields: Any) -> Policy:
    """Store it in place of the version in force and of the draft."""
    versions = Policy.objects.filter(community=community)
    latest = versions.aggregate(last=Max("version"))["last"] or 0
    versions.filter(state=Policy.State.PUBLISHED).update(state=Policy.State.REPLACED)
    PolicyDraft.objects.filter(community=community).delete()
    facts = {"version": latest + 1, "text_sha256": sha256_of(text)}
    facts |= {name: fields.pop(name) for name in ("purposes", "terms", "renderings")}
    content = hashlib.sha256(rfc8785.dumps(facts)).hexdigest()
    return Policy.objects.create(
        community=community, text=text, state=Policy.State.PUBLISHED, content_sha256=content, **facts, **fields
    )


def _needed_waiver(community: Community, checked: Mapping[str, str], waiver: str) -> str:
    """The reason to publish without a checked rendering; empty where there is one."""
    if community.language_tag in checked.values():
        return ""
    if not waiver.strip():
        raise RenderingMissing("Nobody has checked this text in the community's language yet.", field="waiver")
    return waiver.strip()[:500]


def sha256_of(text: str) -> str:
    """By which a consent text is named."""
    return hashlib.sha256(text.encode()).hexdigest()


def _checked_renderings(community: Community, text: str) -> dict[str, str]:
    """The language of each rendering of the text that a second speaker has checked, by its SHA-256."""
    checked = Rendering.objects.filter(community=community, text_sha256=sha256_of(text), checked_by__isnull=False)
    return dict(checked.values_list("sha256", "language"))


def terms_to_agree(community: Community, given: Mapping[str, Any]) -> dict[str, Any]:
    """The terms that a policy with these changes would have, for whoever proposes them. Raises Invalid."""
    return _as_json(_terms(given, community, published_policy(community)))


def check_purposes(purposes: Sequence[str]) -> None:
    """Raises UnknownPurpose when one is unknown, or one that the work needs is left out."""
    unknown = set(purposes) - set(Purpose.values)
    missing = set(NEEDED) - set(purposes)
    if unknown or missing:
        raise UnknownPurpose(
            "Unknown: %(unknown)s. Needed for the work itself: %(missing)s.",
            unknown=", ".join(sorted(unknown)) or "–",
            missing=", ".join(sorted(missing)) or "–",
        )


def terms_of(policy: Policy | None) -> Terms:
    """The terms of a policy; placeholders that say so where nobody has written any."""
    default = Terms(
        controller=policy.community.name if policy else "–",
        contact="–",
        address="–",
        jurisdiction=NOWHERE,
        storage_countries=(NOWHERE,),
        processing_countries=(NOWHERE,),
    )
    return Terms.read(policy.terms if policy else {}, default=default)


def _terms(given: Mapping[str, Any], community: Community, before: Policy | None) -> Terms:
    return Terms.read(given, default=terms_of(before or Policy(community=community)))


def _as_json(terms: Terms) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(terms).items()}


def is_outdated(receipt: Receipt) -> bool:
    """Whether the text has changed materially since, so that its holder is asked again before contributing."""
    later = Policy.objects.filter(community=receipt.community_id, version__gt=receipt.policy.version)
    return later.filter(is_material=True).exists()


def is_as_it_was(receipt: Receipt, at: datetime) -> bool:
    """Whether the receipt was given by that moment, and nothing of what it allows has ended since."""
    ended = Q(withdrawn_at__gte=at) | Q(overtaken_at__gte=at)
    return receipt.given_at <= at and not receipt.grants.filter(ended).exists()


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
    if is_outdated(receipt):
        raise PolicyChanged("The text on how your words are used has changed. Please read it and choose again.")
    if is_suspended(community=community, matter=Matter.POLICY, subject=subject_of(receipt.policy)):
        raise ConsentMissing("A steward has suspended the text that you agreed to. Nobody can contribute meanwhile.")
    if not Policy.objects.allowing(Purpose.PEER_REVIEW).filter(community=community).exists():
        raise ConsentMissing("No decision of the community stands behind this text. Nobody can contribute meanwhile.")
    live = set(receipt.grants.live().values_list("purpose", flat=True))
    if not set(NEEDED) <= live:
        raise ConsentMissing("You withdrew what this work needs. You can agree again at any time.")
    return receipt


@transaction.atomic
def give_consent(
    *, person: Person, policy: Policy, purposes: Collection[str], now: datetime, rendering: str = ""
) -> Receipt:
    """Store a new receipt with one grant per chosen purpose; it replaces the person's current one.

    Purposes that were allowed before and are not chosen now are withdrawn, for the earlier words too. `rendering` is
    the SHA-256 of the rendering that the person read; one that the policy does not have is not kept.
    """
    # Publishing waits for this, and this for publishing: nobody agrees to a text in the moment in which it ends.
    if Policy.objects.select_for_update().get(pk=policy.pk).state != Policy.State.PUBLISHED:
        raise PolicyChanged("This text was replaced by a newer one. Please read that one.")
    chosen = set(purposes)
    if chosen - set(policy.purposes) or not set(NEEDED) <= chosen:
        raise UnknownPurpose("Choose among the purposes of this policy; the needed ones cannot be left out.")
    community = policy.community
    Person.objects.select_for_update().get(pk=person.pk)
    settle_age(person=person, community=community, now=now)
    Receipt.objects.filter(person=person, community=community, ended_at__isnull=True).update(ended_at=now)
    dropped = set(Purpose.values) - chosen
    # Grants of these receipts, and not grants joined with receipts: an update of a join joins the table with itself.
    given = Grant.objects.filter(receipt__in=Receipt.objects.filter(person=person, community=community))
    given.filter(purpose__in=dropped, withdrawn_at__isnull=True).update(withdrawn_at=now)
    number = uuid4()
    body = [str(number), person.pk, community.slug, policy.version, policy.text_sha256, sorted(chosen), now.isoformat()]
    receipt = Receipt.objects.create(
        pk=number,
        person=person,
        community=community,
        policy=policy,
        policy_sha256=policy.text_sha256,
        rendering_sha256=rendering if rendering in policy.renderings else "",
        given_at=now,
        sha256=hashlib.sha256(json.dumps(body).encode()).hexdigest(),
    )
    Grant.objects.bulk_create([Grant(receipt=receipt, purpose=p) for p in Purpose.values if p in chosen])
    # Whoever agrees to wider terms agrees for the earlier words as well: the page says so.
    earlier = given.filter(purpose__in=chosen)
    earlier.filter(withdrawn_at__isnull=True, overtaken_at__isnull=False, renewed_at__isnull=True).update(
        renewed_at=now
    )
    append_entry(
        action="consent.given",
        subject=f"receipt:{receipt.pk}",
        community=community.slug,
        actor=str(person.pk),
        now=now,
        details={"purposes": sorted(chosen)},
        # Its hash is over person and moment, so whoever tried every account could read from it who this was.
        private={"sha256": receipt.sha256},
    )
    return receipt


@transaction.atomic
def withdraw_purposes(*, person: Person, community: Community, purposes: Collection[str], now: datetime) -> int:
    """Withdraw purposes for all of the person's words in the community, past and present.

    Returns the number of grants ended. Withdrawing everything ends the receipt.
    """
    Person.objects.select_for_update().get(pk=person.pk)
    given = Grant.objects.filter(receipt__in=Receipt.objects.filter(person=person, community=community))
    ended = given.filter(purpose__in=purposes, withdrawn_at__isnull=True).update(withdrawn_at=now)
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
