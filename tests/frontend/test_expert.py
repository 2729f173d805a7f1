"""The expert's desk: the queue, one dispute, the decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Answer
from annotation.conflicts.models import Adjudication
from annotation.projects.models import Project
from care.models import Purpose
from people.models import Community, Person, Role
from people.services import grant_role
from tests.conftest import NOW, make_person
from training.runs.withdrawals import withdraw_answer, withdraw_consent

REASON = "Both peers missed the dialect."


@pytest.fixture
def dispute(
    project: Project,
    ben: Person,
    filipa: Person,
    goran: Person,
    chen: Person,
    community: Community,
    consenting: Callable[..., Any],
    answered: Callable[..., Answer],
    verdict: Callable[..., Any],
) -> Answer:
    """Ben's answer on which three peers gave three different verdicts."""
    hana = make_person("hana")
    grant_role(person=hana, community=community, role=Role.SPEAKER, granted_by=hana, now=NOW)
    for person in (ben, filipa, goran, hana, chen):
        consenting(person)
    answer = answered(ben, "ar nthandi ñäʼ")
    verdict(answer, filipa, "approve", note="Sounds like home.")
    verdict(answer, goran, "reject", reason="spelling")
    verdict(answer, hana, "fix", fixed_text="ar nthändi ñäʼ")
    answer.refresh_from_db()
    assert answer.state == Answer.State.DISPUTED
    return answer


@pytest.fixture
def expert(client: Client, chen: Person) -> Client:
    client.force_login(chen)
    return client


def queue(community: Community) -> str:
    return reverse("expert:queue", kwargs={"slug": community.slug})


def page_of(answer: Answer, community: Community) -> str:
    return reverse("expert:answer", kwargs={"slug": community.slug, "pk": answer.pk})


def test_an_empty_queue_says_so(expert: Client, community: Community) -> None:
    response = expert.get(queue(community))

    assert response.status_code == 200
    assert "Nothing is disputed" in response.text


def test_the_queue_lists_a_dispute(expert: Client, community: Community, dispute: Answer) -> None:
    response = expert.get(queue(community))

    assert dispute.text in response.text
    assert page_of(dispute, community) in response.text


def test_the_page_shows_source_verdicts_reasons_and_corrections_but_no_names(
    expert: Client, community: Community, dispute: Answer
) -> None:
    text = expert.get(page_of(dispute, community)).text

    assert dispute.task.item.text in text
    assert "Sounds like home." in text
    assert "Spelling" in text
    assert "ar nthändi ñäʼ" in text
    for name in ("filipa", "goran", "hana"):
        assert name not in text


def test_a_decision_settles_the_answer_and_is_listed_with_its_reason(
    expert: Client, community: Community, dispute: Answer
) -> None:
    response = expert.post(
        page_of(dispute, community), {"decision": "accept", "reason": REASON, "text": ""}, follow=True
    )

    dispute.refresh_from_db()
    assert response.redirect_chain == [(queue(community), 302)]
    assert dispute.state == Answer.State.VALIDATED
    assert REASON in response.text


def test_a_correction_becomes_the_validated_wording(expert: Client, community: Community, dispute: Answer) -> None:
    expert.post(page_of(dispute, community), {"decision": "correct", "reason": REASON, "text": "ar nthändi"})

    correction = Adjudication.objects.get().correction
    assert correction is not None
    assert (correction.text, correction.state) == ("ar nthändi", Answer.State.VALIDATED)


def test_a_refusal_keeps_everything_that_was_typed(expert: Client, community: Community, dispute: Answer) -> None:
    response = expert.post(page_of(dispute, community), {"decision": "correct", "reason": REASON, "text": dispute.text})

    assert response.status_code == 422
    assert "The correction is the same as the answer" in response.text
    assert REASON in response.text
    assert not Adjudication.objects.exists()


def test_a_missing_reason_is_asked_for(expert: Client, community: Community, dispute: Answer) -> None:
    response = expert.post(page_of(dispute, community), {"decision": "accept", "reason": " ", "text": "x y"})

    assert response.status_code == 422
    assert "x y" in response.text


def test_deciding_twice_is_refused_with_what_was_decided(expert: Client, community: Community, dispute: Answer) -> None:
    decision = {"decision": "accept", "reason": REASON, "text": ""}
    expert.post(page_of(dispute, community), decision)

    response = expert.post(page_of(dispute, community), {**decision, "reason": "Too late."})

    assert response.status_code == 409
    assert "Somebody has decided this one already." in response.text
    assert "Too late." in response.text
    assert Adjudication.objects.count() == 1


def test_words_that_were_withdrawn_are_shown_to_nobody(
    expert: Client, community: Community, dispute: Answer, ben: Person
) -> None:
    expert.post(page_of(dispute, community), {"decision": "accept", "reason": REASON, "text": ""})
    withdraw_answer(answer=dispute, author=ben, now=NOW)

    assert dispute.text not in expert.get(queue(community)).text
    assert expert.get(page_of(dispute, community)).status_code == 404


def test_words_hidden_from_members_leave_the_queue(
    expert: Client, community: Community, dispute: Answer, ben: Person
) -> None:
    withdraw_consent(person=ben, community=community, purposes=[Purpose.DISPLAY_MEMBERS], now=NOW)

    assert dispute.text not in expert.get(queue(community)).text


def test_nobody_decides_on_their_own_words(client: Client, community: Community, dispute: Answer, ben: Person) -> None:
    grant_role(person=ben, community=community, role=Role.EXPERT, granted_by=ben, now=NOW)
    client.force_login(ben)

    assert client.get(page_of(dispute, community)).status_code == 404
    assert "One of your own answers is disputed" in client.get(queue(community)).text


@pytest.mark.parametrize("who", ["dana", "ben", "esi"])
def test_others_find_nothing(
    client: Client, community: Community, dispute: Answer, who: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))

    assert client.get(queue(community)).status_code == 404
    assert client.get(page_of(dispute, community)).status_code == 404
    assert client.post(page_of(dispute, community), {"decision": "accept", "reason": "x"}).status_code == 404
