"""What a use stands on: take one of its grounds away, and nothing is allowed any more; give it back, and it is."""

from __future__ import annotations

import importlib
import random
from collections import defaultdict
from collections.abc import Collection
from contextlib import nullcontext
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from annotation.answers.models import Answer
from care.deciding import decide_alone, give_up, keep_time
from care.elections import subject_of
from care.eligibility import BEFORE_VALIDATION
from care.models import Decision, Grant, Policy, Purpose, Receipt
from care.purposes import reading_for
from care.services import ConsentMissing, publish_policy, require_consent
from care.suspending import suspend
from people.models import Community, Person
from tests.care.deciding import adopt, closed, make_stewards, opened, voted
from tests.conftest import NOW, TRAINING
from tests.frontend.made import make_release
from training.releases.services import not_usable_any_more
from training.runs.withdrawals import change_consent

pytestmark = pytest.mark.django_db
EVERY_USE = set(Purpose.values)
# What is taken away, and of whom: one row of each, but the lookup of labels and holds as a whole.
LOSSES = {
    "policy": "DELETE FROM care_policy WHERE id = %(policy)s",
    "decision": "DELETE FROM care_decision WHERE id = %(decision)s",
    "labels": "ALTER TABLE care_restriction RENAME TO care_gone",
    "grant": "DELETE FROM care_grant WHERE receipt_id = %(receipt)s AND purpose = %(purpose)s",
    "receipt": "DELETE FROM care_receipt WHERE id = %(receipt)s",
}


@pytest.fixture
def granted(validated_corpus: list[Answer]) -> list[Answer]:
    """Every purpose is allowed by everybody."""
    rest = EVERY_USE - set(TRAINING)
    receipts = Receipt.objects.all()
    Grant.objects.bulk_create(Grant(receipt=receipt, purpose=purpose) for receipt in receipts for purpose in rest)
    assert uses_of(validated_corpus[0]) == EVERY_USE
    return validated_corpus


def given(answers: Collection[Answer], purpose: str, *, by_rows: bool) -> list[Answer]:
    """Which of these answers the query gives for the purpose, or row security."""
    asked = Answer.objects.filter(pk__in=[answer.pk for answer in answers])
    with transaction.atomic(), reading_for(purpose) if by_rows else nullcontext():
        return list(asked if by_rows else asked.eligible_for(purpose))


def uses_of(answer: Answer) -> set[str]:
    """What the answer may be used for, by the query; and by row security it is the same."""
    found = {purpose for purpose in EVERY_USE if given([answer], purpose, by_rows=False)}
    assert found == {purpose for purpose in EVERY_USE if given([answer], purpose, by_rows=True)}
    return found


def test_in_1000_draws_no_use_is_left_without_any_one_of_its_grounds(granted: list[Answer]) -> None:
    """What takes the same row away is asked together, so that it is taken away once and not fifty times."""
    draw = random.Random(4)  # noqa: S311 - a draw that can be repeated
    granted[0].built_on.add(granted[1].receipt, granted[2].receipt)
    receipts = {answer.pk: [answer.receipt_id, *answer.built_on.values_list("pk", flat=True)] for answer in granted}
    uses: dict[tuple[str, Any, str], set[Answer]] = defaultdict(set)
    for _ in range(1000):
        lost, answer, purpose = draw.choice([*LOSSES]), draw.choice(granted), draw.choice(Purpose.values)
        uses[lost, draw.choice(receipts[answer.pk]) if lost in {"grant", "receipt"} else None, purpose].add(answer)
    policy, allowed = Policy.objects.get(), []
    for (lost, receipt, purpose), answers in uses.items():
        rows = {"policy": policy.pk, "decision": policy.decision_id, "receipt": receipt, "purpose": purpose}
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(LOSSES[lost], rows)
            for by_rows in (False, True):
                # An error gives nothing either.
                with pytest.raises(DatabaseError) if lost == "labels" else nullcontext():
                    allowed += given(answers, purpose, by_rows=by_rows)
            transaction.set_rollback(True)
    assert allowed == []
    assert {lost for lost, *_ in uses} == set(LOSSES)
    assert uses_of(granted[0]) == EVERY_USE


def test_no_word_is_used_while_the_decision_on_the_consent_text_does_not_stand(
    granted: list[Answer], community: Community, aroha: Person, ben: Person, chen: Person
) -> None:
    first, policy = granted[0], Policy.objects.get()
    assert policy.decision is not None
    assert policy.decision.approvers == [aroha.pk]

    stop = suspend(decision=policy.decision, suspended_by=aroha, reason="It says too little.", now=NOW)
    assert uses_of(first) == set()
    assert not Answer.objects.visible_to(chen).exists()
    assert first in Answer.objects.visible_to(first.author)
    with pytest.raises(ConsentMissing, match="suspended the text"):
        require_consent(ben, community)

    keep_time(now=stop.ends_at)
    assert uses_of(first) == EVERY_USE
    assert first in Answer.objects.visible_to(chen)
    require_consent(ben, community)

    # When its time is over, what goes on among members goes on.
    keep_time(now=policy.decision.expires_at)
    assert uses_of(first) == BEFORE_VALIDATION
    require_consent(ben, community)

    about = {"community": community, "matter": "policy", "subject": subject_of(policy)}
    again = decide_alone(**about, decided_by=aroha, now=NOW, text="It is still ours.")
    assert Policy.objects.get().decision == again
    assert uses_of(first) == EVERY_USE

    give_up(**about, given_up_by=aroha, now=NOW)
    assert uses_of(first) == set()
    with pytest.raises(ConsentMissing, match="No decision of the community"):
        require_consent(ben, community)
    publish_policy(
        community=community, text=policy.text, purposes=policy.purposes, published_by=aroha, now=NOW,
        terms=policy.terms, waiver=policy.waiver, is_material=False,
    )  # fmt: skip
    assert uses_of(first) == EVERY_USE
    require_consent(ben, community)


def test_a_community_that_votes_decides_on_its_text_anew_without_publishing_it_anew(
    granted: list[Answer], community: Community, aroha: Person
) -> None:
    stewards = [aroha, *make_stewards(community)]
    adopt(community, aroha)
    policy = Policy.objects.get()
    conditions = {"text": policy.text, "terms": policy.terms, "waiver": policy.waiver}
    more = {"purposes": policy.purposes, "conditions": conditions}
    proposal = opened(community, aroha, "policy", subject_of(policy), **more)
    voted(proposal, stewards)
    newer = closed(proposal)
    assert Policy.objects.get().decision == policy.decision
    keep_time(now=newer.effective_from)
    assert list(Decision.objects.filter(matter="policy").values_list("state", flat=True)) == ["in_force", "superseded"]
    assert Policy.objects.get().decision == newer
    assert uses_of(granted[0]) == EVERY_USE


def test_texts_from_before_get_the_decision_on_exactly_them(policy: Policy, community: Community) -> None:
    name = importlib.import_module("care.migrations.0006_policies_name_their_decision").name_decisions
    Policy.objects.update(decision=None)
    name(apps, None)
    assert Policy.objects.get().decision == policy.decision
    Policy.objects.update(decision=None, text="Another one.")
    name(apps, None)
    assert Policy.objects.get().decision is None


def test_a_stop_marks_nothing_for_good(
    granted: list[Answer], community: Community, aroha: Person, ben: Person, esi: Person
) -> None:
    """Whoever changes their consent meanwhile has taken nothing back, so no release or adapter is marked."""
    policy, release = Policy.objects.get(), make_release(granted[0].task.project, esi)
    assert policy.decision is not None
    stop = suspend(decision=policy.decision, suspended_by=aroha, reason="It says too little.", now=NOW)
    change_consent(person=ben, policy=policy, purposes=Purpose.values, now=NOW)
    assert not_usable_any_more(release) == release.items.count()
    keep_time(now=stop.ends_at)
    assert not_usable_any_more(release) == 0
    release.refresh_from_db()
    assert release.withdrawn_since is None
