"""Points that follow from outcomes, the boards, and how a person plays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, Sum
from django.utils.translation import gettext_noop

from annotation.answers.models import Answer, Review
from annotation.rewards.formula import Work, agrees, badge_of, level_of, points_for, points_of, streak_of
from annotation.rewards.models import Player, Point, Scoring
from care.models import Restriction
from people.models import Community, Person
from people.refusals import Invalid

PERIODS = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30), "all": None}
AROUND = 2
# A transaction that began earlier may commit after a look; its answers are looked at again.
OVERLAP = timedelta(minutes=10)
WHY_LOST: dict[str, str] = {
    Answer.State.REJECTED: gettext_noop("the answer was not accepted"),
    Answer.State.WITHDRAWN: gettext_noop("the answer was withdrawn"),
    Answer.State.QUARANTINED: gettext_noop("the answer is kept apart"),
}
LOST = set(WHY_LOST)
CHANGED = gettext_noop("the outcome changed")


@transaction.atomic
def score_changes(*, now: datetime) -> int:
    """Bring the points of all answers that changed since the last look up to date; returns how many were looked at.

    Looking twice changes nothing: points are compared with what they should be, and only the difference is written.
    """
    Scoring.objects.get_or_create(pk=1, defaults={"through": now - timedelta(days=36_500)})
    scoring = Scoring.objects.select_for_update().get(pk=1)
    since = scoring.through - OVERLAP
    changed = Answer.objects.filter(Q(events__at__gte=since) | Q(reviews__created_at__gte=since)).distinct()
    players: set[tuple[int, int]] = set()
    looked_at = 0
    for answer in changed.select_related("task__project").prefetch_related("reviews", "events"):
        players |= _score(answer, now)
        looked_at += 1
    for community_id, person_id in players:
        _refresh_player(community_id, person_id)
    Scoring.objects.filter(pk=1).update(through=now)
    return looked_at


def _score(answer: Answer, now: datetime) -> set[tuple[int, int]]:
    """Write what an answer and its reviews earn now, as the difference to what they earned so far."""
    community_id = answer.task.project.community_id
    was_validated = any(event.kind == Answer.State.VALIDATED for event in answer.events.all())
    work = Work(
        kind="answer",
        counts=answer.state not in LOST,
        is_settled_well=answer.state == Answer.State.VALIDATED,
    )
    touched = _difference(points_of(work), community_id, answer.author_id, now, answer=answer)
    heard = set(answer.reviews.counting().values_list("pk", flat=True))
    for review in answer.reviews.all():
        # Taking an answer back does not punish those who checked it well.
        outcome = "validated" if answer.state == Answer.State.WITHDRAWN and was_validated else answer.state
        counts = review.is_gold or (review.version == answer.version and review.pk in heard)
        judged = Work(kind="review", counts=counts, is_settled_well=agrees(review.verdict, outcome))
        touched |= _difference(points_of(judged), community_id, review.reviewer_id, now, review=review)
    return touched


def _difference(
    earned: dict[str, int],
    community_id: int,
    person_id: int,
    now: datetime,
    *,
    answer: Answer | None = None,
    review: Review | None = None,
) -> set[tuple[int, int]]:
    lines = Point.objects.filter(answer=answer) if answer else Point.objects.filter(review=review)
    so_far = dict(lines.order_by().values_list("kind").annotate(Sum("points")))
    owed = Counter(earned)
    owed.subtract(so_far)
    new = [
        Point(
            community_id=community_id,
            person_id=person_id,
            kind=kind,
            points=points,
            answer=answer,
            review=review,
            note="" if points > 0 else _why(answer),
            at=now,
        )
        for kind, points in owed.items()
        if points
    ]
    Point.objects.bulk_create(new)
    return {(community_id, person_id)} if new else set()


def _why(answer: Answer | None) -> str:
    """In words that are translated where they are shown."""
    return WHY_LOST.get(answer.state, CHANGED) if answer else CHANGED


def _refresh_player(community_id: int, person_id: int) -> None:
    player, _ = Player.objects.get_or_create(community_id=community_id, person_id=person_id)
    made, checked = _made_and_checked(person_id, community_id)
    points = _points(person_id, community_id)
    # Words that were taken back are no fault: the level stays. Work that was overturned takes its badge with it.
    player.best_points, player.badge = max(player.best_points, points), badge_of(made, checked)
    player.save(update_fields=["best_points", "badge"])


def _points(person_id: int, community_id: int) -> int:
    lines = Point.objects.filter(person_id=person_id, community_id=community_id)
    return lines.aggregate(total=Sum("points"))["total"] or 0


def _made_and_checked(person_id: int, community_id: int) -> tuple[int, int]:
    """Answers that were accepted, and checks that agreed with the outcome, by their net points."""
    lines = Point.objects.filter(person_id=person_id, community_id=community_id).order_by()

    def net(kind: str) -> int:
        return sum(
            1 for row in lines.filter(kind=kind).values("answer", "review").annotate(n=Sum("points")) if row["n"]
        )

    return net("answer_validated"), net("review_agreed")


@dataclass(frozen=True)
class Standing:
    """How a person stands in a community's game."""

    points: int
    level: int
    next_level_at: int
    streak: int
    made: int
    checked: int
    badge: str
    is_hidden: bool
    companion_name: str

    @property
    def stage(self) -> int:
        """How far the companion has grown, 0 to 5: making and checking both feed it."""
        both = min(self.made, self.checked)
        return sum(both >= least for least in (1, 5, 15, 40, 100))


def standing_of(*, person: Person, community: Community, now: datetime) -> Standing:
    """Points, level, streak, badge and companion of a person."""
    player = Player.objects.filter(person=person, community=community).first()
    made, checked = _made_and_checked(person.pk, community.pk)
    points = _points(person.pk, community.pk)
    best = max(points, player.best_points if player else 0)
    level = level_of(best)
    answers = Answer.objects.filter(author=person, task__project__community=community)
    reviews = Review.objects.filter(reviewer=person, answer__task__project__community=community)
    times = [*answers.values_list("created_at", flat=True), *reviews.values_list("created_at", flat=True)]
    return Standing(
        points=points,
        level=level,
        next_level_at=points_for(level + 1),
        streak=streak_of(times, now),
        made=made,
        checked=checked,
        badge=badge_of(made, checked),
        is_hidden=bool(player and player.is_hidden),
        companion_name=player.companion_name if player else "",
    )


@dataclass(frozen=True)
class Row:
    """One line of a board."""

    rank: int
    person: Person
    total: int


def board(*, community: Community, period: str, now: datetime, around: Person | None = None) -> list[Row]:
    """The first five by points in a period, and a window around one person; who is hidden stands nowhere."""
    length = PERIODS[period]
    seen = Point.objects.of_community(community).exclude(person__in=_hidden(community))
    return _rows(seen.since(now - length if length else None).sums(), around)


def balanced_board(*, community: Community, around: Person | None = None) -> list[Row]:
    """By the smaller of made and checked, so that both kinds of work count (as Málmon ranks)."""
    lines = Point.objects.of_community(community).exclude(person__in=_hidden(community)).order_by()
    totals: dict[int, Counter[str]] = {}
    for row in lines.values("person", "kind", "answer", "review").annotate(net=Sum("points")):
        if row["net"]:
            totals.setdefault(row["person"], Counter())[row["kind"]] += 1
    both = {person: min(counts["answer_validated"], counts["review_agreed"]) for person, counts in totals.items()}
    return _rows(sorted(((p, n) for p, n in both.items() if n), key=lambda row: (-row[1], row[0])), around)


def _hidden(community: Community) -> set[int]:
    """Who does not want to be seen, and whose words are hidden, as of somebody who has died."""
    players = Player.objects.filter(community=community, is_hidden=True).values_list("person", flat=True)
    return set(players) | Restriction.objects.hidden_people(community)


def _rows(sums: Iterable[tuple[int, int]], around: Person | None) -> list[Row]:
    ranked: list[tuple[int, int, int]] = []
    for place, (person, total) in enumerate(sums, start=1):
        # Equal points share a rank.
        rank = ranked[-1][0] if ranked and ranked[-1][2] == total else place
        ranked.append((rank, person, total))
    mine = next((i for i, row in enumerate(ranked) if around and row[1] == around.pk), None)
    shown = [row for i, row in enumerate(ranked) if i < 5 or (mine is not None and abs(i - mine) <= AROUND)]
    people = Person.objects.in_bulk([person for _, person, _ in shown])
    return [Row(rank=rank, person=people[person], total=total) for rank, person, total in shown]


@transaction.atomic
def set_play(*, person: Person, community: Community, is_hidden: bool, companion_name: str) -> Player:
    """Hide from every board, or be seen again; name the companion. Raises Invalid."""
    name = " ".join(companion_name.split())
    if len(name) > 40 or not (name.isprintable() or not name):
        raise Invalid("A name has at most %(most)s characters.", field="companion_name", most=40)
    player, _ = Player.objects.update_or_create(
        community=community, person=person, defaults={"is_hidden": is_hidden, "companion_name": name}
    )
    return player
