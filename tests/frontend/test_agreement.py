"""How far people agree, for experts and researchers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from annotation.answers.models import Answer, Review
from annotation.conflicts.agreement import agreement_of
from annotation.projects.models import Project
from people.models import Person
from tests.conftest import NOW
from tests.kinds.opening import answer_of, open_kind

pytestmark = pytest.mark.django_db
PAGE = "/c/test-otomi/decide/agreement/"


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> None:
    cache.clear()


@pytest.fixture
def labelled(community: Any, aroha: Person, ben: Person, filipa: Person, consenting: Callable[..., Any]) -> Project:
    """Two people label the same two sentences: once alike, once with another label."""
    for person in (ben, filipa):
        consenting(person)
    rule = {"stop": "total", "answers": 2}
    project = open_kind(community, aroha, "label", rule=rule)
    for label in ("PER", "LOC"):
        for person, said in ((ben, "PER"), (filipa, label)):
            answer_of(project, person, payload={"spans": [{"start": 0, "end": 5, "label": said}]})
    return project


def values(project: Project, part: str, about: str) -> dict[str, float | None]:
    return {group.name: group.measures[0].value for group in agreement_of(project)[part] if group.about == about}


def test_verdicts_are_compared_pair_by_pair_and_all_together(
    project: Project, ben: Person, filipa: Person, goran: Person, chen: Person, aroha: Person,
    consenting: Callable[..., Any], answered: Callable[..., Answer], verdict: Callable[..., Review],
) -> None:  # fmt: skip
    for person in (ben, filipa, goran):
        consenting(person)
    answers = [answered(ben) for _ in range(5)]
    for number, answer in enumerate(answers):
        verdict(
            answer, filipa, "reject" if number == 0 else "approve", **({"reason": "spelling"} if number == 0 else {})
        )
        Review.objects.create(
            answer=answer, author_id_of_answer=ben.pk, reviewer=goran, version=1, created_at=NOW,
            client_id=answer.pk, verdict="reject" if number < 2 else "approve",
            reason="spelling" if number < 2 else "",
        )  # fmt: skip

    # By hand: they differ on one of five; expected agreement (1·2 + 4·3) / 25.
    assert values(project, "verdicts", "pair") == {"A · B": pytest.approx((0.8 - 14 / 25) / (1 - 14 / 25))}
    assert 0 < (values(project, "verdicts", "all")[""] or 0) < 1


def test_spans_of_several_people_are_compared_and_label_by_label(labelled: Project) -> None:
    assert values(labelled, "answers", "all") == {"": pytest.approx(0.5)}
    assert values(labelled, "answers", "label") == {"PER": pytest.approx(2 / 3), "LOC": pytest.approx(0)}


def test_words_whose_authors_took_them_back_are_not_counted(labelled: Project) -> None:
    Answer.objects.update(state="withdrawn")

    assert "answers" not in agreement_of(labelled)


def test_an_expert_sees_bars_and_reasons(client: Client, chen: Person, labelled: Project) -> None:
    client.force_login(chen)
    assert labelled.title in client.get(PAGE).content.decode()
    page = client.get(f"{PAGE}{labelled.pk}/").content.decode()

    assert "<svg" in page
    assert "0.50" in page
    assert "Nobody voted on an item that somebody else voted on, too." in page
    assert "filipa" not in page


def test_a_researcher_may_look_and_speakers_may_not(
    client: Client, esi: Person, ben: Person, labelled: Project
) -> None:
    client.force_login(esi)
    assert client.get(f"{PAGE}{labelled.pk}/").status_code == 200
    client.force_login(ben)
    assert client.get(f"{PAGE}{labelled.pk}/").status_code == 404
