"""The product's own rule on a small made-up crowd: with its guard fewer wrong answers pass than without."""

from itertools import cycle
from random import Random
from uuid import uuid4

import pytest

from annotation.answers.models import Answer
from annotation.answers.reviews import next_review, review_answer
from annotation.answers.services import create_answer, settle_task
from annotation.conflicts.services import adjudicate
from annotation.corpora.services import import_upload
from annotation.guard.services import estimate_skills
from annotation.kinds.contract import Written
from annotation.projects.models import Task
from annotation.projects.services import open_project
from annotation.standing.models import Standing
from annotation.standing.services import VotesDoNotCount
from care.models import Receipt
from tests.conftest import NOW
from tests.guard.conftest import DAY

ANSWERS, GOLD, ROUNDS = 24, 12, 14


class OftenGold:
    """Chance that lets gold come at every second vote, right and wrong in turn, so that few answers are enough."""

    def __init__(self):
        self.numbers = cycle([0.0, 0.0, 0.999, 0.0, 0.9, 0.999])

    def random(self):
        return next(self.numbers)

    def randrange(self, stop):
        return 0


@pytest.fixture
def readers(careful, speakers):
    """(careful, spammers); nobody has shown anything yet."""
    people = careful(5)
    Standing.objects.all().delete()
    return people, list(speakers[1:])


@pytest.fixture
def written(community, aroha, ben, chen, readers):
    """written(guard) makes a project with answers by Ben: gold first, of which half is wrong; of the rest a third."""

    def make(guard):
        lines = "".join(f"frase {number} {guard}\n" for number in range(GOLD + ANSWERS))
        title, more = f"Crowd {guard}", {"licence": "CC0", "language_tag": "es", "now": NOW}
        content = f"text\n{lines}".encode()
        import_upload(community=community, imported_by=aroha, name="crowd.tsv", content=content, title=title, **more)
        project = open_project(
            community=community,
            created_by=aroha,
            sources=list(community.sources.filter(title__startswith=title)),
            now=NOW,
            title=title,
            source_language_name="Spanish",
            source_language_tag="es",
            rule={"guard": guard},
        )
        receipt, wrong = Receipt.objects.get(person=ben), {}
        for number, task in enumerate(Task.objects.filter(project=project)):
            words = Written(f"texto {number}", {})
            answer = create_answer(task=task, author=ben, receipt=receipt, written=words, now=NOW)
            wrong[answer.pk] = number % 2 == 0 if number < GOLD else number % 3 == 0
            settle_task(task, now=NOW)
            if number < GOLD:
                Answer.objects.filter(pk=answer.pk).update(state="disputed")
                decision = "reject" if wrong[answer.pk] else "accept"
                adjudicate(answer=answer, expert=chen, decision=decision, reason="known", now=NOW)
        return project, wrong

    return make


def vote(project, person, now, chance, approves):
    """One vote of a person, if one is theirs to give; `approves(answer)` says which."""
    try:
        answer = next_review(project=project, person=person, now=now, chance=chance)
    except VotesDoNotCount:
        return
    if answer is not None:
        word, reason = ("approve", "") if approves(answer) else ("reject", "spelling")
        given = {"verdict": word, "reason": reason, "version": 1, "client_id": uuid4(), "now": now}
        review_answer(answer=answer, reviewer=person, **given)


def wrong_ones_validated(project, wrong, careful, spammers):
    """Let everybody vote for some hours; spammers are four times as fast and come first."""
    luck = Random(11)  # noqa: S311 - a made-up crowd
    chances = {person: OftenGold() for person in [*careful, *spammers]}
    for hour in range(ROUNDS):
        now = NOW + hour * DAY / 24
        for person in spammers * 4:
            vote(project, person, now, chances[person], lambda answer: True)
        for person in careful:
            vote(
                project,
                person,
                now,
                chances[person],
                lambda answer: luck.random() >= (0.92 if wrong[answer.pk] else 0.05),
            )
        estimate_skills(now=now)
        if not Answer.objects.filter(task__project=project, state="submitted").exists():
            break
    by_peers = Answer.objects.filter(task__project=project, state="validated", adjudications=None)
    return sum(wrong[pk] for pk in by_peers.values_list("pk", flat=True))


@pytest.mark.slow
def test_with_its_guard_fewer_wrong_answers_pass(written, readers):
    careful, spammers = readers
    alone = wrong_ones_validated(*written(False), careful, spammers)
    Standing.objects.all().delete()
    guarded = wrong_ones_validated(*written(True), careful, spammers)
    assert alone >= 3
    assert guarded <= alone / 2
    assert Standing.objects.filter(is_stopped=True, person__in=spammers).count() == len(spammers)
    assert not Standing.objects.filter(is_stopped=True, person__in=careful).exists()
