"""Peer review: giving a verdict, and what follows from the verdicts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from django.db import transaction

from annotation.aggregation.verdicts import Outcome, settle
from annotation.answers.findings import UNSEEN, Look, warnings_for
from annotation.answers.gold import is_offered_gold, next_gold
from annotation.answers.models import Answer, Review
from annotation.answers.notes import AGREED, DISAGREED, HARMFUL, TIED
from annotation.answers.outcomes import set_state, settle_task, validate_answer
from annotation.answers.services import MOST_PER_HOUR, AnswerChanged, ClientIdReused, checked, create_answer
from annotation.kinds.contract import Written
from annotation.projects.models import Project, Task
from annotation.projects.services import rule_of
from annotation.standing.services import lock_standing, require_may_check, require_not_frozen
from annotation.text.clean import UnusableText, clean_text
from care.models import Purpose, Receipt
from care.services import require_consent
from people.limits import count_act
from people.models import Person, Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import require_role


class OwnWords(NotAllowed):
    """Nobody reviews what they wrote or corrected themselves."""


class AlreadySettled(Conflicting):
    """Others were faster: the answer needs no more verdicts."""


class WaitsForAnother(Conflicting):
    """The answer is not this person's to check, or not yet: somebody else completes its first vote."""


@transaction.atomic
def next_review(*, project: Project, person: Person, now: datetime, chance: Random | None = None) -> Answer | None:
    """An answer that waits for this person's verdict: those that a peer has started first, then the oldest.

    Now and then, by chance, it is gold: an answer that an expert has decided before, by which nothing is settled
    and a person's care is seen.

    Raises Frozen, VotesDoNotCount.
    """
    _require_may_check(person, project)
    ready = (
        Answer.objects.filter(task__project=project)
        .usable_for(Purpose.PEER_REVIEW)
        .usable_for(Purpose.DISPLAY_MEMBERS)
        .select_related("task__item__source", "task__project__community", "author", "suggestion")
    )
    waiting = ready.reviewable_by(person, now).with_votes().order_by("-asked", "created_at")
    answer: Answer | None = waiting.first()
    if answer is None:
        return None
    return next_gold(ready=ready, project=project, person=person, now=now, chance=chance) or answer


def _require_may_check(person: Person, project: Project, *, is_voting: bool = False) -> None:
    if is_voting:
        lock_standing(person, project.community)
    check = require_may_check if rule_of(project).guard else require_not_frozen
    check(person, project.community)


@transaction.atomic
def review_answer(
    *,
    answer: Answer,
    reviewer: Person,
    verdict: str,
    version: int,
    client_id: UUID,
    now: datetime,
    reason: str = "",
    note: str = "",
    fixed_text: str = "",
    fixed_payload: Mapping[str, Any] | None = None,
    axes: Mapping[str, bool | None] | None = None,
    look: Look = UNSEEN,
) -> Review:
    """Give a verdict on the version that was read, and settle the answer when two agree.

    A rejection needs a reason. A correction enters as an answer of its own, which others review, after the same
    `look` as any answer. Sending the same again with the same client id returns the stored review.

    Raises Invalid, NeedsALook, OwnWords, AlreadySettled, AnswerChanged, ClientIdReused, ConsentMissing, NotAllowed,
    TooMany.
    """
    community = answer.task.project.community
    require_role(reviewer, community, Role.SPEAKER, Role.EXPERT)
    receipt = require_consent(reviewer, community)
    _require_may_check(reviewer, answer.task.project, is_voting=True)
    task = Task.objects.select_for_update(of=("self",)).select_related("project", "item").get(pk=answer.task_id)
    current = Answer.objects.select_for_update().get(pk=answer.pk)
    said = {"version": version, **_said(verdict, reason, note, axes or {})}
    # A correction of gold is read like any other, so that nothing tells gold apart, and enters nowhere.
    written = checked(task, fixed_text, fixed_payload) if verdict == Review.Verdict.FIX else None
    body = _sha256_of({**said, "fix": written and [written.text, written.payload]})
    if (known := _stored_before(current, reviewer, client_id, verdict, body)) is not None:
        return known
    _check_reviewable(current, reviewer, version, now)
    count_act(reviewer, "review", most=MOST_PER_HOUR, now=now)
    fix, is_gold = None, current.state != Answer.State.SUBMITTED
    if written is not None:
        _require_other_words(written, current)
        warnings = warnings_for(task=task, author=reviewer, written=written, look=look, now=now)
        fix = None if is_gold else _enter_fix(current, task, reviewer, receipt, written, warnings, now)
    review = Review.objects.create(
        answer=current,
        is_gold=is_gold,
        gold_is_right=current.state == Answer.State.VALIDATED if is_gold else None,
        author_id_of_answer=current.author_id,
        reviewer=reviewer,
        fix=fix,
        client_id=client_id,
        body_sha256=body,
        created_at=now,
        **said,
    )
    if not is_gold:
        settle_answer(answer=current, task=task, now=now)
        settle_task(task, now=now)
    return review


def _said(verdict: str, reason: str, note: str, axes: Mapping[str, bool | None]) -> dict[str, Any]:
    """What a verdict says besides a correction, as it is stored."""
    note = _checked_note(verdict, reason, note)
    reason = reason if verdict == Review.Verdict.REJECT else ""
    return {"verdict": verdict, "reason": reason, "note": note, **_axes(verdict, reason, axes)}


def _sha256_of(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _stored_before(answer: Answer, reviewer: Person, client_id: UUID, verdict: str, body: str) -> Review | None:
    known: Review | None = Review.objects.filter(reviewer=reviewer, client_id=client_id).first()
    if known is None:
        return None
    if (known.answer_id, known.verdict) != (answer.pk, verdict) or known.body_sha256 not in ("", body):
        raise ClientIdReused("A verdict with this id was stored before. It was kept.")
    return known


def _check_reviewable(answer: Answer, reviewer: Person, version: int, now: datetime) -> None:
    if answer.author_id == reviewer.pk or reviewer.answers.filter(task=answer.task_id).exists():
        raise OwnWords("Nobody reviews a sentence that they wrote or corrected themselves.")
    if answer.state != Answer.State.SUBMITTED and not is_offered_gold(answer, reviewer):
        raise AlreadySettled("Others have settled this one already. Thank you all the same.")
    if answer.version != version:
        raise AnswerChanged("Its author has just edited this answer. Please read the new text.")
    if answer.reviews.filter(reviewer=reviewer, version=version).exists():
        raise Conflicting("You have already given your verdict on this answer.")
    is_open = answer.state == Answer.State.SUBMITTED
    if is_open and not Answer.objects.filter(pk=answer.pk).reviewable_by(reviewer, now).exists():
        raise WaitsForAnother("This one waits for another reader now. Thank you all the same.")


def _checked_note(verdict: str, reason: str, note: str) -> str:
    if verdict not in Review.Verdict.values:
        raise Invalid("Choose one of: good, not acceptable, correct it, not sure.", field="verdict")
    if verdict == Review.Verdict.REJECT and reason not in Review.Reason.values:
        raise Invalid("Choose what is wrong with it.", field="reason")
    try:
        return clean_text(note, maximum=1000) if note.strip() else ""
    except UnusableText as error:
        raise Invalid(error.message, field="note", **error.values) from error


def _require_other_words(written: Written, answer: Answer) -> None:
    if (written.text, dict(written.payload)) == (answer.text, answer.payload):
        raise Invalid("The correction is the same as the answer. Choose “good as it is” instead.", field="text")


def _enter_fix(
    answer: Answer, task: Task, reviewer: Person, receipt: Receipt, written: Written, warnings: list[Any], now: datetime
) -> Answer:
    same_as = {"text": written.text, "payload": dict(written.payload)}
    same: Answer | None = task.answers.filter(**same_as, state=Answer.State.SUBMITTED).first()
    if same is not None:
        return same
    return create_answer(
        task=task,
        author=reviewer,
        receipt=receipt,
        written=written,
        fixes=answer,
        warnings=warnings,
        now=now,
    )


# What a reason for rejecting says about the three axes; what it says nothing about stays unsaid.
_AXIS_OF_REASON = {
    Review.Reason.WRONG_LANGUAGE: "right_language",
    Review.Reason.WRONG_MEANING: "acceptable",
    Review.Reason.NOT_NATURAL: "acceptable",
    Review.Reason.SPELLING: "acceptable",
    Review.Reason.OFFENSIVE: "appropriate",
    Review.Reason.PERSONAL_DATA: "appropriate",
}
AXES = ("right_language", "acceptable", "appropriate")


def _axes(verdict: str, reason: str, said: Mapping[str, bool | None]) -> dict[str, bool | None]:
    """The three axes apart: as far as the verdict says something of them, and what the reviewer said besides."""
    follows: dict[str, bool | None] = dict.fromkeys(AXES, True if verdict == Review.Verdict.APPROVE else None)
    if verdict == Review.Verdict.REJECT and (axis := _AXIS_OF_REASON.get(Review.Reason(reason))):
        follows[axis] = False
    return {axis: follows[axis] if said.get(axis) is None else said[axis] for axis in AXES}


def outcome_of(answer: Answer, task: Task) -> Outcome:
    """What the verdicts that count amount to. Words that a peer turned down as offensive or personal are accepted by
    an expert or by nobody."""
    heard = answer.reviews.decisive_on(answer.version)
    outcome = settle(list(heard.values_list("verdict", flat=True)), rule_of(task.project).votes)
    is_flagged = outcome is Outcome.VALIDATED and heard.harmful().exists()
    return Outcome.EXPERT if is_flagged else outcome


def why_expert(answer: Answer) -> str:
    """The note for an answer whose verdicts hand it to an expert."""
    heard = answer.reviews.decisive_on(answer.version)
    if heard.harmful().exists():
        return HARMFUL
    votes = list(heard.exclude(verdict=Review.Verdict.UNSURE).values_list("verdict", flat=True))
    return TIED if votes and 2 * votes.count(Review.Verdict.APPROVE) == len(votes) else DISAGREED


def settle_answer(*, answer: Answer, task: Task, now: datetime) -> None:
    """Settle a submitted answer if its verdicts do; the caller holds the locks of both rows."""
    outcome = outcome_of(answer, task)
    if outcome is Outcome.VALIDATED:
        validate_answer(answer=answer, actor=None, now=now, note=AGREED)
    elif outcome is Outcome.REJECTED:
        set_state(answer=answer, state=Answer.State.REJECTED, actor=None, now=now, note=AGREED)
    elif outcome is Outcome.EXPERT:
        set_state(answer=answer, state=Answer.State.DISPUTED, actor=None, now=now, note=why_expert(answer))
