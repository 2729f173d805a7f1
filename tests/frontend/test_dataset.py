"""The dataset browser: what is shown, how it is counted, and what never is."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from annotation.answers.models import Answer
from care.models import Grant, Purpose
from frontend.researcher.dataset import count_answers, labels_in
from people.models import Person
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
PAGE = "/c/test-otomi/train/dataset/"


@pytest.fixture
def page(client: Client, esi: Person, validated_corpus: list[Answer]) -> Any:
    """page(query) opens the browser as the researcher and returns (words of the page, its context)."""
    client.force_login(esi)

    def open_page(query: str = "") -> Any:
        response = client.get(PAGE + query)
        return response.content.decode(), response.context

    return open_page


def test_answers_are_counted_as_they_are(validated_corpus: list[Answer]) -> None:
    counts = count_answers(Answer.objects.all())

    assert counts.counted == 12
    assert [bar.number for bar in counts.people] == [4, 4, 4]
    assert counts.largest_share == pytest.approx(1 / 3)
    assert {bar.name: bar.number for bar in counts.lengths if bar.number} == {"≤ 20": 12}
    assert [(bar.name, bar.number) for bar in counts.months] == [("2026-03", 12)]


def test_labels_of_spans_classes_and_choices_are_counted() -> None:
    assert labels_in({"spans": [{"label": "PER"}, {"label": "PER"}]}) == ["PER", "PER"]
    assert labels_in({"labels": ["glad"]}) == ["glad"]
    assert labels_in({"choice": "tie"}) == ["tie"]
    assert labels_in({}) == []


@pytest.mark.parametrize(
    ("query", "number"),
    [("", 12), ("?words=frase+1", 3), ("?words=nothing+like+it", 0), ("?state=rejected", 0), ("?state=validated", 12),
     (f"?purpose={Purpose.TRAIN_NONCOMMERCIAL.value}", 12), ("?state=unheard-of", 12)],
)  # fmt: skip
def test_filters_narrow_what_is_shown(page: Any, query: str, number: int) -> None:
    _, context = page(query)

    assert context["total"] == number


def test_nothing_found_says_what_to_do(page: Any) -> None:
    assert "Leave a filter open" in page("?words=nothing")[0]


def test_words_that_their_author_keeps_are_not_shown(page: Any, ben: Person) -> None:
    Grant.objects.filter(receipt__person=ben, purpose=Purpose.DISPLAY_MEMBERS).update(withdrawn_at=NOW)

    assert page()[1]["total"] == 8


def test_speakers_do_not_browse(client: Client, ben: Person) -> None:
    client.force_login(ben)

    assert client.get(PAGE).status_code == 404
