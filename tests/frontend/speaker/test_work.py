"""One sentence after another; nothing typed is ever lost."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from annotation.answers.models import Answer
from annotation.projects.models import Assignment, Project
from annotation.projects.services import set_project_state
from care.models import Purpose, Receipt
from care.services import publish_policy
from people.models import Community, Person
from tests.frontend.speaker.pages import DESK, text_of

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


def lease_of(client: Client, project: Project) -> dict[str, Any]:
    """Open the translation page; the hidden fields of its form."""
    form = client.get(f"{DESK}/work/{project.pk}/").context["form"]
    return {name: str(form.initial[name]) for name in ("assignment", "client_id")}


def send(client: Client, project: Project, fields: dict[str, Any], **more: Any) -> HttpResponse:
    """Send the translation form."""
    return client.post(f"{DESK}/work/{project.pk}/", fields, **more)  # type: ignore[return-value]


class TestTranslate:
    """One sentence after another."""

    @pytest.fixture(autouse=True)
    def _ben_and_filipa_agreed(self, ben: Person, filipa: Person, consenting: Callable[..., Receipt]) -> None:
        consenting(ben)
        consenting(filipa)

    def test_the_page_shows_the_sentence_and_the_letters(self, bens: Client, project: Project) -> None:
        text = text_of(bens.get(f"{DESK}/work/{project.pk}/"))
        assert "frase 1 del texto" in text
        assert 'data-key="ʼ"' in text
        assert ">◌̱</button>" in text
        assert re.search(r'<textarea[^>]* lang="ote" dir="ltr"', text)

    def test_a_reload_shows_the_same_sentence(self, bens: Client, project: Project) -> None:
        assert lease_of(bens, project)["assignment"] == lease_of(bens, project)["assignment"]

    def test_sending_stores_it_in_nfc_and_shows_the_next(self, bens: Client, ben: Person, project: Project) -> None:
        fields = lease_of(bens, project)
        response = send(bens, project, {**fields, "text": "n\u0303a\u0308"}, follow=True)
        text = text_of(response)
        answer = Answer.objects.get(author=ben)
        assert answer.text == "ñä"
        assert "Thank you" in text
        assert "frase 2 del texto" in text
        assert f'href="{DESK}/words/{answer.pk}/">Edit the last one' in text

    def test_sending_twice_stores_once(self, bens: Client, project: Project) -> None:
        fields = {**lease_of(bens, project), "text": "ñä"}
        for _ in range(2):
            response = send(bens, project, fields, headers=JSON)
            assert response.json()["next"] == f"{DESK}/work/{project.pk}/"  # type: ignore[attr-defined]
        assert Answer.objects.count() == 1

    @pytest.mark.parametrize("text", ["Привет, как дела", "", "a\x00b", "x" * 4001])
    def test_unusable_text_stays_in_the_form(self, bens: Client, project: Project, text: str) -> None:
        fields = {**lease_of(bens, project), "text": text}
        shown = text_of(send(bens, project, fields), 422)
        assert f"\n{text}</textarea>" in shown
        assert 'role="alert" data-refusal>' in shown
        assert fields["client_id"] in shown
        assert send(bens, project, fields, headers=JSON).json()["message"]  # type: ignore[attr-defined]
        assert not Answer.objects.exists()

    def test_the_same_id_with_another_text_is_a_conflict(self, bens: Client, project: Project) -> None:
        fields = lease_of(bens, project)
        send(bens, project, {**fields, "text": "ñä"})
        text = text_of(send(bens, project, {**fields, "text": "another"}), 409)
        assert "another</textarea>" in text
        assert Answer.objects.get().text == "ñä"

    def test_too_late_when_somebody_else_has_it(self, bens: Client, filipa: Person, project: Project) -> None:
        fields = lease_of(bens, project)
        own = Assignment.objects.filter(pk=fields["assignment"])
        own.update(state="expired")
        Assignment.objects.create(
            task=own.get().task,
            person=filipa,
            leased_at=timezone.now(),
            expires_at=timezone.now() + timedelta(minutes=5),
        )
        text = text_of(send(bens, project, {**fields, "text": "ñä kept"}), 410)
        assert "ñä kept</textarea>" in text
        assert "Go on" in text

    def test_late_is_fine_when_nobody_else_has_it(self, bens: Client, project: Project) -> None:
        fields = lease_of(bens, project)
        Assignment.objects.filter(pk=fields["assignment"]).update(expires_at=timezone.now() - timedelta(hours=1))
        assert send(bens, project, {**fields, "text": "ñä"}).status_code == 302
        assert Answer.objects.get().text == "ñä"

    def test_a_changed_policy_keeps_the_text_and_shows_the_way(
        self, bens: Client, aroha: Person, community: Community, project: Project
    ) -> None:
        fields = lease_of(bens, project)
        publish_policy(
            waiver="For tests.",
            community=community,
            text="Newer.",
            purposes=list(Purpose.values),
            published_by=aroha,
            now=timezone.now(),
        )
        response = send(bens, project, {**fields, "text": "ñä kept"})
        text = text_of(response, 409)
        assert "ñä kept</textarea>" in text
        assert f'href="{DESK}/consent/?next=' in text

    def test_a_closed_project_says_so(self, bens: Client, aroha: Person, project: Project, now: datetime) -> None:
        set_project_state(project=project, state="closed", changed_by=aroha, now=now)
        assert "closed for now" in text_of(bens.get(f"{DESK}/work/{project.pk}/"))

    def test_when_nothing_is_left_the_page_offers_reviews(
        self, bens: Client, filipa: Person, project: Project, answered: Callable[..., Answer]
    ) -> None:
        for _ in range(12):
            answered(filipa)
        text = text_of(bens.get(f"{DESK}/work/{project.pk}/"))
        assert "Nothing waits for you here now" in text
        assert "Review 12 answers" in text

    def test_nobody_answers_for_another(self, bens: Client, filipas: Client, project: Project) -> None:
        fields = {**lease_of(filipas, project), "text": "ñä"}
        text_of(send(bens, project, fields), 404)
        text_of(bens.post(f"{DESK}/skip/{fields['assignment']}/", {"reason": "other"}), 404)
        text_of(bens.post(f"{DESK}/skip/{fields['assignment']}/undo/"), 404)
        assert not Answer.objects.exists()

    @pytest.mark.parametrize("missing", ["client_id", "assignment"])
    def test_a_damaged_form_stores_nothing(self, bens: Client, project: Project, missing: str) -> None:
        fields = {**lease_of(bens, project), "text": "ñä", missing: "broken"}
        assert send(bens, project, fields).status_code in {404, 422}
        assert not Answer.objects.exists()

    def test_skipping_needs_a_reason_and_loses_nothing(self, bens: Client, project: Project) -> None:
        fields = {**lease_of(bens, project), "text": "half a", "note": "a remark"}
        text = text_of(bens.post(f"{DESK}/skip/{fields['assignment']}/", fields), 422)
        assert "half a</textarea>" in text
        assert "a remark</textarea>" in text
        assert "<details open>" in text

    def test_a_skip_brings_the_next_and_can_be_undone(self, bens: Client, project: Project) -> None:
        fields = lease_of(bens, project)
        skipped = bens.post(f"{DESK}/skip/{fields['assignment']}/", {**fields, "reason": "too_hard"}, follow=True)
        assert "Skipped: “frase 1 del texto" in text_of(skipped)
        assert "frase 2 del texto" in text_of(skipped)

        undone = bens.post(f"{DESK}/skip/{fields['assignment']}/undo/", follow=True)

        assert undone.context["assignment"].pk == int(fields["assignment"])
        assert "Skipped:" not in text_of(undone)

    def test_a_skip_that_somebody_else_took_stays_a_skip(self, bens: Client, filipa: Person, project: Project) -> None:
        fields = lease_of(bens, project)
        bens.post(f"{DESK}/skip/{fields['assignment']}/", {**fields, "reason": "too_hard"})
        task = Assignment.objects.get(pk=fields["assignment"]).task
        Assignment.objects.create(
            task=task, person=filipa, leased_at=timezone.now(), expires_at=timezone.now() + timedelta(minutes=5)
        )
        undone = bens.post(f"{DESK}/skip/{fields['assignment']}/undo/", follow=True)
        assert "Somebody else works on that sentence now" in text_of(undone)

    def test_the_first_visit_weighs_little(self, bens: Client, project: Project) -> None:
        def weight(content: bytes) -> int:
            return len(gzip.compress(content, 9))

        pages = [Client().get("/accounts/login/"), bens.get(f"{DESK}/work/{project.pk}/")]
        names = {
            name for page in pages for name in re.findall(r'(?:href|src)="/static/([^"]+)"', page.content.decode())
        }
        sizes = {}
        for name in names:
            with open(finders.find(name) or "", "rb") as file:
                sizes[name] = weight(file.read())
        scripts = sum(size for name, size in sizes.items() if name.endswith(".js"))
        sheets = sum(size for name, size in sizes.items() if name.endswith(".css"))
        assert 0 < scripts <= 15_000
        assert 0 < sheets <= 10_000
        assert sum(weight(page.content) for page in pages) + sum(sizes.values()) <= 60_000

    def test_the_page_has_nothing_that_the_policy_forbids(self, bens: Client, project: Project) -> None:
        text = text_of(bens.get(f"{DESK}/work/{project.pk}/"))
        assert " style=" not in text
        assert "<style" not in text
        assert not re.findall(r"<script(?![^>]* src=)", text)
        assert not re.findall(r" on\w+=", text)
