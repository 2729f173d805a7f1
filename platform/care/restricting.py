"""Placing and lifting what keeps something from being used. Stopping takes one steward."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from care.deciding import require_decision
from care.eligibility import HELD, Hold
from care.labels import EVERYTHING, label_of
from care.models import AgeBand, Matter, Restriction
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid
from people.services import require_role

Cause = Restriction.Cause


class RestrictedAlready(Conflicting):
    """The same restriction stands on the subject."""


@transaction.atomic
def put_label(
    *,
    community: Community,
    kind: str,
    key: str,
    code: str,
    placed_by: Person,
    now: datetime,
    season: tuple[str, str] = ("", ""),
    note: str = "",
) -> Restriction:
    """Put a Local Contexts label or notice, by its code, on a subject.

    Labels are the community's: its stewards alone place them; researchers may add notices. A code that nobody knows
    here keeps from everything. A seasonal label needs its days. Raises Invalid, RestrictedAlready, NotAllowed.
    """
    label = label_of(code.strip())
    who = (Role.STEWARD, Role.RESEARCHER) if label.is_notice else (Role.STEWARD,)
    require_role(placed_by, community, *who)
    if not label.code:
        raise Invalid("Name the label by its code.", field="code")
    if label.is_seasonal and not all(season):
        raise Invalid("Say from which day to which day of the year it may be seen.", field="season_from")
    return place_restriction(
        community=community,
        kind=kind,
        key=key,
        cause=Cause.LABEL,
        code=label.code,
        blocks=sorted(label.blocks),
        season=season if label.is_seasonal else ("", ""),
        placed_by=placed_by,
        note=note,
        now=now,
    )


@transaction.atomic
def place_hold(
    *,
    community: Community,
    kind: str,
    key: str,
    placed_by: Person,
    note: str,
    now: datetime,
    hides: bool = False,
    cause: str = Cause.HOLD,
) -> Restriction:
    """Keep a subject from every new use at once; with `hides`, also from being seen. Raises what `put_label` raises."""
    require_role(placed_by, community, Role.STEWARD)
    if not note.strip():
        raise Invalid("Give the reason.", field="note")
    blocks = sorted(HELD[Hold.DISPLAY if hides else Hold.USE])
    return place_restriction(
        community=community, kind=kind, key=key, cause=cause, blocks=blocks, placed_by=placed_by, note=note, now=now
    )


@transaction.atomic
def suspend_purpose(*, community: Community, purpose: str, placed_by: Person, note: str, now: datetime) -> Restriction:
    """Stop one use of everything in the community at once. Raises what `put_label` raises."""
    require_role(placed_by, community, Role.STEWARD)
    if purpose not in EVERYTHING:
        raise Invalid("Choose the use that is to stop.", field="purpose")
    standing = Restriction.objects.live().filter(
        community=community, kind=Restriction.Kind.COMMUNITY, cause=Cause.SUSPENSION
    )
    existing: Restriction | None = standing.select_for_update().first()
    if existing is None:
        return place_restriction(
            community=community,
            kind=Restriction.Kind.COMMUNITY,
            key=str(community.pk),
            cause=Cause.SUSPENSION,
            blocks=[purpose],
            placed_by=placed_by,
            note=note,
            now=now,
        )
    if purpose in existing.blocks:
        raise RestrictedAlready("This use is suspended already.")
    existing.blocks = sorted({*existing.blocks, purpose})
    existing.save(update_fields=["blocks"])
    _record("restriction.widened", existing, placed_by, now)
    return existing


@transaction.atomic
def lift(*, restriction: Restriction, lifted_by: Person, now: datetime) -> None:
    """Take a label, a hold or a suspension away. One steward places it; letting go on takes the community's decision.

    Raises Conflicting, DecisionNeeded, NotAllowed.
    """
    current = Restriction.objects.select_for_update().get(pk=restriction.pk)
    require_role(lifted_by, current.community, Role.STEWARD)
    if current.lifted_at is not None:
        raise Conflicting("This was lifted before.")
    if current.cause == Cause.MINOR and _is_of_minor(current):
        raise Conflicting("Only a guardian lets the words of somebody under age be used.")
    subject = f"restriction:{current.pk}"
    require_decision(community=current.community, matter=Matter.LABEL, subject=subject, actor=lifted_by, now=now)
    current.lifted_at, current.lifted_by = now, lifted_by
    current.save(update_fields=["lifted_at", "lifted_by"])
    _record("restriction.lifted", current, lifted_by, now)


def _is_of_minor(restriction: Restriction) -> bool:
    minors = AgeBand.objects.filter(community=restriction.community).exclude(band=AgeBand.Band.ADULT)
    return restriction.key in {str(person) for person in minors.values_list("person", flat=True)}


def hold_at_once(*, community: Community, kind: str, key: str, cause: str, note: str, now: datetime) -> Restriction:
    """Hide a subject from everybody and keep it from every use, placed by nobody: what a severe report does.

    A hold of the same cause that stands there is widened. Part of a command that writes the entry. Raises Invalid.
    """
    same = Restriction.objects.live().filter(community=community, kind=kind, key=key, cause=cause)
    standing: Restriction | None = same.select_for_update().first()
    everything = sorted(EVERYTHING)
    if standing is None:
        about = {"community": community, "kind": kind, "key": key, "cause": cause}
        return _saved(Restriction(**about, blocks=everything, note=note, placed_at=now))
    if standing.blocks != everything:
        standing.blocks = everything
        standing.save(update_fields=["blocks"])
    return standing


def place_restriction(
    *, placed_by: Person, now: datetime, season: tuple[str, str] = ("", ""), **fields: object
) -> Restriction:
    """Store a restriction for a command that has checked who asks. Raises Invalid, RestrictedAlready."""
    made = _saved(Restriction(placed_by=placed_by, placed_at=now, season_from=season[0], season_to=season[1], **fields))
    _record("restriction.placed", made, placed_by, now)
    return made


def _saved(made: Restriction) -> Restriction:
    try:
        made.full_clean(validate_constraints=False)
    except ValidationError as error:
        field = next(iter(error.message_dict))
        raise Invalid("%(why)s", field=field, why=error.message_dict[field][0]) from error
    same = {"kind": made.kind, "key": made.key, "cause": made.cause, "code": made.code}
    if Restriction.objects.live().filter(community=made.community, **same).exists():
        raise RestrictedAlready("It stands there already.")
    made.save()
    return made


def _record(action: str, restriction: Restriction, actor: Person, now: datetime) -> None:
    append_entry(
        action=action,
        subject=f"{restriction.kind}:{restriction.key}",
        community=restriction.community.slug,
        actor=str(actor.pk),
        now=now,
        details={"cause": restriction.cause, "blocks": list(restriction.blocks)},
        private={"code": restriction.code, "note": restriction.note},
    )
