"""Four verdicts on somebody else's words."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from annotation.answers.models import Answer, Review
from annotation.answers.services import edit_answer
from annotation.projects.models import Project
from care.models import Receipt
from people.models import Person
from tests.frontend.speaker.pages import DESK, text_of

pytestmark = pytest.mark.django_db


class TestReview:
    """Four verdicts on somebody else's words."""

    @pytest.fixture
    def filipas_answer(
        self,
        ben: Person,
        filipa: Person,
        goran: Person,
        consenting: Callable[..., Receipt],
        answered: Callable[..., Answer],
    ) -> Answer:
        """One answer that waits for a verdict."""
        for person in (ben, filipa, goran):
            consenting(person)
        return answered(filipa, "ar ñäʼ")

    def form_of(self, client: Client, project: Project) -> dict[str, Any]:
        """Open the review page; what its form holds."""
        form = client.get(f"{DESK}/review/{project.pk}/").context["form"]
        return {name: str(value) for name, value in form.initial.items()}

    def test_it_shows_others_words_without_their_names(
        self, bens: Client, filipas: Client, project: Project, filipas_answer: Answer
    ) -> None:
        text = text_of(bens.get(f"{DESK}/review/{project.pk}/"))
        assert "ar ñäʼ" in text
        assert "filipa" not in text
        assert "Nothing waits for your review" in text_of(filipas.get(f"{DESK}/review/{project.pk}/"))

    @pytest.mark.parametrize(
        ("verdict", "more"),
        [
            ("approve", {}),
            ("unsure", {"note": "a word"}),
            ("reject", {"reason": "spelling"}),
            ("fix", {"text": "ar ñä"}),
        ],
    )
    def test_each_verdict_is_stored_and_brings_the_next(
        self, bens: Client, ben: Person, project: Project, filipas_answer: Answer, verdict: str, more: dict[str, str]
    ) -> None:
        fields = {**self.form_of(bens, project), "verdict": verdict, **more}
        text = text_of(bens.post(f"{DESK}/review/{project.pk}/", fields, follow=True))
        review = Review.objects.get(reviewer=ben, answer=filipas_answer)
        assert (review.verdict, review.note) == (verdict, more.get("note", ""))
        assert "Nothing waits for your review" in text
        if verdict == "fix":
            assert review.fix is not None
            assert review.fix.text == "ar ñä"

    @pytest.mark.parametrize(
        "more",
        [
            {"verdict": "reject"},
            {"verdict": "fix", "text": "ar ñäʼ"},
            {"verdict": ""},
            {"verdict": "fix", "text": "Привет, как дела"},
        ],
    )
    def test_what_is_missing_is_asked_for_and_nothing_typed_is_lost(
        self, bens: Client, project: Project, filipas_answer: Answer, more: dict[str, str]
    ) -> None:
        fields = {**self.form_of(bens, project), "note": "my remark", **more}
        text = text_of(bens.post(f"{DESK}/review/{project.pk}/", fields), 422)
        assert "my remark</textarea>" in text
        assert f"{fields['text']}</textarea>" in text
        assert not Review.objects.exists()

    def test_an_answer_that_others_settled_needs_no_verdict(
        self,
        bens: Client,
        aroha: Person,
        project: Project,
        filipas_answer: Answer,
        goran: Person,
        verdict: Callable[..., Review],
    ) -> None:
        fields = {**self.form_of(bens, project), "verdict": "approve"}
        Answer.objects.filter(pk=filipas_answer.pk).update(state="validated")
        text = text_of(bens.post(f"{DESK}/review/{project.pk}/", fields), 409)
        assert "Others have settled this one already" in text
        assert f'href="{DESK}/review/{project.pk}/"' in text

    def test_an_edited_answer_is_shown_again_with_its_new_text(
        self, bens: Client, filipa: Person, project: Project, filipas_answer: Answer, now: datetime
    ) -> None:
        fields = {**self.form_of(bens, project), "verdict": "fix", "text": "my own wording"}
        edit_answer(answer=filipas_answer, author=filipa, text="ar xudi", version=1, now=now)
        text = text_of(bens.post(f"{DESK}/review/{project.pk}/", fields), 409)
        assert "ar xudi</p>" in text
        assert "my own wording</textarea>" in text
        assert re.search(r'name="version" value="2"', text)

    def test_an_answer_taken_back_meanwhile_makes_way_for_the_next(
        self, bens: Client, filipas: Client, project: Project, filipas_answer: Answer
    ) -> None:
        fields = {**self.form_of(bens, project), "verdict": "approve"}
        filipas.post(f"{DESK}/words/{filipas_answer.pk}/withdraw/")
        text = text_of(bens.post(f"{DESK}/review/{project.pk}/", fields, follow=True))
        assert "taken back by its author" in text
        assert not Review.objects.exists()

    def test_the_desk_counts_what_waits(
        self, bens: Client, filipas: Client, project: Project, filipas_answer: Answer
    ) -> None:
        assert "Review 1" in text_of(bens.get(f"{DESK}/"))
        assert "Review 1" not in text_of(filipas.get(f"{DESK}/"))
