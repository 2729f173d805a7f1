"""The walk of the demo's sentences: answers, verdicts, decisions, release, run, approval."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from django.db import connection
from django.utils import timezone

from annotation.answers.findings import Look
from annotation.answers.models import Answer, Review
from annotation.answers.reviews import next_review, review_answer
from annotation.answers.services import submit_answer
from annotation.conflicts.services import adjudicate
from annotation.projects.models import Project
from annotation.projects.services import NothingToDo, lease_task, skip_task
from care.models import Purpose
from people.models import Person
from training.releases.models import Release
from training.releases.services import freeze_release
from training.runs.gate import Bounds
from training.runs.jobs import ring
from training.runs.models import Adapter, Run
from training.runs.promotion import bounds_of, gate_of, recommend_adapter, recommenders, set_bounds
from training.runs.services import decide_adapter, queue_run, resume_run
from wordhearth.demo.community import Cast

# Speakers 5 and 6 join the two longest documents, so that these train and the two others are held out.
ANSWERS = (80, 60, 36, 36, 80, 60)
TOTAL_ANSWERS = sum(ANSWERS)
DISPUTES = 3
SETTINGS = {
    "recipe": {
        "rank": 16,
        "alpha": 32,
        "learning_rate": 1e-3,
        "epochs": 2,
        "max_steps": 40,
        "batch_size": 8,
        "validate_every": 15,
        "checkpoint_every": 15,
    },
    "evaluation": {"max_items": 48, "generate_items": 16, "max_new_tokens": 40, "samples": 12, "memorised": 16},
}
# Weaker than what communities begin with: a short run, measured on few sentences. It foretells far better and writes no
# better yet. The demo says so, its gate's page shows them, and the record keeps who set them.
BOUNDS = Bounds(least_sentences=20, most_score_loss=500)
PURPOSE = Purpose.TRAIN_NONCOMMERCIAL
RUN_TIMEOUT = timedelta(minutes=60)


class DemoFailed(RuntimeError):
    """The demo could not be completed; the message says at which step and why."""


def answer_tasks(project: Project, cast: Cast) -> Iterator[int]:
    """Each demo speaker leases tasks and sends the corpus's own translation; yields the answers so far."""
    counts = [Answer.objects.filter(task__project=project, author=speaker).count() for speaker in cast.speakers]
    while any(count < wanted for count, wanted in zip(counts, ANSWERS, strict=True)):
        for index, speaker in enumerate(cast.speakers):
            if counts[index] < ANSWERS[index]:
                counts[index] = counts[index] + 1 if _answer_one(project, speaker) else ANSWERS[index]
                yield sum(counts)


def _answer_one(project: Project, speaker: Person) -> bool:
    while True:
        try:
            lease = lease_task(project=project, person=speaker, now=timezone.now())
        except NothingToDo:
            return False
        if lease.task.item.reference:
            break
        skip_task(assignment=lease, reason="other", note="The corpus holds no translation.", now=timezone.now())
    submit_answer(
        assignment=lease,
        author=speaker,
        text=lease.task.item.reference,
        # Nobody is there to look at what the checks notice; the reviewers' pages say so.
        look=Look(later=True),
        now=timezone.now(),
        client_id=uuid5(NAMESPACE_URL, f"wordhearth-demo:{lease.pk}"),
    )
    return True


def count_waiting(project: Project) -> int:
    """Answers that peers have not settled."""
    return Answer.objects.filter(task__project=project, state=Answer.State.SUBMITTED).count()


def review_answers(project: Project, cast: Cast) -> Iterator[int]:
    """Demo speakers review until nothing waits; the first few answers are disputed on purpose.

    The verdicts are part of the demonstration: "unsure" stands for a disagreement, and says nothing about the
    published translations.
    """
    disputed = set(Answer.objects.filter(task__project=project, reviews__verdict="unsure").values_list("pk", flat=True))
    turn = 0
    idle = 0
    while idle < len(cast.speakers):
        speaker = cast.speakers[turn % len(cast.speakers)]
        turn += 1
        answer = next_review(project=project, person=speaker, now=timezone.now())
        if answer is None:
            idle += 1
            continue
        idle = 0
        if len(disputed) < DISPUTES and not answer.reviews.exists():
            disputed.add(answer.pk)
        verdict = Review.Verdict.UNSURE if answer.pk in disputed else Review.Verdict.APPROVE
        review_answer(
            answer=answer,
            reviewer=speaker,
            verdict=verdict,
            version=answer.version,
            now=timezone.now(),
            client_id=uuid5(NAMESPACE_URL, f"wordhearth-demo:{answer.pk}:{speaker.pk}"),
        )
        yield count_waiting(project)


def decide_disputes(cast: Cast, project: Project) -> int:
    """The demo expert decides all but one dispute, which stays to be looked at; returns how many were decided."""
    waiting = list(Answer.objects.adjudicable_by(cast.expert).filter(task__project=project).order_by("created_at"))
    for answer in waiting[1:]:
        adjudicate(
            answer=answer,
            expert=cast.expert,
            decision="accept",
            now=timezone.now(),
            reason="Demo: it is the published translation.",
        )
    return len(waiting[1:])


def make_release(project: Project, cast: Cast) -> Release:
    """Freeze what is validated; the same state gives the release that is there."""
    return freeze_release(
        project=project,
        purpose=PURPOSE,
        created_by=cast.researcher,
        now=timezone.now(),
        note="made by the demo",
    )[0]


def start_run(release: Release, cast: Cast) -> Run:
    """The release's first run, finished, going on or resumed, or a new one. Those that a visitor started later are
    theirs."""
    run = release.runs.order_by("created_at", "pk").first()
    if run is None or (run.state == Run.State.FINISHED and not Adapter.objects.filter(run=run).exists()):
        run = queue_run(release=release, started_by=cast.researcher, given=SETTINGS, now=timezone.now())
    elif run.can_resume:
        run = resume_run(run=run, resumed_by=cast.researcher, now=timezone.now())
    if run.is_live:
        ring(run)
    return run


def wait_for(run: Run, tell: Callable[[Run], None]) -> Adapter:
    """Wait for the training worker, telling how far it is. Raises DemoFailed."""
    deadline = time.monotonic() + RUN_TIMEOUT.total_seconds()
    while run.is_live:
        if time.monotonic() > deadline:
            raise DemoFailed("Training did not end within an hour; see the run's page.")
        time.sleep(1)
        run.refresh_from_db()
        tell(run)
    connection.close()
    if run.state != Run.State.FINISHED:
        raise DemoFailed(f"Training {run.get_state_display()}: {run.failure}")
    return Adapter.objects.select_related("run__release", "community").get(run=run)


def approve(adapter: Adapter, cast: Cast) -> Adapter:
    """The demo researcher recommends the adapter, and the demo steward approves it, if it passes the gate with the
    bounds that the demo set. Raises DemoFailed otherwise."""
    if bounds_of(adapter.community) != BOUNDS:
        set_bounds(community=adapter.community, bounds=BOUNDS, set_by=cast.steward, now=timezone.now())
    if adapter.state == Adapter.State.CANDIDATE:
        if not recommenders(adapter, other_than=cast.steward):
            recommend_adapter(adapter=adapter, recommended_by=cast.researcher, now=timezone.now())
        failed = [check.told for check in gate_of(adapter, steward=cast.steward) if not check.has_passed]
        if failed:
            raise DemoFailed("The adapter does not pass the gate. " + " ".join(failed))
        decide_adapter(
            adapter=adapter,
            approve=True,
            decided_by=cast.steward,
            now=timezone.now(),
            note="Demo: fewer bits per byte on sentences it has not seen.",
        )
    return Adapter.objects.select_related("run__release", "community").get(pk=adapter.pk)
