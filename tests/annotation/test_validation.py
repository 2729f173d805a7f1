"""Reviews settle an answer by the first two equal verdicts, or hand it to an expert."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from annotation.aggregation.verdicts import Outcome, settle
from annotation.answers.models import Answer, Review
from annotation.answers.reviews import AlreadySettled, OwnWords, next_review, review_answer
from annotation.answers.services import AnswerChanged, ClientIdReused, edit_answer, submit_answer
from annotation.conflicts.services import NotDisputed, adjudicate
from annotation.projects.models import Task
from annotation.projects.services import LeaseExpired, lease_task, skip_task, undo_skip
from care.services import ConsentMissing
from people.refusals import Invalid, NotAllowed


@pytest.mark.parametrize(
    ("verdicts", "outcome"),
    [
        ([], Outcome.OPEN),
        (["approve"], Outcome.OPEN),
        (["approve", "approve"], Outcome.VALIDATED),
        (["reject", "reject"], Outcome.REJECTED),
        (["fix", "fix"], Outcome.REJECTED),
        (["approve", "reject"], Outcome.OPEN),
        (["approve", "reject", "approve"], Outcome.VALIDATED),
        (["approve", "reject", "reject"], Outcome.REJECTED),
        (["approve", "reject", "fix"], Outcome.EXPERT),
        (["approve", "reject", "unsure"], Outcome.EXPERT),
        (["unsure", "approve"], Outcome.OPEN),
        (["unsure", "approve", "approve"], Outcome.VALIDATED),
        (["unsure", "unsure", "unsure"], Outcome.EXPERT),
    ],
)
def test_first_two_equal_verdicts_settle(verdicts, outcome):
    assert settle(verdicts) is outcome


def test_no_answer_without_consent(project, ben, policy):
    with pytest.raises(ConsentMissing):
        lease_task(project=project, person=ben, now=policy.published_at)


def test_sending_twice_stores_once_and_another_text_is_refused(project, ben, consenting, now):
    consenting(ben)
    lease = lease_task(project=project, person=ben, now=now)
    client_id = uuid4()
    first = submit_answer(assignment=lease, author=ben, text="n\u0303u", client_id=client_id, now=now)
    again = submit_answer(assignment=lease, author=ben, text="ñu", client_id=client_id, now=now)
    assert first.pk == again.pk
    assert first.text == "ñu"
    with pytest.raises(ClientIdReused):
        submit_answer(assignment=lease, author=ben, text="other", client_id=client_id, now=now)
    other = lease_task(project=project, person=ben, now=now)
    with pytest.raises(ClientIdReused, match="for another sentence"):
        submit_answer(assignment=other, author=ben, text="ñu", client_id=client_id, now=now)
    assert list(Answer.objects.values_list("text", flat=True)) == ["ñu"]


def test_a_verdict_sent_twice_is_stored_once_and_with_anything_else_refused(answered, ben, filipa, consenting, now):
    consenting(ben)
    consenting(filipa)
    sent = {"answer": answered(ben), "reviewer": filipa, "version": 1, "client_id": uuid4(), "now": now}
    body = {"verdict": "fix", "fixed_text": "n\u0303u", "note": "It sounds odd.", "axes": {"acceptable": False}}
    first = review_answer(**sent, **body)
    # The same, though typed in another way; and a reason is no part of a correction.
    assert review_answer(**sent, **{**body, "fixed_text": " ñu ", "reason": "other"}).pk == first.pk
    for changed in (
        {"fixed_text": "ñä"},
        {"note": ""},
        {"axes": {}},
        {"version": 2},
        {"verdict": "approve"},
        {"verdict": "reject", "reason": "spelling"},
    ):
        with pytest.raises(ClientIdReused):
            review_answer(**{**sent, **body, **changed})
    assert (Review.objects.get().pk, first.fix.text, first.note) == (first.pk, "ñu", "It sounds odd.")
    # What was stored before there was a hash is known by its verdict, as it was then.
    Review.objects.update(body_sha256="")
    assert review_answer(**sent, **{**body, "note": ""}).pk == first.pk


def test_a_reload_gives_the_same_task_and_another_speaker_another_document(project, ben, filipa, consenting, now):
    consenting(ben)
    consenting(filipa)
    mine = lease_task(project=project, person=ben, now=now)
    assert lease_task(project=project, person=ben, now=now).pk == mine.pk
    theirs = lease_task(project=project, person=filipa, now=now)
    assert theirs.task.item.source_id != mine.task.item.source_id


def test_late_answer_is_taken_while_nobody_else_has_the_task(project, ben, consenting, now):
    consenting(ben)
    lease = lease_task(project=project, person=ben, now=now)
    late = now + project.lease_length * 3
    assert submit_answer(assignment=lease, author=ben, text="tarde", client_id=uuid4(), now=late).pk


def test_late_answer_is_refused_once_somebody_else_has_the_task(project, ben, goran, filipa, consenting, now):
    for speaker in (ben, filipa):
        consenting(speaker)
    lease = lease_task(project=project, person=ben, now=now)
    Task.objects.exclude(pk=lease.task_id).delete()
    late = now + project.lease_length * 2
    assert lease_task(project=project, person=filipa, now=late).task_id == lease.task_id
    with pytest.raises(LeaseExpired):
        submit_answer(assignment=lease, author=ben, text="tarde", client_id=uuid4(), now=late)


def test_a_skipped_task_does_not_come_back_unless_it_is_undone(project, ben, consenting, now):
    consenting(ben)
    lease = lease_task(project=project, person=ben, now=now)
    with pytest.raises(Invalid):
        skip_task(assignment=lease, reason="", now=now)
    skip_task(assignment=lease, reason="unclear", now=now)
    other = lease_task(project=project, person=ben, now=now)
    assert other.task_id != lease.task_id
    back = undo_skip(assignment=lease, now=now)
    assert lease_task(project=project, person=ben, now=now).pk == back.pk == lease.pk


@pytest.mark.parametrize(
    "text",
    ["", "   ", "a\0b", "\ud800", "x" * 20_000, "Все слова другие", "\u202eabc"],
    ids=["empty", "blank", "null byte", "lone surrogate", "long", "wrong script", "override"],
)
def test_unusable_text_is_refused_with_a_message_and_the_lease_stays(project, ben, consenting, now, text):
    consenting(ben)
    lease = lease_task(project=project, person=ben, now=now)
    with pytest.raises(Invalid) as caught:
        submit_answer(assignment=lease, author=ben, text=text, client_id=uuid4(), now=now)
    assert caught.value.field == "text"
    lease.refresh_from_db()
    assert lease.state == "leased"


def test_editing_ends_with_the_first_review(answered, ben, filipa, consenting, verdict, now):
    consenting(ben)
    consenting(filipa)
    answer = answered(ben)
    answer = edit_answer(answer=answer, author=ben, text="otra vez", version=1, now=now)
    assert (answer.text, answer.version) == ("otra vez", 2)
    with pytest.raises(AnswerChanged):
        edit_answer(answer=answer, author=ben, text="vieja", version=1, now=now)
    verdict(answer, filipa)
    with pytest.raises(AnswerChanged):
        edit_answer(answer=answer, author=ben, text="tarde", version=2, now=now)
    assert [event.kind for event in answer.events.all()] == ["submitted", "edited"]


def test_nobody_reviews_their_own_words(answered, ben, consenting, verdict, project, now):
    consenting(ben)
    answer = answered(ben)
    assert next_review(project=project, person=ben, now=now) is None
    with pytest.raises(OwnWords):
        verdict(answer, ben)
    with pytest.raises(IntegrityError, match="nobody_reviews_their_own"), transaction.atomic():
        Review.objects.create(
            answer=answer,
            author_id_of_answer=ben.pk,
            reviewer=ben,
            version=1,
            verdict="approve",
            client_id=uuid4(),
            created_at=answer.created_at,
        )


def test_two_approvals_validate_and_a_third_comes_too_late(answered, ben, filipa, goran, chen, consenting, verdict):
    for person in (ben, filipa, goran, chen):
        consenting(person)
    answer = answered(ben)
    verdict(answer, filipa)
    verdict(answer, goran)
    answer.refresh_from_db()
    assert answer.state == "validated"
    assert answer.task.state == "done"
    with pytest.raises(AlreadySettled):
        verdict(answer, chen)


def test_a_rejection_needs_a_reason_and_two_open_the_task_again(answered, ben, filipa, goran, consenting, verdict):
    for person in (ben, filipa, goran):
        consenting(person)
    answer = answered(ben)
    with pytest.raises(Invalid):
        verdict(answer, filipa, "reject")
    verdict(answer, filipa, "reject", reason="spelling")
    verdict(answer, goran, "reject", reason="wrong_meaning")
    answer.refresh_from_db()
    assert (answer.state, Task.objects.get(pk=answer.task_id).state) == ("rejected", "open")


def test_a_correction_competes_under_both_receipts(answered, ben, filipa, goran, chen, consenting, verdict):
    receipts = {person: consenting(person) for person in (ben, filipa, goran, chen)}
    answer = answered(ben)
    review = verdict(answer, filipa, "fix", fixed_text="mejor así")
    fix = review.fix
    assert fix.author == filipa
    assert fix.receipt == receipts[filipa]
    assert list(fix.built_on.all()) == [receipts[ben]]
    with pytest.raises(OwnWords):
        verdict(fix, ben)
    verdict(fix, goran)
    verdict(fix, chen)
    answer.refresh_from_db()
    fix.refresh_from_db()
    assert (answer.state, fix.state) == ("rejected", "validated")


def test_disagreement_goes_to_an_expert_who_decides_with_a_reason(
    answered, ben, filipa, goran, chen, aroha, consenting, verdict, now
):
    for person in (ben, filipa, goran, chen):
        consenting(person)
    answer = answered(ben)
    verdict(answer, filipa)
    verdict(answer, goran, "reject", reason="spelling")
    answer.refresh_from_db()
    assert answer.state == "submitted"
    with pytest.raises(NotDisputed):
        adjudicate(answer=answer, expert=chen, decision="accept", reason="early", now=now)
    third = Review.Verdict.UNSURE
    verdict(answer, chen, third)
    answer.refresh_from_db()
    assert answer.state == "disputed"
    assert list(Answer.objects.adjudicable_by(chen)) == [answer]
    with pytest.raises(NotAllowed):
        adjudicate(answer=answer, expert=filipa, decision="accept", reason="no role", now=now)
    with pytest.raises(Invalid):
        adjudicate(answer=answer, expert=chen, decision="accept", reason=" ", now=now)
    decision = adjudicate(
        answer=answer,
        expert=chen,
        decision="correct",
        reason="vowel length",
        corrected_text="la forma corregida",
        now=now,
    )
    answer.refresh_from_db()
    assert answer.state == "rejected"
    assert decision.correction.state == "validated"
    assert Task.objects.get(pk=answer.task_id).state == "done"


def test_reviewing_an_older_version_is_refused(answered, ben, filipa, consenting, now):
    consenting(ben)
    consenting(filipa)
    answer = answered(ben)
    edit_answer(answer=answer, author=ben, text="nueva", version=1, now=now)
    with pytest.raises(AnswerChanged):
        review_answer(answer=answer, reviewer=filipa, verdict="approve", version=1, client_id=uuid4(), now=now)
