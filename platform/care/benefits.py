"""What people outside promise a community for its words, and whether it came."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from care.agreement_steps import take
from care.elections import NotPossible
from care.models import Agreement, Commitment
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Invalid, NotAllowed
from people.services import require_role

# How long before its day a promise is called due, and after how many days overdue nothing new is agreed.
DUE_AHEAD_DAYS = 14
PATIENCE_DAYS = 30


class PromisesOverdue(NotAllowed):
    """An earlier promise of the same applicant has been overdue for more than thirty days."""


def register_of(community: Community) -> QuerySet[Commitment]:
    """The benefit register: what was promised by agreements that are or were in force, and what came of it.

    For everybody: it names organisations and their promises, and no person.
    """
    rows = Commitment.objects.binding().filter(agreement__community=community)
    return rows.select_related("agreement").order_by("agreement__organisation", "due_on", "pk")


def require_promises_kept(*, community: Community, applicant: Person, now: datetime) -> None:
    """Raise PromisesOverdue while a promise of the applicant to this community has been overdue for over 30 days.

    It holds for renewals and for new requests alike, so that nobody avoids it by asking anew.
    """
    theirs = Commitment.objects.filter(agreement__community=community, agreement__applicant=applicant)
    if theirs.late(_today(now), days=PATIENCE_DAYS).exists():
        raise PromisesOverdue(
            "Something that was promised to this community has been overdue for more than %(days)s days. "
            "Nothing new is agreed until it has come.",
            days=PATIENCE_DAYS,
        )


@transaction.atomic
def promise_benefit(
    *, agreement: Agreement, promised_by: Person, kind: str, words: str, due_on: date, now: datetime
) -> Commitment:
    """The applicant promises something: while the terms are written, or more of it later. Raises Invalid, NotAllowed,
    NotPossible.
    """
    current = _locked(agreement)
    _require_applicant(current, promised_by)
    if not current.may_be_changed and current.state != Agreement.State.ACTIVE:
        raise NotPossible("That cannot be done now: this is %(state)s.", state=current.get_state_display())
    if kind not in Commitment.Kind.values:
        raise Invalid("Choose what it is.", field="kind")
    if not words.strip():
        raise Invalid("Say what exactly is promised, and how much.", field="words")
    if due_on < _today(now):
        raise Invalid("Name a day that is still to come.", field="due_on")
    made = Commitment.objects.create(
        agreement=current, kind=kind, words=words.strip()[:500], due_on=due_on, promised_at=now
    )
    _record("promised", made, promised_by, now)
    return made


@transaction.atomic
def drop_benefit(*, commitment: Commitment, dropped_by: Person, now: datetime) -> None:
    """Take a promise out again, as long as the terms are still being written. Raises NotAllowed, NotPossible."""
    agreement = _locked(commitment.agreement)
    _require_applicant(agreement, dropped_by)
    if not agreement.may_be_changed:
        raise NotPossible("What was promised stays promised.")
    Commitment.objects.filter(pk=commitment.pk).delete()
    _record("dropped", commitment, dropped_by, now)


@transaction.atomic
def deliver_benefit(*, commitment: Commitment, delivered_by: Person, evidence: str, now: datetime) -> Commitment:
    """The applicant says that it came, and how one can see that. Raises Invalid, NotAllowed, NotPossible."""
    current = _locked_commitment(commitment)
    _require_applicant(current.agreement, delivered_by)
    if not evidence.strip():
        raise Invalid("Say how one can see that it came.", field="evidence")
    if current.agreement.activated_at is None:
        raise NotPossible("The agreement is not in force yet.")
    take(current, "deliver", evidence=evidence.strip()[:1000], delivered_at=now, remark="")
    _record("delivered", current, delivered_by, now)
    return current


@transaction.atomic
def dispute_benefit(*, commitment: Commitment, disputed_by: Person, remark: str, now: datetime) -> Commitment:
    """A steward says that it did not come: it is due again. Raises Invalid, NotAllowed, NotPossible."""
    current = _for_steward(commitment, disputed_by)
    if not remark.strip():
        raise Invalid("Say what is missing.", field="remark")
    take(current, "send back", remark=remark.strip()[:500])
    _record("sent_back", current, disputed_by, now)
    return current


@transaction.atomic
def confirm_benefit(*, commitment: Commitment, confirmed_by: Person, now: datetime) -> Commitment:
    """A steward who is not named in the agreement confirms that it came. Raises NotAllowed, NotPossible."""
    current = _for_steward(commitment, confirmed_by)
    take(current, "confirm", confirmed_by=confirmed_by, confirmed_at=now)
    _record("confirmed", current, confirmed_by, now)
    return current


def fall_due(*, now: datetime) -> int:
    """Let time pass for promises: due two weeks before their day, overdue the day after it; returns how many moved."""
    today, moved = _today(now), 0
    rows = Commitment.objects.binding().select_for_update(of=("self",)).order_by("pk")
    for row in rows.filter(state="promised", due_on__lte=today + timedelta(days=DUE_AHEAD_DAYS)):
        take(row, "fall due")
        moved += 1
    for row in rows.filter(state="due", due_on__lt=today):
        take(row, "miss")
        moved += 1
    return moved


def _today(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _locked(agreement: Agreement) -> Agreement:
    rows = Agreement.objects.select_for_update(of=("self",)).select_related("community")
    locked: Agreement = rows.get(pk=agreement.pk)
    return locked


def _locked_commitment(commitment: Commitment) -> Commitment:
    rows = Commitment.objects.select_for_update(of=("self",)).select_related("agreement__community")
    locked: Commitment = rows.get(pk=commitment.pk)
    return locked


def _require_applicant(agreement: Agreement, person: Person) -> None:
    if person.pk != agreement.applicant_id:
        raise NotAllowed("Only who asks for access does this.")


def _for_steward(commitment: Commitment, steward: Person) -> Commitment:
    current = _locked_commitment(commitment)
    agreement = current.agreement
    require_role(steward, agreement.community, Role.STEWARD)
    if agreement.users.filter(pk=steward.pk).exists():
        raise NotAllowed("Whoever is named in an agreement does not act in it for the community.")
    return current


def _record(what: str, commitment: Commitment, actor: Person, now: datetime) -> None:
    append_entry(
        action=f"benefit.{what}",
        subject=f"commitment:{commitment.pk}",
        community=commitment.agreement.community.slug,
        actor=str(actor.pk),
        now=now,
        details={"kind": commitment.kind, "agreement": commitment.agreement_id},
        private={"words": commitment.words},
    )
