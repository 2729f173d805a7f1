"""What became of my words, and taking them back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from annotation.answers.models import Answer, Review
from annotation.projects.models import Project
from care.models import Purpose
from people.models import Person
from tests.frontend.speaker.pages import DESK, text_of
from training.releases.services import freeze_release

pytestmark = pytest.mark.django_db


class TestWords:
    """What became of my words, and taking them back."""

    def test_it_tells_reasons_and_notes_but_no_names(
        self,
        client: Client,
        ben: Person,
        filipa: Person,
        goran: Person,
        project: Project,
        consenting: Any,
        answered: Callable[..., Answer],
        verdict: Callable[..., Review],
    ) -> None:
        for person in (ben, filipa, goran):
            consenting(person)
        answer = answered(ben)
        verdict(answer, filipa, "reject", reason="spelling", note="Two letters are missing.")
        verdict(answer, goran, "reject", reason="not_natural")
        client.force_login(ben)

        text = text_of(client.get(f"{DESK}/words/"))

        assert "not accepted" in text
        assert "Spelling" in text
        assert "Two letters are missing." in text
        assert "filipa" not in text
        assert "goran" not in text

    def test_the_list_is_filtered_by_state_and_comes_in_pages(
        self, bens: Client, ben: Person, project: Project, consenting: Any, answered: Callable[..., Answer]
    ) -> None:
        consenting(ben)
        task = answered(ben).task
        receipt = Answer.objects.get().receipt
        Answer.objects.bulk_create(
            [
                Answer(
                    task=task,
                    author=ben,
                    receipt=receipt,
                    client_id=uuid4(),
                    body_sha256="",
                    text=f"w{number}",
                    state="rejected",
                    created_at=timezone.now(),
                    changed_at=timezone.now(),
                )
                for number in range(24)
            ]
        )
        assert text_of(bens.get(f"{DESK}/words/")).count("<article") == 20
        last = text_of(bens.get(f"{DESK}/words/", {"state": "rejected", "page": "2"}))
        assert last.count("<article") == 4
        assert "?state=rejected&amp;page=1" in last
        assert text_of(bens.get(f"{DESK}/words/", {"state": "submitted"})).count("<article") == 1
        assert text_of(bens.get(f"{DESK}/words/", {"state": "made-up"})).count("<article") == 20

    def test_the_list_takes_the_same_number_of_queries_however_long(
        self,
        bens: Client,
        ben: Person,
        project: Project,
        consenting: Any,
        answered: Callable[..., Answer],
        django_assert_max_num_queries: Any,
    ) -> None:
        consenting(ben)
        for _ in range(12):
            answered(ben)
        with django_assert_max_num_queries(14):
            bens.get(f"{DESK}/words/")

    def test_my_text_can_be_edited_until_somebody_reviewed_it(
        self,
        bens: Client,
        ben: Person,
        filipa: Person,
        project: Project,
        consenting: Any,
        answered: Callable[..., Answer],
        verdict: Callable[..., Review],
    ) -> None:
        consenting(ben)
        consenting(filipa)
        answer = answered(ben)
        address = f"{DESK}/words/{answer.pk}/"

        bens.post(address, {"version": "1", "text": "a\u0308n"})
        answer.refresh_from_db()
        assert (answer.text, answer.version) == ("än", 2)
        assert "stale</textarea>" in text_of(bens.post(address, {"version": "1", "text": "stale"}), 409)
        assert "</textarea>" in text_of(bens.post(address, {"version": "2", "text": " "}), 422)

        verdict(answer, filipa, "unsure")

        assert "so it stays as it is" in text_of(bens.get(address, follow=True))
        assert "mine</textarea>" in text_of(bens.post(address, {"version": "2", "text": "mine"}), 409)

    def test_taking_an_answer_back_says_first_what_it_reaches(
        self, bens: Client, ben: Person, aroha: Person, project: Project, validated_corpus: list[Answer], now: datetime
    ) -> None:
        release, _ = freeze_release(project=project, purpose=Purpose.TRAIN_NONCOMMERCIAL, created_by=aroha, now=now)
        answer = next(answer for answer in validated_corpus if answer.author_id == ben.pk)
        address = f"{DESK}/words/{answer.pk}/withdraw/"

        assert "Release 1 of Test project" in text_of(bens.get(address))
        answer.refresh_from_db()
        assert answer.state == "validated"

        text = text_of(bens.post(address, follow=True))
        answer.refresh_from_db()
        release.refresh_from_db()
        assert answer.state == "withdrawn"
        assert release.contains_withdrawn
        assert "1 release that holds it is now marked" in text

    def test_corrections_built_on_it_are_counted(
        self,
        bens: Client,
        ben: Person,
        filipa: Person,
        project: Project,
        consenting: Any,
        answered: Callable[..., Answer],
        verdict: Callable[..., Review],
    ) -> None:
        consenting(ben)
        consenting(filipa)
        answer = answered(ben)
        verdict(answer, filipa, "fix", fixed_text="another wording")
        assert "One correction that was built on your words" in text_of(bens.get(f"{DESK}/words/{answer.pk}/withdraw/"))

    def test_nobody_reaches_another_persons_words(
        self,
        bens: Client,
        ben: Person,
        filipa: Person,
        project: Project,
        consenting: Any,
        answered: Callable[..., Answer],
    ) -> None:
        consenting(filipa)
        answer = answered(filipa)
        for address in (f"{DESK}/words/{answer.pk}/", f"{DESK}/words/{answer.pk}/withdraw/"):
            text_of(bens.get(address), 404)
            text_of(bens.post(address, {"version": "1", "text": "mine"}), 404)
        answer.refresh_from_db()
        assert answer.state == "submitted"
