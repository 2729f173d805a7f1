"""Gold: answers whose outcome an expert has decided or confirmed, given among the others to see a reviewer's care.

Nothing on a page or in the API tells them apart: chance decides when one comes, and it stays until it is judged, so
that a reload shows nothing either.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from random import Random

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from annotation.aggregation.skill import gold_chance
from annotation.answers.models import Answer, Gold, GoldOffer, Review
from annotation.answers.querysets import AnswerQuerySet
from annotation.projects.models import Project, Task
from annotation.projects.services import rule_of
from annotation.standing.models import Standing
from annotation.standing.services import require_not_frozen
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import require_role

# Half of the gold answers are wrong where there are wrong ones, so that approving everything shows.
WRONG_GOLD = 0.5


def chance_of(person: Person, community: Community, votes: int) -> Random:
    """The chance that belongs to a person's next vote: the same at every reload, and foreseen by nobody.

    It follows from the installation's secret key, which never leaves the server.
    """
    message = f"gold:{community.pk}:{person.pk}:{votes}".encode()
    return Random(hmac.digest(settings.SECRET_KEY.encode(), message, hashlib.sha256))  # noqa: S311 - keyed by a secret


def next_gold(
    *, ready: AnswerQuerySet, project: Project, person: Person, now: datetime, chance: Random | None = None
) -> Answer | None:
    """The gold answer that the person is given next in the project, if it is time for one.

    `ready` are the project's answers that may be shown. Tests pass a `chance` of their own.
    """
    if not rule_of(project).guard:
        return None
    gold = ready.gold_for(person)
    judged = Exists(person.reviews.filter(answer_id=OuterRef("answer_id")))
    offered = GoldOffer.objects.filter(~judged, person=person, answer__task__project=project)
    # The few offers first: the gold itself takes long to find, and is wanted once in many votes.
    if answers := list(offered.values_list("answer", flat=True)):
        open_one: Answer | None = gold.filter(pk__in=answers).order_by("pk").first()
        if open_one is not None:
            return open_one
    given = person.reviews.filter(answer__task__project__community=project.community_id)
    votes, seen = given.count(), given.filter(is_gold=True).count()
    standing = Standing.objects.filter(person=person, community=project.community_id).first()
    has_shown_care = standing is not None and standing.has_shown_care
    chance = chance or chance_of(person, project.community, votes)
    if chance.random() >= gold_chance(votes=votes, gold=seen, has_shown_care=has_shown_care):
        return None
    first = Answer.State.REJECTED if chance.random() < WRONG_GOLD else Answer.State.VALIDATED
    found = list(gold.order_by("pk"))
    wanted = [answer for answer in found if answer.state == first] or found
    if not wanted:
        return None
    answer: Answer = wanted[chance.randrange(len(wanted))]
    GoldOffer.objects.get_or_create(answer=answer, person=person, defaults={"offered_at": now})
    return answer


def is_offered_gold(answer: Answer, person: Person) -> bool:
    """Whether the answer is gold and was given to the person, so that their verdict on it says something."""
    offered = GoldOffer.objects.filter(answer=answer, person=person).exists()
    return offered and Answer.objects.gold_for(person).filter(pk=answer.pk).exists()


@transaction.atomic
def use_as_gold(*, answer: Answer, expert: Person, verdict: str, now: datetime) -> Gold:
    """An expert confirms what peers have settled, so that the answer shows others' care from now on.

    `verdict` is what a careful reviewer must say of it: approve or reject. Confirming twice changes nothing.

    Raises Conflicting (not settled, or settled otherwise), Invalid, NotAllowed, Frozen.
    """
    community = answer.task.project.community
    require_role(expert, community, Role.EXPERT)
    require_not_frozen(expert, community)
    Task.objects.select_for_update(of=("self",)).get(pk=answer.task_id)
    current = Answer.objects.select_for_update().get(pk=answer.pk)
    if current.author_id == expert.pk:
        raise NotAllowed("Nobody decides on their own words. Another expert will.")
    if verdict not in {"approve", "reject"}:
        raise Invalid("Say what a careful reviewer would answer: good, or not acceptable.", field="verdict")
    if current.state not in {Answer.State.VALIDATED, Answer.State.REJECTED}:
        raise Conflicting("This answer is not settled, so it cannot show anybody's care yet.")
    is_right = verdict == "approve"
    if is_right != (current.state == Answer.State.VALIDATED):
        raise Conflicting("Peers have settled this answer the other way. Choose one that is beyond doubt.")
    gold, _ = Gold.objects.get_or_create(
        answer=current, defaults={"expert": expert, "is_right": is_right, "marked_at": now}
    )
    return gold


def take_back_gold(answers: Iterable[Answer]) -> None:
    """What these answers really are is in doubt again: they are gold no more, and verdicts given on them as gold say
    nothing of anybody's care."""
    pks = [answer.pk for answer in answers]
    Gold.objects.filter(answer__in=pks).delete()
    Review.objects.filter(answer__in=pks, is_gold=True).update(gold_is_right=None)
