"""Access for people outside a community: asking, answering, signing, stopping, and what time does to all of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from care import duo
from care.agreement_steps import ANSWER_WITHIN, note, take
from care.benefits import fall_due, require_promises_kept
from care.deciding import give_up, propose
from care.effects import is_alone
from care.elections import NotPossible, rules_of
from care.models import Agreement, AgreementNotice, Decision, Matter, Proposal, Purpose
from care.quorum import months_after
from care.services import published_policy, terms_of
from care.suspending import suspend
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed, TooLate
from people.services import has_role, require_role

LONGEST_MONTHS = 24
NOTICE_DAYS = (60, 14, 1)
LATEST_START = timedelta(days=183)
# What somebody outside may be allowed; the other purposes are between members.
OFFERED = (
    Purpose.RESEARCH,
    Purpose.EVALUATE_MODELS,
    Purpose.TRAIN_NONCOMMERCIAL,
    Purpose.TRAIN_COMMERCIAL,
    Purpose.RELEASE_ADAPTER,
)
ALWAYS_FORBIDDEN = (Agreement.Forbidden.REDISTRIBUTE, Agreement.Forbidden.IDENTIFY)
NEEDED_TERMS = (
    *("organisation", "country", "tier", "aim", "purposes", "releases", "computing", "computing_countries"),
    *("publication", "comes_back"),
)
OTHERS = ("covers_later", "forbidden", "forbidden_words", "publication_words", "starts_on", "ends_at")
TERMS = (*NEEDED_TERMS, *OTHERS, "duo")


class NoBenefit(Conflicting):
    """Nothing is promised to the community, and no decision says that this is well."""


def terms_hash(agreement: Agreement) -> str:
    """SHA-256 over everything that is agreed: the terms, who is named, and what is promised."""
    # Agreements without codes keep the hash that they had before there were any.
    terms = {name: getattr(agreement, name) for name in TERMS if name != "duo" or agreement.duo}
    people = sorted(agreement.users.values_list("pk", flat=True))
    promised = [[row.kind, row.words, row.due_on] for row in agreement.commitments.order_by("pk")]
    content = {"terms": terms, "applicant": agreement.applicant_id, "users": people, "promised": promised}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def missing_terms(agreement: Agreement) -> list[str]:
    """What must still be filled in before it can be sent, by the names of the fields."""
    return [name for name in NEEDED_TERMS if not getattr(agreement, name)]


def computes_abroad(agreement: Agreement) -> bool:
    """Whether words would be worked with in a country that the community's terms do not name."""
    at_home = terms_of(published_policy(agreement.community)).processing_countries
    return not set(agreement.computing_countries) <= set(at_home)


@transaction.atomic
def begin_agreement(
    *, community: Community, applicant: Person, begun_by: Person, now: datetime, renews: Agreement | None = None
) -> Agreement:
    """Begin a request for access: by its applicant where the community is open to them, or by a steward for somebody.

    A renewal begins with the terms of the agreement that it renews. Raises NotAllowed, Conflicting.
    """
    earlier = Agreement.objects.filter(community=community, applicant=applicant)
    is_known = community.is_open or has_role(applicant, community) or earlier.exists()
    if begun_by.pk != applicant.pk:
        require_role(begun_by, community, Role.STEWARD)
    elif not is_known:
        raise NotAllowed("Ask a steward of this community to begin a request for you.")
    if earlier.filter(state__in=["draft", "returned"]).exists():
        raise Conflicting("A request is being written already.")
    if renews is not None and (renews.applicant_id, renews.community_id) != (applicant.pk, community.pk):
        raise NotAllowed("Only an agreement of the same applicant can be renewed.")
    today = now.astimezone(UTC).date()
    copied = {name: getattr(renews, name) for name in TERMS} if renews else {"forbidden": list(ALWAYS_FORBIDDEN)}
    dates = {"starts_on": today, "ends_at": months_after(datetime.combine(today, time(), UTC), 12)}
    made = Agreement.objects.create(
        community=community, applicant=applicant, renews=renews, begun_at=now, **{**copied, **dates}
    )
    made.users.set([applicant, *(renews.users.all() if renews else ())])
    note(made, "begun", begun_by, now)
    _record("begun", made, begun_by, now)
    return made


@transaction.atomic
def save_terms(
    *,
    agreement: Agreement,
    saved_by: Person,
    now: datetime,
    users: Iterable[Person] | None = None,
    **terms: Any,
) -> Agreement:
    """Write some of the terms of a request that was not sent yet. Raises Invalid, NotAllowed, NotPossible."""
    current = lock_agreement(agreement)
    _require_applicant(current, saved_by)
    if not current.may_be_changed:
        raise NotPossible("That cannot be done now: this is %(state)s.", state=current.get_state_display())
    if unknown := sorted(set(terms) - set(TERMS)):
        raise Invalid("There is no such term.", field=unknown[0])
    for name, value in terms.items():
        setattr(current, name, value)
    current.forbidden = sorted({*current.forbidden, *ALWAYS_FORBIDDEN})
    try:
        current.full_clean(validate_constraints=False, exclude=["community", "applicant", "state", "renews"])
    except ValidationError as error:
        field = next(iter(error.message_dict))
        raise Invalid("%(why)s", field=field, why=error.message_dict[field][0]) from error
    if set(current.purposes) - set(OFFERED):
        raise Invalid("This use is not one for people outside.", field="purposes")
    duo.require_fitting(current.duo, purposes=current.purposes, tier=current.tier)
    require_near(current.starts_on, now)
    _require_dates(current)
    current.save()
    if users is not None:
        current.users.set({current.applicant, *users})
        _require_deciders_free(current)
    return current


def _require_deciders_free(agreement: Agreement) -> None:
    """Whoever is named decides nothing about the agreement, so the applicant names nobody who would decide."""
    deciding = Community.objects.filter(pk=agreement.community_id)
    others = agreement.users.exclude(pk=agreement.applicant_id)
    if any(deciding.where(person, Role.STEWARD, Role.ELDER).exists() for person in others):
        raise Invalid("Whoever is named in an agreement does not act in it for the community.", field="users")


def require_near(starts_on: date, now: datetime) -> None:
    """Raise Invalid where access would begin later than is asked for now."""
    if starts_on > (now + LATEST_START).date():
        raise Invalid("Ask for this when it begins within six months.", field="starts_on")


def _require_dates(agreement: Agreement) -> None:
    begins = datetime.combine(agreement.starts_on, time(), UTC)
    if agreement.ends_at <= begins:
        raise Invalid("Access must end after it begins.", field="ends_at")
    if agreement.ends_at > months_after(begins, LONGEST_MONTHS):
        raise Invalid("Access ends after %(most)s months at most.", field="ends_at", most=LONGEST_MONTHS)


@transaction.atomic
def submit_agreement(*, agreement: Agreement, submitted_by: Person, now: datetime) -> Agreement:
    """Send a request to the community; from now on its terms stay as they are.

    Raises Invalid where terms are missing, PromisesOverdue, NotAllowed, NotPossible.
    """
    current = lock_agreement(agreement)
    _require_applicant(current, submitted_by)
    if current.may_be_changed and (missing := missing_terms(current)):
        raise Invalid("Some questions are not answered yet.", field=missing[0])
    if current.ends_at <= now:
        raise Invalid("Access must end after it begins.", field="ends_at")
    require_near(current.starts_on, now)
    _require_deciders_free(current)
    require_promises_kept(community=current.community, applicant=current.applicant, now=now)
    take(current, "submit", submitted_at=now, answer_due_at=now + ANSWER_WITHIN, terms_sha256=terms_hash(current))
    note(current, "submitted", submitted_by, now)
    promised = current.commitments.count()
    _record("submitted", current, submitted_by, now, terms_sha256=current.terms_sha256, benefits=promised)
    return current


@transaction.atomic
def return_agreement(*, agreement: Agreement, returned_by: Person, words: str, now: datetime) -> Agreement:
    """A steward sends a request back with questions; not while a vote on it is open."""
    current = _for_steward(agreement, returned_by, words)
    if _open_vote(current) is not None:
        raise NotPossible("A vote on this is open already.")
    take(current, "return")
    note(current, "returned", returned_by, now, words)
    _record("returned", current, returned_by, now)
    return current


@transaction.atomic
def reject_agreement(*, agreement: Agreement, rejected_by: Person, words: str, now: datetime) -> Agreement:
    """A steward refuses a request, where one steward decides alone; elsewhere the votes do."""
    current = _for_steward(agreement, rejected_by, words)
    if not is_alone(rules_of(current.community, Matter.AGREEMENT)):
        raise NotAllowed("In this community nobody decides this alone.")
    take(current, "reject")
    note(current, "rejected", rejected_by, now, words)
    _record("rejected", current, rejected_by, now)
    return current


@transaction.atomic
def put_to_decision(
    *,
    agreement: Agreement,
    proposer: Person,
    now: datetime,
    text: str,
    harm: str = "",
    waives_benefits: bool = False,
    days: int | None = None,
) -> Proposal:
    """A steward has the community decide on a request; where one steward decides alone, it is decided.

    `waives_benefits` makes it part of the decision that nothing is promised; commercial use is never without a
    benefit. Raises NoBenefit, NotAllowed, and what `care.deciding.propose` raises.
    """
    current = _for_steward(agreement, proposer, text or "-")
    has_benefit = current.commitments.exists()
    if not has_benefit and (not waives_benefits or Purpose.TRAIN_COMMERCIAL in current.purposes):
        raise NoBenefit("Nothing is promised to the community. Send it back, or decide that this is well.")
    abroad = [Purpose.PROCESS_OUTSIDE_COUNTRY] if computes_abroad(current) else []
    promised = "\n".join(f"{row.get_kind_display()}: {row.words}" for row in current.commitments.all())
    return propose(
        community=current.community,
        matter=Matter.AGREEMENT,
        subject=current.subject,
        proposer=proposer,
        now=now,
        text=text,
        harm=harm,
        benefit=promised,
        purposes=[*current.purposes, *abroad],
        conditions={"terms_sha256": current.terms_sha256, "waives_benefits": waives_benefits and not has_benefit},
        days=days,
    )


@transaction.atomic
def sign_agreement(*, agreement: Agreement, signed_by: Person, now: datetime) -> Agreement:
    """The applicant signs for themselves, a steward who is not named in it for the community; with both it is in force.

    Raises NoBenefit, PromisesOverdue, NotAllowed, NotPossible, TooLate.
    """
    current = lock_agreement(agreement)
    is_applicant = signed_by.pk == current.applicant_id
    if not is_applicant:
        require_not_named(current, signed_by)
    if current.state != Agreement.State.APPROVED:
        raise NotPossible("That cannot be done now: this is %(state)s.", state=current.get_state_display())
    if current.ends_at <= now:
        raise TooLate("The time for which this was asked is over.")
    decision = Decision.objects.in_force(now).filter(pk=current.decision_id).first()
    if decision is None:
        raise NotPossible("The decision on this does not hold now.")
    is_waived = decision.conditions.get("waives_benefits") and Purpose.TRAIN_COMMERCIAL not in current.purposes
    if not current.commitments.exists() and not is_waived:
        raise NoBenefit("Nothing is promised to the community, and no decision says that this is well.")
    require_promises_kept(community=current.community, applicant=current.applicant, now=now)
    if (current.applicant_signed_at if is_applicant else current.steward_signed_at) is not None:
        raise Conflicting("This side has signed already.")
    if is_applicant:
        current.applicant_signed_at = now
    else:
        current.steward, current.steward_signed_at = signed_by, now
    current.save(update_fields=["applicant_signed_at", "steward", "steward_signed_at"])
    is_whole = current.applicant_signed_at is not None and current.steward_signed_at is not None
    if is_whole:
        take(current, "activate", activated_at=now)
    note(current, "signed", signed_by, now)
    side = "applicant" if is_applicant else "steward"
    _record("signed", current, signed_by, now, side=side, active=is_whole, terms_sha256=current.terms_sha256)
    return current


@transaction.atomic
def suspend_access(*, agreement: Agreement, suspended_by: Person, reason: str, now: datetime) -> Agreement:
    """One steward, or the platform's staff, stops access at once, by suspending the decision on it.

    It lapses after 14 days unless the community keeps it (`care.suspending`). Raises Invalid, NotAllowed, NotPossible.
    """
    current = lock_agreement(agreement)
    if current.state != Agreement.State.ACTIVE or current.decision is None:
        raise NotPossible("That cannot be done now: this is %(state)s.", state=current.get_state_display())
    suspend(decision=current.decision, suspended_by=suspended_by, reason=reason, now=now)
    current.refresh_from_db()
    note(current, "suspended", suspended_by, now, reason)
    _record("suspended", current, suspended_by, now)
    return current


@transaction.atomic
def revoke_access(*, agreement: Agreement, revoked_by: Person, reason: str, now: datetime) -> Agreement:
    """One steward ends access for good, and the decision that allowed it. Raises Invalid, NotAllowed, NotPossible."""
    current = _for_steward(agreement, revoked_by, reason)
    if current.state not in {Agreement.State.APPROVED, Agreement.State.ACTIVE}:
        raise NotPossible("That cannot be done now: this is %(state)s.", state=current.get_state_display())
    give_up(
        community=current.community,
        matter=Matter.AGREEMENT,
        subject=current.subject,
        given_up_by=revoked_by,
        now=now,
    )
    current.refresh_from_db()
    if current.state != Agreement.State.REVOKED:
        raise NotPossible("The decision on this does not hold now.")
    note(current, "revoked", revoked_by, now, reason)
    _record("revoked", current, revoked_by, now)
    return current


@transaction.atomic
def close_agreement(*, agreement: Agreement, closed_by: Person, now: datetime) -> Agreement:
    """Its applicant ends it, or takes the request back. What was promised under it stays promised."""
    current = lock_agreement(agreement)
    _require_applicant(current, closed_by)
    take(current, "close")
    note(current, "closed", closed_by, now)
    _record("closed", current, closed_by, now)
    return current


@transaction.atomic
def keep_agreements(*, now: datetime) -> int:
    """Let agreements end, promises fall due, and both sides be told 60, 14 and 1 days before the end; may run twice.

    Nothing waits for this to lose access: that is asked of the dates at each request. Returns how much was done.
    """
    done = fall_due(now=now)
    rows = Agreement.objects.select_for_update().order_by("pk")
    for agreement in rows.filter(state__in=["approved", "active", "suspended"], ends_at__lte=now):
        take(agreement, "expire")
        note(agreement, "expired", None, now)
        _record("expired", agreement, None, now)
        done += 1
    soon = Agreement.objects.filter(state__in=["active", "suspended"], ends_at__lte=now + timedelta(max(NOTICE_DAYS)))
    for agreement in soon:
        for days in NOTICE_DAYS:
            moment = agreement.ends_at - timedelta(days)
            if agreement.activated_at is None or not agreement.activated_at <= moment <= now:
                continue
            _notice, is_new = AgreementNotice.objects.get_or_create(
                agreement=agreement, days=days, defaults={"at": now}
            )
            done += is_new
    return done


def require_not_named(agreement: Agreement, person: Person) -> None:
    """Raise NotAllowed unless the person is a steward of the community with no part in the agreement."""
    require_role(person, agreement.community, Role.STEWARD)
    if person.pk == agreement.applicant_id or agreement.users.filter(pk=person.pk).exists():
        raise NotAllowed("Whoever is named in an agreement does not act in it for the community.")


def lock_agreement(agreement: Agreement) -> Agreement:
    """The agreement as it is now, for this transaction alone."""
    rows = Agreement.objects.select_for_update(of=("self",)).select_related("community", "applicant", "decision")
    locked: Agreement = rows.get(pk=agreement.pk)
    return locked


def _open_vote(agreement: Agreement) -> Proposal | None:
    open_ones = Proposal.objects.open().filter(community=agreement.community, matter=Matter.AGREEMENT)
    found: Proposal | None = open_ones.filter(subject=agreement.subject).first()
    return found


def _for_steward(agreement: Agreement, steward: Person, words: str) -> Agreement:
    """The agreement, locked, for a steward who acts on it and says why."""
    current = lock_agreement(agreement)
    require_not_named(current, steward)
    if not words.strip():
        raise Invalid("Give the reason.", field="words")
    return current


def _require_applicant(agreement: Agreement, person: Person) -> None:
    if person.pk != agreement.applicant_id:
        raise NotAllowed("Only who asks for access does this.")


def _record(what: str, agreement: Agreement, actor: Person | None, now: datetime, **details: Any) -> None:
    append_entry(
        action=f"agreement.{what}",
        subject=agreement.subject,
        community=agreement.community.slug,
        actor=str(actor.pk) if actor else "",
        now=now,
        details=details,
        private={"organisation": agreement.organisation},
    )
