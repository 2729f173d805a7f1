"""The guard of docs/rating.md: whose votes count, estimated again and again, and what a steward does about it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from annotation.aggregation.collusion import Approvals, Vote, find_collusion
from annotation.aggregation.skill import Judgement, estimate_skill, is_careful, is_careless, tally_judgements
from annotation.answers.models import Answer, Review
from annotation.answers.notes import ANOTHER_ACCEPTED
from annotation.guard.models import Watch
from annotation.guard.settling import settle_anew
from annotation.standing.models import KeptApart, Standing, StandingEvent
from annotation.standing.services import lock_standing
from annotation.text.clean import UnusableText, clean_text
from ledger.services import append_entry
from people.models import Community, Membership, Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import LastSteward, has_role, require_role

# A transaction that began earlier may commit after a look; its reviews are looked at again.
OVERLAP = timedelta(minutes=10)
SETTLED = [Answer.State.VALIDATED, Answer.State.REJECTED]


def estimate_skills(*, now: datetime) -> int:
    """Estimate everybody again who voted, or whose votes met an outcome, since the last look; returns how many.

    Looking twice changes nothing: an estimate follows from the votes alone.
    """
    Watch.objects.get_or_create(pk=1, defaults={"through": now - timedelta(days=36_500)})
    since = Watch.objects.get(pk=1).through - OVERLAP
    moved = Review.objects.filter(Q(created_at__gte=since) | Q(answer__events__at__gte=since)).order_by()
    people = set(moved.values_list("answer__task__project__community", "reviewer"))
    for community_id, person_id in sorted(people):
        estimate_person(
            person=Person.objects.get(pk=person_id), community=Community.objects.get(pk=community_id), now=now
        )
    Watch.objects.filter(pk=1).update(through=now)
    return len(people)


@transaction.atomic
def estimate_person(*, person: Person, community: Community, now: datetime) -> Standing:
    """Estimate one person's skill; whoever has shown carelessness is stopped, and their votes are taken out."""
    standing = lock_standing(person, community)
    judgements = _judgements(person, community)
    skill = estimate_skill(tally_judgements(judgements))
    standing.agreed, standing.missed = skill.agreed, skill.missed
    standing.evidence, standing.below_line = skill.evidence, skill.below_line
    standing.checks, standing.gold = len(judgements), sum(judgement.is_gold for judgement in judgements)
    agreed = [judgement for judgement in judgements if judgement.approved == judgement.is_right]
    standing.checks_agreed, standing.gold_agreed = len(agreed), sum(judgement.is_gold for judgement in agreed)
    standing.has_shown_care, standing.estimated_at = is_careful(skill), now
    standing.save()
    if is_careless(skill) and not (standing.is_stopped or standing.is_spared):
        _set(standing, StandingEvent.Kind.STOPPED, now=now, is_stopped=True)
    return standing


def _judgements(person: Person, community: Community) -> list[Judgement]:
    """The person's verdicts beside what the answers really were. Unsure ones are none."""
    given = Review.objects.filter(reviewer=person, answer__task__project__community=community)
    given = given.exclude(verdict=Review.Verdict.UNSURE)
    on_gold = given.filter(is_gold=True, gold_is_right__isnull=False).values_list("verdict", "gold_is_right")
    settled = given.filter(is_gold=False, version=F("answer__version"), answer__state__in=SETTLED)
    # Wordings that only made room for another one were not judged by this.
    own_outcome = settled.exclude(answer__events__note=ANOTHER_ACCEPTED)
    outcomes = own_outcome.values_list("verdict", "answer__state")
    return [
        *(Judgement(approved=word == "approve", is_right=bool(right), is_gold=True) for word, right in on_gold),
        *(
            Judgement(approved=word == "approve", is_right=state == Answer.State.VALIDATED, is_gold=False)
            for word, state in outcomes
        ),
    ]


def find_pairs(*, now: datetime) -> int:
    """Look for collusion in every community; the two of a new pair are kept apart. Returns how many are new."""
    return sum(_find_pairs_in(community, now) for community in Community.objects.order_by("pk"))


@transaction.atomic
def _find_pairs_in(community: Community, now: datetime) -> int:
    votes = Review.objects.filter(
        answer__task__project__community=community,
        is_gold=False,
        version=F("answer__version"),
        answer__state__in=SETTLED,
    ).order_by("created_at", "pk")
    pairs = find_collusion(
        Vote(author, reviewer, verdict, state)
        for author, reviewer, verdict, state in votes.values_list(
            "author_id_of_answer", "reviewer", "verdict", "answer__state"
        )
    )
    found: dict[tuple[Any, Any], Approvals] = {}
    for pair in pairs:
        found[pair.first, pair.second] = pair.first_of_second
        found[pair.second, pair.first] = pair.second_of_first
    new = 0
    for (reviewer, author), seen in found.items():
        row, is_new = KeptApart.objects.get_or_create(
            community=community,
            reviewer_id=reviewer,
            author_id=author,
            defaults={"approved": seen.approved, "votes": seen.votes, "expected": seen.expected, "found_at": now},
        )
        if is_new:
            new += 1
            between = Review.objects.filter(reviewer=row.reviewer_id, author_id_of_answer=row.author_id)
            settle_anew(reviews=between.filter(answer__task__project__community=community), now=now)
    return new // 2


@transaction.atomic
def freeze_person(
    *, person: Person, community: Community, frozen_by: Person, reason: str, now: datetime
) -> StandingEvent:
    """A steward keeps somebody from writing and checking; what is not settled yet waits again without their votes.

    Nothing is deleted, and they can still read their words and take them back. Raises NotAllowed, LastSteward,
    Conflicting, Invalid.
    """
    Community.objects.select_for_update().get(pk=community.pk)
    standing = _standing_for(person, community, frozen_by)
    if standing.is_frozen:
        raise Conflicting("This person is frozen already.")
    frozen = Standing.objects.filter(community=community, is_frozen=True).values("person")
    others = Membership.objects.live().filter(community=community, role=Role.STEWARD).exclude(person__in=frozen)
    if has_role(person, community, Role.STEWARD) and not others.exclude(person=person).exists():
        raise LastSteward("Nobody else here could act as a steward. Unfreeze another steward first.")
    return _set(standing, StandingEvent.Kind.FROZEN, actor=frozen_by, reason=_checked(reason), now=now, is_frozen=True)


@transaction.atomic
def unfreeze_person(
    *, person: Person, community: Community, unfrozen_by: Person, reason: str, now: datetime
) -> StandingEvent:
    """Undo a freeze: the person writes and checks again, and their votes count as before."""
    standing = _standing_for(person, community, unfrozen_by)
    if not standing.is_frozen:
        raise Conflicting("This person is not frozen.")
    kind = StandingEvent.Kind.UNFROZEN
    return _set(standing, kind, actor=unfrozen_by, reason=_checked(reason), now=now, is_frozen=False)


@transaction.atomic
def spare_person(
    *, person: Person, community: Community, spared_by: Person, reason: str, now: datetime
) -> StandingEvent:
    """Undo an automatic stop: the votes count again, and the person is not stopped a second time."""
    standing = _standing_for(person, community, spared_by)
    if not standing.is_stopped:
        raise Conflicting("The votes of this person count.")
    kind = StandingEvent.Kind.SPARED
    reason = _checked(reason)
    return _set(standing, kind, actor=spared_by, reason=reason, now=now, is_stopped=False, is_spared=True)


def _standing_for(person: Person, community: Community, actor: Person) -> Standing:
    """The locked standing of a member, which the acting steward may change."""
    require_role(actor, community, Role.STEWARD)
    if actor.pk == person.pk:
        raise NotAllowed("Nobody decides about their own votes. Another steward can.")
    known = Membership.objects.filter(person=person, community=community).exists()
    if not known:
        raise NotAllowed("This person has never been a member here.")
    return lock_standing(person, community)


def _checked(reason: str) -> str:
    try:
        return clean_text(reason, maximum=1000)
    except UnusableText as error:
        raise Invalid("Give a reason: the person and the other stewards will read it.", field="reason") from error


def _set(
    standing: Standing,
    kind: StandingEvent.Kind,
    *,
    now: datetime,
    actor: Person | None = None,
    reason: str = "",
    **changes: bool,
) -> StandingEvent:
    """Change what follows for somebody's votes, settle anew what they are on, and write both down."""
    for name, value in changes.items():
        setattr(standing, name, value)
    standing.save(update_fields=list(changes))
    given = Review.objects.filter(reviewer=standing.person, answer__task__project__community=standing.community)
    if "is_frozen" in changes:
        given = given.filter(answer__state__in=[Answer.State.SUBMITTED, Answer.State.DISPUTED])
    requeued = settle_anew(reviews=given, now=now)
    append_entry(
        action=f"person.{kind.value}",
        subject=f"person:{standing.person_id}",
        community=standing.community.slug,
        actor=str(actor.pk) if actor else "",
        now=now,
        details={"answers_counted_anew": requeued},
    )
    return StandingEvent.objects.create(
        standing=standing, kind=kind, actor=actor, reason=reason, requeued=requeued, at=now
    )
