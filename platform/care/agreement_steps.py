"""One step of an agreement or of a promise; and what a decision of the community does to the agreement it is about."""

from __future__ import annotations

from datetime import datetime, timedelta

from care import states
from care.agreement_states import FOLLOWING, MACHINES
from care.elections import NotPossible
from care.models import Agreement, AgreementEvent, Commitment, Decision, Matter, Proposal
from people.models import Person

# Nothing prescribes a time for requests like these. Thirty days is the month within which the GDPR (article 12(3)) has
# people answered who ask about their own data.
ANSWER_WITHIN = timedelta(days=30)


def take(row: Agreement | Commitment, act: str, **changes: object) -> None:
    """Take one step of the row's table and store it with what changes by it. Raises NotPossible."""
    try:
        row.state = states.after(MACHINES[type(row).__name__], row.state, act)
    except states.ImpossibleStep as error:
        raise NotPossible("That cannot be done now: this is %(state)s.", state=row.get_state_display()) from error
    if isinstance(row, Agreement) and row.state != Agreement.State.SUBMITTED:
        changes |= {"answer_due_at": None, "late_since": None}
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=["state", *changes])


def note(agreement: Agreement, kind: str, actor: Person | None, now: datetime, words: str = "") -> None:
    """Keep in the agreement's own history what happened, for both sides to read."""
    AgreementEvent.objects.create(agreement=agreement, kind=kind, actor=actor, note=words.strip()[:1000], at=now)


def owe_answer(about: Proposal | Decision, by: datetime | None) -> None:
    """Until when the request that is voted on is to be answered: None while the vote is the answer, and anew where
    the vote came to nothing."""
    if about.matter == Matter.AGREEMENT:
        waiting = Agreement.objects.filter(community_id=about.community_id, state=Agreement.State.SUBMITTED)
        waiting.filter(pk=_number_in(about)).update(answer_due_at=by, late_since=None)


def approve(decision: Decision, now: datetime) -> None:
    """The decision begins to hold: access waits for two signatures, and ends with the decision at the latest.

    Raises NotPossible where the agreement is not waiting for it any more.
    """
    agreement = agreement_of(decision)
    if agreement is None:
        raise NotPossible("There is no such agreement.")
    if decision.conditions.get("terms_sha256") != agreement.terms_sha256:
        raise NotPossible("The terms have changed since that was decided.")
    if agreement.state in {Agreement.State.APPROVED, Agreement.State.ACTIVE}:
        # A second vote on the same terms came to the same, and takes the place of the first.
        agreement.decision = decision
        agreement.save(update_fields=["decision"])
        return
    if decision.expires_at.date() <= agreement.starts_on:
        raise NotPossible("The decision holds no longer than until this would begin.")
    take(agreement, "approve", decision=decision, ends_at=min(agreement.ends_at, decision.expires_at))
    note(agreement, "approved", None, now)


def refuse(decision: Decision, now: datetime) -> None:
    """The votes were against it. Where too few voted, it waits for another vote."""
    if decision.outcome != "rejected":
        owe_answer(decision, now + ANSWER_WITHIN)
        return
    agreement = agreement_of(decision)
    if agreement is not None and agreement.state == Agreement.State.SUBMITTED:
        take(agreement, "reject")
        note(agreement, "rejected", None, now)


def follow(decision: Decision, act: str) -> None:
    """What happens to a decision on access happens to the agreement under it; one that is over stays as it is."""
    if decision.matter != Matter.AGREEMENT or act not in FOLLOWING:
        return
    for agreement in Agreement.objects.select_for_update().filter(decision=decision):
        try:
            take(agreement, FOLLOWING[act])
        except NotPossible:
            continue


def agreement_of(decision: Decision) -> Agreement | None:
    """The agreement that the decision is about, for this transaction alone."""
    ours = Agreement.objects.select_for_update().filter(community_id=decision.community_id)
    return ours.filter(pk=_number_in(decision)).first()


def _number_in(about: Proposal | Decision) -> int:
    """The id of the agreement that its subject names; 0, which none has, where it names none."""
    number = about.subject.removeprefix("agreement:")
    return int(number) if number.isdecimal() and len(number) < 19 else 0
