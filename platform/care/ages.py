"""Words of people under age: nothing is done with them until a guardian agrees, and some things never.

A restriction on the person says so, of cause minor: rule, query and row security read it like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from care.eligibility import HELD, Hold
from care.harm import tell_stewards
from care.labels import EVERYTHING
from care.models import AgeBand, AgeRule, Receipt, Restriction, StewardNotice
from care.models.ages import MONTH
from care.restricting import hold_at_once
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import require_role

NEVER_OF_MINORS = frozenset({"train_commercial", "release_dataset", "release_adapter", "process_outside_country"})
SILENCE = timedelta(days=90)
Band = AgeBand.Band


def is_of_age(month: str, now: datetime, time_zone: str) -> bool:
    """Whether somebody who comes of age in the month (2031-04) surely has: from the first day of the next one on,
    where the community is."""
    local = now.astimezone(ZoneInfo(time_zone))
    return f"{local:%Y-%m}" > month


def band_of(person: Person, community: Community) -> AgeBand | None:
    """What the person said of their age there."""
    return AgeBand.objects.filter(person=person, community=community).first()


def must_say_age(person: Person, community: Community) -> bool:
    """Whether the community asks, and the person has not answered."""
    return AgeRule.objects.filter(community=community).exists() and band_of(person, community) is None


def is_asked_again(person: Person, community: Community) -> bool:
    """Whether the person came of age, and has not chosen for themselves since."""
    mine = AgeBand.objects.filter(person=person, community=community, asked_again_at__isnull=False)
    return mine.exclude(band=Band.ADULT).exists()


@transaction.atomic
def set_age_rule(
    *, community: Community, years: int | None, time_zone: str = "UTC", set_by: Person, now: datetime
) -> None:
    """Ask everybody for their age from now on, who is of age at so many years; None asks nobody any more.

    What minors' words are kept from stays. Raises Invalid, NotAllowed.
    """
    require_role(set_by, community, Role.STEWARD)
    if years is None:
        AgeRule.objects.filter(community=community).delete()
    else:
        if not 10 <= years <= 25:
            raise Invalid("From 10 to 25 years.", field="years")
        try:
            ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise Invalid("Write a time zone such as America/Mexico_City.", field="time_zone") from error
        given = {"years": years, "time_zone": time_zone, "set_at": now}
        AgeRule.objects.update_or_create(community=community, defaults=given)
    _enter("age.rule_set", community, f"community:{community.pk}", set_by, now, years=years or 0)


@transaction.atomic
def state_age(
    *, person: Person, community: Community, band: str, of_age_in: str, stated_by: Person, now: datetime
) -> AgeBand:
    """Say how old somebody is; of minors with the month in which they come of age. Nothing may be done with a minor's
    words until a guardian agrees. Who has said that they are a minor is made an adult by time or by a steward who
    is somebody else.

    Raises Invalid, Conflicting, NotAllowed.
    """
    require_role(person, community)
    if stated_by.pk != person.pk:
        require_role(stated_by, community, Role.STEWARD)
    if band not in Band.values:
        raise Invalid("Choose one.", field="band")
    is_minor = band != Band.ADULT
    if is_minor and not MONTH.regex.fullmatch(of_age_in):  # type: ignore[union-attr]
        raise Invalid("Give the month and the year in which you come of age.", field="of_age_in")
    if is_minor and is_of_age(of_age_in, now, _time_zone(community)):
        raise Invalid("That month is over: then you are of age.", field="of_age_in")
    known = AgeBand.objects.select_for_update().filter(person=person, community=community).first()
    if known is not None and known.is_minor and stated_by.pk == person.pk:
        raise Conflicting("You said so before. A steward can put it right.")
    given = {"band": band, "of_age_in": of_age_in if is_minor else "", "stated_at": now}
    given |= {"asked_again_at": None, "silent_since": None}
    row, _ = AgeBand.objects.update_or_create(person=person, community=community, defaults=given)
    _keep_from(person, community, EVERYTHING if is_minor else frozenset(), now)
    _enter("age.stated", community, f"person:{person.pk}", stated_by, now, private={"band": band})
    return row


@transaction.atomic
def record_guardian(
    *, person: Person, community: Community, guardian: str, witnessed_by: Person, now: datetime
) -> Receipt:
    """A guardian has agreed, before a steward, to what the minor's receipt allows. The name is sealed in the record.

    Some uses stay closed to a minor's words. Raises Invalid, Conflicting, NotAllowed.
    """
    require_role(witnessed_by, community, Role.STEWARD)
    if witnessed_by.pk == person.pk:
        raise NotAllowed("Somebody else must witness this.")
    if not guardian.strip():
        raise Invalid("Name the guardian.", field="guardian")
    band = AgeBand.objects.select_for_update().filter(person=person, community=community).first()
    if band is None or not band.is_minor or is_of_age(band.of_age_in, now, _time_zone(community)):
        raise Conflicting("This person is of age, or has not said how old they are.")
    held = Receipt.objects.select_for_update().filter(person=person, community=community, ended_at=None)
    receipt: Receipt | None = held.first()
    if receipt is None:
        raise Conflicting("First the person agrees themselves, on the page about consent.")
    receipt.guardian_at, receipt.guardian_witness = now, witnessed_by
    receipt.save(update_fields=["guardian_at", "guardian_witness"])
    _keep_from(person, community, NEVER_OF_MINORS, now)
    private = {"guardian": guardian.strip()[:200], "receipt": str(receipt.pk)}
    # About the minor, not about who witnessed it: it goes when the minor's account is erased.
    _enter("guardian.consented", community, f"person:{person.pk}", witnessed_by, now, private=private)
    return receipt


def settle_age(*, person: Person, community: Community, now: datetime) -> None:
    """What a new receipt means: whoever came of age has chosen for themselves; a minor's guardian is asked anew.

    Part of a command that writes the entry. Raises Invalid when the community asks for the age first.
    """
    if must_say_age(person, community):
        raise Invalid("First say how old you are.")
    band = AgeBand.objects.select_for_update().filter(person=person, community=community).first()
    if band is None or not band.is_minor:
        return
    if is_of_age(band.of_age_in, now, _time_zone(community)):
        band.band, band.of_age_in, band.silent_since = Band.ADULT, "", None
        band.save(update_fields=["band", "of_age_in", "silent_since"])
        _keep_from(person, community, frozenset(), now)
    else:
        _keep_from(person, community, EVERYTHING, now)


@transaction.atomic
def keep_ages(*, now: datetime) -> int:
    """Ask those who have come of age again; after 90 days of silence, let no new release hold their words."""
    done = 0
    rows = (
        AgeBand.objects.select_for_update(of=("self",)).exclude(band=Band.ADULT).select_related("community", "person")
    )
    for band in rows.filter(asked_again_at__isnull=True):
        if is_of_age(band.of_age_in, now, _time_zone(band.community)):
            band.asked_again_at = now
            band.save(update_fields=["asked_again_at"])
            about = f"person:{band.person_id}"
            tell_stewards(community=band.community, kind=StewardNotice.Kind.MAJORITY, subject=about, now=now)
            _enter("age.asked_again", band.community, about, None, now)
            done += 1
    for band in rows.filter(asked_again_at__lte=now - SILENCE, silent_since__isnull=True):
        band.silent_since = now
        band.save(update_fields=["silent_since"])
        standing = _standing(band.person, band.community)
        kept_from = set(standing.blocks) if standing else set()
        _keep_from(band.person, band.community, HELD[Hold.USE] | kept_from, now)
        _enter("age.silent", band.community, f"person:{band.person_id}", None, now)
        done += 1
    return done


def _time_zone(community: Community) -> str:
    rule = AgeRule.objects.filter(community=community).first()
    return rule.time_zone if rule else "UTC"


def _standing(person: Person, community: Community) -> Restriction | None:
    same = Restriction.objects.live().filter(community=community, kind=Restriction.Kind.PERSON, key=str(person.pk))
    return same.filter(cause=Restriction.Cause.MINOR).first()


def _keep_from(person: Person, community: Community, purposes: frozenset[str] | set[str], now: datetime) -> None:
    """Let the minor's restriction keep from exactly these purposes; from none, it is lifted."""
    standing = _standing(person, community)
    if standing is None and purposes:
        about = {"kind": Restriction.Kind.PERSON, "key": str(person.pk), "cause": Restriction.Cause.MINOR}
        standing = hold_at_once(community=community, note="", now=now, **about)
    if standing is None:
        return
    if not purposes:
        standing.lifted_at, standing.lifted_by = now, person
    else:
        standing.blocks = sorted(purposes)
    standing.save(update_fields=["blocks", "lifted_at", "lifted_by"])


def _enter(
    action: str,
    community: Community,
    subject: str,
    actor: Person | None,
    now: datetime,
    private: Mapping[str, object] | None = None,
    **details: int,
) -> None:
    append_entry(
        action=action,
        subject=subject,
        community=community.slug,
        actor=str(actor.pk) if actor else "",
        now=now,
        details=details,
        private=private or {},
    )
