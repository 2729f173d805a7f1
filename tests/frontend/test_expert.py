"""The expert's desk: the queue, one dispute, the decision."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Answer
from annotation.conflicts.models import Adjudication
from annotation.projects.models import Project
from care.models import Purpose
from ledger.models import Entry
from people.models import Community, Person, Role
from people.services import grant_role
from tests.annotation.conflicting import THREE, contest
from tests.conftest import NOW, make_person
from tests.kinds.opening import open_kind
from training.runs.withdrawals import withdraw_answer, withdraw_consent

REASON = "Both peers missed the dialect."


def agree(person: Person, consenting: Callable[..., Any]) -> None:
    """Give consent, once."""
    if not person.receipts.exists():  # type: ignore[attr-defined]
        consenting(person)


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
        agree(person, consenting)
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


@pytest.fixture
def labels(community: Community, aroha: Person, ben: Person, filipa: Person, goran: Person, consenting: Any) -> Project:
    for person in (ben, filipa, goran):
        agree(person, consenting)
    return open_kind(community, aroha, "label", rule=THREE)


@pytest.fixture
def three(labels: Project, ben: Person, filipa: Person, goran: Person) -> list[Answer]:
    """Ben, Filipa and Goran marked one sentence in three ways."""
    return contest(labels, [ben, filipa, goran])


def test_three_answers_stand_side_by_side_under_letters(
    expert: Client, community: Community, three: list[Answer]
) -> None:
    text = expert.get(page_of(three[1], community)).text

    assert [f"Person {letter}" in text for letter in "ABCD"] == [True, True, True, False]
    assert "Of 3 people, no two say the same." in text
    for row in three:
        assert f'value="{row.pk}"' in text
    assert 'value="0-5-PER"' in text
    for name in ("ben", "filipa", "goran"):
        assert name not in text


def test_names_are_shown_where_stewards_say_so(
    client: Client, expert: Client, community: Community, three: list[Answer], aroha: Person, chen: Person
) -> None:
    client.force_login(aroha)
    names = reverse("steward:names", kwargs={"slug": community.slug})
    assert "Experts read names from now on." in client.post(names, {"names": "shown"}, follow=True).text
    client.force_login(chen)

    assert "A · ben" in client.get(page_of(three[0], community)).text
    assert "filipa" in client.get(queue(community)).text

    client.force_login(aroha)
    client.post(names, {"names": "hidden"})
    client.force_login(chen)
    assert "A · ben" not in client.get(page_of(three[0], community)).text
    assert Entry.objects.filter(action__startswith="experts.names_").count() == 2


def test_ticked_labels_that_say_what_somebody_said_take_their_answer(
    expert: Client, community: Community, three: list[Answer]
) -> None:
    expert.post(page_of(three[0], community), {"decision": "merge", "stock": "0", "fragment": ["0-5-PER"]})

    made = Adjudication.objects.get()
    assert (made.answer, made.decision, made.reason) == (three[2], "accept", "It follows the guidelines.")


def test_ticked_labels_of_several_people_become_an_answer_built_on_theirs(
    expert: Client, community: Community, three: list[Answer], chen: Person, consenting: Callable[..., Any]
) -> None:
    consenting(chen)
    expert.post(page_of(three[0], community), {"decision": "merge", "stock": "0", "fragment": ["0-7-LOC", "0-5-PER"]})

    made = Adjudication.objects.get().correction
    assert made is not None
    assert set(made.built_on.all()) == {three[0].receipt, three[2].receipt}


def test_labels_that_cannot_be_are_refused_and_what_was_ticked_stays(
    expert: Client, community: Community, three: list[Answer], chen: Person, consenting: Callable[..., Any]
) -> None:
    consenting(chen)
    response = expert.post(
        page_of(three[0], community), {"decision": "merge", "stock": "1", "fragment": ["x", "0-5-PER"]}
    )

    assert response.status_code == 422
    assert re.search(r'value="0-5-PER"[^>]* checked', response.text)
    assert not Adjudication.objects.exists()


def test_after_a_decision_comes_the_next_of_what_was_chosen(
    expert: Client, community: Community, three: list[Answer], dispute: Answer
) -> None:
    address = f"{page_of(dispute, community)}?kind=translate"
    response = expert.post(address, {"decision": "accept", "reason": REASON})
    assert response["Location"] == f"{queue(community)}?kind=translate"

    Adjudication.objects.all().delete()
    dispute.state = Answer.State.DISPUTED
    dispute.save()
    response = expert.post(page_of(dispute, community), {"decision": "accept", "reason": REASON})
    assert response["Location"] == page_of(three[0], community)


def test_the_queue_is_filtered_by_what_occurs_in_it(
    expert: Client, community: Community, three: list[Answer], dispute: Answer
) -> None:
    text = expert.get(queue(community), {"why": "contested"}).text
    assert "1 waits for a decision" in text
    assert dispute.text not in text

    assert "Nothing fits this choice now." in expert.get(queue(community), {"why": "no such reason"}).text


def test_a_link_begins_ones_own_answer_with_somebodys(expert: Client, community: Community, dispute: Answer) -> None:
    rival = dispute.fixed_by.get()  # type: ignore[attr-defined]
    text = expert.get(page_of(dispute, community), {"from": str(rival.pk)}).text
    area = text[text.index('name="text"') :]
    assert area[area.index(">") + 1 : area.index("</textarea>")].strip() == rival.text


def test_two_wordings_are_both_right(expert: Client, community: Community, dispute: Answer) -> None:
    rival = dispute.fixed_by.get()  # type: ignore[attr-defined]
    expert.post(
        page_of(dispute, community), {"decision": "both", "stock": "5", "answers": [str(dispute.pk), str(rival.pk)]}
    )
    assert {Answer.objects.get(pk=row.pk).state for row in (dispute, rival)} == {Answer.State.VALIDATED}


def test_what_was_sent_back_is_edited_by_its_author_who_reads_why(
    client: Client, expert: Client, community: Community, dispute: Answer, ben: Person, chen: Person
) -> None:
    expert.post(page_of(dispute, community), {"decision": "send_back", "reason": "Which place is meant?"})
    assert "Sent back, with their authors now" in expert.get(queue(community)).text

    client.force_login(ben)
    words = reverse("speaker:words", kwargs={"slug": community.slug})
    assert "sent back to you" in client.get(words).text
    edit = reverse("speaker:edit", kwargs={"slug": community.slug, "pk": dispute.pk})
    assert "Which place is meant?" in client.get(edit).text
    client.post(edit, {"version": 1, "text": "ar nthändi ya"})
    dispute.refresh_from_db()
    assert (dispute.state, dispute.text) == (Answer.State.SUBMITTED, "ar nthändi ya")


def test_a_decision_is_opened_again_and_everybody_reads_why(
    client: Client, expert: Client, community: Community, three: list[Answer], ben: Person, chen: Person
) -> None:
    expert.post(page_of(three[1], community), {"decision": "accept", "stock": "0", "answers": [str(three[1].pk)]})
    words = reverse("speaker:words", kwargs={"slug": community.slug})
    client.force_login(ben)
    assert "An expert preferred another answer" in client.get(words).text

    client.force_login(chen)
    reopen = reverse("expert:reopen", kwargs={"slug": community.slug, "pk": three[0].pk})
    assert client.post(reopen, {"reason": " "}).status_code == 422
    text = client.post(reopen, {"reason": "New guidelines."}, follow=True).text
    assert "The decision is undone" in text
    assert "New guidelines." in text
    assert client.post(reopen, {"reason": "Again."}).status_code == 404

    client.force_login(ben)
    assert "New guidelines." in client.get(words).text


def test_stewards_read_and_discuss_and_decide_nothing(
    client: Client, community: Community, dispute: Answer, aroha: Person, chen: Person
) -> None:
    client.force_login(aroha)
    text = client.get(page_of(dispute, community)).text
    assert "Take the ticked one" not in text
    assert client.post(page_of(dispute, community), {"decision": "accept", "stock": "0"}).status_code == 403
    remark = reverse("expert:discuss", kwargs={"slug": community.slug, "pk": dispute.pk})
    assert "Ask in the village." in client.post(remark, {"text": "Ask in the village."}, follow=True).text

    client.force_login(chen)
    assert "In discussion" in client.get(queue(community)).text
    assert "Ask in the village." in client.get(page_of(dispute, community)).text


def test_a_steward_finds_a_settled_answer_and_asks_an_expert(
    client: Client, community: Community, validated_corpus: list[Answer], aroha: Person
) -> None:
    client.force_login(aroha)
    settled = reverse("expert:settled", kwargs={"slug": community.slug})
    row = validated_corpus[3]
    text = client.get(settled, {"words": row.text}).text
    assert (row.text in text, validated_corpus[4].text in text) == (True, False)

    assert client.post(settled, {"answer": str(row.pk), "ask": "1", "note": " "}).status_code == 422
    client.post(settled, {"answer": str(row.pk), "ask": "1", "note": "Is it of the north?"})
    row.refresh_from_db()
    assert row.state == Answer.State.DISPUTED
    assert "A steward asked" in client.get(queue(community)).text


def test_cases_decided_before_are_shown_with_their_reason(
    expert: Client,
    community: Community,
    three: list[Answer],
    labels: Project,
    ben: Person,
    filipa: Person,
    goran: Person,
) -> None:
    expert.post(page_of(three[0], community), {"decision": "accept", "reason": "As in the atlas."})
    later = contest(labels, [ben, filipa, goran])

    text = expert.get(page_of(later[0], community)).text
    assert "Decided before, about something like it" in text
    assert "As in the atlas." in text
